package store

import (
	"context"
	"fmt"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
)

// isAsked is the condition of a user u who is asked for a code: two-factor
// authentication is on, and the plug-in works for them. $1 is the plug-in.
const isAsked = `u.two_factor_since > 0 AND EXISTS (
	SELECT 1 FROM plugins p WHERE p.id = $1 AND p.active AND (p.everyone
	   OR EXISTS (SELECT 1 FROM plugin_users pu WHERE pu.plugin_id = p.id AND pu.user_id = u.id)
	   OR EXISTS (SELECT 1 FROM plugin_groups pg JOIN memberships pm ON pm.group_id = pg.group_id
	               WHERE pg.plugin_id = p.id AND pm.user_id = u.id)))`

// mayOpen is the condition of a user u who is allowed to open application $2.
const mayOpen = `EXISTS (
	SELECT 1 FROM applications a WHERE a.id = $2 AND (a.everyone
	   OR EXISTS (SELECT 1 FROM application_users au WHERE au.application_id = a.id AND au.user_id = u.id)
	   OR EXISTS (SELECT 1 FROM application_groups ag JOIN memberships am ON am.group_id = ag.group_id
	               WHERE ag.application_id = a.id AND am.user_id = u.id)))`

// Unasked are the people who may open an application and are asked for no code
// at login: those whom a demand for two-factor authentication would refuse. It
// gives the first of them by address, and the number of all.
func (s *Store) Unasked(ctx context.Context, id auth.ApplicationID, first int) (people []auth.User, all int, err error) {
	const unasked = ` FROM users u WHERE u.state = 'active' AND ` + mayOpen + ` AND NOT (` + isAsked + `)`
	if err := s.read.QueryRowContext(ctx, `SELECT COUNT(*)`+unasked, auth.TwoFactorPlugin, id).Scan(&all); err != nil {
		return nil, 0, fmt.Errorf("count whom %s would refuse: %w", id, err)
	}
	people, err = list(ctx, s.read, scanUser, `SELECT `+userColumns+unasked+` ORDER BY u.canonical LIMIT $3`,
		auth.TwoFactorPlugin, id, first)
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
		kind := auth.EventApplicationLifted
		if require {
			kind = auth.EventApplicationRequires
		}
		return t.record(ctx, by, kind, "", name, now)
	})
}
