package store

import (
	"context"
	"fmt"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
)

// SetActivation makes a plug-in work for exactly whom it says. Whoever has
// two-factor authentication on and is no longer asked for a code gets a
// letter; the enrolment is kept, and counts again when the plug-in returns.
func (s *Store) SetActivation(ctx context.Context, by auth.Actor, a auth.Activation, now time.Time) error {
	return s.transaction(ctx, func(t *tx) error { return t.setActivation(ctx, by, a, now) })
}

func (t *tx) setActivation(ctx context.Context, by auth.Actor, a auth.Activation, now time.Time) error {
	before, err := t.lockActivation(ctx, a.Plugin)
	if err != nil {
		return err
	}
	asked, err := askedForCode(ctx, t, before)
	if err != nil {
		return err
	}
	if err := t.writeActivation(ctx, a); err != nil {
		return err
	}
	still, err := askedForCode(ctx, t, a)
	if err != nil {
		return err
	}
	t.plugins = true
	for id := range asked {
		if still[id] {
			continue
		}
		if err := t.tellUnprotected(ctx, by, id, now); err != nil {
			return err
		}
	}
	return t.recordActivation(ctx, by, before, a, now)
}

// lockActivation reads a plug-in's state and keeps others from changing it.
func (t *tx) lockActivation(ctx context.Context, id auth.PluginID) (auth.Activation, error) {
	if _, err := t.exec(ctx, `
		INSERT INTO plugins (id, active, everyone) VALUES ($1, $2, $2)
		ON CONFLICT (id) DO UPDATE SET active = plugins.active`, id, false); err != nil {
		return auth.Activation{}, fmt.Errorf("plug-in %s: %w", id, err)
	}
	return activation(ctx, t, id)
}

func (t *tx) writeActivation(ctx context.Context, a auth.Activation) error {
	if _, err := t.exec(ctx, `UPDATE plugins SET active = $1, everyone = $2 WHERE id = $3`, a.Active, a.Everyone, a.Plugin); err != nil {
		return fmt.Errorf("plug-in %s: %w", a.Plugin, err)
	}
	for _, table := range []string{"plugin_groups", "plugin_users"} {
		if _, err := t.exec(ctx, `DELETE FROM `+table+` WHERE plugin_id = $1`, a.Plugin); err != nil {
			return fmt.Errorf("plug-in %s: %w", a.Plugin, err)
		}
	}
	for _, g := range a.Groups {
		if _, err := t.exec(ctx, `INSERT INTO plugin_groups (plugin_id, group_id) VALUES ($1, $2)`, a.Plugin, g); err != nil {
			return fmt.Errorf("plug-in %s for group %s: %w", a.Plugin, g, err)
		}
	}
	for _, u := range a.Users {
		if _, err := t.exec(ctx, `INSERT INTO plugin_users (plugin_id, user_id) VALUES ($1, $2)`, a.Plugin, u); err != nil {
			return fmt.Errorf("plug-in %s for user %s: %w", a.Plugin, u, err)
		}
	}
	return nil
}

// askedForCode gives the people who have two-factor authentication on and for
// whom the plug-in works as a says.
func askedForCode(ctx context.Context, q querier, a auth.Activation) (map[auth.UserID]bool, error) {
	asked := map[auth.UserID]bool{}
	if !a.Active || a.Plugin != auth.TwoFactorPlugin {
		return asked, nil
	}
	groups := map[auth.GroupID]bool{}
	for _, g := range a.Groups {
		groups[g] = true
	}
	named := map[auth.UserID]bool{}
	for _, u := range a.Users {
		named[u] = true
	}
	_, err := list(ctx, q, func(r row) (struct{}, error) {
		var id auth.UserID
		var group auth.GroupID
		err := r.Scan(&id, &group)
		if a.Everyone || named[id] || groups[group] {
			asked[id] = true
		}
		return struct{}{}, err
	}, `SELECT u.id, COALESCE(m.group_id, '') FROM users u LEFT JOIN memberships m ON m.user_id = u.id
	     WHERE u.two_factor_since > 0`)
	if err != nil {
		return nil, fmt.Errorf("who is asked for a code: %w", err)
	}
	return asked, nil
}

// AskedForCode counts the people who are asked for a code when a plug-in works
// as a says. The page that is about to change it tells how many lose that.
func (s *Store) AskedForCode(ctx context.Context, a auth.Activation) (map[auth.UserID]bool, error) {
	return askedForCode(ctx, s.read, a)
}

func (t *tx) tellUnprotected(ctx context.Context, by auth.Actor, id auth.UserID, now time.Time) error {
	u, err := userByID(ctx, t, id, "")
	if err != nil {
		return err
	}
	return t.queue(ctx, noticeTo(u, auth.LetterProtectionOff, auth.Actor{}, now), now)
}

func (t *tx) recordActivation(ctx context.Context, by auth.Actor, before, a auth.Activation, now time.Time) error {
	kind := auth.EventPluginAllowed
	switch {
	case a.Active && !before.Active:
		kind = auth.EventPluginActivated
	case !a.Active && before.Active:
		kind = auth.EventPluginDeactivated
	case len(a.Groups)+len(a.Users) < len(before.Groups)+len(before.Users), before.Everyone && !a.Everyone:
		kind = auth.EventPluginDenied
	}
	detail := fmt.Sprintf("%s: active %v, everyone %v, %d groups, %d users", a.Plugin, a.Active, a.Everyone, len(a.Groups), len(a.Users))
	return t.record(ctx, by, kind, "", detail, now)
}

// SetSetting keeps what an administrator chose.
func (s *Store) SetSetting(ctx context.Context, by auth.Actor, name, value string, now time.Time) error {
	return s.transaction(ctx, func(t *tx) error { return t.setSetting(ctx, by, name, value, now) })
}

func (t *tx) setSetting(ctx context.Context, by auth.Actor, name, value string, now time.Time) error {
	if _, err := t.exec(ctx, `
		INSERT INTO settings (name, value) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET value = $2`, name, value); err != nil {
		return fmt.Errorf("set %s: %w", name, err)
	}
	return t.record(ctx, by, auth.EventSettingChanged, "", name+" = "+value, now)
}
