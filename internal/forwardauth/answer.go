package forwardauth

import (
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
	"unicode"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/session"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/web"
)

// asked is a question with everything its answer depends on.
type asked struct {
	dialect
	question
	Gate     auth.Gate
	Presence session.Presence // zero: nobody
}

// answerTo answers a proxy's question.
func (h *Flow) answerTo(d dialect) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Del("Strict-Transport-Security") // the application's host is not ours to bind
		a := asked{dialect: d}
		unasked, err := h.readQuestion(r, &a)
		if err != nil {
			return err
		}
		if mayBeTest(a, unasked) {
			if test, again, whole, ok := h.ReadProxyTest(r, web.Asking(r).Now); ok {
				return h.answerProxyTest(w, r, a, unasked, web.ProxyAnswer{Test: test, Whole: whole}, again)
			}
		}
		switch {
		case unasked != "":
			h.complain(r, unasked, a.question)
			return h.refuse(w, r, a, newUnaskedPage())
		case strings.HasPrefix(a.Path, ownPaths):
			return h.finishHandOver(w, r, a)
		}
		return h.answer(w, r, a)
	}
}

func (h *Flow) answer(w http.ResponseWriter, r *http.Request, a asked) error {
	v, p := web.Asking(r), a.Presence
	demand, ok := a.Gate.Demands(a.Origin.Host, a.Path)
	if !ok {
		return h.refuse(w, r, a, newMalformedPage(h.PublicURL))
	}
	if a.Own && p.Standing == auth.SignedIn {
		h.Live.Seen(r.Context(), p.Session, v.Now)
	}
	switch a.passage(demand, v.Now) {
	case auth.Passes:
		pass(w, a.told(demand, v.Now))
		return nil
	case auth.AsksLogin, auth.AsksCode:
		return h.sendToLogin(w, r, a, false)
	case auth.AsksSetUp:
		return h.refuse(w, r, a, newSetUpPage(h.PublicURL, a.Gate.Name, web.SetUpPage(p.Policy), handOver{To: a.question}))
	case auth.Lacks:
		return h.refuse(w, r, a, newLackingPage(h.PublicURL, a.Gate.Name, p.User))
	}
	return h.refuse(w, r, a, newRefusedPage(h.PublicURL, a.Gate.Name, p.User))
}

func (a *asked) passage(d auth.Demand, now time.Time) auth.Passage {
	p := &a.Presence
	return a.Gate.Judge(d, p.Standing, p.Session, p.User, p.Groups, p.Policy, now)
}

// told is who the application is told of when a demand is met. Where anybody may
// go, only those are who may open it: it takes a name for a login.
func (a *asked) told(d auth.Demand, now time.Time) session.Presence {
	if d.Public && a.passage(auth.Demand{}, now) != auth.Passes {
		return session.Presence{}
	}
	return a.Presence
}

// unasked is why a proxy's question is none, for the operator to hear.
type unasked string

const (
	fromElsewhere unasked = "it comes from an address that is not among trusted_proxies: if it is your proxy, add it there"
	noAddress     unasked = "its headers do not name one address: compare the proxy's settings with those in docs/proxies"
	notActive     unasked = "the plug-in forward-auth is not active"
	noApplication unasked = "no application behind a proxy has this address"
	ourOwn        unasked = "an application at our own host, at whatever port, could act as whoever opens it: give it a host of its own"
)

// readQuestion reads what the proxy asks, and who stands behind it.
func (h *Flow) readQuestion(r *http.Request, a *asked) (why unasked, err error) {
	if !h.FromTrustedProxy(r) {
		return fromElsewhere, nil
	}
	var ok bool
	if a.question, ok = a.read(r.Header); !ok {
		return noAddress, nil
	}
	if active, err := h.isActive(r); err != nil || !active {
		return notActive, err
	}
	a.Gate, err = h.Live.GateAt(r.Context(), a.Origin)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return noApplication, nil
	case err != nil:
		return "", err
	case a.Origin.SharesCookiesWith(h.ours):
		return ourOwn, nil
	}
	a.Presence, err = h.presence(r, a)
	return "", err
}

