package web

import (
	"net/http"

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

// ApplicationToken gives the token that a browser holds at an application's
// host, whatever it is still good for.
func (f *Floor) ApplicationToken(r *http.Request, at origin.Origin) (secret.Token, bool) {
	c, err := r.Cookie(applicationCookie(at))
	if err != nil {
		return secret.Token{}, false
	}
	return secret.Parse(c.Value)
}

// NewApplicationToken gives a browser there a token that opens nothing.
func (f *Floor) NewApplicationToken(w http.ResponseWriter, at origin.Origin) secret.Token {
	token := secret.New()
	f.KeepApplicationToken(w, token, at)
	return token
}

// KeepApplicationToken gives a browser there its token. The answer must reach
// it through the application's proxy.
func (f *Floor) KeepApplicationToken(w http.ResponseWriter, token secret.Token, at origin.Origin) {
	http.SetCookie(w, &http.Cookie{
		Name: applicationCookie(at), Value: token.Reveal(), Path: "/",
		Secure: at.Scheme == "https", HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
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
