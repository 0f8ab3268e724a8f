package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/keys"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
	"github.com/twinlock/twinlock/internal/throttle"
)

func TestAnInvitationGoesOnceUntilItsLinkHasLapsed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		g := group(t, s, "Staff")
		n := newcomer(t)
		n.Groups = []auth.Group{g}
		var link secret.Token
		mailed := store.Mailed{Life: time.Hour, Path: func(t secret.Token) string { link = t; return "/" }}
		invite := func(at time.Time, want store.Invitation) {
			t.Helper()
			if is, err := s.InvitationOf(t.Context(), n.Address.Canonical, at); err != nil || is != want {
				t.Errorf("it is %v (%v), want %v", is, err, want)
			}
			if was, err := s.InviteOnce(t.Context(), eli, n, mailed, at); err != nil || was != want {
				t.Errorf("it was %v (%v), want %v", was, err, want)
			}
		}
		letters := func(want store.LetterCount) {
			t.Helper()
			if c, err := s.Letters(t.Context(), auth.LetterInvitation, now); err != nil || c != want {
				t.Errorf("letters: %+v (%v), want %+v", c, err, want)
			}
		}
		invite(now, store.NotInvited)
		invite(now.Add(59*time.Minute), store.InvitationOpen)
		letters(store.LetterCount{Queued: 1})
		invite(now.Add(time.Hour), store.InvitationLapsed)
		letters(store.LetterCount{Queued: 2})
		waiting, found, err := s.Invitees(t.Context(), 10)
		if err != nil || found != 1 || len(waiting) != 1 || !waiting[0].Until.Equal(now.Add(2*time.Hour)) || !waiting[0].Invited.Equal(now.Add(time.Hour)) {
			t.Errorf("waiting are %+v, %d (%v)", waiting, found, err)
		}
		must(t, s.AcceptInvitation(t.Context(), auth.Actor{}, link.Hash(), "", "hash", now.Add(61*time.Minute)))
		invite(now.Add(62*time.Minute), store.HasAccount)
		if _, found, err := s.Invitees(t.Context(), 10); err != nil || found != 0 {
			t.Errorf("%d wait (%v)", found, err)
		}
		u, err := s.UserByAddress(t.Context(), n.Address.Canonical)
		must(t, err)
		if in, err := s.GroupsOf(t.Context(), u.ID); err != nil || len(in) != 1 || in[0].ID != g.ID {
			t.Errorf("in %v (%v)", in, err)
		}
	})
}

// A letter that may not go makes no account either.
func TestAnAddressWithItsLettersOfTheHourIsNotInvited(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		n := newcomer(t)
		for range storetest.Rules.Letters.Free {
			u, err := s.InviteUser(t.Context(), eli, n, toNowhere, now)
			must(t, err)
			must(t, s.DeleteUser(t.Context(), eli, u.ID, now))
		}
		if _, err := s.InviteOnce(t.Context(), eli, n, toNowhere, now); !errors.Is(err, store.ErrTooManyLetters) {
			t.Errorf("InviteOnce = %v, want ErrTooManyLetters", err)
		}
		if is, err := s.InvitationOf(t.Context(), n.Address.Canonical, now); err != nil || is != store.NotInvited {
			t.Errorf("it is %v (%v)", is, err)
		}
	})
}

// A stranger needs no more than an address to use up its letters of the hour:
// those that an administrator starts are counted apart.
func TestThreeSignUpsOfAStrangerDoNotKeepAnInvitationFromGoing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		n := newcomer(t)
		for range storetest.Rules.Letters.Free + 1 {
			must(t, s.BeginSignup(t.Context(), auth.Actor{}, store.NewSignup{Address: n.Address, Hash: "hash", Browser: storetest.Browser.Hash()}, toNowhere, now))
		}
		if _, err := s.InviteOnce(t.Context(), eli, n, toNowhere, now); err != nil {
			t.Errorf("the invitation does not go: %v", err)
		}
		u := storetest.Person(t, s, "ada@example.org")
		for range storetest.Rules.Letters.Free + 1 {
			must(t, s.MailReset(t.Context(), u, toNowhere, auth.Actor{}, now))
		}
		must(t, s.StartReset(t.Context(), eli, u.ID, toNowhere, now))
	})
}

// The password is chosen by whoever opens the letter, and by nobody before.
func TestAnInvitationBringsNoPassword(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		n := newcomer(t)
		n.Hash = "hash"
		if _, err := s.InviteOnce(t.Context(), eli, n, toNowhere, now); err == nil {
			t.Error("InviteOnce took a password")
		}
		if _, err := s.InviteUser(t.Context(), eli, n, toNowhere, now); err == nil {
			t.Error("InviteUser took a password")
		}
		if is, err := s.InvitationOf(t.Context(), n.Address.Canonical, now); err != nil || is != store.NotInvited {
			t.Errorf("it is %v (%v)", is, err)
		}
	})
}

