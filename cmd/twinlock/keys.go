package main

import (
	"fmt"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
)

type keysCommands struct {
	Rotate keysRotate `cmd:"" help:"Make new keys for what applications are told."`
}

type keysRotate struct {
	onDataFlags
	Compromised bool `help:"The old ones may be in other hands: forget them at once. Applications may have to read the keys anew before people can sign in."`
}

// shownKey is a signing key as JSON shows one: its name, never the key.
type shownKey struct {
	ID        string         `json:"id"`
	Algorithm auth.Algorithm `json:"algorithm"`
	SignsFrom time.Time      `json:"signs_from"`
}

func (c *keysRotate) runOn(s *surroundings) error {
	if err := s.app.OpenID.NewKeys(s.ctx, s.by, c.Compromised); err != nil {
		return err
	}
	all, err := s.app.Store.SigningKeys(s.ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		shown := make([]shownKey, len(all))
		for i, k := range all {
			shown[i] = shownKey{ID: k.ID, Algorithm: k.Algorithm, SignsFrom: k.SignsAt}
		}
		return s.json(shown)
	}
	for _, k := range all {
		fmt.Fprintf(s.out, "%s %s signs from %s\n", k.Algorithm, k.ID, k.SignsAt.Format("2006-01-02 15:04:05 UTC"))
	}
	if len(all) == 0 {
		_, err = fmt.Fprintln(s.out, "no application speaks OpenID Connect yet: there are no keys")
	}
	return err
}
