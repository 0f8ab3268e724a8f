package store_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/address"
	"github.com/twinlock/twinlock/internal/apptest/child"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/keys"
	"github.com/twinlock/twinlock/internal/origin"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

var claimRounds = flag.Int("claims", 5, "how often everything that can be used once is claimed by several at once")

// claim is something that can be used once. Prepare makes it, and take reads what
// a server reads before it claims it, and gives the claim itself. Whoever comes
// too late hears ErrSpent.
type claim struct {
	prepare func(play) key
	take    func(p play, k key, who int) func() error
	alone   bool // it needs a database in which nothing was done
}

// key is what whoever claims a thing brings, in words, so that another process
// can be told.
type key struct {
	Token         string   // of the thing itself: of a link, a code, a ticket
	Session       string   // the token of the session in which it is claimed
	Browser       string   // the token of the browser
	Attempts      []string // a login of each who claims
	Authenticator string
	Address       string // of an application
	ID            string
}

func hashOf(p play, words string) secret.Hash {
	p.Helper()
	token, ok := secret.Parse(words)
	if !ok {
		p.Fatalf("%q is no token", words)
	}
	return token.Hash()
}

// claims are everything that can be used once.
var claims = map[string]claim{
	"login": {prepare: func(p play) key {
		return key{ID: string(storetest.Attempt(p.T, p.Store, p.somebody(), now).ID)}
	}, take: func(p play, k key, _ int) func() error {
		return func() error {
			_, _, err := p.FinishLogin(p.Context(), auth.Actor{}, auth.AttemptID(k.ID), store.Finish{Policy: storetest.Policy}, now)
			return err
		}
	}},
	"code":                                      {prepare: factors(true, false), take: logIn(byApp)},
	"recovery code":                             {prepare: factors(true, false), take: logIn(byRecoveryCode)},
	"passkey after a password":                  {prepare: factors(false, true), take: logIn(byPasskey)},
	"code that keeps the factors at a reset":    {prepare: factorsAndReset(true, false), take: besideLogins(byApp, resets)},
	"passkey that keeps the factors at a reset": {prepare: factorsAndReset(false, true), take: besideLogins(byPasskey, resets)},
	"code that removes a passkey":               {prepare: factors(true, true), take: besideLogins(byApp, removesPasskey)},
	"passkey that removes a passkey":            {prepare: factors(false, true), take: besideLogins(byPasskey, removesPasskey)},
	"code that confirms":                        {prepare: factors(true, false), take: besideLogins(byApp, confirms)},
	"passkey that confirms":                     {prepare: factors(false, true), take: besideLogins(byPasskey, confirms)},
	"passkey at the login": {prepare: func(p play) key {
		by := inSession(p.T, p.Store, p.somebody())
		return key{ID: string(addPasskey(p.T, p.Store, &by).ID), Address: string(by.User.ID)}
	}, take: func(p play, k key, _ int) func() error {
		u := reread(p.T, p.Store, auth.UserID(k.Address))
		proved := store.ProvedPasskey{User: u, Claim: verified(auth.PasskeyID(k.ID)), Browser: storetest.Browser.Hash(), Timeout: time.Minute}
		return func() error { _, err := p.ProvePasskey(p.Context(), auth.Actor{}, proved, now); return err }
	}},
	"set-up of two-factor authentication": {prepare: func(p play) key {
		return key{Session: storetest.Session(p.T, p.Store, p.somebody(), now).Token.Reveal()}
	}, take: func(p play, k key, _ int) func() error {
		by := p.holder(k)
		return func() error { _, err := p.EnableTwoFactor(p.Context(), by, enrolmentOf(by.User), now); return err }
	}},
	"code that disables": {prepare: protectedSession, take: func(p play, k key, _ int) func() error {
		by := p.holder(k)
		return func() error {
			_, err := p.DisableTwoFactor(p.Context(), by, store.CodeClaim{Authenticator: k.Authenticator, Step: 101}, nil, now)
			return err
		}
	}},
	"code for new recovery codes": {prepare: protectedSession, take: func(p play, k key, _ int) func() error {
		by := p.holder(k)
		return func() error {
			_, err := p.MakeRecoveryCodes(p.Context(), by, setOf(2), store.CodeClaim{Authenticator: k.Authenticator, Step: 101}, nil, now)
			return err
		}
	}},
	"ceremony of a new passkey": {prepare: func(p play) key {
		return key{Session: storetest.Session(p.T, p.Store, p.somebody(), now).Token.Reveal(), ID: secret.NewID()}
	}, take: func(p play, k key, _ int) func() error {
		by := p.holder(k)
		n := passkeyOf(by.User)
		n.Ceremony = store.CeremonyOf(auth.Challenge(k.ID), now.Add(time.Minute))
		return func() error { _, err := p.AddPasskey(p.Context(), by, n, now); return err }
	}},
	"set-up that replaces an authenticator": {prepare: protectedSession, take: func(p play, k key, _ int) func() error {
		by := p.holder(k)
		return func() error {
			_, err := p.ReplaceAuthenticator(p.Context(), by, k.Authenticator, enrolmentOf(by.User), now)
			return err
		}
	}},
	"window that came back": {prepare: func(p play) key {
		return key{Session: storetest.Session(p.T, p.Store, p.somebody(), now).Token.Reveal()}
	}, take: func(p play, k key, _ int) func() error {
		by, later := p.holder(k), now.Add(61*time.Minute)
		return func() error {
			_, err := p.ReturnThroughWindow(p.Context(), auth.Actor{}, by.Session, hashOf(p, k.Session), store.Payment{}, later)
			return err
		}
	}},
	"link of a sign-up": {prepare: func(p play) key {
		n := store.NewSignup{Address: p.nobody(), Hash: "the hash", Browser: storetest.Browser.Hash()}
		return key{Token: p.mailed(func(m store.Mailed) error { return p.BeginSignup(p.Context(), auth.Actor{}, n, m, now) })}
	}, take: func(p play, k key, _ int) func() error {
		waits, err := p.Signup(p.Context(), hashOf(p, k.Token), now)
		must(p.T, err)
		c := store.ConfirmedSignup{PendingSignup: waits, Link: hashOf(p, k.Token), Timeout: time.Minute}
		return func() error { _, err := p.ConfirmSignup(p.Context(), auth.Actor{}, c, now); return err }
	}},
	"link for a new password": {prepare: func(p play) key {
		u := p.somebody()
		return key{Token: p.mailed(func(m store.Mailed) error { return p.MailReset(p.Context(), u, m, auth.Actor{}, now) })}
	}, take: func(p play, k key, _ int) func() error {
		return func() error {
			return p.ResetPassword(p.Context(), auth.Actor{}, store.Reset{Link: hashOf(p, k.Token), Hash: "another"}, now)
		}
	}},
	"link of an invitation": {prepare: func(p play) key {
		return key{Token: p.mailed(func(m store.Mailed) error {
			_, err := p.InviteUser(p.Context(), eli, store.NewUser{Address: p.nobody()}, m, now)
			return err
		})}
	}, take: func(p play, k key, _ int) func() error {
		return func() error {
			return p.Store.AcceptInvitation(p.Context(), auth.Actor{}, hashOf(p, k.Token), "", "hash", now)
		}
	}},
	"link to a new address": {prepare: func(p play) key {
		made := storetest.Session(p.T, p.Store, p.somebody(), now)
		k := key{Session: made.Token.Reveal()}
		by := p.holder(k)
		k.Token = p.mailed(func(m store.Mailed) error { return p.AskNewAddress(p.Context(), by, p.nobody(), m, now) })
		return k
	}, take: func(p play, k key, _ int) func() error {
		by := p.holder(k)
		return func() error { _, err := p.ChangeAddress(p.Context(), by, hashOf(p, k.Token), now); return err }
	}},
	"link that opens a door": {prepare: func(p play) key {
		var box mailbox
		u := p.somebody()
		closeDoor(p.T, p.Store, box.doorOf(u, u.Canonical), now)
		return key{Token: box.links[0].Reveal()}
	}, take: func(p play, k key, _ int) func() error {
		return func() error {
			return p.Unlock(p.Context(), auth.Actor{}, hashOf(p, k.Token), now.Add(2*time.Hour))
		}
	}},
	"link of the first start": {alone: true, prepare: func(p play) key {
		link := secret.New()
		must(p.T, p.OfferSetup(p.Context(), command, link.Hash(), now))
		return key{Token: link.Reveal()}
	}, take: func(p play, k key, _ int) func() error {
		first := store.FirstAdministrator{NewUser: store.NewUser{Address: p.nobody(), Administrator: true}, Timeout: time.Minute, Browser: storetest.Browser.Hash()}
		return func() error {
			_, err := p.FinishSetup(p.Context(), auth.Actor{}, hashOf(p, k.Token), first, now)
			return err
		}
	}},
	"authorization code": {prepare: func(p play) key { return key{Token: p.grant().Code.Reveal()} }, take: func(p play, k key, _ int) func() error {
		g, err := p.GrantOfCode(p.Context(), hashOf(p, k.Token))
		must(p.T, err)
		return func() error {
			return p.Exchange(p.Context(), g, store.Issue{Access: secret.New().Hash(), AccessExpires: now.Add(time.Minute)}, now)
		}
	}},
	"refresh token": {prepare: func(p play) key {
		g, token := p.grant(), secret.New()
		must(p.T, p.Exchange(p.Context(), g.Grant, store.Issue{Refresh: token.Hash(), Scopes: g.Scopes}, now))
		return key{Token: token.Reveal()}
	}, take: func(p play, k key, _ int) func() error {
		g, _, err := p.GrantOfRefresh(p.Context(), hashOf(p, k.Token))
		must(p.T, err)
		return func() error {
			return p.Refresh(p.Context(), g, hashOf(p, k.Token), store.Issue{Refresh: secret.New().Hash(), Scopes: g.Scopes}, now)
		}
	}},
	"ticket to an application": {prepare: func(p play) key {
		made, browser := storetest.Session(p.T, p.Store, p.somebody(), now), secret.New()
		where := fmt.Sprintf("https://wiki%d.example.org", people.Add(1))
		a, err := p.AddApplication(p.Context(), command, auth.Application{Kind: auth.BehindProxy, Name: "Wiki", URL: where, Everyone: true}, now)
		must(p.T, err)
		ticket, err := p.BeginHandOver(p.Context(), store.HandOver{Session: made.Session, Application: a.ID, Origin: at(p.T, where), Browser: browser.Hash()}, time.Minute, now)
		must(p.T, err)
		return key{Token: ticket.Reveal(), Browser: browser.Reveal(), Address: where}
	}, take: func(p play, k key, _ int) func() error {
		where, _ := origin.Parse(k.Address)
		return func() error {
			_, err := p.FinishHandOver(p.Context(), auth.Actor{}, hashOf(p, k.Token), hashOf(p, k.Browser), where, now)
			return err
		}
	}},
	"letter": {prepare: func(p play) key {
		must(p.T, p.SendTestLetter(p.Context(), eli, now))
		due, err := p.DueLetters(p.Context(), 1, now)
		must(p.T, err)
		return key{ID: due[0].ID}
	}, take: func(p play, k key, _ int) func() error {
		due, err := p.DueLetters(p.Context(), 1, now)
		must(p.T, err)
		if due[0].ID != k.ID {
			p.Fatalf("letter %s is due, want %s", due[0].ID, k.ID)
		}
		return func() error { _, err := p.ClaimLetter(p.Context(), due[0], time.Minute, now); return err }
	}},
	"logout notice": {prepare: func(p play) key {
		g := p.grant()
		must(p.T, p.Exchange(p.Context(), g.Grant, store.Issue{}, now))
		must(p.T, p.EndSession(p.Context(), auth.Actor{}, g.User, g.Session.Session.ID, auth.EventLogout, "logout", now))
		return key{ID: string(g.Application)}
	}, take: func(p play, k key, _ int) func() error {
		return func() error {
			_, err := p.ClaimLogoutNotice(p.Context(), auth.ApplicationID(k.ID), now.Add(time.Minute), now)
			return err
		}
	}},
}