// Two lists hold the same address, and the second comes to it before the first is
// done with it.
func TestAnAddressThatIsInvitedAtOnceByTwoGetsOneLetter(t *testing.T) {
	url := storetest.Migrated["PostgreSQL"](t)
	s, db := storetest.Open(t, url, keys.New()), behind(t, url)
	signup(t, s, storetest.Browser, "hash", now)
	open := hold(t, db, lockBucket, throttle.Letters(bea.Canonical))
	var was [2]store.Invitation
	invite := func(i int) func() error {
		return func() (err error) {
			was[i], err = s.InviteOnce(t.Context(), eli, store.NewUser{Address: bea}, toNowhere, now)
			return err
		}
	}
	first := begin(t, db, 1, invite(0))
	second := begin(t, db, 2, invite(1))
	open()
	must(t, <-first)
	must(t, <-second)
	if was != [2]store.Invitation{store.NotInvited, store.InvitationOpen} {
		t.Errorf("it was %v", was)
	}
}

// The group was looked up before it was deleted.
func TestNobodyJoinsAGroupThatIsDeletedMeanwhile(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		u := storetest.Person(t, s, "ada@example.org")
		gone, staff := group(t, s, "Board"), group(t, s, "Staff")
		must(t, s.DeleteGroup(t.Context(), eli, gone, store.NoLoss, now))
		before := len(recorded(t, s, ""))
		if err := s.JoinGroup(t.Context(), eli, gone, u.ID, now); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("JoinGroup = %v, want ErrNotFound", err)
		}
		if err := s.SetGroupsOf(t.Context(), eli, u.ID, []auth.GroupID{staff.ID, gone.ID}, store.NoLoss, now); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("SetGroupsOf = %v, want ErrNotFound", err)
		}
		if in, err := s.GroupsOf(t.Context(), u.ID); err != nil || len(in) != 0 || len(recorded(t, s, "")) != before {
			t.Errorf("in %v (%v), and %d events, want %d", in, err, len(recorded(t, s, "")), before)
		}
		must(t, s.JoinGroup(t.Context(), eli, staff, u.ID, now))
		must(t, s.JoinGroup(t.Context(), eli, staff, u.ID, now))
	})
}

// The list was read while there still was the group.
func TestAPersonIsMadeWithoutAGroupThatIsDeletedMeanwhile(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		gone, staff := group(t, s, "Board"), group(t, s, "Staff")
		must(t, s.DeleteGroup(t.Context(), eli, gone, store.NoLoss, now))
		n := newcomer(t)
		n.Groups = []auth.Group{gone, staff}
		made, err := s.AddUsers(t.Context(), eli, []store.NewUser{n}, now)
		if err != nil || !made[0] {
			t.Fatalf("made %v (%v)", made, err)
		}
		u, err := s.UserByAddress(t.Context(), n.Address.Canonical)
		must(t, err)
		if in, err := s.GroupsOf(t.Context(), u.ID); err != nil || len(in) != 1 || in[0].ID != staff.ID {
			t.Errorf("in %v (%v)", in, err)
		}
	})
}

func TestTheRecordSaysThatAnAdministratorWasMade(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for _, administrator := range []bool{false, true} {
			n, want := newcomer(t), ""
			if n.Administrator = administrator; administrator {
				n.Address.Canonical, want = "root@example.org", "administrator: true"
			}
			_, err := s.AddUsers(t.Context(), eli, []store.NewUser{n}, now)
			must(t, err)
			u, err := s.UserByAddress(t.Context(), n.Address.Canonical)
			must(t, err)
			events, err := s.Events(t.Context(), store.EventFilter{Kind: auth.EventUserAdded, Subject: u.ID, Limit: 2})
			if err != nil || len(events) != 1 || events[0].Detail != want {
				t.Errorf("the record says %+v (%v), want %q", events, err, want)
			}
		}
	})
}

func TestOfManyPeopleThoseWhoAreThereStayAsTheyAre(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ada := storetest.Person(t, s, "ada@example.org")
		n := newcomer(t)
		n.MustUseTwoFactor = true
		there := n
		there.Address.Spelling, there.Address.Canonical = ada.Address, ada.Canonical
		made, err := s.AddUsers(t.Context(), eli, []store.NewUser{there, n, n}, now)
		if err != nil || len(made) != 3 || made[0] || !made[1] || made[2] {
			t.Fatalf("made %v (%v)", made, err)
		}
		if is, err := s.User(t.Context(), ada.ID); err != nil || is.MustUseTwoFactor || is.Generation != ada.Generation {
			t.Errorf("somebody who was there is %+v (%v)", is, err)
		}
	})
}
