package forwardauth_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
)

// What is asked most is answered quickly: without a query, a page, or a line.
func TestWhatIsRememberedIsAnsweredQuickly(t *testing.T) {
	d := newDoor(t, auth.Rule{Path: "/public", Access: auth.Public})
	ada := signedIn(t, d, "ada@example.org")
	stranger := d.visitor(nil)
	for name, ask := range map[string]func() *http.Response{
		"somebody goes there":    func() *http.Response { return ada.asks("caddy", wikiURL+"/b", navigation) },
		"somebody's script asks": func() *http.Response { return ada.asks("nginx", wikiURL+"/b", background) },
		"a stranger goes there":  func() *http.Response { return d.visitor(nil).asks("traefik", wikiURL+"/b", navigation) },
		"what is public":         func() *http.Response { return stranger.asks("nginx", wikiURL+"/public/a", navigation) },
	} {
		ask()
		before := d.Work()
		if answer := ask(); !isQuick(answer) {
			t.Errorf("%s: answered the long way, %s", name, answer.Status)
		}
		if d.Work() != before {
			t.Errorf("%s: the database is asked", name)
		}
	}
}

// Whatever else stands in the cookies, the quick way answers as the long one, or
// leaves it to that.
func TestCookiesAreReadTheSameWayQuickly(t *testing.T) {
	d := newDoor(t)
	token := signedIn(t, d, "ada@example.org").keptAt(wikiURL + "/")
	const name, ours = "__Host-twinlock-app", "__Host-twinlock"
	other := secret.New().Reveal()
	for sent, passes := range map[string]bool{
		strings.Repeat(";", 3001) + name + "=" + token: false,
		name + "=" + token: true,
		"theme=dark; " + name + "=" + token + "; lang=de": true,
		" " + name + " = " + token:                        false,
		"theme=dark;" + name + "=" + token:                true,
		name + "=\"" + token + "\"":                       true,
		name + "=" + token + "; " + name + "=" + other:    true,
		name + "=" + other + "; " + name + "=" + token:    false,
		name + "=; " + name + "=" + token:                 false,
		ours + "=" + other + "; " + name + "=" + token:    true,
		"__host-twinlock-app=" + token:                    false,
		"twinlock-app=" + token:                           false,
		name + "=" + token + "x":                          false,
		"x=" + name + "=" + token:                         false,
	} {
		answer := d.visitor(nil).asks("caddy", wikiURL+"/a", http.Header{"Cookie": {sent}})
		if got := answer.StatusCode == http.StatusOK; got != passes {
			t.Errorf("%.200s: %s", sent, answer.Status)
		}
	}
}

func TestAQuickAnswerKeepsTheSessionOfWhoeverGoesThere(t *testing.T) {
	d := newDoor(t)
	ada := signedIn(t, d, "ada@example.org")
	ask := func(more http.Header, want int) {
		t.Helper()
		d.Clock.Turn(d.Config.SessionIdle * 2 / 3)
		question, _ := ada.question("caddy", wikiURL+"/a", more)
		answer := d.handle(question)
		wantStatus(t, answer, want)
		if !isQuick(answer) {
			t.Error("answered the long way")
		}
	}
	ask(navigation, http.StatusOK)
	ask(navigation, http.StatusOK)
	ask(background, http.StatusOK)
	ask(background, http.StatusUnauthorized)
}
