package kit

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/mail/mailtest"
)

// Password is everybody's, unless a test changes it.
const Password = "seven grey herons over Utrecht"

// Person has an account, and a phone once two-factor authentication is on.
type Person struct {
	Address       string
	Password      string
	Key           string   // in the phone; "" for none
	RecoveryCodes []string // as the page showed them

	used int64 // the last step whose code was given out
}

// Person makes an account by command, with further flags such as "--admin".
func (s *Site) Person(email string, flags ...string) *Person {
	s.t.Helper()
	s.Servers[0].Person(email, Password, flags...)
	return &Person{Address: email, Password: Password}
}

// period is how long a code of the phone counts.
const period = 30

// CodeAt is what the phone shows at a moment. The app is not our own code.
func (p *Person) CodeAt(t testing.TB, at time.Time) string {
	t.Helper()
	code, err := totp.GenerateCode(p.Key, at)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// Code gives a code that was not given out before: where the phone still shows
// the last one, the clock is turned to the next.
func (s *Site) Code(p *Person) string {
	s.t.Helper()
	if now := s.Now().Unix(); now/period <= p.used {
		s.Turn(time.Duration((p.used+1)*period-now) * time.Second)
	}
	now := s.Now()
	p.used = now.Unix() / period
	return p.CodeAt(s.t, now)
}

// SignIn goes through the login of a person, code included where it is asked,
// and gives the page after it: whatever that is.
func (s *Site) SignIn(b *apptest.Browser, p *Person) *apptest.Page {
	s.t.Helper()
	page := LogIn(b, p)
	if page.HasButton("Send code") {
		page = page.Form("Send code").Fill("Login code", s.Code(p)).Press()
	}
	return page
}

// LogIn sends the first form of the login, and gives the page after it.
func LogIn(b *apptest.Browser, p *Person) *apptest.Page {
	page := b.Get("/login")
	if !page.HasButton("Login") {
		return page
	}
	return page.Form("Login").Fill("Email", p.Address).Fill("Password", p.Password).Press()
}

// EnableTwoFactor sets the phone of somebody up who is signed in.
func (s *Site) EnableTwoFactor(b *apptest.Browser, p *Person) {
	s.t.Helper()
	page := b.Get("/account/two-factor")
	p.Key = strings.ReplaceAll(page.Definition("Secret key"), " ", "")
	page = page.Form("Activate").Fill("Login code", s.Code(p)).Press().WantStatus(200)
	p.RecoveryCodes = page.List("Recovery codes")
}

// letterPatience is how long a letter may take to come: a server that was killed
// while it sent one keeps it for two minutes.
const letterPatience = 2*time.Minute + 40*time.Second

// Link waits for the newest letter to an address that links to a page, such as
// "/register/confirm", and gives what to open.
func (s *Site) Link(to, page string) string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), letterPatience)
	defer cancel()
	letter, err := s.Mail.Wait(ctx, func(m mailtest.Message) bool { return mailtest.To(to)(m) && LinkTo(m, page) != "" })
	if err != nil {
		s.t.Fatalf("a letter to %s with a link to %s: %v", to, page, err)
	}
	found := LinkTo(letter, page)
	for _, later := range s.Mail.Messages() {
		if newer := LinkTo(later, page); mailtest.To(to)(later) && newer != "" {
			found = newer
		}
	}
	return found
}

// LinkTo is what to open of a letter's link to a page, "" for none.
func LinkTo(letter mailtest.Message, page string) string {
	for _, link := range letter.Links() {
		u, err := url.Parse(link)
		if err == nil && u.Path == page && u.Query().Has("token") {
			return u.RequestURI()
		}
	}
	return ""
}
