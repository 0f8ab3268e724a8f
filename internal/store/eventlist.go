package store

import (
	"context"
	"fmt"
	"strings"
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
	conditions, args := []string{"1 = 1"}, []any{}
	add := func(condition string, arg any) {
		args = append(args, arg)
		conditions = append(conditions, strings.ReplaceAll(condition, "?", fmt.Sprintf("$%d", len(args))))
	}
	if f.Subject != "" {
		add("e.subject = ?", f.Subject)
	}
	if f.Kind != "" {
		add("e.kind = ?", f.Kind)
	}
	if f.Before != "" {
		add("(e.at, e.id) < (SELECT b.at, b.id FROM events b WHERE b.id = ?)", f.Before)
	}
	limit := f.Limit
	if limit == 0 {
		limit = 50
	}
	events, err := list(ctx, s.read, scanEvent, fmt.Sprintf(`
		SELECT e.id, e.at, e.kind, e.actor, e.subject, e.session, e.device, e.network, e.detail,
		       COALESCE((SELECT a.address FROM users a WHERE a.id = e.actor), ''),
		       COALESCE((SELECT a.address FROM users a WHERE a.id = e.subject), '')
		  FROM events e WHERE %s ORDER BY e.at DESC, e.id DESC LIMIT $%d`,
		strings.Join(conditions, " AND "), len(args)+1), append(args, limit)...)
	if err != nil {
		return nil, fmt.Errorf("list events: %w", err)
	}
	return events, nil
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
	_, err := list(ctx, s.read, func(r row) (struct{}, error) {
		var start int64
		var kind auth.EventKind
		var n int
		if err := r.Scan(&start, &kind, &n); err != nil {
			return struct{}{}, err
		}
		if i := int(start - dayOf(first)); i >= 0 && i < days {
			if kind == auth.EventLogin {
				counted[i].Logins += n
			} else {
				counted[i].Refused += n
			}
		}
		return struct{}{}, nil
	}, `SELECT at / 86400000, kind, COUNT(*) FROM events
	     WHERE kind IN ($1, $2, $3) AND at >= $4 GROUP BY at / 86400000, kind`,
		auth.EventLogin, auth.EventLoginRefused, auth.EventCodeRefused, millis(first))
	if err != nil {
		return nil, fmt.Errorf("logins per day: %w", err)
	}
	return counted, nil
}

// Health is what an administrator wants to know at a glance.
type Health struct {
	People            int
	WithTwoFactor     int
	Administrators    int
	Sessions          int // neither ended nor past the overall limit
	LettersWaiting    int
	LettersFailed     int    // given up
	LastFailure       string // what the last failed try said
	FactorsUnreadable int    // people refused because their key cannot be read, in the last 30 days
}

// Health counts.
func (s *Store) Health(ctx context.Context, now time.Time) (h Health, err error) {
	for _, count := range []struct {
		into  *int
		query string
		args  []any
	}{
		{&h.People, `SELECT COUNT(*) FROM users`, nil},
		{&h.WithTwoFactor, `SELECT COUNT(*) FROM users WHERE two_factor_since > 0`, nil},
		{&h.Administrators, `SELECT COUNT(*) FROM users WHERE ` + administering, nil},
		{&h.Sessions, `SELECT COUNT(*) FROM sessions s WHERE ` + s.goingOn(now), nil},
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