// people are numbered, so that no two have one address.
var people atomic.Int64

func (p play) nobody() address.Address {
	p.Helper()
	a, err := address.Parse(fmt.Sprintf("person%d-%d@example.org", os.Getpid(), people.Add(1)))
	must(p.T, err)
	return a
}

func (p play) somebody() auth.User {
	p.Helper()
	return storetest.Person(p.T, p.Store, p.nobody().Spelling)
}

// holder is who acts in a session.
func (p play) holder(k key) auth.Actor {
	p.Helper()
	h, err := p.Holder(p.Context(), hashOf(p, k.Session))
	must(p.T, err)
	return auth.Actor{User: h.User, Session: h.Session}
}

// mailed gives the token of a link.
func (p play) mailed(mail func(store.Mailed) error) string {
	p.Helper()
	var made secret.Token
	must(p.T, mail(store.Mailed{Life: time.Hour, Path: func(t secret.Token) string { made = t; return "/" }}))
	return made.Reveal()
}

func (p play) grant() begun {
	p.Helper()
	u := p.somebody()
	return grantOf(p.T, p.Store, u, storetest.Session(p.T, p.Store, u, now), auth.AllScopes, now)
}

// protectedSession is that of somebody who has two-factor authentication on.
func protectedSession(p play) key {
	by := inSession(p.T, p.Store, p.somebody())
	a, token := protect(p.T, p.Store, &by)
	return key{Session: token.Reveal(), Authenticator: a.ID}
}

