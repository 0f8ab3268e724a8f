package web

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/i18n"
	"github.com/twinlock/twinlock/internal/keys"
	"github.com/twinlock/twinlock/internal/passkey"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/session"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/ui"
)

// Floor is what every handler stands on. Its fields are set once, before the
// first request; it is then safe for concurrent use.
type Floor struct {
	PublicURL      string // the only origin that forms may come from, without a slash at its end
	Site           string
	TrustedProxies []netip.Prefix
	IdleNotice     time.Duration // before the idle limit a page offers to stay signed in
	PasskeyTimeout time.Duration // how long a page that asks for a passkey takes its answer
	Patience       time.Duration // how long an answer may take; 0 is 25 seconds

	Now      func() time.Time
	SetBacks func() int64 // how often the clock was set back, ever
	Store    *store.Store
	Live     *session.Live
	Passkeys *passkey.Party // this site as passkeys know it; nil where they cannot work
	Ring     *keys.Ring
	Bundle   *i18n.Bundle
	Pages    *ui.Renderer
	Log      *slog.Logger

	// AskAgain answers a request whose proofs are not fresh enough. The flow
	// that knows the code page sets it.
	AskAgain func(w http.ResponseWriter, r *http.Request, missing auth.Answer) error

	routes []Route
	most   map[string]int64 // how much a route takes, by method and path
	about  map[string]About // what it is about, by the same
	quick  map[string]Route // those that answer quickly, by path
	mux    *http.ServeMux

	traffic   *Traffic
	strangers ration
}

// Handler serves the routes of all flows. It is to be called once.
func (f *Floor) Handler(routes []Route) http.Handler {
	f.routes, f.mux, f.most, f.traffic, f.quick = routes, http.NewServeMux(), map[string]int64{}, newTraffic(), map[string]Route{}
	f.about = map[string]About{"GET /assets/": aboutAssets}
	for _, rt := range routes {
		f.mux.Handle(rt.Method+" "+rt.Path, f.serve(rt))
		f.most[rt.Method+" "+rt.Path] = rt.most()
		f.about[rt.Method+" "+rt.Path] = rt.About
		if rt.Quick != nil {
			f.quick[rt.Path] = rt
		}
	}
	f.mux.Handle("GET /assets/", f.Pages.Assets())
	f.mux.Handle("GET /favicon.ico", f.Pages.Favicon())
	f.mux.Handle("GET /favicon.svg", f.Pages.Favicon())
	return f.quickly(f.logged(f.recovered(f.headers(http.HandlerFunc(f.dispatch)))))
}

// Routes gives the table of the running program.
func (f *Floor) Routes() []Route { return f.routes }

// https tells whether the public URL is one.
func (f *Floor) https() bool { return strings.HasPrefix(f.PublicURL, "https://") }

// maxBody is more than any form of ours, and little enough to be read by all
// who wait. No password of a megabyte comes near a hash.
const maxBody = 64 << 10

// maxUpload is more than a logo needs.
const maxUpload = 2 << 20

// maxHeld is more than the largest form is once it waits, sealed and spelled in
// letters: what markup is made of doubles before.
const maxHeld = 3 * maxBody

// answerPatience is how long an answer may take: a database that stands still
// keeps nobody waiting for ever, and no request held up.
const answerPatience = 25 * time.Second

// dispatch finds who is asking, once, and hands over to the route.
func (f *Floor) dispatch(w http.ResponseWriter, r *http.Request) {
	handler, pattern := f.mux.Handler(r)
	noteOf(r).about = f.about[pattern]
	r.Body = http.MaxBytesReader(w, r.Body, max(f.most[pattern], maxBody))
	if strings.HasPrefix(r.URL.Path, "/assets/") && pattern != "" {
		handler.ServeHTTP(w, r)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), cmp.Or(f.Patience, answerPatience))
	defer cancel()
	r = r.WithContext(ctx)
	v, err := f.visitor(r)
	r = r.WithContext(context.WithValue(ctx, visitorKey{}, v))
	switch {
	case err != nil:
		f.fail(w, r, err)
	case !IsText(r.URL.Path):
		f.fail(w, r, NotFound())
	case pattern == "":
		f.fail(w, r, refusalOf(handler, r))
	default:
		f.mux.ServeHTTP(w, r)
	}
}

// refusalOf asks the router itself whether the address or the method is
// unknown.
func refusalOf(notServed http.Handler, r *http.Request) error {
	probe := &statusProbe{header: http.Header{}}
	notServed.ServeHTTP(probe, r)
	if probe.status == http.StatusMethodNotAllowed {
		return &Refusal{Status: probe.status, Allow: probe.header.Get("Allow"),
			Heading: ui.T("errors.methodHeading"), Text: ui.T("errors.method")}
	}
	return NotFound()
}

type statusProbe struct {
	header http.Header
	status int
}

func (p *statusProbe) Header() http.Header         { return p.header }
func (p *statusProbe) WriteHeader(status int)      { p.status = status }
func (p *statusProbe) Write(b []byte) (int, error) { return len(b), nil }

// visitor finds who is asking. A token that opens nothing is nobody; a store
// that does not answer is an error, never nobody.
func (f *Floor) visitor(r *http.Request) (*Visitor, error) {
	v := &Visitor{Now: f.Now(), SetBacks: f.SetBacks(), Network: f.clientAddress(r), Device: deviceWords(r)}
	f.readPreferences(v, r)
	token, ok := f.sessionToken(r)
	if !ok {
		return v, nil
	}
	presence, err := f.Live.Who(r.Context(), token.Hash(), v.Now)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return v, nil
	case err != nil:
		return v, err
	}
	v.Token, v.Presence = token, presence
	f.preferPersons(v)
	return v, nil
}

// WindowSecret is the second half of an open window's proof: made of the
// session's token by a key of the server, so that no table holds it, and
// whoever copies the cookie or the database has not got it.
func (f *Floor) WindowSecret(token secret.Token) [32]byte {
	return f.Ring.Derive("open window", []byte(token.Reveal()))
}
