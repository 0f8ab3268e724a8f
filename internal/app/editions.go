package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/twinlock/twinlock/internal/address"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/config"
	"github.com/twinlock/twinlock/internal/store"
)

// activations says which plug-ins work for whom: in the on-premise edition as
// the administrator chose, in the cloud edition as the operator's settings say.
func (a *App) activations(ctx context.Context) ([]auth.Activation, error) {
	if a.Config.Edition != config.Cloud {
		return a.Store.Activations(ctx)
	}
	var all []auth.Activation
	for _, p := range auth.Plugins {
		given := auth.Activation{Plugin: p.ID}
		for _, g := range a.Config.Plugins {
			if g.Plugin != string(p.ID) {
				continue
			}
			if err := a.grant(ctx, &given, g); err != nil {
				return nil, err
			}
		}
		all = append(all, given)
	}
	return all, nil
}

// grant adds one entry of the settings. A group or a person that is not there
// yet is nobody; the store tells when it comes.
func (a *App) grant(ctx context.Context, given *auth.Activation, g config.Grant) error {
	given.Active = true
	switch {
	case g.Group != "":
		group, err := a.Store.GroupByName(ctx, g.Group)
		if err == nil {
			given.Groups = append(given.Groups, group.ID)
		}
		return unlessMissing(err)
	case g.User != "":
		parsed, err := address.Parse(g.User)
		if err != nil {
			return fmt.Errorf("plugins: %s: %w", g.User, err)
		}
		u, err := a.Store.UserByAddress(ctx, parsed.Canonical)
		if err == nil {
			given.Users = append(given.Users, u.ID)
		}
		return unlessMissing(err)
	}
	given.Everyone = true
	return nil
}

func unlessMissing(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}
