package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
	"github.com/twinlock/twinlock/internal/throttle"
)

const (
	day   = 24 * time.Hour
	month = 30 * day
)

// closing is a rule that closes a door soon.
var closing = throttle.Rule{Free: 1, FirstWait: time.Second, LongestWait: time.Second, CloseAfter: 3}

// mailbox takes the links of letters that open doors.
type mailbox struct{ links []secret.Token }

func (m *mailbox) unlock() store.Mailed {
	return store.Mailed{Life: day, Path: func(made secret.Token) string { m.links = append(m.links, made); return "/" }}
}

// doorOf is a door that somebody, or nobody, owns.
func (m *mailbox) doorOf(u auth.User, canonical string) store.Door {
	return store.Door{Bucket: throttle.Password(canonical), Rule: closing, Canonical: canonical, Owner: u, Unlock: m.unlock()}
}

// closeDoor fails until the door is closed, the last failure being refused, and
// gives the moment of it.
func closeDoor(t *testing.T, s *store.Store, d store.Door, at time.Time) time.Time {
	t.Helper()
	for i := range closing.CloseAfter {
		at = at.Add(time.Minute)
		paid, err := s.PayAtDoor(t.Context(), d, nil, auth.Actor{}, at)
		if err != nil {
			t.Fatalf("failure %d: %v", i+1, err)
		}
		if err := s.Refuse(t.Context(), auth.Actor{}, store.Refused{Kind: auth.EventLoginRefused, User: d.Owner.ID, Paid: paid}, at); err != nil {
			t.Fatal(err)
		}
	}
	wantClosed(t, s, d, at)
	return at
}

// wantClosed tries the door.
func wantClosed(t *testing.T, s *store.Store, d store.Door, at time.Time) {
	t.Helper()
	var wait *store.WaitError
	if _, err := s.PayAtDoor(t.Context(), d, nil, auth.Actor{}, at); !errors.As(err, &wait) || !wait.Closed {
		t.Errorf("the door is not closed: %v", err)
	}
}

func wantOpen(t *testing.T, s *store.Store, d store.Door, at time.Time) {
	t.Helper()
	if err := s.Waits(t.Context(), d.Bucket, d.Rule, at); err != nil {
		t.Errorf("the door is not open: %v", err)
	}
}

// purge removes what is over, by a clock that has gone on for a day.
func purge(t *testing.T, s *store.Store, at time.Time) {
	t.Helper()
	for _, reading := range []time.Time{at.Add(-day), at} {
		must(t, s.Purge(t.Context(), store.Kept{Events: 400 * day, Sessions: month, Throttle: month}, reading))
	}
}

func TestAClosedDoorIsNeverForgottenWhileSomebodyOwnsIt(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var box mailbox
		u := storetest.Person(t, s, "ada@example.org")
		owned, nobodys := box.doorOf(u, u.Canonical), box.doorOf(auth.User{}, "nobody@example.org")
		at := closeDoor(t, s, owned, now)
		closeDoor(t, s, nobodys, now)
		purge(t, s, at.Add(month-time.Hour))
		wantClosed(t, s, owned, at.Add(month))
		wantClosed(t, s, nobodys, at.Add(month))
		purge(t, s, at.Add(20*month))
		wantClosed(t, s, owned, at.Add(20*month))
		wantOpen(t, s, nobodys, at.Add(20*month))
	})
}

func TestFailuresThatClosedNothingAreForgottenAfterAMonth(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var box mailbox
		u := storetest.Person(t, s, "ada@example.org")
		d := box.doorOf(u, u.Canonical)
		for i := range closing.CloseAfter - 1 {
			if _, err := s.PayAtDoor(t.Context(), d, nil, auth.Actor{}, now.Add(time.Duration(i)*time.Minute)); err != nil {
				t.Fatal(err)
			}
		}
		purge(t, s, now.Add(month+time.Hour))
		paid, err := s.PayAtDoor(t.Context(), d, nil, auth.Actor{}, now.Add(2*month))
		if err != nil || paid[0].Closes {
			t.Errorf("one more closes the door: %v (%v)", paid, err)
		}
	})
}

// The hundredth try may be the right one: then nothing was closed.
func TestADoorIsNotClosedByATryThatDidNotCount(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var box mailbox
		u := storetest.Person(t, s, "ada@example.org")
		d := box.doorOf(u, u.Canonical)
		var paid []store.Payment
		for i := range closing.CloseAfter {
			var err error
			if paid, err = s.PayAtDoor(t.Context(), d, nil, auth.Actor{}, now.Add(time.Duration(i)*time.Minute)); err != nil {
				t.Fatal(err)
			}
		}
		if !paid[0].Closes {
			t.Fatal("the last try closes nothing")
		}
		if err := s.Refund(t.Context(), paid[0]); err != nil {
			t.Fatal(err)
		}
		wantOpen(t, s, d, now.Add(time.Hour))
		if closed, err := s.ClosedDoors(t.Context(), u.ID); err != nil || len(closed) > 0 {
			t.Errorf("closed are %v (%v)", closed, err)
		}
	})
}

