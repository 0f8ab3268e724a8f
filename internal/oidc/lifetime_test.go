package oidc_test

import (
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/apptest"
)

func TestAnIDTokenIsGoodNoLongerThanItsSession(t *testing.T) {
	site := apptest.New(t, "session_overall=65m", "session_idle=65m", "open_window=65m")
	app := register(t, site)
	_, browser := signedIn(site, "ada@example.org")
	site.Clock.Turn(time.Hour)
	if _, got := app.signIn(browser); got.Expires-got.Issued != 300 {
		t.Errorf("good for %d seconds of the five minutes that the session lasts", got.Expires-got.Issued)
	}
}
