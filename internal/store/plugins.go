package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
)

// ChangeActivation makes a plug-in work for others than before. change gets
// the state as it is in the same transaction, and makes it the one that is
// wanted. Enrolments of people for whom it no longer works are kept, and count
// again when it returns. ErrGiven where the operator's settings decide.
func (s *Store) ChangeActivation(ctx context.Context, by auth.Actor, id auth.PluginID, accepts Accepts, now time.Time, change func(*auth.Activation)) error {
	return s.losing(ctx, by, "", accepts, now, func(t *tx) error { return t.changeActivation(ctx, by, id, now, change) })
}

func (t *tx) changeActivation(ctx context.Context, by auth.Actor, id auth.PluginID, now time.Time, change func(*auth.Activation)) error {
	if _, decided, err := given(ctx, t); err != nil {
		return err
	} else if decided {
		return ErrGiven
	}
	before, err := chosen(ctx, t, id)
	if err != nil {
		return err
	}
	wanted := before
	wanted.Groups, wanted.Users = slices.Clone(before.Groups), slices.Clone(before.Users)
	change(&wanted)
	if isSo(before, wanted) {
		return nil
	}
	wanted.Plugin, t.plugins = id, true
	if err := t.writeActivation(ctx, wanted); err != nil {
		return err
	}
	return t.recordActivation(ctx, by, before, wanted, now)
}

// isSo tells whether a plug-in works for the same people, in whatever order they
// are named.
func isSo(is, wanted auth.Activation) bool {
	return is.Active == wanted.Active && is.Everyone == wanted.Everyone &&
		sameNames(is.Groups, wanted.Groups) && sameNames(is.Users, wanted.Users)
}

func sameNames[ID ~string](a, b []ID) bool {
	return slices.Equal(slices.Compact(slices.Sorted(slices.Values(a))), slices.Compact(slices.Sorted(slices.Values(b))))
}

func (t *tx) writeActivation(ctx context.Context, a auth.Activation) error {
	if _, err := t.exec(ctx, `
		INSERT INTO plugins (id, active, everyone) VALUES ($1, $2, $3)
		ON CONFLICT (id) DO UPDATE SET active = $2, everyone = $3`, a.Plugin, a.Active, a.Everyone); err != nil {
		return fmt.Errorf("plug-in %s: %w", a.Plugin, err)
	}
	return t.name(ctx, "plugin", string(a.Plugin), a.Groups, a.Users)
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
	if err := t.keepSetting(ctx, name, value); err != nil {
		return err
	}
	t.plugins = true // where plug-ins are remembered, what was chosen is too
	return t.record(ctx, by, auth.EventSettingChanged, "", name+" = "+value, now)
}

// keepSetting keeps a value, and keeps others from changing it until the
// transaction ends.
func (t *tx) keepSetting(ctx context.Context, name, value string) error {
	if _, err := t.exec(ctx, `
		INSERT INTO settings (name, value) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET value = $2`, name, value); err != nil {
		return fmt.Errorf("keep %s: %w", name, err)
	}
	return nil
}
