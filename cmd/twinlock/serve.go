package main

import (
	"errors"
	"os"

	"github.com/twinlock/twinlock/internal/app"
	"github.com/twinlock/twinlock/internal/config"
)

type serve struct {
	config.Flags
}

func (c *serve) runAlone(s *surroundings) error {
	settings, err := c.Flags.Load(os.Environ())
	if err != nil {
		return err
	}
	server, err := app.NewServer(s.ctx, settings, app.Options{})
	if err != nil {
		return err
	}
	return errors.Join(server.Serve(s.ctx, s.out, inServer), server.Release())
}
