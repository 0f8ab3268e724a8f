package store

import (
	"context"
	"fmt"
	"strings"
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

// isAsked is the condition of a user u who is asked for a code where the plug-in
// works as a says, with the values of its placeholders from the given one on.
func isAsked(a auth.Activation, from int) (condition string, values []any) {
	switch {
	case !a.Active:
		return `1 = 0`, nil
	case a.Everyone:
		return `u.two_factor_since > 0`, nil
	}
	in := func(ids []any) string {
		places := []string{"''"} // nobody's
		for range ids {
			places = append(places, fmt.Sprintf("$%d", from+len(values)))
			values = append(values, ids[len(places)-2])
		}
		return strings.Join(places, ", ")
	}
	users, groups := make([]any, len(a.Users)), make([]any, len(a.Groups))
	for i, u := range a.Users {
		users[i] = u
	}
	for i, g := range a.Groups {
		groups[i] = g
	}
	condition = `u.two_factor_since > 0 AND (u.id IN (` + in(users) + `) OR EXISTS (
		SELECT 1 FROM memberships pm WHERE pm.user_id = u.id AND pm.group_id IN (` + in(groups) + `)))`
	return condition, values
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