func TestADoorClosedBeforeThereWasAnAccountIsOpenToItsOwner(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var box mailbox
		at := closeDoor(t, s, box.doorOf(auth.User{}, "ada@example.org"), now)
		u := storetest.Person(t, s, "ada@example.org")
		wantOpen(t, s, box.doorOf(u, u.Canonical), at)
	})
}

func TestTheOwnersLinkOpensEveryDoorOfTheAccountAndNobodyElses(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var box, others mailbox
		u, eve := storetest.Person(t, s, "ada@example.org"), storetest.Person(t, s, "eve@example.org")
		device := storetest.Session(t, s, u, now).Device
		doors := []store.Door{box.doorOf(u, u.Canonical), box.doorOf(u, u.Canonical), box.doorOf(u, u.Canonical)}
		doors[1].Bucket, doors[2].Bucket = throttle.PasswordFromDevice(device.Hash()), throttle.Code(string(u.ID))
		for _, d := range doors {
			closeDoor(t, s, d, now)
		}
		foreign := others.doorOf(eve, eve.Canonical)
		at := closeDoor(t, s, foreign, now)
		if closed, err := s.ClosedDoors(t.Context(), u.ID); err != nil || len(closed) != 3 {
			t.Errorf("%d doors are closed (%v), want 3", len(closed), err)
		}
		if len(box.links) != 1 {
			t.Fatalf("%d letters, want 1", len(box.links))
		}
		if err := s.Unlock(t.Context(), auth.Actor{}, box.links[0].Hash(), at); err != nil {
			t.Fatal(err)
		}
		for _, d := range doors {
			wantOpen(t, s, d, at)
		}
		wantClosed(t, s, foreign, at)
		if closed, err := s.ClosedDoors(t.Context(), u.ID); err != nil || len(closed) > 0 {
			t.Errorf("closed are %v (%v)", closed, err)
		}
	})
}

func TestALetterAnHourGoesWhileADoorIsClosedAndNoneVoidsAnother(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var box mailbox
		u := storetest.Person(t, s, "ada@example.org")
		d := box.doorOf(u, u.Canonical)
		at := closeDoor(t, s, d, now)
		for range 50 {
			wantClosed(t, s, d, at.Add(time.Hour-time.Millisecond))
		}
		if len(box.links) != 1 {
			t.Fatalf("%d letters in an hour, want 1", len(box.links))
		}
		for range 50 {
			wantClosed(t, s, d, at.Add(time.Hour))
		}
		if len(box.links) != 2 {
			t.Fatalf("%d letters after an hour, want 2", len(box.links))
		}
		if err := s.Unlock(t.Context(), auth.Actor{}, box.links[0].Hash(), at.Add(2*time.Hour)); err != nil {
			t.Errorf("the first letter's link: %v", err)
		}
		if err := s.Unlock(t.Context(), auth.Actor{}, box.links[1].Hash(), at.Add(2*time.Hour)); !errors.Is(err, store.ErrSpent) {
			t.Errorf("the second link, after the door was opened: %v, want ErrSpent", err)
		}
	})
}

func TestOfManyTriesAtOnceOneClosesTheDoorAndOneLetterGoes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var box mailbox
		u := storetest.Person(t, s, "ada@example.org")
		d := box.doorOf(u, u.Canonical)
		d.Rule = throttle.Rule{Free: 3, CloseAfter: 3}
		paid, closed := make(chan store.Payment, 8), 0
		together(t, nil, func() error {
			if p, err := s.PayAtDoor(t.Context(), d, nil, auth.Actor{}, now); err == nil {
				paid <- p[0]
			}
			return nil
		})
		close(paid)
		for p := range paid {
			if p.Closes {
				closed++
			}
		}
		if len(box.links) > 1 || closed != 1 {
			t.Errorf("%d letters, and %d of the tries closed the door, want one", len(box.links), closed)
		}
		together(t, nil, func() error {
			var wait *store.WaitError
			if _, err := s.PayAtDoor(t.Context(), d, nil, auth.Actor{}, now); !errors.As(err, &wait) {
				return err
			}
			return nil
		})
		if len(box.links) != 1 {
			t.Errorf("%d letters after that, want 1", len(box.links))
		}
	})
}

