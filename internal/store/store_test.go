package store_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/keys"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
	"github.com/twinlock/twinlock/internal/throttle"
)

func TestMain(m *testing.M) {
	status := m.Run()
	storetest.Stop()
	os.Exit(status)
}

var now = storetest.Now

// together calls f from many goroutines that start at once, and counts how
// often it succeeded. Every other call must fail as refused says.
func together(t *testing.T, refused error, f func() error) (won int) {
	t.Helper()
	const callers = 8
	errs := make(chan error, callers)
	start := make(chan struct{})
	var callersDone sync.WaitGroup
	for range callers {
		callersDone.Go(func() {
			<-start
			errs <- f()
		})
	}
	close(start)
	callersDone.Wait()
	close(errs)
	for err := range errs {
		switch {
		case err == nil:
			won++
		case !errors.Is(err, refused):
			t.Errorf("refused with %v, want %v", err, refused)
		}
	}
	return won
}

func TestAnAttemptThatOwesAStepMakesNoSession(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		u := storetest.Person(t, s, "ada@example.org")
		if err := s.SetMustUseTwoFactor(t.Context(), auth.Actor{Command: true}, u.ID, true, now); err != nil {
			t.Fatal(err)
		}
		u, _ = s.User(t.Context(), u.ID)
		a := storetest.Attempt(t, s, u, now)
		_, _, err := s.FinishLogin(t.Context(), auth.Actor{}, a.ID, store.Finish{Policy: storetest.Policy}, now)
		if !errors.Is(err, store.ErrSpent) {
			t.Errorf("FinishLogin = %v, want ErrSpent", err)
		}
	})
}

func TestAChangeOfTheAccountOutdatesItsAttempts(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		u := storetest.Person(t, s, "ada@example.org")
		a := storetest.Attempt(t, s, u, now)
		if err := s.SetMustUseTwoFactor(t.Context(), auth.Actor{Command: true}, u.ID, true, now); err != nil {
			t.Fatal(err)
		}
		_, _, err := s.FinishLogin(t.Context(), auth.Actor{}, a.ID, store.Finish{Policy: storetest.Policy}, now)
		if !errors.Is(err, store.ErrSpent) {
			t.Errorf("FinishLogin = %v, want ErrSpent", err)
		}
	})
}

func TestAPasswordProvedAgainstAnOldHashBeginsNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		u := storetest.Person(t, s, "ada@example.org")
		_, _, err := s.ProvePassword(t.Context(), auth.Actor{}, store.ProvedPassword{
			User: u, Hash: "another hash", Browser: storetest.Browser.Hash(), Timeout: time.Minute}, now)
		if !errors.Is(err, store.ErrSpent) {
			t.Errorf("ProvePassword = %v, want ErrSpent", err)
		}
	})
}

// A login that owes nothing but the password is one transaction with both its
// events, and its attempt is spent. One that owes a code stays an attempt.
func TestAPasswordThatIsAllALoginOwesFinishesIt(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		u := storetest.Person(t, s, "ada@example.org")
		prove := func(policy auth.Policy) (auth.Attempt, store.NewSession, int64) {
			t.Helper()
			before := s.Work().Transactions
			a, made, err := s.ProvePassword(t.Context(), auth.Actor{}, store.ProvedPassword{User: u, Hash: "the hash", Purpose: auth.ByLogin,
				Browser: storetest.Browser.Hash(), Timeout: time.Minute, Finish: &store.Finish{Policy: policy}}, now)
			must(t, err)
			return a, made, s.Work().Transactions - before
		}
		a, made, transactions := prove(storetest.Policy)
		wantEnded(t, s, made.Token, false)
		if _, _, err := s.FinishLogin(t.Context(), auth.Actor{}, a.ID, store.Finish{Policy: storetest.Policy}, now); !errors.Is(err, store.ErrSpent) {
			t.Errorf("its attempt makes another session: %v", err)
		}
		if begun, in := recorded(t, s, auth.EventLoginBegun), recorded(t, s, auth.EventLogin); len(begun) != 1 || len(in) != 1 || transactions != 1 {
			t.Errorf("%d transactions, %d and %d events; want one of each", transactions, len(begun), len(in))
		}
		must(t, s.SetMustUseTwoFactor(t.Context(), eli, u.ID, true, now))
		u = reread(t, s, u.ID)
		demanding := storetest.Policy
		demanding.TwoFactor = true
		a, made, _ = prove(demanding)
		if !made.Token.IsZero() || made.Session.ID != "" {
			t.Error("a login that owes a step has a session")
		}
		if _, err := s.Attempt(t.Context(), a.ID, storetest.Browser.Hash()); err != nil {
			t.Errorf("its attempt: %v", err)
		}
	})
}

