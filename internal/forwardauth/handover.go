package forwardauth

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/session"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/web"
)

const (
	handOverPath = "/forward-auth/hand-over" // with us
	ownPaths     = "/.twinlock/"             // at an application's host
	arrivalPath  = ownPaths + "hand-over"
)

// ticketLife is how long a ticket is good. Its way is one redirect.
const ticketLife = time.Minute

// handOver is a visitor on the way to an application's host.
type handOver struct {
	To      question
	Browser secret.Hash // of what the browser holds there; zero: nothing that we know of
	Again   bool        // a ticket failed before
}

// path is the address of the hand-over with us. The application's address stands
// in it in a spelling that grows but once, however often it is wrapped; like the
// rest it is of letters that stand for themselves in a query.
func (o handOver) path() string {
	path := handOverPath + "?"
	if o.Again {
		path += "again=yes&"
	}
	if !o.Browser.IsZero() {
		path += "browser=" + o.Browser.Text() + "&"
	}
	return path + "to=" + wrap(o.To.address())
}

func wrap(address string) string { return base64.RawURLEncoding.EncodeToString([]byte(address)) }

func unwrap(wrapped string) (question, bool) {
	address, err := base64.RawURLEncoding.Strict().DecodeString(wrapped)
	if err != nil {
		return question{}, false
	}
	return readAddress(string(address))
}

func nextIs(path string) string { return "next=" + url.QueryEscape(path) }

func readHandOver(r *http.Request) (o handOver, ok bool) {
	form, err := web.ReadQuery(r, "to", "browser", "again")
	if err != nil {
		return o, false
	}
	if o.To, ok = unwrap(form["to"]); !ok {
		return o, false
	}
	o.Again = form["again"] != ""
	if form["browser"] == "" {
		return o, true
	}
	o.Browser, ok = secret.ParseHash(form["browser"])
	return o, ok
}

// beginHandOver leads a signed-in person to an application's own host, once all
// that it asks is proved. Only hosts of applications are led to.
func (h *Flow) beginHandOver(w http.ResponseWriter, r *http.Request) error {
	v := web.Asking(r)

	// Read.
	o, ok := readHandOver(r)
	if !ok {
		return web.BadRequest()
	}
	gate, err := h.Live.GateAt(r.Context(), o.To.Origin)
	if err != nil {
		return err
	}
	demand, ok := gate.Demands(o.To.Origin.Host, o.To.Path)
	if !ok {
		return web.BadRequest()
	}

	// Decide.
	p := v.Presence
	switch gate.Judge(demand, p.Standing, p.Session, p.User, p.Groups, p.Policy, v.Now) {
	case auth.AsksCode:
		return h.AskAgain(w, r, auth.NeedsCode)
	case auth.AsksSetUp:
		return h.Show(w, r, http.StatusForbidden, "forwardauth/refused", newSetUpPage("", gate.Name, web.SetUpPage(p.Policy), o))
	case auth.Lacks:
		return h.Show(w, r, http.StatusForbidden, "forwardauth/refused", newLackingPage("", gate.Name, p.User))
	case auth.Refuses:
		return h.Show(w, r, http.StatusForbidden, "forwardauth/refused", newRefusedPage("", gate.Name, p.User))
	}
	if demand.Public || o.Browser.IsZero() {
		return h.leave(w, r, gate, o.To.address())
	}

	// Write.
	ticket, err := h.Store.BeginHandOver(r.Context(), store.HandOver{
		Session: p.Session, Application: gate.ID, Origin: o.To.Origin, Browser: o.Browser}, ticketLife, v.Now)
	if errors.Is(err, store.ErrSpent) {
		return h.SendToLogin(w, r, "")
	} else if err != nil {
		return err
	}

	// Answer.
	values := url.Values{"ticket": {ticket.Reveal()}, "to": {wrap(o.To.address())}}
	if o.Again {
		values.Set("again", "yes")
	}
	return h.leave(w, r, gate, o.To.Origin.String()+arrivalPath+"?"+values.Encode())
}

// leave leads to another host: straight where no page of ours is on the way.
func (h *Flow) leave(w http.ResponseWriter, r *http.Request, gate auth.Gate, to string) error {
	if from := r.Header.Get("Sec-Fetch-Site"); from != "" && from != "same-origin" {
		return web.Redirect(w, to)
	}
	return h.LeaveTo(w, r, to, gate.Name)
}

// finishHandOver takes the ticket at the application's host. The same answer
// gives the browser its cookie and leads to where the visitor wanted to go.
func (h *Flow) finishHandOver(w http.ResponseWriter, r *http.Request, a asked) error {
	v := web.Asking(r)

	// Read.
	ticket, to, again, ok := readArrival(a.question)
	if !ok {
		return h.refuse(w, r, a, newMalformedPage(h.PublicURL))
	}
	if a.Presence.Standing == auth.SignedIn { // another tab was faster
		send(w, a.dialect, to.address(), true)
		return nil
	}
	browser, ok := h.ApplicationToken(r, a.Origin)
	if !ok {
		return h.refuse(w, r, a, newNoCookiePage(h.PublicURL, to))
	}

	// Write.
	token, err := h.Store.FinishHandOver(r.Context(), v.Actor(), ticket.Hash(), browser.Hash(), a.Origin, v.Now)
	switch {
	case errors.Is(err, store.ErrSpent) && again:
		return h.refuse(w, r, a, newNoCookiePage(h.PublicURL, to))
	case errors.Is(err, store.ErrSpent):
		a.question, a.Presence = to, session.Presence{}
		a.Navigation = true
		return h.sendToLogin(w, r, a, true)
	case err != nil:
		return err
	}

	// Answer.
	h.KeepApplicationToken(w, token, a.Origin)
	send(w, a.dialect, to.address(), true)
	return nil
}

// readArrival reads what a ticket's address says. It leads on only at the host
// at which it arrives.
func readArrival(q question) (ticket secret.Token, to question, again, ok bool) {
	values, err := url.ParseQuery(strings.TrimPrefix(q.Query, "?"))
	if err != nil || q.Path != arrivalPath || len(values["ticket"]) != 1 || len(values["to"]) != 1 {
		return ticket, to, false, false
	}
	ticket, ok = secret.Parse(values.Get("ticket"))
	if !ok {
		return ticket, to, false, false
	}
	to, ok = unwrap(values.Get("to"))
	return ticket, to, values.Has("again"), ok && to.Origin == q.Origin && !strings.HasPrefix(to.Path, ownPaths)
}
