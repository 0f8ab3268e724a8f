package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/address"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

var bea = address.Address{Spelling: "Bea@example.org", Canonical: "bea@example.org"}

// signup begins a sign-up in a browser and gives the token of its letter, the
// zero one where no letter may be sent.
func signup(t *testing.T, s *store.Store, browser secret.Token, hash secret.Text, at time.Time) (token secret.Token) {
	t.Helper()
	n := store.NewSignup{Address: bea, Language: "de", Hash: hash, Browser: browser.Hash()}
	if err := s.BeginSignup(t.Context(), auth.Actor{}, n, verification(&token), at); err != nil {
		t.Fatal(err)
	}
	return token
}

// verification gives a letter's token to a test.
func verification(token *secret.Token) store.Mailed {
	return store.Mailed{Life: 24 * time.Hour, Path: func(made secret.Token) string { *token = made; return "/" }}
}

func pending(t *testing.T, s *store.Store, link secret.Token, at time.Time) store.ConfirmedSignup {
	t.Helper()
	p, err := s.Signup(t.Context(), link.Hash(), at)
	if err != nil {
		t.Fatal(err)
	}
	return store.ConfirmedSignup{PendingSignup: p, Link: link.Hash(), Timeout: 10 * time.Minute}
}

func TestASignUpBecomesOneAccount(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		c := pending(t, s, signup(t, s, storetest.Browser, "the hash", now), now)
		c.Here = true
		attempts := make(chan auth.Attempt, 100)
		won := together(t, store.ErrSpent, func() error {
			a, err := s.ConfirmSignup(t.Context(), auth.Actor{}, c, now)
			if err == nil {
				attempts <- a
			}
			return err
		})
		if won != 1 {
			t.Fatalf("%d accounts, want 1", won)
		}
		a := <-attempts
		if _, err := s.Attempt(t.Context(), a.ID, storetest.Browser.Hash()); err != nil {
			t.Errorf("the login of the browser that signed up: %v", err)
		}
		made, u, err := s.FinishLogin(t.Context(), auth.Actor{}, a.ID, store.Finish{Policy: storetest.Policy}, now)
		if err != nil || u.Canonical != bea.Canonical || u.Address != bea.Spelling || u.Language != "de" || made.Session.User != u.ID {
			t.Errorf("signed in as %+v (%v)", u, err)
		}
	})
}

func TestConfirmingElsewhereBeginsNoLogin(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a, err := s.ConfirmSignup(t.Context(), auth.Actor{}, pending(t, s, signup(t, s, storetest.Browser, "the hash", now), now), now)
		if err != nil || a.ID != "" {
			t.Errorf("attempt %q (%v), want none", a.ID, err)
		}
	})
}

func TestASignUpReplacesTheOneBefore(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		eve, owner := secret.New(), secret.New()
		old := signup(t, s, eve, "her hash", now)
		stale := pending(t, s, old, now)
		newest := signup(t, s, owner, "the hash", now)
		if _, err := s.ConfirmSignup(t.Context(), auth.Actor{}, stale, now); !errors.Is(err, store.ErrSpent) {
			t.Errorf("the older one: %v, want ErrSpent", err)
		}
		c := pending(t, s, newest, now)
		if !c.Browser.Equal(owner.Hash()) || c.Hash != "the hash" {
			t.Errorf("the sign-up is %+v", c)
		}
		// Looked at before it was replaced, sent after: link and password belong together.
		c.Hash = "her hash"
		if _, err := s.ConfirmSignup(t.Context(), auth.Actor{}, c, now); !errors.Is(err, store.ErrSpent) {
			t.Errorf("with the password of the older one: %v, want ErrSpent", err)
		}
	})
}

