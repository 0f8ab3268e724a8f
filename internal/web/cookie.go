package web

import (
	"net/http"
	"time"

	"github.com/twinlock/twinlock/internal/secret"
)

// The cookies of Twinlock. On https each has the prefix __Host-, so that no
// other host of the domain can set it.
const (
	sessionCookie     = ""             // opens the session
	browserCookie     = "-login"       // binds pending logins and sign-ups to this browser
	deviceCookie      = "-device"      // opens nothing; keeps strangers' failures apart
	setupCookie       = "-set-up"      // a set-up of two-factor authentication on its way, sealed
	noticeCookie      = "-notice"      // what was just done, for the next page
	preferencesCookie = "-preferences" // what somebody chose here
	suggestedCookie   = "-suggested"   // the language that an application suggested
	returnCookie      = "-return"      // where somebody was going who forgot the password
)

func (f *Floor) cookieName(suffix string) string {
	if f.https() {
		return "__Host-twinlock" + suffix
	}
	return "twinlock" + suffix
}

// setCookie sets a cookie that ends with the browser, or after a while.
func (f *Floor) setCookie(w http.ResponseWriter, suffix, value string, life time.Duration) {
	http.SetCookie(w, &http.Cookie{
		Name: f.cookieName(suffix), Value: value, Path: "/",
		MaxAge: int(life / time.Second), Secure: f.https(), HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

func (f *Floor) dropCookie(w http.ResponseWriter, suffix string) {
	f.setCookie(w, suffix, "", -time.Second)
}

func (f *Floor) cookie(r *http.Request, suffix string) string {
	c, err := r.Cookie(f.cookieName(suffix))
	if err != nil {
		return ""
	}
	return c.Value
}

func (f *Floor) tokenCookie(r *http.Request, suffix string) (secret.Token, bool) {
	return secret.Parse(f.cookie(r, suffix))
}

func (f *Floor) sessionToken(r *http.Request) (secret.Token, bool) {
	return f.tokenCookie(r, sessionCookie)
}

// KeepSession gives the browser its session. The cookie has no end of its
// own: it goes when the browser closes, or when the server says so.
func (f *Floor) KeepSession(w http.ResponseWriter, token secret.Token) {
	f.setCookie(w, sessionCookie, token.Reveal(), 0)
}

// DropSession takes it away.
func (f *Floor) DropSession(w http.ResponseWriter) { f.dropCookie(w, sessionCookie) }

// Browser gives the token that binds pending logins to this browser, and
// makes one where it has none. Several tabs share it.
func (f *Floor) Browser(w http.ResponseWriter, r *http.Request) secret.Token {
	token, ok := f.tokenCookie(r, browserCookie)
	if !ok {
		token = secret.New()
		f.setCookie(w, browserCookie, token.Reveal(), 0)
		r.AddCookie(&http.Cookie{Name: f.cookieName(browserCookie), Value: token.Reveal()}) // for the rest of this request
	}
	return token
}

// KnownBrowser is Browser without making one; the zero token where it has none.
func (f *Floor) KnownBrowser(r *http.Request) secret.Token {
	token, _ := f.tokenCookie(r, browserCookie)
	return token
}

// deviceLife is as long as browsers keep a cookie at all.
const deviceLife = 400 * 24 * time.Hour

// Device gives the token of a browser that finished a login before.
func (f *Floor) Device(r *http.Request) secret.Token {
	token, _ := f.tokenCookie(r, deviceCookie)
	return token
}

// KeepDevice gives the browser the token that it is known by.
func (f *Floor) KeepDevice(w http.ResponseWriter, token secret.Token) {
	f.setCookie(w, deviceCookie, token.Reveal(), deviceLife)
}

// SetUp gives the sealed set-up of two-factor authentication that this browser
// is in the middle of, or "".
func (f *Floor) SetUp(r *http.Request) string { return f.cookie(r, setupCookie) }

// KeepSetUp keeps it over a reload; "" drops it.
func (f *Floor) KeepSetUp(w http.ResponseWriter, sealed string) {
	if sealed == "" {
		f.dropCookie(w, setupCookie)
		return
	}
	f.setCookie(w, setupCookie, sealed, 0)
}