// withFactors gives what somebody with an authenticator app, a passkey or both brings
// in a session, and in two logins that owe a code.
func withFactors(p play, app, passkey bool) (key, auth.User) {
	by, k := inSession(p.T, p.Store, p.somebody()), key{Browser: storetest.Browser.Reveal()}
	if app {
		a, token := protect(p.T, p.Store, &by)
		k.Authenticator, k.Session = a.ID, token.Reveal()
	}
	if passkey {
		n := passkeyOf(by.User)
		if app {
			n = withoutCodes(n)
		}
		token, err := p.AddPasskey(p.Context(), by, n, now)
		must(p.T, err)
		by = goesOn(p.T, p.Store, by, token)
		all, err := p.Passkeys(p.Context(), by.User.ID)
		must(p.T, err)
		k.ID, k.Session = string(all[0].ID), token.Reveal()
	}
	for range 2 {
		k.Attempts = append(k.Attempts, string(storetest.Attempt(p.T, p.Store, by.User, now).ID))
	}
	return k, by.User
}

// factors is the preparing of those who bring nothing else.
func factors(app, passkey bool) func(play) key {
	return func(p play) key { k, _ := withFactors(p, app, passkey); return k }
}

// factorsAndReset is the preparing of those who have the link for a new password too.
func factorsAndReset(app, passkey bool) func(play) key {
	return func(p play) key {
		k, u := withFactors(p, app, passkey)
		k.Token = p.mailed(func(m store.Mailed) error { return p.MailReset(p.Context(), u, m, auth.Actor{}, now) })
		return k
	}
}

