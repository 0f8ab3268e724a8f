package web

import (
	"net/http"
	"net/textproto"
	"strings"

	"github.com/twinlock/twinlock/internal/origin"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/ui"
)

// What a browser holds at an application's own host: first a token that only
// tells it from other browsers, then, after the login, one that opens a child of
// its session. It goes with the browser, as the session's does.

func applicationCookie(at origin.Origin) string {
	if at.Scheme == "https" {
		return "__Host-twinlock-app"
	}
	return "twinlock-app"
}

// spelling is a cookie with a gap for its value, as net/http writes it.
type spelling struct{ before, after string }

var applicationCookies = map[string]spelling{"http": spellingOf("http"), "https": spellingOf("https")}

func spellingOf(scheme string) spelling {
	at := origin.Origin{Scheme: scheme}
	spelled := (&http.Cookie{Name: applicationCookie(at), Path: "/", Secure: scheme == "https", HttpOnly: true, SameSite: http.SameSiteLaxMode}).String()
	before, after, _ := strings.Cut(spelled, "=")
	return spelling{before + "=", after}
}

// ApplicationToken gives the token that a browser holds at an application's
// host, whatever it is still good for.
func (f *Floor) ApplicationToken(r *http.Request, at origin.Origin) (secret.Token, bool) {
	c, err := r.Cookie(applicationCookie(at))
	if err != nil {
		return secret.Token{}, false
	}
	return secret.Parse(c.Value)
}

// ApplicationTokenAlone is ApplicationToken where nothing else in the cookies
// bears on an answer at the application's host. It is false where a session of
// ours is among them, as where both share a host, where the token is there twice,
// where it is none, and where there are more of them than browsers send.
func (f *Floor) ApplicationTokenAlone(r *http.Request, at origin.Origin) (token secret.Token, ok bool) {
	sent := r.Header["Cookie"]
	if len(sent) == 0 {
		return secret.Token{}, true
	}
	if len(sent) > 1 || strings.Count(sent[0], ";") > mostCookies {
		return secret.Token{}, false
	}
	rest, found := sent[0], false
	for rest != "" {
		var pair string
		pair, rest, _ = strings.Cut(rest, ";")
		name, value, _ := strings.Cut(textproto.TrimString(pair), "=")
		switch textproto.TrimString(name) {
		case f.cookieName(sessionCookie):
			return secret.Token{}, false
		case applicationCookie(at):
			if token, ok = secret.Parse(value); !ok || found {
				return secret.Token{}, false
			}
			found = true
		}
	}
	return token, true
}

// mostCookies is how many are read quickly. Of very many net/http reads none at all.
const mostCookies = 200

// NewApplicationToken gives a browser there a token that opens nothing.
func (f *Floor) NewApplicationToken(w http.ResponseWriter, at origin.Origin) secret.Token {
	token := secret.New()
	f.KeepApplicationToken(w, token, at)
	return token
}

// KeepApplicationToken gives a browser there its token. The answer must reach
// it through the application's proxy.
func (f *Floor) KeepApplicationToken(w http.ResponseWriter, token secret.Token, at origin.Origin) {
	c := applicationCookies[at.Scheme]
	w.Header().Add("Set-Cookie", c.before+token.Reveal()+c.after)
}

// ShowAlone answers with a page that needs nothing but itself, for a proxy to
// show at an application's host: no style sheet, script or picture of ours is
// there, and nothing that leads to us by a path alone.
func (f *Floor) ShowAlone(w http.ResponseWriter, r *http.Request, status int, page string, data any) error {
	v := Asking(r)
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src "+f.Pages.AloneStyle()+
		"; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	shell := ui.Shell{Language: v.Texts.Tag(), Theme: v.Theme, Site: f.Site, Alone: true}
	return f.Pages.Render(w, status, page, shell, data)
}
