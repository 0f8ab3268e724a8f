package admin_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/store"
)

func TestALockedAccountIsShownAndUnlockedByAnAdministrator(t *testing.T) {
	site := apptest.New(t, "throttle_closed=10", "throttle_longest_wait=1s")
	ada := site.Person("ada@example.org")
	site.Person("bea@example.org")
	try := func(password string) *apptest.Page {
		return site.Browser().Once("/login", url.Values{"email": {ada.Address}, "password": {password}, "next": {""}})
	}
	for range 10 {
		try("wrong").WantStatus(http.StatusUnprocessableEntity)
		site.Clock.Turn(time.Second)
	}
	try(ada.Password).WantStatus(http.StatusTooManyRequests)

	root := site.Browser()
	root.SignIn(site.Administrator("root@example.org"))
	people := root.Get("/admin/users").Follow("1 locked account")
	if !people.Says(ada.Address) || people.Says("bea@example.org") || !people.Says("Locked") {
		t.Errorf("the list says %s", people.Text())
	}
	shown := people.Follow(ada.Address)
	if !shown.Says("Too many failed tries in a row locked this account") || !shown.Says("Wrong passwords") {
		t.Errorf("the page says %s", shown.Text())
	}
	open := shown.Form("Unlock account").Press().WantStatus(http.StatusOK).WantDone("The account is unlocked.")
	if open.HasButton("Unlock account") || open.Says("locked this account") {
		t.Errorf("the page still says %s", open.Text())
	}
	if root.Get("/admin/users").HasLink("1 locked account") {
		t.Error("somebody is still listed as locked")
	}
	events, err := site.Store.Events(t.Context(), store.EventFilter{Subject: ada.ID, Kind: auth.EventDoorOpened})
	if err != nil || len(events) != 1 || events[0].ActorAddress != "root@example.org" {
		t.Errorf("the record says %+v (%v)", events, err)
	}
	try(ada.Password).WantStatus(http.StatusSeeOther)
}
