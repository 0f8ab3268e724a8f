package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"runtime/debug"
	"time"

	"golang.org/x/sys/unix"
)

// A server is gone ten seconds after the order to stop: whoever runs containers
// kills what stays for longer. Requests on their way may take until drain, the notice
// to others included, and what is written at the end until gone.
const (
	drain = 8 * time.Second
	gone  = 9500 * time.Millisecond
)

// Serve answers requests until ctx ends, then lets those on their way finish.
// It says on out where it is, and how to set it up as long as nobody has.
func (a *App) Serve(ctx context.Context, out io.Writer, run Command) error {
	listener, err := net.Listen("tcp", string(a.Config.Listen))
	if errors.Is(err, unix.EADDRINUSE) {
		return fmt.Errorf("listen: another program has %s already; choose another address with --listen", a.Config.Listen)
	} else if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	control, err := listenControl(a.Config.Data)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	server := &http.Server{
		ErrorLog:          slog.NewLogLogger(a.log.Handler(), slog.LevelDebug), // what strangers do to a connection
		Handler:           a.untilStop(a.Handler),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
	}
	serve, err := a.protect(server)
	if err != nil {
		return errors.Join(err, listener.Close(), control.Close(), a.Stop())
	}
	use, err := a.Store.Serve(ctx)
	if err != nil {
		return errors.Join(err, listener.Close(), control.Close(), a.Stop())
	}
	a.work.use = use
	a.warnOfOtherDomains(ctx)
	a.Start(ctx)
	a.serveControl(control, run)
	if err := a.serveMetrics(); err != nil {
		return errors.Join(err, listener.Close(), a.Stop())
	}
	if err := a.Announce(ctx, out); err != nil {
		return errors.Join(err, listener.Close(), a.Stop())
	}
	a.work.group.Go(debug.FreeOSMemory) // what the start needed once, the machine has better uses for
	room := make([]byte, garbageRoom)
	defer runtime.KeepAlive(room)
	ended := make(chan error, 1)
	go func() { ended <- serve(listener) }()
	select {
	case err = <-ended:
	case <-ctx.Done():
		err = a.shutdown(server)
	}
	return errors.Join(err, a.Stop())
}

// warnOfOtherDomains says that the host's name was changed after passkeys were
// made: the overview tells it too, to whoever gets there without one.
func (a *App) warnOfOtherDomains(ctx context.Context) {
	domain := a.Config.PublicURL.Host()
	passkeys, people, err := a.Store.PasskeysElsewhere(ctx, domain)
	if err != nil {
		a.log.Warn("whether passkeys belong to the host name is not known", "error", err)
	} else if passkeys > 0 {
		a.log.Warn("passkeys were made for another host name than that of public_url, and do not work", "passkeys", passkeys, "people", people, "public_url", domain)
	}
}

// garbageRoom is memory that is counted and never touched, so that the machine
// has none less. The collector lets as much garbage gather as there is memory in
// use, and all that a small server has in use is so little that it would do
// nothing else while many questions are asked.
const garbageRoom = 8 << 20

// protect gives how the server answers a listener: by TLS where the settings
// name a certificate, and otherwise as plain http.
func (a *App) protect(server *http.Server) (serve func(net.Listener) error, err error) {
	c := a.Config
	if c.TLSCert == "" {
		if c.PublicURL.Secure() && len(c.TrustedProxies) == 0 {
			a.log.Warn("public_url is https and Twinlock speaks plain http, so a proxy stands before it; without trusted_proxies all visitors share the proxy's address, and the waits after wrong passwords")
		}
		return server.Serve, nil
	}
	pair, err := openCertificate(c.TLSCert, c.TLSKey, c.PublicURL.Host(), a.log, a.Now)
	if err != nil {
		return nil, err
	}
	server.TLSConfig = pair.config()
	a.work.certificate = pair
	return func(l net.Listener) error { return server.ServeTLS(l, "", "") }, nil
}

// stopNotice is how long a server that stops goes on answering, so that whoever
// sends it requests sees that it stops: load balancers ask some times a second.
const stopNotice = 2 * time.Second

// othersPatience is how long the database may take to tell who else serves.
const othersPatience = time.Second

// shutdown lets the requests on their way finish, and cuts off those that do not.
// Where other servers can answer in its place it says first that it stops, and takes
// what is sent until that was heard.
func (a *App) shutdown(server *http.Server) error {
	told := time.Now()
	by := told.Add(gone)
	a.work.gone.Store(&by)
	a.stopping.Store(true)
	if a.othersMayServe() {
		time.Sleep(stopNotice)
	}
	ctx, cancel := context.WithDeadline(context.Background(), told.Add(drain))
	defer cancel()
	err := server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		a.log.Warn("requests that took too long for the stop were cut off")
		return server.Close()
	}
	return err
}

// othersMayServe takes a database that does not tell for one that others use.
func (a *App) othersMayServe() bool {
	ctx, cancel := context.WithTimeout(context.Background(), othersPatience)
	defer cancel()
	others, err := a.othersServe(ctx)
	return others || err != nil
}

// untilStop answers, and from the order to stop on asks for no more on the same
// connection. Connections on which nothing is sent stay open until the end of the
// notice: to close them would lose what is just on its way.
func (a *App) untilStop(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a.stopping.Load() {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
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
