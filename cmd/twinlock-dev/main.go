// Twinlock-dev is the developer's server: people in every state, a gallery of
// every page, a mail box, and a clock that can be turned. It works on a
// temporary folder and is never shipped. It has sample applications too.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/twinlock/twinlock/browser/gallery"
	"github.com/twinlock/twinlock/internal/app"
	"github.com/twinlock/twinlock/internal/config"
)

const listen = "127.0.0.1:8081"

// turned is how far the clock of this server is ahead.
var turned atomic.Int64

func clock() time.Time { return time.Now().UTC().Add(time.Duration(turned.Load())) }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		log.Fatal(err)
	}
}

// run is the developer's server, or one of the sample applications:
//
//	twinlock-dev notes FILE    one that speaks OpenID Connect
//	twinlock-dev wiki URL      one that stands behind a proxy
func run(ctx context.Context, args []string) error {
	switch {
	case len(args) == 0:
		return serve(ctx)
	case len(args) == 2 && args[0] == "notes":
		n, err := readNotes(ctx, args[1])
		if err != nil {
			return err
		}
		return serveSample(ctx, "Notes", n.Address, n.handler())
	case len(args) == 2 && args[0] == "wiki":
		return serveSample(ctx, "Wiki", args[1], http.HandlerFunc(wiki))
	}
	return errors.New("usage: twinlock-dev [notes FILE | wiki URL]")
}

func serve(ctx context.Context) error {
	data, err := os.MkdirTemp("", "twinlock-dev-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(data)
	settings, err := config.Load(map[string]string{"listen": listen, "data": data}, nil, "")
	if err != nil {
		return err
	}
	a, err := app.New(ctx, settings, app.Options{Now: clock, Pseudo: true})
	if err != nil {
		return err
	}
	people, err := cast(ctx, a)
	if err != nil {
		return err
	}
	handler, err := withTools(a, people, data)
	if err != nil {
		return err
	}
	a.Start(ctx)
	fmt.Printf("http://localhost:8081/dev/ lists people, pages, letters and the clock\n")
	server := &http.Server{Addr: listen, Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err := server.ListenAndServe(); err != http.ErrServerClosed {
		return err
	}
	return a.Stop()
}

// withTools puts the developer's pages before the program's.
func withTools(a *app.App, people []person, data string) (http.Handler, error) {
	pages, err := gallery.Handler("/dev/pages/")
	if err != nil {
		return nil, err
	}
	t := tools{people: people, outbox: filepath.Join(data, "outbox"), now: a.Now}
	mux := http.NewServeMux()
	mux.Handle("/", a.Handler)
	mux.Handle("/dev/pages/", pages)
	mux.HandleFunc("GET /dev/{$}", t.overview)
	mux.HandleFunc("GET /dev/mail/{name}", t.letter)
	mux.HandleFunc("POST /dev/clock", t.turn)
	return mux, nil
}
