package store

import (
	"context"
	"fmt"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
)

// mayOpen is the condition of a user u who is allowed to open application $1.
const mayOpen = `EXISTS (
	SELECT 1 FROM applications a WHERE a.id = $1 AND (a.everyone
	   OR EXISTS (SELECT 1 FROM application_users au WHERE au.application_id = a.id AND au.user_id = u.id)
	   OR EXISTS (SELECT 1 FROM application_groups ag JOIN memberships am ON am.group_id = ag.group_id
	               WHERE ag.application_id = a.id AND am.user_id = u.id)))`

// Unasked are the people for whom an application opens but for a demand for
// two-factor authentication, and who are asked for no code at login: those whom
// the demand would refuse. It gives the first of them by address, and the number
// of all.
func (s *Store) Unasked(ctx context.Context, id auth.ApplicationID, first int) (people []auth.User, all int, err error) {
	unasked, args, err := s.unasked(ctx, s.read, id)
	if err != nil {
		return nil, 0, err
	}
	if err := s.read.QueryRowContext(ctx, `SELECT COUNT(*)`+unasked, args...).Scan(&all); err != nil {
		return nil, 0, fmt.Errorf("count whom %s would refuse: %w", id, err)
	}
	people, err = list(ctx, s.read, scanUser, fmt.Sprintf(`SELECT %s%s ORDER BY u.canonical LIMIT $%d`, userColumns, unasked, len(args)+1),
		append(args, first)...)
	if err != nil {
		return nil, 0, fmt.Errorf("whom %s would refuse: %w", id, err)
	}
	return people, all, nil
}

// unasked says of which users u Unasked tells.
func (s *Store) unasked(ctx context.Context, q querier, id auth.ApplicationID) (from string, args []any, err error) {
	var kind auth.Kind
	if err := q.QueryRowContext(ctx, `SELECT kind FROM applications WHERE id = $1`, id).Scan(&kind); err != nil {
		return "", nil, fmt.Errorf("application %s: %w", id, notFound(err))
	}
	args, from = []any{id, auth.Active}, ` FROM users u WHERE u.state = $2 AND `+mayOpen
	if kind.Plugin() != "" {
		a, err := activation(ctx, q, kind.Plugin())
		if err != nil {
			return "", nil, err
		}
		enabled, named := isEnabled(a, len(args)+1)
		args, from = append(args, named...), from+` AND `+enabled
	}
	asking, err := s.askingPlugins(ctx, q)
	if err != nil {
		return "", nil, err
	}
	for _, a := range asking {
		asked, named := isAsked(a, len(args)+1)
		args, from = append(args, named...), from+` AND NOT (`+asked+`)`
	}
	return from, args, nil
}

// RequireTwoFactor makes an application demand two-factor authentication, or no
// longer. ErrNotFound where there is no such application.
func (s *Store) RequireTwoFactor(ctx context.Context, by auth.Actor, id auth.ApplicationID, require bool, now time.Time) error {
	return s.Alter(ctx, by, id, now, Alteration{Require: &require})
}

// require makes an application that is locked demand two-factor authentication,
// or no longer.
func (t *tx) require(ctx context.Context, by auth.Actor, a auth.Application, require bool, now time.Time, refusing func([]auth.User) error) error {
	kind := auth.EventApplicationLifted
	if require {
		kind = auth.EventApplicationRequires
	}
	if require && !a.RequireTwoFactor && refusing != nil {
		from, args, err := t.store.unasked(ctx, t, a.ID)
		if err != nil {
			return err
		}
		people, err := list(ctx, t, scanUser, `SELECT `+userColumns+from+` ORDER BY u.canonical`, args...)
		if err != nil {
			return fmt.Errorf("whom %s would refuse: %w", a.ID, err)
		}
		if err := refusing(people); err != nil {
			return err
		}
	}
	if _, err := t.exec(ctx, `UPDATE applications SET require_two_factor = $1 WHERE id = $2`, require, a.ID); err != nil {
		return fmt.Errorf("application %s: %w", a.ID, err)
	}
	t.applications = true
	return t.record(ctx, by, kind, "", a.Name, now)
}
