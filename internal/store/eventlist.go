package store

import (
	"context"
	"fmt"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
)

// EventFilter narrows the record. Its zero value is everything.
type EventFilter struct {
	Subject auth.UserID // who did it or whom it concerns
	Kind    auth.EventKind
	Before  string // an event's ID: only what lies before it
	Limit   int    // 0 is 50
}

// ListedEvent is an event with the addresses of its people, as far as they
// still have accounts.
type ListedEvent struct {
	auth.Event
	ID             string
	ActorAddress   string
	SubjectAddress string
}

// Events lists the record, newest first.
func (s *Store) Events(ctx context.Context, f EventFilter) ([]ListedEvent, error) {
	var c clause
	if f.Subject != "" {
		c.and("e.subject = ?", f.Subject)
	}
	switch {
	case f.Kind != "" && f.Subject != "" && !s.postgres:
		c.and("+e.kind = ?", f.Kind) // a person has fewer events than there are of a kind
	case f.Kind != "":
		c.and("e.kind = ?", f.Kind)
	}
	if f.Before != "" {
		at, err := s.eventAt(ctx, f.Before)
		if err != nil {
			return nil, err
		}
		c.and("e.at <= ? AND (e.at, e.id) < (?, ?)", at, at, f.Before)
	}
	limit := f.Limit
	if limit == 0 {
		limit = 50
	}
	query := `
		SELECT e.id, e.at, e.kind, e.actor, e.subject, e.session, e.device, e.network, e.detail,
		       COALESCE((SELECT a.address FROM users a WHERE a.id = e.actor), ''),
		       COALESCE((SELECT a.address FROM users a WHERE a.id = e.subject), '')
		  FROM events e WHERE ` + c.String() + c.arg(` ORDER BY e.at DESC, e.id DESC LIMIT ?`, limit)
	events, err := list(ctx, s.read, scanEvent, query, c.args...)
	if err != nil {
		return nil, fmt.Errorf("list events: %w", err)
	}
	return events, nil
}

// eventAt is when an event was; zero where there is none: nothing is before it.
func (s *Store) eventAt(ctx context.Context, id string) (at int64, err error) {
	err = notFound(s.read.QueryRowContext(ctx, `SELECT at FROM events WHERE id = $1`, id).Scan(&at))
	if err != nil && err != ErrNotFound {
		return 0, fmt.Errorf("look for an event: %w", err)
	}
	return at, nil
}

func scanEvent(r row) (e ListedEvent, err error) {
	var at int64
	err = r.Scan(&e.ID, &at, &e.Kind, &e.Actor, &e.Subject, &e.Session, &e.Device, &e.Network, &e.Detail,
		&e.ActorAddress, &e.SubjectAddress)
	e.At = fromMillis(at)
	return e, err
}

// Day is how often something happened on one day (UTC).
type Day struct {
	Start   time.Time
	Logins  int
	Refused int // wrong passwords and wrong codes
}

// LoginsPerDay counts the logins of the last days, the present one included,
// oldest first.
func (s *Store) LoginsPerDay(ctx context.Context, days int, now time.Time) ([]Day, error) {
	counted := lastDays(days, now)
	first := counted[0].Start
	today := dayOf(now)
	_, err := list(ctx, s.read, func(r row) (struct{}, error) {
		var day int64
		var kind auth.EventKind
		var n int
		if err := r.Scan(&day, &kind, &n); err != nil {
			return struct{}{}, err
		}
		of := &counted[int(day-dayOf(first))]
		if kind == auth.EventLogin {
			of.Logins += n
		} else {
			of.Refused += n
		}
		return struct{}{}, nil
	}, `WITH RECURSIVE days (day) AS (
	        SELECT CAST($4 AS BIGINT) UNION ALL SELECT day + 1 FROM days WHERE day < $5),
	    kinds (kind) AS (VALUES (CAST($1 AS TEXT)), (CAST($2 AS TEXT)), (CAST($3 AS TEXT)), (CAST($6 AS TEXT)), (CAST($7 AS TEXT)))
	    SELECT d.day, k.kind, (SELECT COUNT(*) FROM events e
	        WHERE e.kind = k.kind AND e.at >= d.day * 86400000 AND e.at < (d.day + 1) * 86400000)
	      FROM days d CROSS JOIN kinds k`,
		auth.EventLogin, auth.EventLoginRefused, auth.EventCodeRefused, dayOf(first), today,
		auth.EventPasskeyRefused, auth.EventPasskeyCounterBack)
	if err != nil {
		return nil, fmt.Errorf("logins per day: %w", err)
	}
	return counted, nil
}

// Health is what an administrator wants to know at a glance.
type Health struct {
	People            int
	WithTwoFactor     int // an authenticator app or passkeys
	Administrators    int
	Sessions          int // neither ended nor past the overall limit
	LettersWaiting    int
	LettersFailed     int    // given up
	LastFailure       string // what the last failed try said
	FactorsUnreadable int    // people refused because their key cannot be read, in the last 30 days
}

// Health counts.
func (s *Store) Health(ctx context.Context, now time.Time) (h Health, err error) {
	var c clause
	goingOn := s.goingOn(&c, now)
	for _, count := range []struct {
		into  *int
		query string
		args  []any
	}{
		{&h.People, `SELECT COUNT(*) FROM users`, nil},
		{&h.WithTwoFactor, `SELECT COUNT(*) FROM users WHERE two_factor_since > 0 OR passkeys_since > 0`, nil},
		{&h.Administrators, `SELECT COUNT(*) FROM users WHERE ` + administering, nil},
		{&h.Sessions, `SELECT COUNT(*) FROM sessions s WHERE ` + goingOn, c.args},
		{&h.LettersWaiting, `SELECT COUNT(*) FROM letters WHERE done_at = 0`, nil},
		{&h.LettersFailed, `SELECT COUNT(*) FROM letters WHERE done_at > 0 AND failure <> ''`, nil},
		{&h.FactorsUnreadable, `SELECT COUNT(DISTINCT subject) FROM events WHERE kind = $1 AND at > $2`,
			[]any{auth.EventFactorUnreadable, millis(now.AddDate(0, 0, -30))}},
	} {
		if err := s.read.QueryRowContext(ctx, count.query, count.args...).Scan(count.into); err != nil {
			return h, fmt.Errorf("health: %w", err)
		}
	}
	err = notFound(s.read.QueryRowContext(ctx,
		`SELECT failure FROM letters WHERE failure <> '' ORDER BY next_at DESC LIMIT 1`).Scan(&h.LastFailure))
	if err == ErrNotFound {
		err = nil
	}
	return h, err
}

// PasskeysElsewhere counts the passkeys that were made for another domain than
// this one, and whose they are. They sign nobody in here.
func (s *Store) PasskeysElsewhere(ctx context.Context, domain string) (passkeys, people int, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT COUNT(*), COUNT(DISTINCT user_id) FROM passkeys WHERE domain <> $1`, domain).Scan(&passkeys, &people)
	if err != nil {
		return 0, 0, fmt.Errorf("count the passkeys of other domains: %w", err)
	}
	return passkeys, people, nil
}