func TestASignUpEndsAtItsExactMoment(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		link := signup(t, s, storetest.Browser, "the hash", now)
		c := pending(t, s, link, now.Add(24*time.Hour-time.Millisecond))
		if _, err := s.ConfirmSignup(t.Context(), auth.Actor{}, c, now.Add(24*time.Hour)); !errors.Is(err, store.ErrSpent) {
			t.Errorf("at its end: %v, want ErrSpent", err)
		}
		if _, err := s.Signup(t.Context(), secret.Hash{}, now); !errors.Is(err, store.ErrSpent) {
			t.Errorf("without a link: %v, want ErrSpent", err)
		}
	})
}

func TestTheLetterOfASignUpAgainIsForItsBrowser(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		old := signup(t, s, storetest.Browser, "the hash", now)
		for name, tt := range map[string]struct {
			browser secret.Hash
			mailed  bool
		}{"none": {secret.Hash{}, false}, "another": {secret.New().Hash(), false}, "its own": {storetest.Browser.Hash(), true}} {
			var token secret.Token
			if err := s.MailSignupAgain(t.Context(), auth.Actor{}, bea.Canonical, tt.browser, verification(&token), now); err != nil {
				t.Fatal(err)
			}
			if mailed := !token.IsZero(); mailed != tt.mailed {
				t.Errorf("%s: mailed %v, want %v", name, mailed, tt.mailed)
			}
		}
		if _, err := s.Signup(t.Context(), old.Hash(), now); !errors.Is(err, store.ErrSpent) {
			t.Errorf("the older letter's link: %v, want ErrSpent", err)
		}
	})
}

// A stranger who signs up again and again must not take the link from whoever
// has it, once no further one may be mailed.
func TestALinkStaysGoodWhereNoOtherMayBeMailed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var link secret.Token
		for range storetest.Rules.Letters.Free {
			link = signup(t, s, storetest.Browser, "the hash", now)
		}
		var none secret.Token
		again := func(at time.Time) {
			must(t, s.BeginSignup(t.Context(), auth.Actor{}, store.NewSignup{Address: bea, Hash: "her hash", Browser: secret.New().Hash()}, verification(&none), at))
		}
		again(now)
		if !none.IsZero() {
			t.Fatal("one letter too many")
		}
		if p := pending(t, s, link, now); p.Hash != "the hash" || p.Browser != storetest.Browser.Hash() {
			t.Errorf("the link confirms another sign-up: %+v", p.PendingSignup)
		}
		later := now.Add(time.Hour)
		again(later)
		if _, err := s.Signup(t.Context(), link.Hash(), later); !errors.Is(err, store.ErrSpent) {
			t.Errorf("a new letter went, and the old link is not void: %v", err)
		}
		if p := pending(t, s, none, later); p.Hash != "her hash" {
			t.Errorf("the new link confirms %+v", p.PendingSignup)
		}
	})
}

func TestASignUpBeginsWithoutALetterWhereNoneIsAlive(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for range storetest.Rules.Letters.Free {
			must(t, s.AskNewAddress(t.Context(), inSession(t, s, storetest.Person(t, s, secret.NewID()+"@example.org")), bea, toNowhere, now))
		}
		if link := signup(t, s, storetest.Browser, "the hash", now); !link.IsZero() {
			t.Fatal("one letter too many")
		}
		c, err := s.Credentials(t.Context(), bea.Canonical, now)
		if err != nil || c.Hash != "the hash" {
			t.Errorf("kept %q, %v", c.Hash, err)
		}
	})
}

// Whoever signed up and asks for the letter again must not measure whether
// somebody has the address.
func TestALetterAgainInTheBrowserThatSignedUpTakesTheSameStatements(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		storetest.Person(t, s, "ada@example.org")
		again := func(canonical string) int64 {
			n := store.NewSignup{Address: address.Address{Spelling: canonical, Canonical: canonical}, Hash: "h", Browser: storetest.Browser.Hash()}
			must(t, s.BeginSignup(t.Context(), auth.Actor{}, n, toNowhere, now))
			before := s.Work().Statements
			must(t, s.MailSignupAgain(t.Context(), auth.Actor{}, canonical, n.Browser, toNowhere, now))
			return s.Work().Statements - before
		}
		for range storetest.Rules.Letters.Free {
			if nobodys, somebodys := again("nobody@example.org"), again("ada@example.org"); nobodys != somebodys {
				t.Errorf("%d statements where nobody has the address, and %d where somebody has", nobodys, somebodys)
			}
		}
	})
}

