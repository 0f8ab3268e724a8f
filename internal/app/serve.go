package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// drain is how long requests on their way may take after the order to stop.
const drain = 10 * time.Second

// Serve answers requests until ctx ends, then lets those on their way finish.
// It says on out where it is, and how to set it up as long as nobody has.
func (a *App) Serve(ctx context.Context, out io.Writer, run Command) error {
	listener, err := net.Listen("tcp", string(a.Config.Listen))
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	server := &http.Server{
		Handler:           a.Handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
	}
	a.Start(ctx)
	if err := a.serveControl(a.work.ctx, run); err != nil {
		return errors.Join(err, listener.Close(), a.Stop())
	}
	if err := a.Announce(ctx, out); err != nil {
		return errors.Join(err, listener.Close(), a.Stop())
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err = <-ended:
	case <-ctx.Done():
		err = shutdown(server)
	}
	return errors.Join(err, a.Stop())
}

func shutdown(server *http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), drain)
	defer cancel()
	return server.Shutdown(ctx)
}

// Announce prints the address and, until there is an administrator, the
// one-time link to the set-up.
func (a *App) Announce(ctx context.Context, out io.Writer) error {
	if _, err := fmt.Fprintf(out, "Twinlock is at %s\n", a.Config.PublicURL); err != nil {
		return err
	}
	done, err := a.Store.SetUp(ctx)
	if err != nil || done {
		return err
	}
	link, err := a.setup.Link(ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "Set up: %s\n", link)
	return err
}
