package apptest

import (
	"errors"
	"strings"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/twinlock/twinlock/internal/address"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/passkey/passkeytest"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
)

// Password is everybody's, unless a test changes it.
const Password = "seven grey herons over Utrecht"

// Person has an account, and a phone once two-factor authentication is on.
type Person struct {
	ID            auth.UserID
	Address       string
	Password      string
	RecoveryCodes []string                   // as the page showed them
	Device        *passkeytest.Authenticator // with their passkeys; nil for none

	site     *Site
	key      string // as the page showed it; "" for no phone
	lastStep int64
}

// Person makes an account as an operator does, with [Password] and the address
// as its name.
func (s *Site) Person(email string) *Person { return s.add(store.NewUser{}, email) }

// Administrator makes one who may administer.
func (s *Site) Administrator(email string) *Person {
	return s.add(store.NewUser{Administrator: true}, email)
}

func (s *Site) add(n store.NewUser, email string) *Person {
	s.t.Helper()
	var err error
	if n.Address, err = address.Parse(email); err != nil {
		s.t.Fatal(err)
	}
	n.Hash = secret.Text(HashCost.Hash(Password))
	u, err := s.Store.AddUser(s.t.Context(), Command, n, s.Now())
	if err != nil {
		s.t.Fatal(err)
	}
	return &Person{ID: u.ID, Address: u.Address, Password: Password, site: s}
}

// User reads the account as it now is.
func (p *Person) User() auth.User {
	p.site.t.Helper()
	u, err := p.site.Store.User(p.site.t.Context(), p.ID)
	if err != nil {
		p.site.t.Fatal(err)
	}
	return u
}

// SetUpPhone puts a key into the person's app, as it stands on the page.
func (p *Person) SetUpPhone(key string) { p.key = strings.ReplaceAll(key, " ", "") }

// CodeAt gives what the app shows at a moment. The app is not our own code.
func (p *Person) CodeAt(at time.Time) string {
	p.site.t.Helper()
	if p.key == "" {
		p.site.t.Fatal(errors.New("this person's app has no key"))
	}
	code, err := totp.GenerateCode(p.key, at)
	if err != nil {
		p.site.t.Fatal(err)
	}
	return code
}

// Code gives a code that was not given out before: where the app still shows
// the last one, the clock is turned to the next.
func (p *Person) Code() string {
	p.site.t.Helper()
	const period = 30
	if now := p.site.Now().Unix(); now/period <= p.lastStep {
		p.site.Clock.Turn(time.Duration((p.lastStep+1)*period-now) * time.Second)
	}
	p.lastStep = p.site.Now().Unix() / period
	return p.CodeAt(p.site.Now())
}
