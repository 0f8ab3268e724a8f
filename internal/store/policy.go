package store

import (
	"context"
	"fmt"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
)

// GroupsOf gives the groups a person is in, by name.
func (s *Store) GroupsOf(ctx context.Context, user auth.UserID) ([]auth.Group, error) {
	groups, err := list(ctx, s.read, scanGroup, `
		SELECT g.id, g.name, g.open_window FROM groups g
		  JOIN memberships m ON m.group_id = g.id
		 WHERE m.user_id = $1 ORDER BY g.canonical`, user)
	if err != nil {
		return nil, fmt.Errorf("groups of %s: %w", user, err)
	}
	return groups, nil
}

func scanGroup(r row) (g auth.Group, err error) {
	var window int64
	err = r.Scan(&g.ID, &g.Name, &window)
	g.OpenWindow = time.Duration(window) * time.Millisecond
	return g, err
}

// Activations gives the state of every plug-in of the program as it now holds,
// those that nobody touched included: inactive. Where the operator's settings
// decide, they do here.
func (s *Store) Activations(ctx context.Context) ([]auth.Activation, error) {
	var all []auth.Activation
	for _, p := range auth.Plugins {
		a, err := activation(ctx, s.read, p.ID)
		if err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	return all, nil
}

// activation is the state of a plug-in as it now holds.
func activation(ctx context.Context, q querier, id auth.PluginID) (auth.Activation, error) {
	grants, decided, err := given(ctx, q)
	switch {
	case err != nil:
		return auth.Activation{Plugin: id}, err
	case decided:
		return resolve(ctx, q, id, grants)
	}
	return chosen(ctx, q, id)
}

// chosen is the state of a plug-in as the administrator left it.
func chosen(ctx context.Context, q querier, id auth.PluginID) (auth.Activation, error) {
	a := auth.Activation{Plugin: id}
	err := notFound(q.QueryRowContext(ctx, `SELECT active, everyone FROM plugins WHERE id = $1`, id).Scan(&a.Active, &a.Everyone))
	if err == ErrNotFound {
		return a, nil
	} else if err != nil {
		return a, fmt.Errorf("plug-in %s: %w", id, err)
	}
	a.Groups, err = list(ctx, q, scanID[auth.GroupID],
		`SELECT group_id FROM plugin_groups WHERE plugin_id = $1 ORDER BY group_id`, id)
	if err != nil {
		return a, fmt.Errorf("groups of plug-in %s: %w", id, err)
	}
	a.Users, err = list(ctx, q, scanID[auth.UserID],
		`SELECT user_id FROM plugin_users WHERE plugin_id = $1 ORDER BY user_id`, id)
	if err != nil {
		return a, fmt.Errorf("users of plug-in %s: %w", id, err)
	}
	return a, nil
}

func scanID[ID ~string](r row) (id ID, err error) { return id, r.Scan(&id) }
