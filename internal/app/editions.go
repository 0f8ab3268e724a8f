package app

import (
	"context"
	"fmt"

	"github.com/twinlock/twinlock/internal/address"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/config"
	"github.com/twinlock/twinlock/internal/store"
)

// ObeySettings makes what the settings say of plug-ins the truth, from this
// start on: in the cloud edition the operator says which work for whom, in the
// on-premise edition the administrator. Only the server does so; a command need
// not know the settings.
func (a *App) ObeySettings(ctx context.Context) error {
	given := store.Given{Decides: a.Config.Edition == config.Cloud}
	for _, g := range a.Config.Plugins {
		grant := auth.Enablement{Plugin: auth.PluginID(g.Plugin), Group: g.Group}
		if g.User != "" {
			parsed, err := address.Parse(g.User)
			if err != nil {
				return fmt.Errorf("plugins: %s: %w", g.User, err)
			}
			grant.User = parsed.Canonical
		}
		given.Grants = append(given.Grants, grant)
	}
	return a.Store.ObeySettings(ctx, given, a.Now())
}