func TestAnAttemptBelongsToItsBrowser(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a := storetest.Attempt(t, s, storetest.Person(t, s, "ada@example.org"), now)
		if _, err := s.Attempt(t.Context(), a.ID, secret.New().Hash()); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("another browser's look at it = %v, want ErrNotFound", err)
		}
		if _, err := s.Attempt(t.Context(), a.ID, secret.Hash{}); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("no browser's look at it = %v, want ErrNotFound", err)
		}
	})
}

func TestALapsedSessionReturnsOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		u := storetest.Person(t, s, "ada@example.org")
		made := storetest.Session(t, s, u, now)
		later := now.Add(61 * time.Minute)
		won := together(t, store.ErrSpent, func() error {
			_, err := s.ReturnThroughWindow(t.Context(), auth.Actor{}, made.Session, made.Token.Hash(), store.Payment{}, later)
			return err
		})
		if won != 1 {
			t.Errorf("%d returns, want 1", won)
		}
		if _, err := s.Holder(t.Context(), made.Token.Hash()); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the old token finds %v, want ErrNotFound", err)
		}
	})
}

func TestNothingReturnsAfterAnEndingOrAChange(t *testing.T) {
	for name, change := range map[string]func(*testing.T, *store.Store, store.NewSession) error{
		"logout": func(t *testing.T, s *store.Store, n store.NewSession) error {
			return s.EndSession(t.Context(), auth.Actor{}, n.Session.User, n.Session.ID, auth.EventLogout, "logout", now)
		},
		"end of all sessions": func(t *testing.T, s *store.Store, n store.NewSession) error {
			_, err := s.EndSessions(t.Context(), auth.Actor{}, n.Session.User, "", "test", now)
			return err
		},
		"another generation": func(t *testing.T, s *store.Store, n store.NewSession) error {
			return s.SetMustUseTwoFactor(t.Context(), auth.Actor{Command: true}, n.Session.User, true, now)
		},
		"a disabled account": func(t *testing.T, s *store.Store, n store.NewSession) error {
			return s.DisableUser(t.Context(), auth.Actor{Command: true}, n.Session.User, now)
		},
		"five wrong passwords": func(t *testing.T, s *store.Store, n store.NewSession) error {
			for range storetest.Rules.WindowTries {
				if _, err := s.RefuseReturn(t.Context(), auth.Actor{}, n.Session, now); err != nil {
					return err
				}
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, s *store.Store) {
				made := storetest.Session(t, s, storetest.Person(t, s, "ada@example.org"), now)
				if err := change(t, s, made); err != nil {
					t.Fatal(err)
				}
				_, err := s.ReturnThroughWindow(t.Context(), auth.Actor{}, made.Session, made.Token.Hash(), store.Payment{}, now.Add(61*time.Minute))
				if !errors.Is(err, store.ErrSpent) {
					t.Errorf("the return = %v, want ErrSpent", err)
				}
			})
		})
	}
}

func TestTheFifthWrongPasswordClosesTheWindow(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		made := storetest.Session(t, s, storetest.Person(t, s, "ada@example.org"), now)
		for i := 1; i <= storetest.Rules.WindowTries; i++ {
			closed, err := s.RefuseReturn(t.Context(), auth.Actor{}, made.Session, now)
			if err != nil {
				t.Fatal(err)
			}
			if want := i == storetest.Rules.WindowTries; closed != want {
				t.Errorf("closed after %d = %v, want %v", i, closed, want)
			}
		}
	})
}

func TestTheOldestSessionMakesRoom(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		u := storetest.Person(t, s, "ada@example.org")
		first := storetest.Session(t, s, u, now)
		for i := range storetest.Rules.SessionsAtOnce {
			storetest.Session(t, s, u, now.Add(time.Duration(i+1)*time.Second))
		}
		alive, err := s.Sessions(t.Context(), u.ID)
		if err != nil {
			t.Fatal(err)
		}
		if len(alive) != storetest.Rules.SessionsAtOnce {
			t.Errorf("%d sessions, want %d", len(alive), storetest.Rules.SessionsAtOnce)
		}
		holder, err := s.Holder(t.Context(), first.Token.Hash())
		if err != nil || holder.Session.Ended.IsZero() {
			t.Errorf("the oldest session is alive (%v)", err)
		}
	})
}