// byApp, byRecoveryCode and byPasskey are what is spent in the code's place.
func byApp(k key) store.CodeClaim        { return store.CodeClaim{Authenticator: k.Authenticator, Step: 200} }
func byRecoveryCode(key) store.CodeClaim { return store.CodeClaim{Recovery: true, Position: 3} }
func byPasskey(k key) store.CodeClaim    { return verified(auth.PasskeyID(k.ID)) }

// logIn goes on with one of two logins by the same code.
func logIn(code func(key) store.CodeClaim) func(play, key, int) func() error {
	return func(p play, k key, who int) func() error {
		a, err := p.Attempt(p.Context(), auth.AttemptID(k.Attempts[who%2]), hashOf(p, k.Browser))
		must(p.T, err)
		return func() error {
			_, err := p.ProveCode(p.Context(), auth.Actor{}, a, code(k), 5, nil, now)
			return err
		}
	}
}

// besideLogins has the first of those who claim spend the code for something that is
// its own, and the others for a login: what else an act can do once alone decides
// nothing between them.
func besideLogins(code func(key) store.CodeClaim, act func(play, key, store.CodeClaim) func() error) func(play, key, int) func() error {
	return func(p play, k key, who int) func() error {
		if who == 0 {
			return act(p, k, code(k))
		}
		return logIn(code)(p, k, who)
	}
}

func resets(p play, k key, c store.CodeClaim) func() error {
	return func() error {
		return p.ResetPassword(p.Context(), auth.Actor{}, store.Reset{Link: hashOf(p, k.Token), Hash: "another", KeepFactors: true, Code: c}, now)
	}
}

func removesPasskey(p play, k key, c store.CodeClaim) func() error {
	by := p.holder(k)
	return func() error {
		_, err := p.RemovePasskey(p.Context(), by, store.PasskeyRemoval{Passkey: auth.PasskeyID(k.ID), Domain: ours, Code: c}, now)
		return err
	}
}

func confirms(p play, k key, c store.CodeClaim) func() error {
	by := p.holder(k)
	return func() error { _, err := p.Confirm(p.Context(), by, store.Confirmation{Code: c}, nil, now); return err }
}

// Of many who claim at once what can be used once, one gets it.
func TestWhatCanBeUsedOnceIsGotByOne(t *testing.T) {
	for name, c := range claims {
		t.Run(name, func(t *testing.T) {
			if !c.alone {
				storetest.Each(t, func(t *testing.T, s *store.Store) {
					for range *claimRounds {
						c.race(play{t, s})
					}
				})
				return
			}
			for range *claimRounds {
				storetest.Each(t, func(t *testing.T, s *store.Store) { c.race(play{t, s}) })
			}
		})
	}
}

func (c claim) race(p play) {
	p.Helper()
	k := c.prepare(p)
	calls := make(chan func() error, 8)
	for who := range cap(calls) {
		calls <- c.take(p, k, who)
	}
	if won := together(p.T, store.ErrSpent, func() error { return (<-calls)() }); won != 1 {
		p.Fatalf("%d of the calls got it, want 1", won)
	}
}

