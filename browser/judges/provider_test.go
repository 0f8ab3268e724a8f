// Package judges puts the questions of the OpenID Foundation's public test plans
// to our provider and, as a control, to one that is certified. A question that
// the certified one fails is wrongly put.
package judges

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/twinlock/twinlock/browser/kit"
)

func TestMain(m *testing.M) {
	status := m.Run()
	kit.Quit()
	os.Exit(status)
}

// provider is what is judged.
type provider struct {
	name   string
	issuer string
	app    *application
	reads  func([]form) (question, *form) // what a page asks, and the answer; "" where a script answers
	rotate func()                         // its signing keys, until the new ones sign
	// register adds an application with this redirect URI; an error where it is refused.
	register func(redirectURI string) error

	basic, post, other, public, withQuery client

	turned time.Duration
	turnTo func(time.Duration)
}

// client is an application as it is registered.
type client struct {
	ID       string `json:"client_id"`
	Secret   string `json:"client_secret"`
	Redirect string `json:"-"`
	Post     bool   `json:"-"` // it proves itself in the body
}

func (p *provider) now() time.Time { return time.Now().Add(p.turned) }

// turn turns the provider's clock on.
func (p *provider) turn(by time.Duration) {
	p.turned += by
	p.turnTo(p.turned)
}

// application is the other side: the addresses that answers and notices go to.
type application struct {
	*httptest.Server
	notices chan notice
}

type notice struct {
	header http.Header
	form   url.Values
}

func newApplication(t *testing.T) *application {
	a := &application{notices: make(chan notice, 1000)} // more than all modules make
	a.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && r.ParseForm() == nil {
			a.notices <- notice{r.Header, r.PostForm}
		}
	}))
	t.Cleanup(a.Close)
	return a
}

// patience is how long a notice may take; nobody's logout waits for it.
const patience = 10 * time.Second

// heard waits for the notice of the end of a session.
func (j *judge) heard(session any) notice {
	late := time.After(patience)
	for {
		select {
		case n := <-j.app.notices:
			if about(n) == session {
				return j.hears(n)
			}
		case <-late:
			j.stop("the application is not told")
		}
	}
}

// about is the session that a notice claims to be about.
func about(n notice) any {
	var claims map[string]any
	parts := strings.Split(n.form.Get("logout_token"), ".")
	if len(parts) == 3 {
		if raw, err := base64.RawURLEncoding.DecodeString(parts[1]); err == nil {
			_ = json.Unmarshal(raw, &claims)
		}
	}
	return claims["sid"]
}

func (a *application) signedIn() string  { return a.URL + "/signed-in" }
func (a *application) loggedOut() string { return a.URL + "/logged-out" }
func (a *application) noticed() string   { return a.URL + "/notice" }

const (
	someone  = "ada@example.org"
	password = "nine calm otters paddle home"
)

// startTwinlock starts the program with the applications that the modules need.
func startTwinlock(t *testing.T) *provider {
	s := kit.Start(t)
	s.Person(someone, password, "--name", "Ada")
	p := &provider{name: "Twinlock", issuer: s.URL, app: newApplication(t), reads: readTwinlock}
	add := func(name, redirect string, flags ...string) (c client, err error) {
		c.Redirect = redirect
		out, err := s.Try("", append([]string{"app", "add", name, "--url", p.app.URL + "/", "--redirect-uri", redirect,
			"--logout-uri", p.app.loggedOut(), "--allow-everyone", "--json"}, flags...)...)
		if err != nil {
			return c, fmt.Errorf("%w: %s", err, out)
		}
		return c, json.Unmarshal([]byte(out), &c)
	}
	must := func(c client, err error) client {
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	p.basic = must(add("Basic", p.app.signedIn(), "--without-pkce", "--logout-notice", p.app.noticed()))
	p.post = must(add("Post", p.app.signedIn(), "--without-pkce", "--rs256"))
	p.post.Post = true
	p.other = must(add("Other", p.app.signedIn(), "--without-pkce"))
	p.withQuery = must(add("With a query", p.app.signedIn()+"?foo=bar", "--without-pkce"))
	p.public = must(add("Public", p.app.signedIn(), "--public"))
	p.turnTo = func(by time.Duration) { s.Clock(fmt.Sprintf("+%ds", int(by.Seconds()))) }
	p.rotate = func() {
		s.Run("", "keys", "rotate")
		p.turn(25 * time.Hour) // new keys are published for a day before they sign
	}
	p.register = func(redirect string) error {
		_, err := add("One more", redirect)
		return err
	}
	return p
}

func readTwinlock(forms []form) (question, *form) {
	for _, f := range forms {
		switch {
		case f.Action == "/login":
			return asksLogin, f.with("email", someone, "password", password)
		case f.Action == "/login/confirm":
			return asksLogin, f.with("password", password)
		case f.Values.Has("waiting") && f.Press.Has("answer"):
			return asksConsent, f.with("answer", "allow")
		case f.Values.Has("leaving"):
			return asksLogout, &f
		}
	}
	return "", nil
}

// startControl starts oidc-provider, which is certified for all of these plans.
func startControl(t *testing.T) *provider {
	port := kit.FreePort(t)
	p := &provider{name: "oidc-provider", issuer: "http://localhost:" + port, app: newApplication(t), reads: readControl}
	registered := func(id, redirect string) client {
		return client{ID: id, Secret: "secret of " + id, Redirect: redirect}
	}
	p.basic, p.other = registered("basic", p.app.signedIn()), registered("other", p.app.signedIn())
	p.post, p.withQuery = registered("post", p.app.signedIn()), registered("with-query", p.app.signedIn()+"?foo=bar")
	p.public = client{ID: "public", Redirect: p.app.signedIn()}
	p.post.Post = true
	kit.Node(t, p.issuer+"/.well-known/openid-configuration", "provider.mjs", port, p.app.URL)
	ask := func(what string) {
		answer, err := http.Post(p.issuer+"/judge/"+what, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		if answer.Body.Close(); answer.StatusCode != http.StatusNoContent {
			t.Fatalf("the control answers %d to %s", answer.StatusCode, what)
		}
	}
	p.turnTo = func(by time.Duration) { ask(fmt.Sprintf("turn?seconds=%d", int(by.Seconds()))) }
	p.rotate = func() { ask("rotate") }
	p.register = func(redirect string) error {
		body, err := json.Marshal(map[string]any{"redirect_uris": []string{redirect}})
		if err != nil {
			return err
		}
		answer, err := http.Post(p.issuer+"/reg", "application/json", strings.NewReader(string(body)))
		if err != nil {
			return err
		}
		if answer.Body.Close(); answer.StatusCode != http.StatusCreated {
			return fmt.Errorf("answered %d", answer.StatusCode)
		}
		return nil
	}
	return p
}

func readControl(forms []form) (question, *form) {
	for _, f := range forms {
		switch {
		case f.Values.Get("prompt") == "login":
			return asksLogin, f.with("login", someone, "password", password)
		case f.Values.Get("prompt") == "consent":
			return asksConsent, &f
		case f.Values.Has("xsrf") && f.Press.Has("logout"):
			return asksLogout, f.with("logout", "yes")
		case f.Values.Has("xsrf"):
			return "", &f
		}
	}
	return "", nil
}
