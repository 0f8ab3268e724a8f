package main

import (
	"context"
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
	server, err := app.NewServer(s.ctx, settings, app.Options{Log: app.NewLog(settings, s.errs), HashBy: hashCommand()})
	switch {
	case s.ctx.Err() != nil && err != nil: // told to stop before it had started, and it has
		return nil
	case err != nil:
		return err
	}
	err = server.Serve(s.ctx, s.out, inServer)
	if s.ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = nil
	}
	return errors.Join(err, server.Release())
}
