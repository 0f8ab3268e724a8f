package forwardauth

import (
	"net/http"
	"strings"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
)

// quickTo answers a proxy's question as answerTo does, from memory alone. It
// leaves to the other way whatever is not remembered, is no plain question, or is
// answered with a page, and decides nothing by rules of its own.
func (h *Flow) quickTo(d dialect) func(http.ResponseWriter, *http.Request, time.Time) int {
	return func(w http.ResponseWriter, r *http.Request, now time.Time) (status int) {
		a := asked{dialect: d}
		token, ok := h.remembers(r, &a, now)
		if !ok {
			return 0
		}
		own := a.Own && a.Presence.Standing == auth.SignedIn
		if own && h.Live.LapsesUnwritten(a.Presence.Session, now) {
			return 0
		}
		demand, ok := a.Gate.Demands(a.Origin.Host, a.Path)
		if !ok {
			return 0
		}
		switch a.passage(demand, now) {
		case auth.Passes:
			keepUncached(w)
			pass(w, a.told(demand, now))
			status = http.StatusOK
		case auth.AsksLogin, auth.AsksCode:
			keepUncached(w)
			w.Header()["Referrer-Policy"] = sameOrigin
			status = h.leadToLogin(w, &a, token, false)
		default:
			return 0
		}
		if own {
			h.Live.Seen(r.Context(), a.Presence.Session, now)
		}
		return status
	}
}

// remembers is readQuestion from memory, with the token that the browser holds
// at the application's host: false where that would have to look further.
func (h *Flow) remembers(r *http.Request, a *asked, now time.Time) (token secret.Token, ok bool) {
	if !h.FromTrustedProxy(r) {
		return token, false
	}
	if a.question, ok = a.read(r.Header); !ok || strings.HasPrefix(a.Path, ownPaths) {
		return token, false
	}
	if a.Gate, ok = h.Live.KnownGate(a.Origin); !ok || a.Origin.SharesCookiesWith(h.ours) {
		return token, false
	}
	if token, ok = h.ApplicationTokenAlone(r, a.Origin); !ok || token.IsZero() {
		return token, ok
	}
	a.Presence, ok = h.Live.KnownAt(token.Hash(), a.Origin, a.Gate.ID, now)
	return token, ok
}

var noStore, sameOrigin = []string{"no-store"}, []string{"same-origin"}

// keepUncached keeps proxies from giving one visitor's answer to another.
func keepUncached(w http.ResponseWriter) { w.Header()["Cache-Control"] = noStore }