// Whoever has fewer than the limit is counted in an index, and none of the
// sessions is read.
func TestALoginBelowTheLimitReadsNoSession(t *testing.T) {
	s, wire, _ := storetest.Wired(t)
	u := storetest.Person(t, s, "ada@example.org")
	for range storetest.Rules.SessionsAtOnce - 1 {
		storetest.Session(t, s, u, now)
	}
	ending := func() (said int) {
		statements := statementsOf(wire)
		storetest.Session(t, s, u, now)
		for _, c := range statements() {
			if strings.HasPrefix(strings.TrimSpace(c.Statement), "UPDATE sessions SET ended_at") {
				said++
			}
		}
		return said
	}
	if n := ending(); n != 0 {
		t.Errorf("with the last session that there may be, %d statements end some", n)
	}
	if n := ending(); n != 1 {
		t.Errorf("with one more, %d statements end some, want 1", n)
	}
}

func TestTriesAreCountedOneByOneAndRefusalsAreNot(t *testing.T) {
	rule := throttle.Rule{Free: 5, FirstWait: time.Second, LongestWait: 15 * time.Minute, CloseAfter: 100}
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		bucket := throttle.Password("ada@example.org")
		var wait *store.WaitError
		paid := 0
		for range 20 {
			_, err := s.Pay(t.Context(), bucket, rule, now)
			if err == nil {
				paid++
			} else if !errors.As(err, &wait) {
				t.Fatal(err)
			}
		}
		if paid != 5 {
			t.Errorf("%d tries were let through, want 5", paid)
		}
		if want := now.Add(time.Second); !wait.Until.Equal(want) {
			t.Errorf("wait until %v, want %v", wait.Until, want)
		}
		if _, err := s.Pay(t.Context(), bucket, rule, now.Add(time.Second)); err != nil {
			t.Errorf("after the wait: %v", err)
		}
	})
}

func TestGuessesMadeAtOnceDoNotShareOnePayment(t *testing.T) {
	rule := throttle.Rule{Free: 3, FirstWait: time.Second, LongestWait: time.Minute}
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		bucket := throttle.Password("ada@example.org")
		let := make(chan struct{}, 100)
		together(t, nil, func() error {
			if _, err := s.Pay(t.Context(), bucket, rule, now); err == nil {
				let <- struct{}{}
			}
			return nil
		})
		if len(let) != 3 {
			t.Errorf("%d of the guesses were let through, want 3", len(let))
		}
	})
}

func TestOneAdministratorRemains(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := auth.Actor{Command: true}
		ada, bea := storetest.Person(t, s, "ada@example.org"), storetest.Person(t, s, "bea@example.org")
		for _, u := range []auth.User{ada, bea} {
			if err := s.SetAdministrator(t.Context(), by, u.ID, true, now); err != nil {
				t.Fatal(err)
			}
		}
		people := make(chan auth.UserID, 2)
		people <- ada.ID
		people <- bea.ID
		close(people)
		removed := 0
		for id := range people {
			if err := s.SetAdministrator(t.Context(), by, id, false, now); err == nil {
				removed++
			} else if !errors.Is(err, store.ErrLastAdministrator) {
				t.Fatal(err)
			}
		}
		if removed != 1 {
			t.Errorf("%d were removed, want 1", removed)
		}
		for name, remove := range map[string]func() error{
			"disabled": func() error { return s.DisableUser(t.Context(), by, bea.ID, now) },
			"deleted":  func() error { return s.DeleteUser(t.Context(), by, bea.ID, now) },
		} {
			if err := remove(); !errors.Is(err, store.ErrLastAdministrator) {
				t.Errorf("the last one %s: %v, want ErrLastAdministrator", name, err)
			}
		}
	})
}

