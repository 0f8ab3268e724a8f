package login_test

import (
	"database/sql"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/store"
)

// damage makes the keys of all authenticators and passkeys unreadable.
func damage(t *testing.T, site *apptest.Site) {
	t.Helper()
	db, err := sql.Open("sqlite", strings.TrimPrefix(site.Config.DatabaseURL.Reveal(), "sqlite:")+"?_pragma=busy_timeout(5000)")
	must(t, err)
	defer db.Close()
	for _, table := range []string{"authenticators", "passkeys"} {
		_, err = db.ExecContext(t.Context(), `UPDATE `+table+` SET sealed_key = 'no seal of ours'`)
		must(t, err)
	}
}

func TestAKeyThatCannotBeReadSaysWhatToDo(t *testing.T) {
	site := apptest.New(t)
	ada, inside := protected(site, "ada@example.org")
	damage(t, site)
	const advice = "The key of your authenticator app cannot be read. Type a recovery code, or ask your administrator."
	login, confirmation := pending(site, ada), inside.Get("/login/confirm?ask=needs+code")
	for range 8 { // more than are free, if they were counted
		for name, page := range map[string]*apptest.Page{"login": login, "confirmation": confirmation} {
			page := send(page, ada.CodeAt(site.Now())).WantStatus(http.StatusInternalServerError)
			if page.Alert() != advice || !page.HasButton("Send code") {
				t.Fatalf("%s: the page says %s", name, page.Text())
			}
		}
	}
	recorded, err := site.Store.Events(t.Context(), store.EventFilter{Subject: ada.ID, Kind: auth.EventFactorUnreadable})
	if err != nil || len(recorded) != 16 {
		t.Errorf("the record says %+v (%v)", recorded, err)
	}
	send(login, ada.RecoveryCodes[0]).WantPath("/apps")
	send(confirmation, ada.RecoveryCodes[1]).WantPath("/apps")
}

// Whose passkeys cannot be read is not let in without them, and the administrator
// is told.
func TestPasskeysThatCannotBeReadAreTold(t *testing.T) {
	site := apptest.New(t)
	site.Activate(auth.PasskeysPlugin)
	ada := site.Person("ada@example.org")
	ada.AddPasskey()
	site.Clock.Turn(time.Minute)
	told := func() int {
		t.Helper()
		recorded, err := site.Store.Events(t.Context(), store.EventFilter{Subject: ada.ID, Kind: auth.EventFactorUnreadable})
		must(t, err)
		return len(recorded)
	}
	pending(site, ada)
	if n := told(); n != 0 {
		t.Errorf("before, %d are recorded", n)
	}
	damage(t, site)
	page := pending(site, ada)
	if n := told(); n != 1 {
		t.Errorf("%d are recorded, want 1", n)
	}
	if page.AsksForPasskey() {
		t.Error("one is asked for")
	}
	page.Form("Send code").Fill("Recovery code", ada.RecoveryCodes[0]).Press().WantPath("/apps")
}