// presence is whose request it is: whose session our own cookie names, where
// the application shares our host, or else the application's own.
func (h *Flow) presence(r *http.Request, a *asked) (session.Presence, error) {
	v := web.Asking(r)
	if v.SignedIn() {
		return v.Presence, nil
	}
	token, ok := h.ApplicationToken(r, a.Origin)
	if !ok {
		return session.Presence{}, nil
	}
	p, err := h.Live.WhoAt(r.Context(), token.Hash(), a.Origin, a.Gate.ID, v.Now)
	if errors.Is(err, store.ErrNotFound) {
		return session.Presence{}, nil
	}
	return p, err
}

// isActive tells whether the plug-in works for anybody.
func (h *Flow) isActive(r *http.Request) (bool, error) {
	all, err := h.Live.Activations(r.Context())
	return auth.IsActive(all, auth.ForwardAuthPlugin), err
}

// complainEvery is how many seconds pass at least between two lines of the log
// that say the same: whoever sends nonsense must neither fill a disk with it nor
// keep the operator from hearing of something else.
const complainEvery = 60

// complain tells the operator of a question that was none.
func (h *Flow) complain(r *http.Request, why unasked, q question) {
	complained, _ := h.complained.LoadOrStore(why, new(atomic.Int64))
	told := complained.(*atomic.Int64)
	now, last := web.Asking(r).Now.Unix(), told.Load()
	if now-last < complainEvery && now >= last || !told.CompareAndSwap(last, now) {
		return
	}
	h.LogOf(r).Warn("forward-auth question refused", "why", string(why), "from", web.Peer(r).String(),
		"asked", r.URL.Path, "about", q.Origin.String())
}

// pass tells the application whose request it is. All four headers are always
// there, so that none of the browser's own is left in their place.
func pass(w http.ResponseWriter, p session.Presence) {
	header, values := w.Header(), new([len(identityHeaders)]string)
	if p.Standing == auth.SignedIn {
		*values = [...]string{p.User.Address, p.User.Address, oneLine(p.User.Called()), groupNames(p.Groups)}
	}
	for i, name := range identityHeaders {
		header[name] = values[i : i+1 : i+1]
	}
	w.WriteHeader(http.StatusOK)
}

// identityHeaders tell an application who is there, in canonical form.
var identityHeaders = [...]string{"Remote-User", "Remote-Email", "Remote-Name", "Remote-Groups"}

// oneLine is a name as a header may carry it.
func oneLine(name string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return ' '
		}
		return c
	}, name)
}

// groupNames joins names by commas, which none of them has.
func groupNames(groups []auth.Group) string {
	switch len(groups) {
	case 0:
		return ""
	case 1:
		return groups[0].Name
	}
	var b strings.Builder
	for i, g := range groups {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(g.Name)
	}
	return b.String()
}

// sendToLogin answers a request that somebody has to be signed in for.
func (h *Flow) sendToLogin(w http.ResponseWriter, r *http.Request, a asked, again bool) error {
	token, _ := h.ApplicationToken(r, a.Origin)
	h.leadToLogin(w, &a, token, again)
	return nil
}

// leadToLogin leads there, and gives a browser that holds no token at the
// application's host what it will be known by until then.
func (h *Flow) leadToLogin(w http.ResponseWriter, a *asked, token secret.Token, again bool) (status int) {
	if token.IsZero() {
		token = h.NewApplicationToken(w, a.Origin)
	}
	to := handOver{To: a.question, Browser: token.Hash(), Again: again}
	return send(w, a.dialect, h.PublicURL+"/login?"+nextIs(to.path()), a.Navigation)
}

// send leads elsewhere: by a redirect where a person navigates, and otherwise by
// a status that scripts notice. nginx knows no answer but 401, and makes a
// redirect of it where the second header says so; the address stands there once,
// for nginx gives up on answers whose headers are long.
func send(w http.ResponseWriter, d dialect, to string, navigation bool) (status int) {
	w.Header()["Location"] = []string{to}
	status = http.StatusUnauthorized
	switch {
	case navigation && d.Redirects:
		status = http.StatusFound
	case navigation:
		w.Header().Set("Twinlock-Redirect", "yes")
	}
	w.WriteHeader(status)
	return status
}

// refuse answers a request that may not pass, to a person with a page.
func (h *Flow) refuse(w http.ResponseWriter, r *http.Request, a asked, page refusedPage) error {
	if !a.Navigation {
		w.WriteHeader(http.StatusForbidden)
		return nil
	}
	return h.ShowAlone(w, r, http.StatusForbidden, "forwardauth/refused", page)
}