// Whoever sends sign-ups until no further one is taken must not learn by their
// number which addresses have an account, and of what kind.
func TestEverySignUpIsInLineWhoeverHasTheAddress(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		disabled := storetest.Person(t, s, "disabled@example.org")
		must(t, s.DisableUser(t.Context(), auth.Actor{}, disabled.ID, now))
		storetest.Person(t, s, "ada@example.org")
		signup(t, s, storetest.Browser, "the hash", now)
		inLine := func(want int) {
			t.Helper()
			if got, err := s.SignupsInLine(t.Context()); err != nil || got != want {
				t.Errorf("%d sign-ups in line (%v), want %d", got, err, want)
			}
		}
		inLine(1)
		want := 1
		for _, canonical := range []string{"nobody@example.org", "ada@example.org", "disabled@example.org"} {
			n := store.NewSignup{Address: address.Address{Spelling: canonical, Canonical: canonical}, Hash: "h", Browser: storetest.Browser.Hash()}
			for range storetest.Rules.Letters.Free + 1 {
				must(t, s.BeginSignup(t.Context(), auth.Actor{}, n, toNowhere, now))
				want++
				inLine(want)
				must(t, s.MailSignupAgain(t.Context(), auth.Actor{}, canonical, n.Browser, toNowhere, now))
				want++
				inLine(want)
			}
		}
	})
}

// One mail server that takes nothing, or ours that is down, must not keep
// everybody from signing up.
func TestALetterThatWasTriedHoldsNoSignUpUp(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		signup(t, s, storetest.Browser, "the hash", now)
		due, err := s.DueLetters(t.Context(), 1, now)
		must(t, err)
		claimed, err := s.ClaimLetter(t.Context(), due[0], time.Minute, now)
		must(t, err)
		must(t, s.LetterFailed(t.Context(), claimed, "try again later", now.Add(time.Minute)))
		if got, err := s.SignupsInLine(t.Context()); err != nil || got != 0 {
			t.Errorf("%d sign-ups in line (%v), want none", got, err)
		}
	})
}

func TestASignUpEndsWithTheAddressGivenAway(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		p := play{t, s}
		by := p.signedIn()
		link := signup(t, s, storetest.Browser, "her hash", now)
		change := p.link(func(m store.Mailed) error { return s.AskNewAddress(t.Context(), by, bea, m, now) })
		if _, err := s.ChangeAddress(t.Context(), by, change, now); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Signup(t.Context(), link.Hash(), now); !errors.Is(err, store.ErrSpent) {
			t.Errorf("the sign-up's link still works: %v", err)
		}
	})
}

// Of two addresses that a person wants, the later one counts.
func TestOfLinksToNewAddressesTheNewestWorks(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := inSession(t, s, storetest.Person(t, s, "ada@example.org"))
		links := make(chan secret.Token, 100)
		m := store.Mailed{Life: time.Hour, Path: func(made secret.Token) string { links <- made; return "/" }}
		together(t, nil, func() error {
			a, err := address.Parse(secret.NewID() + "@example.org")
			must(t, err)
			return s.AskNewAddress(t.Context(), by, a, m, now)
		})
		close(links)
		var alive int
		for made := range links {
			if _, err := s.Link(t.Context(), made.Hash(), store.LinkAddress, now); err == nil {
				alive++
			}
		}
		if alive != 1 {
			t.Errorf("%d links work, want the newest", alive)
		}
	})
}
