package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
)

const applicationColumns = `a.id, a.kind, a.name, a.description, a.url, a.require_two_factor, a.everyone, a.created_at`

func scanApplication(r row) (a auth.Application, err error) {
	var created int64
	err = r.Scan(&a.ID, &a.Kind, &a.Name, &a.Description, &a.URL, &a.RequireTwoFactor, &a.Everyone, &created)
	a.Created = fromMillis(created)
	return a, err
}

// Applications lists all applications by name, with whom they are for.
func (s *Store) Applications(ctx context.Context) ([]auth.Application, error) {
	all, err := list(ctx, s.read, scanApplication, `
		SELECT `+applicationColumns+` FROM applications a ORDER BY LOWER(a.name), a.id`)
	if err != nil {
		return nil, fmt.Errorf("list applications: %w", err)
	}
	for i := range all {
		if err := readAllowed(ctx, s.read, &all[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// ApplicationsFor lists what a person may open, by name.
func (s *Store) ApplicationsFor(ctx context.Context, user auth.UserID) ([]auth.Application, error) {
	all, err := list(ctx, s.read, scanApplication, `
		SELECT `+applicationColumns+` FROM applications a
		 WHERE a.everyone
		    OR EXISTS (SELECT 1 FROM application_users u WHERE u.application_id = a.id AND u.user_id = $1)
		    OR EXISTS (SELECT 1 FROM application_groups g JOIN memberships m ON m.group_id = g.group_id
		                WHERE g.application_id = a.id AND m.user_id = $1)
		 ORDER BY LOWER(a.name), a.id`, user)
	if err != nil {
		return nil, fmt.Errorf("applications of %s: %w", user, err)
	}
	return all, nil
}

// Application finds one application; ErrNotFound where there is none.
func (s *Store) Application(ctx context.Context, id auth.ApplicationID) (auth.Application, error) {
	return applicationByID(ctx, s.read, id, "")
}

func applicationByID(ctx context.Context, q querier, id auth.ApplicationID, lock string) (auth.Application, error) {
	a, err := scanApplication(q.QueryRowContext(ctx, `
		SELECT `+applicationColumns+` FROM applications a WHERE a.id = $1`+lock, id))
	if err != nil {
		return a, fmt.Errorf("application %s: %w", id, notFound(err))
	}
	return a, readAllowed(ctx, q, &a)
}

func readAllowed(ctx context.Context, q querier, a *auth.Application) (err error) {
	if a.Groups, err = list(ctx, q, scanID[auth.GroupID],
		`SELECT group_id FROM application_groups WHERE application_id = $1 ORDER BY group_id`, a.ID); err != nil {
		return fmt.Errorf("groups of application %s: %w", a.ID, err)
	}
	if a.Users, err = list(ctx, q, scanID[auth.UserID],
		`SELECT user_id FROM application_users WHERE application_id = $1 ORDER BY user_id`, a.ID); err != nil {
		return fmt.Errorf("users of application %s: %w", a.ID, err)
	}
	return readHosts(ctx, q, a)
}

// AddApplication makes an application; its identifier is made here. The first
// one of a kind activates the plug-in that the kind needs, for everyone. One
// that speaks OpenID Connect is made by AddClient. Behind a proxy, a host that is
// no host is ErrMalformedHost, our own is ErrOurHost, and one that is another
// application's ErrTaken; a *HostError tells which.
func (s *Store) AddApplication(ctx context.Context, by auth.Actor, a auth.Application, now time.Time) (made auth.Application, err error) {
	err = s.transaction(ctx, func(t *tx) error {
		made, err = t.addApplication(ctx, by, a, now)
		return err
	})
	return made, err
}

func (t *tx) addApplication(ctx context.Context, by auth.Actor, a auth.Application, now time.Time) (auth.Application, error) {
	if a.Kind == "" {
		a.Kind = auth.Link
	}
	a.ID, a.Created = auth.ApplicationID(secret.NewID()), now
	if err := t.lockPlugins(ctx); err != nil {
		return a, err
	}
	if _, err := t.exec(ctx, `
		INSERT INTO applications (id, kind, name, description, url, require_two_factor, everyone, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		a.ID, a.Kind, a.Name, a.Description, a.URL, a.RequireTwoFactor, a.Everyone, millis(now)); err != nil {
		return a, fmt.Errorf("add application: %w", err)
	}
	if err := t.writeAllowed(ctx, a); err != nil {
		return a, err
	}
	if err := t.writeOrigins(ctx, a); err != nil {
		return a, err
	}
	if err := t.activateFor(ctx, by, a.Kind, now); err != nil {
		return a, err
	}
	return a, t.record(ctx, by, auth.EventApplicationAdded, "", a.Name, now)
}

// activateFor activates the plug-in of a kind for everyone with the first
// application of that kind: whoever deactivated it since meant to. One that was
// activated by hand before there was an application, for nobody yet, is
// activated the same way. Where the operator's settings decide, they do.
func (t *tx) activateFor(ctx context.Context, by auth.Actor, k auth.Kind, now time.Time) error {
	if k.Plugin() == "" {
		return nil
	}
	var ofKind int
	if err := t.QueryRowContext(ctx, `SELECT COUNT(*) FROM applications WHERE kind = $1`, k).Scan(&ofKind); err != nil {
		return fmt.Errorf("applications of kind %s: %w", k, err)
	}
	if ofKind > 1 {
		return nil
	}
	before, err := activation(ctx, t, k.Plugin())
	if err != nil || before.Active && before.IsForSomebody() {
		return err
	}
	err = t.changeActivation(ctx, by, k.Plugin(), now, func(a *auth.Activation) {
		*a = auth.Activation{Active: true, Everyone: true}
	})
	if errors.Is(err, ErrGiven) {
		return nil
	}
	return err
}

// ChangeApplication changes what an application is called, where it is and who
// may open it: change gets it as it is in the same transaction, so that two
// changes of different parts keep each other. It gives the error of change, and
// then changes nothing; and it refuses what AddApplication does, and by
// ErrForeignRule to take away a host that one of its rules stands for.
func (s *Store) ChangeApplication(ctx context.Context, by auth.Actor, id auth.ApplicationID, now time.Time, change func(*auth.Application) error) error {
	return s.Alter(ctx, by, id, now, Alteration{Gate: func(g *auth.Gate) error { return change(&g.Application) }})
}

func (t *tx) setApplication(ctx context.Context, by auth.Actor, a auth.Application, now time.Time) error {
	if _, err := t.exec(ctx, `
		UPDATE applications SET name = $1, description = $2, url = $3, everyone = $4 WHERE id = $5`,
		a.Name, a.Description, a.URL, a.Everyone, a.ID); err != nil {
		return fmt.Errorf("change application %s: %w", a.ID, err)
	}
	if err := t.writeAllowed(ctx, a); err != nil {
		return err
	}
	if err := t.writeOrigins(ctx, a); err != nil {
		return err
	}
	if err := t.requireOwnHosts(ctx, a.ID); err != nil {
		return err
	}
	return t.record(ctx, by, auth.EventApplicationChanged, "", a.Name, now)
}

// DeleteApplication removes an application.
func (s *Store) DeleteApplication(ctx context.Context, by auth.Actor, a auth.Application, now time.Time) error {
	return s.transaction(ctx, func(t *tx) error {
		n, err := t.exec(ctx, `DELETE FROM applications WHERE id = $1`, a.ID)
		if err != nil {
			return fmt.Errorf("delete application %s: %w", a.ID, err)
		}
		if n == 0 {
			return ErrNotFound
		}
		t.applications = true
		return t.record(ctx, by, auth.EventApplicationDeleted, "", a.Name, now)
	})
}

// writeAllowed keeps who may open an application. Whoever is gone meanwhile is
// left out.
func (t *tx) writeAllowed(ctx context.Context, a auth.Application) error {
	return t.name(ctx, "application", string(a.ID), a.Groups, a.Users)
}

// name puts groups and people in the place of those whom an application or a
// plug-in named so far, as far as they are still there. Whoever deletes one
// waits, or is waited for, by the lock of the plug-ins.
func (t *tx) name(ctx context.Context, what, id string, groups []auth.GroupID, users []auth.UserID) error {
	for _, table := range []string{what + "_groups", what + "_users"} {
		if _, err := t.exec(ctx, `DELETE FROM `+table+` WHERE `+what+`_id = $1`, id); err != nil {
			return fmt.Errorf("whom %s %s names: %w", what, id, err)
		}
	}
	for _, g := range groups {
		if _, err := t.exec(ctx, `
			INSERT INTO `+what+`_groups (`+what+`_id, group_id) SELECT $1, id FROM groups WHERE id = $2`, id, g); err != nil {
			return fmt.Errorf("%s %s names group %s: %w", what, id, g, err)
		}
	}
	for _, u := range users {
		if _, err := t.exec(ctx, `
			INSERT INTO `+what+`_users (`+what+`_id, user_id) SELECT $1, id FROM users WHERE id = $2`, id, u); err != nil {
			return fmt.Errorf("%s %s names user %s: %w", what, id, u, err)
		}
	}
	return nil
}
