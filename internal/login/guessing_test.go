package login_test

import (
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
)

const wrong = "seven grey herons over Ghent"

// try sends an address and a password and stops at the first answer.
func try(b *apptest.Browser, email, password string) *apptest.Page {
	return b.Once("/login", url.Values{"email": {email}, "password": {password}, "next": {""}})
}

// signUp begins to sign up and goes no further.
func signUp(site *apptest.Site, email string) {
	site.Browser().Get("/register").Form("Create account").
		Fill("Email", email).Fill("Password", apptest.Password).Press()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestNobodyLearnsWhoHasAnAccount(t *testing.T) {
	site := apptest.New(t)
	site.Person("ada@example.org")
	eve := site.Person("eve@example.org")
	must(t, site.Store.DisableUser(t.Context(), apptest.Command, eve.ID, site.Now()))
	signUp(site, "una@example.org")

	answerOf := func(email, password string) (status int, header http.Header, body string) {
		page := try(site.Browser(), email, password)
		page.Header.Del("X-Request-Id")
		return page.Status, page.Header, strings.ReplaceAll(page.Body, email, "ADDRESS")
	}
	status, header, body := answerOf("sam@example.org", wrong)
	if status != http.StatusUnprocessableEntity || header.Get("Set-Cookie") != "" {
		t.Fatalf("an unknown address: %d, cookies %q", status, header["Set-Cookie"])
	}
	for _, c := range []struct{ who, email, password string }{
		{"a wrong password", "ada@example.org", wrong},
		{"a disabled account, wrong password", "eve@example.org", wrong},
		{"a disabled account, right password", "eve@example.org", apptest.Password},
		{"an unverified account, wrong password", "una@example.org", wrong},
		{"an unverified account, right password", "una@example.org", apptest.Password},
	} {
		s, h, b := answerOf(c.email, c.password)
		if s != status || b != body || !reflect.DeepEqual(h, header) {
			t.Errorf("%s: answered %d %v, same page %v, want %d %v", c.who, s, h, b == body, status, header)
		}
	}
}

func TestAfterFiveFailuresRightAndWrongMustWaitAlike(t *testing.T) {
	site := apptest.New(t)
	ada := site.Person("ada@example.org")
	b := site.Browser()
	for range 5 {
		try(b, ada.Address, wrong).WantStatus(http.StatusUnprocessableEntity)
	}
	refused := try(b, ada.Address, wrong).WantStatus(http.StatusTooManyRequests)
	right := try(b, ada.Address, ada.Password).WantStatus(http.StatusTooManyRequests)
	refused.Header.Del("X-Request-Id")
	right.Header.Del("X-Request-Id")
	if refused.Header.Get("Retry-After") != "1" || refused.Body != right.Body || !reflect.DeepEqual(refused.Header, right.Header) {
		t.Errorf("right and wrong differ: %v %v", refused.Header, right.Header)
	}
	site.Clock.Turn(time.Second)
	if to := try(b, ada.Address, ada.Password).Header.Get("Location"); to != "/apps" {
		t.Errorf("after the wait the right password leads to %q", to)
	}
}

func TestAnAddressWithoutAccountWaitsAsWell(t *testing.T) {
	site := apptest.New(t)
	for range 5 {
		try(site.Browser(), "nobody@example.org", wrong).WantStatus(http.StatusUnprocessableEntity)
	}
	try(site.Browser(), "Nobody@Example.org", wrong).WantStatus(http.StatusTooManyRequests)
}

func TestEachFailureDoublesTheWait(t *testing.T) {
	site := apptest.New(t)
	ada := site.Person("ada@example.org")
	b := site.Browser()
	for range 4 {
		try(b, ada.Address, wrong).WantStatus(http.StatusUnprocessableEntity)
	}
	for _, want := range []int{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900} {
		try(b, ada.Address, wrong).WantStatus(http.StatusUnprocessableEntity)
		if got := try(b, ada.Address, wrong).Header.Get("Retry-After"); got != fmt.Sprint(want) {
			t.Fatalf("wait of %s seconds, want %d", got, want)
		}
		site.Clock.Turn(time.Duration(want)*time.Second - time.Millisecond)
		try(b, ada.Address, ada.Password).WantStatus(http.StatusTooManyRequests)
		site.Clock.Turn(time.Millisecond)
	}
}

func TestATryDuringAWaitIsNotCounted(t *testing.T) {
	site := apptest.New(t)
	ada := site.Person("ada@example.org")
	b := site.Browser()
	for range 5 {
		try(b, ada.Address, wrong)
	}
	for range 30 {
		try(b, ada.Address, wrong).WantStatus(http.StatusTooManyRequests)
	}
	site.Clock.Turn(time.Second)
	try(b, ada.Address, wrong).WantStatus(http.StatusUnprocessableEntity)
	if got := try(b, ada.Address, wrong).Header.Get("Retry-After"); got != "2" {
		t.Errorf("the sixth failure waits %s seconds, want 2", got)
	}
}

func TestStrangersCannotLockAKnownBrowserOut(t *testing.T) {
	site := apptest.New(t)
	ada := site.Person("ada@example.org")
	known := site.Browser()
	known.SignIn(ada)
	known.Get("/apps").Form("Log out").Press()
	stranger := site.Browser()
	stranger.Network = "203.0.113.9"
	for range 6 {
		try(stranger, ada.Address, wrong)
	}
	try(site.Browser(), ada.Address, ada.Password).WantStatus(http.StatusTooManyRequests)
	known.SignIn(ada).WantPath("/apps")
}

// What a browser is known by keeps its failures apart and opens nothing.
func TestAKnownBrowserIsCountedToo(t *testing.T) {
	site := apptest.New(t)
	site.Activate(auth.TwoFactorPlugin)
	ada := site.Person("ada@example.org")
	known := site.Browser()
	known.SignIn(ada)
	known.EnableTwoFactor(ada)
	device := known.Cookie("twinlock-device")

	thief := site.Browser()
	thief.SetCookie("twinlock-device", device)
	thief.Get("/apps").WantPath("/login")
	if to := try(thief, ada.Address, ada.Password).Header.Get("Location"); !strings.HasPrefix(to, "/login/code") {
		t.Errorf("a known browser was led to %s", to)
	}
	for range 5 {
		try(thief, ada.Address, wrong)
	}
	try(thief, ada.Address, ada.Password).WantStatus(http.StatusTooManyRequests)
}

func TestTheDeviceOfSomebodyElseIsNoCounterOfOnesOwn(t *testing.T) {
	site := apptest.New(t)
	ada, mallory := site.Person("ada@example.org"), site.Person("mallory@example.org")
	for i := range 6 { // a new known browser for each guess
		b := site.Browser()
		b.SignIn(mallory)
		want := http.StatusUnprocessableEntity
		if i == 5 {
			want = http.StatusTooManyRequests
		}
		try(b, ada.Address, wrong).WantStatus(want)
	}
}

func guessEverywhere(b *apptest.Browser, from, to int, header func(i int)) (last *apptest.Page) {
	for i := from; i < to; i++ {
		if header != nil {
			header(i)
		}
		last = try(b, fmt.Sprintf("person%d@example.org", i), "Summer2026!")
	}
	return last
}

func TestOnePasswordTriedOnManyAccountsMeetsTheLimitOfItsNetwork(t *testing.T) {
	site := apptest.New(t)
	b := site.Browser()
	guessEverywhere(b, 0, 20, nil).WantStatus(http.StatusUnprocessableEntity)
	guessEverywhere(b, 20, 21, nil).WantStatus(http.StatusTooManyRequests)
	elsewhere := site.Browser()
	elsewhere.Network = "198.51.100.7"
	elsewhere.SignIn(site.Person("ada@example.org")).WantPath("/apps")
}

func TestACustomerOfIPv6IsOneNetwork(t *testing.T) {
	site := apptest.New(t)
	b := site.Browser()
	move := func(i int) { b.Network = fmt.Sprintf("2001:db8:1:2::%x", i+1) }
	guessEverywhere(b, 0, 20, move).WantStatus(http.StatusUnprocessableEntity)
	guessEverywhere(b, 20, 21, move).WantStatus(http.StatusTooManyRequests)
	b.Network = "2001:db8:1:3::1"
	try(b, "other@example.org", wrong).WantStatus(http.StatusUnprocessableEntity)
}

func TestAForwardedAddressIsNotBelievedFromStrangers(t *testing.T) {
	site := apptest.New(t)
	b := site.Browser()
	pretend := func(i int) {
		for _, name := range []string{"X-Forwarded-For", "X-Real-Ip", "True-Client-Ip"} {
			b.Header.Set(name, fmt.Sprintf("198.51.100.%d", i))
		}
		b.Header.Set("Forwarded", fmt.Sprintf("for=198.51.100.%d", i))
	}
	guessEverywhere(b, 0, 21, pretend).WantStatus(http.StatusTooManyRequests)
}

func TestAForwardedAddressIsBelievedFromTheProxyAndNoFurther(t *testing.T) {
	site := apptest.New(t, "trusted_proxies=10.0.0.0/8")
	b := site.Browser()
	b.Network = "10.0.0.1"
	pretend := func(i int) { b.Header.Set("X-Forwarded-For", fmt.Sprintf("198.51.100.%d, 203.0.113.5", i)) }
	guessEverywhere(b, 0, 20, pretend).WantStatus(http.StatusUnprocessableEntity)
	guessEverywhere(b, 20, 21, pretend).WantStatus(http.StatusTooManyRequests)
	b.Header.Set("X-Forwarded-For", "203.0.113.6")
	try(b, "other@example.org", wrong).WantStatus(http.StatusUnprocessableEntity)
}

// A clock would be one of a zone that the visitor need not live in.
func TestTheTimeToComeBackIsALengthInWords(t *testing.T) {
	site := apptest.New(t)
	b := site.Browser()
	for range 12 { // of which the last waits for 128 seconds
		b.Network = "192.0.2.1"
		for try(b, "ada@example.org", wrong).Status == http.StatusTooManyRequests {
			site.Clock.Turn(time.Second)
		}
	}
	for language, want := range map[string]string{
		"en": "Too many tries. Try again in 3 minutes, or reset your password.",
		"de": "Zu viele Versuche. Versuchen Sie es in 3 Minuten wieder, oder setzen Sie Ihr Passwort zurück.",
	} {
		b.Header.Set("Accept-Language", language)
		page := try(b, "ada@example.org", wrong).WantStatus(http.StatusTooManyRequests)
		if page.Alert() != want || page.Header.Get("Retry-After") != "128" {
			t.Errorf("the page says %q, Retry-After %s", page.Alert(), page.Header.Get("Retry-After"))
		}
	}
}
