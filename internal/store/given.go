package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
)

// ErrGiven is returned when the operator's settings say which plug-ins work
// for whom, so that nobody else can change it.
var ErrGiven = errors.New("the operator's settings say which plug-ins are active, and for whom")

// givenPlugins is the setting that keeps what the operator's settings said at
// the last start; "" while the administrator decides. Its row is also the lock
// of whatever decides for whom plug-ins work.
const givenPlugins = "plugins.given"

// lockPlugins keeps others from changing for whom plug-ins work. It comes
// before any other lock of a transaction.
func (t *tx) lockPlugins(ctx context.Context) error {
	return t.lockSetting(ctx, givenPlugins)
}

// lockSetting makes whoever needs the row of a setting wait for another, and makes
// it where there is none.
func (t *tx) lockSetting(ctx context.Context, name string) error {
	if _, err := t.exec(ctx, `
		INSERT INTO settings (name, value) VALUES ($1, '')
		ON CONFLICT (name) DO UPDATE SET value = settings.value`, name); err != nil {
		return fmt.Errorf("lock the setting %s: %w", name, err)
	}
	return nil
}

// given reads what the operator's settings say; false while the administrator
// decides.
func given(ctx context.Context, q querier) ([]auth.Enablement, bool, error) {
	kept, err := setting(ctx, q, givenPlugins)
	if err == ErrNotFound || err == nil && kept == "" {
		return nil, false, nil
	} else if err != nil {
		return nil, false, fmt.Errorf("the operator's plug-ins: %w", err)
	}
	var grants []auth.Enablement
	if err := json.Unmarshal([]byte(kept), &grants); err != nil {
		return nil, false, fmt.Errorf("the operator's plug-ins: %w", err)
	}
	return grants, true, nil
}

// resolve is the state of a plug-in as the operator's settings have it. Names
// are looked up each time: a group or a person counts from the moment it has
// the name, and no longer than that.
func resolve(ctx context.Context, q querier, id auth.PluginID, grants []auth.Enablement) (auth.Activation, error) {
	a := auth.Activation{Plugin: id}
	for _, g := range grants {
		if g.Plugin != id {
			continue
		}
		a.Active = true
		var err error
		switch {
		case g.Group != "":
			a.Groups, err = addNamed(ctx, q, a.Groups, `SELECT id FROM groups WHERE canonical = $1`, groupName(g.Group))
		case g.User != "":
			a.Users, err = addNamed(ctx, q, a.Users, `SELECT id FROM users WHERE canonical = $1`, g.User)
		default:
			a.Everyone = true
		}
		if err != nil {
			return a, fmt.Errorf("the operator's plug-ins: %s: %w", g, err)
		}
	}
	return a, nil
}

// addNamed adds whoever has a name, and nobody where nobody has.
func addNamed[ID ~string](ctx context.Context, q querier, all []ID, query, name string) ([]ID, error) {
	found, err := list(ctx, q, scanID[ID], query, name)
	for _, id := range found {
		if !slices.Contains(all, id) {
			all = append(all, id)
		}
	}
	return all, err
}

// Given is what the operator's settings say of plug-ins.
type Given struct {
	Decides bool              // the operator does, in place of the administrator
	Grants  []auth.Enablement // none of a plug-in: it is inactive
}

// ObeySettings makes the operator's settings the truth for whom plug-ins work,
// now and for every later change of groups and people. Settings that leave it
// to the administrator bring back what the administrator had. Whoever is no
// longer asked for a code is told. Settings as they were at the last start
// change nothing.
func (s *Store) ObeySettings(ctx context.Context, g Given, now time.Time) error {
	by := auth.Actor{Settings: true}
	return s.losing(ctx, by, "", AnyLoss, now, func(t *tx) error {
		before, decided, err := given(ctx, t)
		if err != nil {
			return err
		}
		if decided == g.Decides && slices.Equal(before, g.Grants) {
			return nil
		}
		kind, value := auth.EventPluginsNotGiven, ""
		if g.Decides {
			kept, err := json.Marshal(append([]auth.Enablement{}, g.Grants...))
			if err != nil {
				return err
			}
			kind, value = auth.EventPluginsGiven, string(kept)
		}
		if err := t.keepSetting(ctx, givenPlugins, value); err != nil {
			return err
		}
		t.everybody = true
		return t.record(ctx, by, kind, "", grantsInWords(g.Grants), now)
	})
}

func grantsInWords(grants []auth.Enablement) string {
	words := make([]string, len(grants))
	for i, g := range grants {
		words[i] = g.String()
	}
	return strings.Join(words, ", ")
}
