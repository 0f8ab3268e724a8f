package store_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/address"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

func TestSignUpsWithSomebodysAddressLeaveTheWayToANewPassword(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		u := storetest.Person(t, s, "ada@example.org")
		hers := address.Address{Spelling: u.Address, Canonical: u.Canonical}
		m := store.Mailed{Life: time.Hour, Path: func(secret.Token) string { return "/" }}
		for range 10 {
			if err := s.BeginSignup(t.Context(), auth.Actor{}, store.NewSignup{Address: hers, Hash: "a hash"}, m, now); err != nil {
				t.Fatal(err)
			}
		}
		reset(t, s, u, now)
		letters, err := s.DueLetters(t.Context(), 100, now)
		if err != nil {
			t.Fatal(err)
		}
		kinds := map[auth.LetterKind]int{}
		for _, l := range letters {
			kinds[l.Letter.Kind]++
		}
		if kinds[auth.LetterAccountExists] != 3 || kinds[auth.LetterReset] != 1 {
			t.Errorf("%v, want three that tell of the account and one with the link", kinds)
		}
	})
}

// claimOne queues a letter and claims it.
func claimOne(t *testing.T, s *store.Store) store.QueuedLetter {
	t.Helper()
	reset(t, s, storetest.Person(t, s, "ada@example.org"), now)
	q, err := s.ClaimLetter(t.Context(), dueLetter(t, s, now), time.Minute, now)
	must(t, err)
	return q
}

func dueLetter(t *testing.T, s *store.Store, at time.Time) store.QueuedLetter {
	t.Helper()
	letters, err := s.DueLetters(t.Context(), 10, at)
	must(t, err)
	if len(letters) != 1 {
		t.Fatalf("%d letters are due, want 1", len(letters))
	}
	return letters[0]
}

func wantNoneDue(t *testing.T, s *store.Store, at time.Time) {
	t.Helper()
	if letters, err := s.DueLetters(t.Context(), 10, at); err != nil || len(letters) != 0 {
		t.Errorf("%d letters are due, %v", len(letters), err)
	}
}

func wantSpent(t *testing.T, what string, err error) {
	t.Helper()
	if !errors.Is(err, store.ErrSpent) {
		t.Errorf("%s: %v, want ErrSpent", what, err)
	}
}

func TestOfManySendersOneGetsALetter(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		reset(t, s, storetest.Person(t, s, "ada@example.org"), now)
		q := dueLetter(t, s, now)
		won := together(t, store.ErrSpent, func() error {
			_, err := s.ClaimLetter(t.Context(), q, time.Minute, now)
			return err
		})
		if won != 1 {
			t.Errorf("%d senders have it, want 1", won)
		}
		wantNoneDue(t, s, now.Add(time.Minute-time.Millisecond))
	})
}

// A sender that was killed keeps a letter for the lease and no longer; should
// it still be alive, what it has to say of the letter counts no more.
func TestALetterOfAKilledSenderIsDueAgainAfterTheLease(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		slow := claimOne(t, s)
		later := now.Add(time.Minute)
		q, err := s.ClaimLetter(t.Context(), dueLetter(t, s, later), time.Minute, later)
		must(t, err)
		wantSpent(t, "sent, says the first", s.LetterSent(t.Context(), slow, later))
		wantSpent(t, "failed, says the first", s.LetterFailed(t.Context(), slow, "why", later))
		wantSpent(t, "given up, says the first", s.GiveLetterUp(t.Context(), slow, "why", later))
		wantSpent(t, "given back, says the first", s.GiveLetterBack(t.Context(), slow, later))
		must(t, s.LetterSent(t.Context(), q, later))
		wantNoneDue(t, s, later.Add(24*time.Hour))
	})
}

func TestALetterThatWasGivenBackIsDueAtOnceAndNoTryMore(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		must(t, s.GiveLetterBack(t.Context(), claimOne(t, s), now))
		if q := dueLetter(t, s, now); q.Tries != 0 {
			t.Errorf("%d tries", q.Tries)
		}
	})
}

func TestLettersAreErasedOnceSentOrGivenUp(t *testing.T) {
	eachWatched(t, func(t *testing.T, w watched) {
		q := claimOne(t, w.Store)
		must(t, w.LetterSent(t.Context(), q, now))
		wantSpent(t, "sent twice", w.LetterSent(t.Context(), q, now))
		reset(t, w.Store, storetest.Person(t, w.Store, "bob@example.org"), now)
		q, err := w.ClaimLetter(t.Context(), dueLetter(t, w.Store, now), time.Minute, now)
		must(t, err)
		must(t, w.GiveLetterUp(t.Context(), q, "the mail server does not want it", now))
		wantNoneDue(t, w.Store, now.Add(24*time.Hour))
		var left int
		must(t, w.db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM letters WHERE LENGTH(sealed) > 0`).Scan(&left))
		if left != 0 {
			t.Errorf("%d of the letters still say what they said", left)
		}
		events, told := w.dump("events"), 0
		for _, e := range events {
			if strings.Contains(e, string(auth.EventLetterFailed)) && strings.Contains(e, "does not want it") {
				told++
			}
		}
		if told != 1 {
			t.Errorf("%d events tell of the letter that was given up", told)
		}
	})
}

func TestALetterThatCannotBeReadStandsInNobodysWay(t *testing.T) {
	eachWatched(t, func(t *testing.T, w watched) {
		for _, email := range []string{"ada@example.org", "bob@example.org", "eve@example.org"} {
			reset(t, w.Store, storetest.Person(t, w.Store, email), now)
		}
		letters, err := w.DueLetters(t.Context(), 10, now)
		must(t, err)
		w.alter(`UPDATE letters SET sealed = $1 WHERE id = $2`, []byte("no seal of ours"), letters[0].ID)
		w.alter(`UPDATE letters SET sealed = (SELECT sealed FROM letters WHERE id = $1) WHERE id = $2`, letters[2].ID, letters[1].ID)
		letters, err = w.DueLetters(t.Context(), 10, now)
		must(t, err)
		for i, unreadable := range []bool{true, true, false} { // nor one that was sealed for another row
			if got := letters[i].Unreadable != nil; got != unreadable || letters[i].Letter.To == "" != unreadable {
				t.Errorf("letter %d: unreadable %v, to %q", i, letters[i].Unreadable, letters[i].Letter.To)
			}
		}
	})
}

// Whoever is signed in makes up addresses as easily as a stranger does.
func TestLettersToAddressesThatAnybodyTypesGoAfterAllOthers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ada := storetest.Person(t, s, "ada@example.org")
		by := inSession(t, s, ada)
		must(t, s.AskNewAddress(t.Context(), by, bea, toNowhere, now))
		taken := address.Address{Spelling: "cem@example.org", Canonical: "cem@example.org"}
		storetest.Person(t, s, taken.Canonical)
		must(t, s.AskNewAddress(t.Context(), by, taken, toNowhere, now))
		reset(t, s, ada, now.Add(time.Minute))
		letters, err := s.DueLetters(t.Context(), 10, now.Add(time.Minute))
		must(t, err)
		if len(letters) != 3 || letters[0].Letter.Kind != auth.LetterReset {
			t.Errorf("%d letters, the first is %s, want the link to a new password", len(letters), letters[0].Letter.Kind)
		}
	})
}