// order is what a process that claims is told, and when it begins.
type order struct {
	Name string
	Key  key
	Who  int
	At   time.Time
}

const (
	claimsIn   = "TWINLOCK_TEST_CLAIMS"      // the database in which the process claims
	claimsKeys = "TWINLOCK_TEST_CLAIMS_KEYS" // the file with its keys
	claimed    = "claimed: "                 // begins the lines in which it answers
)

// Of two servers on one PostgreSQL that claim at the same moment what can be used
// once, one gets it. Each is a process of its own.
func TestWhatCanBeUsedOnceIsGotByOneOfTwoProcesses(t *testing.T) {
	if os.Getenv(claimsIn) != "" {
		claimByOrder(t, os.Stdin)
		return
	}
	t.Parallel()
	ring := filepath.Join(t.TempDir(), "ring")
	_, err := keys.CreateFile(ring)
	must(t, err)
	both := twoProcesses(t, storetest.Migrated["PostgreSQL"](t), ring)
	for name, c := range claims {
		if c.alone {
			for range *claimRounds { // each ends the processes that it began
				t.Run(name, func(t *testing.T) { twoProcesses(t, storetest.Lent["PostgreSQL"](t), ring).race(t, name) })
			}
			continue
		}
		for range *claimRounds {
			both.race(t, name)
		}
	}
}

// claimants are two processes that claim, and the store on which it is prepared.
type claimants struct {
	*store.Store
	ask [2]*json.Encoder
	say [2]*bufio.Scanner
}

func twoProcesses(t *testing.T, url, ring string) *claimants {
	t.Helper()
	opened, err := keys.OpenFile(ring)
	must(t, err)
	both := &claimants{Store: storetest.Open(t, url, opened)}
	for i := range both.ask {
		c := exec.Command(os.Args[0], "-test.run=^TestWhatCanBeUsedOnceIsGotByOneOfTwoProcesses$")
		c.Env = append(os.Environ(), claimsIn+"="+url, claimsKeys+"="+ring)
		in, err := c.StdinPipe()
		must(t, err)
		out, err := c.StdoutPipe()
		must(t, err)
		must(t, child.Start(c))
		t.Cleanup(func() { in.Close(); _ = c.Wait() })
		both.ask[i], both.say[i] = json.NewEncoder(in), bufio.NewScanner(out)
	}
	return both
}

func (both *claimants) race(t *testing.T, name string) {
	t.Helper()
	o := order{Name: name, Key: claims[name].prepare(play{t, both.Store})}
	for o.Who = range both.ask {
		must(t, both.ask[o.Who].Encode(o))
	}
	for i := range both.say {
		both.hears(t, i, name, "ready")
	}
	o.At = time.Now().Add(2 * time.Millisecond)
	for i := range both.ask {
		must(t, both.ask[i].Encode(o))
	}
	won := 0
	for i := range both.say {
		if both.hears(t, i, name, "got", "spent") == "got" {
			won++
		}
	}
	if won != 1 {
		t.Errorf("%s: %d of two processes got it, want 1", name, won)
	}
}

// hears waits for one of these answers of a process.
func (both *claimants) hears(t *testing.T, i int, name string, wanted ...string) string {
	t.Helper()
	var all []string
	for both.say[i].Scan() {
		line := both.say[i].Text()
		all = append(all, line)
		for _, want := range wanted {
			if line == claimed+want {
				return want
			}
		}
		if strings.HasPrefix(line, claimed) {
			break
		}
	}
	t.Fatalf("%s: a process said %q, want one of %q", name, all, wanted)
	return ""
}

// claimByOrder is the other process: it prepares a claim, says that it is ready,
// and claims at the moment that it is told then.
func claimByOrder(t *testing.T, orders io.Reader) {
	ring, err := keys.OpenFile(os.Getenv(claimsKeys))
	must(t, err)
	p := play{t, storetest.Open(t, os.Getenv(claimsIn), ring)}
	var o order
	for read := json.NewDecoder(orders); read.Decode(&o) == nil; {
		take := claims[o.Name].take(p, o.Key, o.Who)
		fmt.Println(claimed + "ready")
		must(t, read.Decode(&o))
		for time.Now().Before(o.At) {
		}
		switch err := take(); {
		case err == nil:
			fmt.Println(claimed + "got")
		case errors.Is(err, store.ErrSpent):
			fmt.Println(claimed + "spent")
		default:
			fmt.Println(claimed + err.Error())
		}
	}
}