// Fay was invited to administer, and has no password to log in with yet.
func TestWhoIsOnlyInvitedToAdministerIsNotTheOneWhoRemains(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ada := storetest.Person(t, s, "ada@example.org")
		must(t, s.SetAdministrator(t.Context(), command, ada.ID, true, now))
		var link secret.Token
		invited := newcomer(t)
		invited.Administrator = true
		mailed := store.Mailed{Life: time.Hour, Path: func(made secret.Token) string { link = made; return "/" }}
		fay, err := s.InviteUser(t.Context(), command, invited, mailed, now)
		must(t, err)
		for name, remove := range map[string]func() error{
			"disabled": func() error { return s.DisableUser(t.Context(), command, ada.ID, now) },
			"deleted":  func() error { return s.DeleteUser(t.Context(), command, ada.ID, now) },
			"demoted":  func() error { return s.SetAdministrator(t.Context(), command, ada.ID, false, now) },
		} {
			if err := remove(); !errors.Is(err, store.ErrLastAdministrator) {
				t.Errorf("the last one with a password %s: %v, want ErrLastAdministrator", name, err)
			}
		}
		if health, err := s.Health(t.Context(), now); err != nil || health.Administrators != 1 {
			t.Errorf("%d administrators are counted, want 1 (%v)", health.Administrators, err)
		}
		must(t, s.SetAdministrator(t.Context(), command, fay.ID, false, now))
		must(t, s.SetAdministrator(t.Context(), command, fay.ID, true, now))
		_, err = s.InviteUser(t.Context(), command, invited, mailed, now) // the first link is outdated
		must(t, err)
		must(t, s.AcceptInvitation(t.Context(), auth.Actor{}, link.Hash(), "", "hash", now))
		must(t, s.SetAdministrator(t.Context(), command, ada.ID, false, now))
	})
}

func TestTwoAdministratorsCannotRemoveOneAnotherAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := auth.Actor{Command: true}
		people := make(chan auth.UserID, 8)
		for _, email := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
			u := storetest.Person(t, s, email+"@example.org")
			if err := s.SetAdministrator(t.Context(), by, u.ID, true, now); err != nil {
				t.Fatal(err)
			}
			people <- u.ID
		}
		won := together(t, store.ErrLastAdministrator, func() error { return s.DisableUser(t.Context(), by, <-people, now) })
		if won != 7 {
			t.Errorf("%d were disabled, want 7 of 8", won)
		}
	})
}

func TestOneWizardMakesOneAdministrator(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		link := secret.New()
		if err := s.OfferSetup(t.Context(), command, link.Hash(), now); err != nil {
			t.Fatal(err)
		}
		emails := make(chan string, 8)
		for _, email := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
			emails <- email + "@example.org"
		}
		won := together(t, store.ErrSpent, func() error {
			email := <-emails
			first := store.FirstAdministrator{NewUser: store.NewUser{Administrator: true, Hash: "the hash"}, Timeout: time.Minute, Browser: storetest.Browser.Hash()}
			first.Address.Spelling, first.Address.Canonical = email, email
			_, err := s.FinishSetup(t.Context(), auth.Actor{}, link.Hash(), first, now)
			return err
		})
		if won != 1 {
			t.Errorf("%d administrators, want 1", won)
		}
	})
}

func TestOnlyTheNewestSetUpLinkWorks(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		old, newest := secret.New(), secret.New()
		for _, link := range []secret.Token{old, newest} {
			if err := s.OfferSetup(t.Context(), command, link.Hash(), now); err != nil {
				t.Fatal(err)
			}
		}
		for name, tt := range map[string]struct {
			link secret.Hash
			may  bool
		}{"newest": {newest.Hash(), true}, "old": {old.Hash(), false}, "none": {secret.Hash{}, false}} {
			if may, err := s.MaySetUp(t.Context(), tt.link); err != nil || may != tt.may {
				t.Errorf("%s link: %v, %v; want %v", name, may, err, tt.may)
			}
		}
	})
}

// reset mails a reset link and gives its token.
func reset(t *testing.T, s *store.Store, u auth.User, at time.Time) secret.Token {
	t.Helper()
	var token secret.Token
	err := s.MailReset(t.Context(), u, store.Mailed{Life: 30 * time.Minute, Path: func(made secret.Token) string {
		token = made
		return "/"
	}}, auth.Actor{}, at)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestResetLinksThatAreRefused(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		u := storetest.Person(t, s, "ada@example.org")
		life := 30 * time.Minute
		for name, tt := range map[string]struct {
			link secret.Hash
			at   time.Time
		}{
			"too old":  {reset(t, s, u, now).Hash(), now.Add(life)},
			"none":     {secret.Hash{}, now},
			"made up":  {secret.New().Hash(), now},
			"replaced": {replaced(t, s, u).Hash(), now},
		} {
			err := s.ResetPassword(t.Context(), auth.Actor{}, store.Reset{Link: tt.link, Hash: "new"}, tt.at)
			if !errors.Is(err, store.ErrSpent) {
				t.Errorf("%s: %v, want ErrSpent", name, err)
			}
		}
	})
}

