package oidc_test

import (
	"net/http"
	"sync"
	"testing"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/oidc"
)

// An application that does not answer holds up nobody but itself.
func TestASlowApplicationDelaysNoOthersNotices(t *testing.T) {
	site := apptest.New(t)
	slow, quick := newReceiver(t), newReceiver(t)
	asked, release := make(chan struct{}, 9), make(chan struct{})
	slow.answer = func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}
	late, prompt := register(t, site, toldAt(slow.URL)), register(t, site, toldAt(quick.URL))
	_, adas := signedIn(site, "ada@example.org")
	_, beas := signedIn(site, "bea@example.org")
	late.signIn(adas)
	prompt.signIn(beas)
	adas.Post("/logout", nil)
	var rounds sync.WaitGroup
	rounds.Go(func() { _ = site.OpenID.SendLogoutNotices(t.Context()) })
	<-asked
	beas.Post("/logout", nil)
	must(t, site.OpenID.SendLogoutNotices(t.Context()))
	if n := len(quick.heard()); n != 1 {
		t.Errorf("the other was told %d times", n)
	}
	close(release)
	rounds.Wait()
}

// Two servers on one database send each notice once.
func TestTwoServersTellAnApplicationOnce(t *testing.T) {
	site := apptest.New(t)
	wiki := newReceiver(t)
	app := register(t, site, toldAt(wiki.URL))
	ada := site.Person("ada@example.org")
	const sessions = 6
	for range sessions {
		browser := site.Browser()
		browser.SignIn(ada)
		app.signIn(browser)
		browser.Post("/logout", nil)
	}
	var servers sync.WaitGroup
	for range 2 {
		server := &oidc.Flow{Floor: site.OpenID.Floor, Rules: site.OpenID.Rules}
		servers.Go(func() {
			if err := server.SendLogoutNotices(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	servers.Wait()
	if n := len(wiki.heard()); n != sessions {
		t.Errorf("told %d times of %d sessions", n, sessions)
	}
}
