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

// Unasked are the people who may open an application and are asked for no code
// at login: those whom a demand for two-factor authentication would refuse. It
// gives the first of them by address, and the number of all.
func (s *Store) Unasked(ctx context.Context, id auth.ApplicationID, first int) (people []auth.User, all int, err error) {
	a, err := activation(ctx, s.read, auth.TwoFactorPlugin)
	if err != nil {
		return nil, 0, err
	}
	asked, named := isAsked(a, 3)
	unasked := ` FROM users u WHERE u.state = $2 AND ` + mayOpen + ` AND NOT (` + asked + `)`
	args := append([]any{id, auth.Active}, named...)
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

// RequireTwoFactor makes an application demand two-factor authentication, or no
// longer. ErrNotFound where there is no such application.
func (s *Store) RequireTwoFactor(ctx context.Context, by auth.Actor, id auth.ApplicationID, require bool, now time.Time) error {
	return s.transaction(ctx, func(t *tx) error {
		var name string
		err := t.QueryRowContext(ctx, `
			UPDATE applications SET require_two_factor = $1 WHERE id = $2 RETURNING name`, require, id).Scan(&name)
		if err != nil {
			return fmt.Errorf("application %s: %w", id, notFound(err))
		}
		t.applications = true
		kind := auth.EventApplicationLifted
		if require {
			kind = auth.EventApplicationRequires
		}
		return t.record(ctx, by, kind, "", name, now)
	})
}
