// Twinlock is a self-hosted sign-in server with two-factor authentication.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/twinlock/twinlock/internal/app"
	"github.com/twinlock/twinlock/internal/config"
)

// commands is everything that the program can do.
type commands struct {
	Serve serve `cmd:"" help:"Start the server."`
}

type serve struct {
	config.Flags
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var c commands
	parsed := kong.Parse(&c, kong.Name("twinlock"), kong.BindTo(ctx, (*context.Context)(nil)))
	if err := parsed.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "twinlock:", err)
		os.Exit(1)
	}
}

func (s *serve) Run(ctx context.Context) error {
	c, err := config.Load(s.Flags.Given(), os.Environ(), s.Config)
	if err != nil {
		return err
	}
	a, err := app.New(ctx, c, app.Options{})
	if err != nil {
		return err
	}
	return a.Serve(ctx, os.Stdout)
}
