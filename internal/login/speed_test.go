package login_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"github.com/twinlock/twinlock/internal/apptest"
)

// What a login costs beside the hash of the password, which is next to nothing
// here, once a person has as many sessions as there may be: run it with
// -cpuprofile to see where the time goes.
func BenchmarkALogin(b *testing.B) {
	site := apptest.New(b)
	site.Administrator("eli@example.org")
	ada, browser := site.Person("ada@example.org"), site.Browser()
	b.ReportAllocs()
	for b.Loop() {
		browser.SetCookie("twinlock", "") // what it held lives on
		page := browser.Once("/login", url.Values{"email": {ada.Address}, "password": {ada.Password}, "next": {""}})
		page.WantStatus(http.StatusSeeOther)
	}
}

// What a guess costs us, from ever new networks.
func BenchmarkAWrongPassword(b *testing.B) {
	site := apptest.New(b)
	site.Administrator("eli@example.org")
	browser := site.Browser()
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		browser.Network = fmt.Sprintf("2001:db8:%x:%x::1", n>>16, n&0xffff)
		address := fmt.Sprintf("nobody%d@example.org", n)
		browser.Once("/login", url.Values{"email": {address}, "password": {"wrong"}, "next": {""}}).WantStatus(http.StatusUnprocessableEntity)
	}
}

// What the page costs that everybody begins at.
func BenchmarkTheLoginPage(b *testing.B) {
	site := apptest.New(b)
	site.Administrator("eli@example.org")
	b.ReportAllocs()
	for b.Loop() {
		site.Browser().Get("/login").WantStatus(http.StatusOK)
	}
}