func TestLettersThatOpenDoorsAreNotAmongTheOthersOfAnHour(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var box mailbox
		u := storetest.Person(t, s, "ada@example.org")
		var reset secret.Token
		for range 5 {
			if err := s.MailReset(t.Context(), u, verification(&reset), auth.Actor{}, now); err != nil {
				t.Fatal(err)
			}
		}
		at := closeDoor(t, s, box.doorOf(u, u.Canonical), now)
		if len(box.links) != 1 {
			t.Errorf("%d letters after all those about a new password, want 1", len(box.links))
		}
		at = at.Add(2 * time.Hour)
		wantClosed(t, s, box.doorOf(u, u.Canonical), at)
		for range 3 {
			reset = secret.Token{}
			if err := s.MailReset(t.Context(), u, verification(&reset), auth.Actor{}, at); err != nil || reset.IsZero() {
				t.Errorf("no letter about a new password (%v)", err)
			}
		}
	})
}

func TestALinkOfAnOlderGenerationOpensNoDoor(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var box mailbox
		u := storetest.Person(t, s, "ada@example.org")
		d := box.doorOf(u, u.Canonical)
		at := closeDoor(t, s, d, now)
		if err := s.SetMustUseTwoFactor(t.Context(), auth.Actor{Command: true}, u.ID, true, at); err != nil {
			t.Fatal(err)
		}
		if err := s.Unlock(t.Context(), auth.Actor{}, box.links[0].Hash(), at); !errors.Is(err, store.ErrSpent) {
			t.Errorf("%v, want ErrSpent", err)
		}
		wantClosed(t, s, d, at)
	})
}

func TestNobodyIsWrittenToWhoCannotComeInAnyway(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var box mailbox
		u := storetest.Person(t, s, "ada@example.org")
		if err := s.DisableUser(t.Context(), auth.Actor{Command: true}, u.ID, now); err != nil {
			t.Fatal(err)
		}
		closeDoor(t, s, box.doorOf(u, u.Canonical), now)
		if len(box.links) > 0 {
			t.Errorf("%d letters to a disabled account", len(box.links))
		}
	})
}

func TestAChangeOfAddressTakesTheClosedDoorAlong(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var box mailbox
		u := storetest.Person(t, s, "ada@example.org")
		by := inSession(t, s, u)
		old, new := box.doorOf(u, u.Canonical), box.doorOf(auth.User{}, bea.Canonical)
		at := closeDoor(t, s, old, now)
		if _, err := s.PayAtDoor(t.Context(), new, nil, auth.Actor{}, at); err != nil { // a stranger was there before
			t.Fatal(err)
		}
		var link secret.Token
		if err := s.AskNewAddress(t.Context(), by, bea, verification(&link), at); err != nil {
			t.Fatal(err)
		}
		if _, err := s.ChangeAddress(t.Context(), by, link.Hash(), at); err != nil {
			t.Fatal(err)
		}
		wantOpen(t, s, old, at)
		wantClosed(t, s, new, at)
	})
}

func TestTheDoorsOfADeletedAccountAreForgottenLikeNobodys(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var box mailbox
		u := storetest.Person(t, s, "ada@example.org")
		d := box.doorOf(u, u.Canonical)
		at := closeDoor(t, s, d, now)
		if err := s.DeleteUser(t.Context(), auth.Actor{Command: true}, u.ID, at); err != nil {
			t.Fatal(err)
		}
		d.Owner = auth.User{}
		wantClosed(t, s, d, at) // nothing shows that somebody went
		purge(t, s, at.Add(month+time.Hour))
		wantOpen(t, s, d, at.Add(month+time.Hour))
	})
}

func TestACodeIsPaidForInBothCountsOrInNeither(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var box mailbox
		u := storetest.Person(t, s, "ada@example.org")
		d := box.doorOf(u, u.Canonical)
		d.Bucket, d.Rule.CloseAfter = throttle.Code(string(u.ID)), 100
		monthly := store.Try{Bucket: throttle.CodesThisMonth(string(u.ID)), Rule: throttle.Rule{Free: 3, CloseAfter: 3, Window: month}}
		at := now
		for range 3 {
			at = at.Add(time.Minute)
			if paid, err := s.PayAtDoor(t.Context(), d, []store.Try{monthly}, auth.Actor{}, at); err != nil || len(paid) != 2 {
				t.Fatalf("%d payments (%v), want 2", len(paid), err)
			}
			// During the wait of the one the other is not counted.
			if _, err := s.PayAtDoor(t.Context(), d, []store.Try{monthly}, auth.Actor{}, at); err == nil {
				t.Fatal("there was no wait")
			}
		}
		at = at.Add(time.Minute)
		var wait *store.WaitError
		if _, err := s.PayAtDoor(t.Context(), d, []store.Try{monthly}, auth.Actor{}, at); !errors.As(err, &wait) || !wait.Lasting {
			t.Errorf("after the month's codes: %v", err)
		}
		d.Rule.CloseAfter = 4 // three were counted, the fourth was not
		if _, err := s.PayAtDoor(t.Context(), d, nil, auth.Actor{}, at); err != nil {
			t.Errorf("the door counted what the month refused: %v", err)
		}
		if len(box.links) > 0 {
			t.Error("a letter went for what no letter opens")
		}
	})
}