func replaced(t *testing.T, s *store.Store, u auth.User) secret.Token {
	t.Helper()
	old := reset(t, s, u, now)
	reset(t, s, u, now)
	return old
}

func TestALinkIsGoodForOnePurpose(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		u := storetest.Person(t, s, "ada@example.org")
		link := reset(t, s, u, now)
		if err := s.Unlock(t.Context(), auth.Actor{}, link.Hash(), now); !errors.Is(err, store.ErrSpent) {
			t.Errorf("as an unlock link: %v, want ErrSpent", err)
		}
		if err := s.AcceptInvitation(t.Context(), auth.Actor{}, link.Hash(), "", "new", now); !errors.Is(err, store.ErrSpent) {
			t.Errorf("as an invitation: %v, want ErrSpent", err)
		}
	})
}

func TestALoginVoidsResetLinks(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		u := storetest.Person(t, s, "ada@example.org")
		link := reset(t, s, u, now)
		storetest.Session(t, s, u, now)
		if _, err := s.Link(t.Context(), link.Hash(), store.LinkReset, now); !errors.Is(err, store.ErrSpent) {
			t.Errorf("after a login: %v, want ErrSpent", err)
		}
	})
}

func TestAResetEndsEverythingAlive(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		u := storetest.Person(t, s, "ada@example.org")
		live := storetest.Session(t, s, u, now)
		pending := storetest.Attempt(t, s, u, now)
		link := reset(t, s, u, now)
		if err := s.ResetPassword(t.Context(), auth.Actor{}, store.Reset{Link: link.Hash(), Hash: "new"}, now); err != nil {
			t.Fatal(err)
		}
		if h, err := s.Holder(t.Context(), live.Token.Hash()); err != nil || h.Session.Ended.IsZero() {
			t.Errorf("a session outlived the reset (%v)", err)
		}
		if _, _, err := s.FinishLogin(t.Context(), auth.Actor{}, pending.ID, store.Finish{Policy: storetest.Policy}, now); !errors.Is(err, store.ErrSpent) {
			t.Errorf("a pending login outlived the reset: %v", err)
		}
	})
}

func TestThreeLettersAnHour(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		u := storetest.Person(t, s, "ada@example.org")
		for range 10 {
			reset(t, s, u, now)
		}
		letters, err := s.DueLetters(t.Context(), 100, now)
		if err != nil {
			t.Fatal(err)
		}
		if len(letters) != 3 {
			t.Errorf("%d letters, want 3", len(letters))
		}
		reset(t, s, u, now.Add(time.Hour))
		if letters, _ = s.DueLetters(t.Context(), 100, now.Add(time.Hour)); len(letters) != 4 {
			t.Errorf("%d letters after an hour, want 4", len(letters))
		}
	})
}

func TestOtherKeysAreRefused(t *testing.T) {
	for name, address := range storetest.Engines {
		t.Run(name, func(t *testing.T) {
			url := address(t)
			storetest.Open(t, url, keys.New()).Close()
			if _, err := store.Open(t.Context(), url, keys.New(), storetest.Rules); !errors.Is(err, store.ErrOtherKeys) {
				t.Errorf("Open = %v, want ErrOtherKeys", err)
			}
		})
	}
}

func TestTwoStartsAtOnceMigrateOnce(t *testing.T) {
	for name, address := range storetest.Engines {
		t.Run(name, func(t *testing.T) {
			url, ring := address(t), keys.New()
			won := together(t, nil, func() error {
				s, err := store.Open(t.Context(), url, ring, storetest.Rules)
				if err == nil {
					err = s.Close()
				}
				return err
			})
			if won != 8 {
				t.Errorf("%d of 8 starts opened the store", won)
			}
		})
	}
}

func TestNothingSecretStandsInTheDatabaseInClear(t *testing.T) {
	path := filepath.Join(t.TempDir(), "twinlock.db")
	s := storetest.Open(t, "sqlite:"+path, keys.New())
	u := storetest.Person(t, s, "ada@example.org")
	made := storetest.Session(t, s, u, now)
	link := reset(t, s, u, now)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	dump, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]secret.Token{"session": made.Token, "device": made.Device, "link": link} {
		if contains(dump, token.Reveal()) {
			t.Errorf("the %s token stands in the database", name)
		}
	}
	if !contains(dump, "ada@example.org") {
		t.Error("the file that was searched is not the database")
	}
}

func contains(haystack []byte, needle string) bool { return bytes.Contains(haystack, []byte(needle)) }
