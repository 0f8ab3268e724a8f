package store_test

import (
	"errors"
	"testing"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
	"github.com/twinlock/twinlock/internal/throttle"
)

var toNowhere = store.Mailed{Life: 1e12, Path: func(t secret.Token) string { return "/somewhere/" + t.Reveal() }}

// Whatever an administrator does to somebody's account, its owner reads who
// did it, and nothing of where the administrator sat.
func TestAPersonIsToldWhatAnAdministratorDidToTheAccount(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		storetest.Person(t, s, "eli@example.org")
		u := storetest.Person(t, s, "ada@example.org")
		for _, act := range []struct {
			name string
			do   func() error
			told auth.LetterKind
		}{
			{"must use", func() error { return s.SetMustUseTwoFactor(ctx, eli, u.ID, true, now) }, auth.LetterTwoFactorDemanded},
			{"need not use", func() error { return s.SetMustUseTwoFactor(ctx, eli, u.ID, false, now) }, auth.LetterTwoFactorOptional},
			{"role given", func() error { return s.SetAdministrator(ctx, eli, u.ID, true, now) }, auth.LetterAdministratorMade},
			{"end sessions", func() error { _, err := s.EndSessions(ctx, eli, u.ID, "", "why", now); return err }, auth.LetterSessionsEnded},
			{"open doors", func() error {
				_, err := s.Pay(ctx, throttle.Password(u.Canonical), storetest.Rules.Tries, now)
				must(t, err)
				return s.OpenDoors(ctx, eli, u.ID, now)
			}, auth.LetterLoginOpened},
			{"start a reset", func() error { return s.StartReset(ctx, eli, u.ID, toNowhere, now) }, auth.LetterResetStarted},
			{"clear factors", func() error {
				by := inSession(t, s, reread(t, s, u.ID))
				protect(t, s, &by)
				return s.ClearFactors(ctx, eli, u.ID, "lost phone", now)
			}, auth.LetterTwoFactorReset},
			{"another administrator", func() error {
				return s.SetAdministrator(ctx, eli, storetest.Person(t, s, "bob@example.org").ID, true, now)
			}, auth.LetterAdministratorMade},
			{"role taken", func() error { return s.SetAdministrator(ctx, eli, u.ID, false, now) }, auth.LetterAdministratorNoMore},
			{"disable", func() error { return s.DisableUser(ctx, eli, u.ID, now) }, auth.LetterAccountDisabled},
			{"enable", func() error { return s.EnableUser(ctx, eli, u.ID, now) }, auth.LetterAccountEnabled},
			{"delete", func() error { return s.DeleteUser(ctx, eli, u.ID, now) }, auth.LetterAccountDeleted},
		} {
			before := len(told(t, s, act.told))
			if err := act.do(); err != nil {
				t.Fatalf("%s: %v", act.name, err)
			}
			letters := told(t, s, act.told)
			if len(letters) != before+1 {
				t.Errorf("%s: %d letters %s, want one more than %d", act.name, len(letters), act.told, before)
				continue
			}
			if v := letters[0].Values; v.By != "eli@example.org" || v.Device+v.Network != "" {
				t.Errorf("%s: the letter tells %+v", act.name, v)
			}
		}
	})
}

func TestWhoEndsTheirOwnSessionsGetsNoLetter(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := inSession(t, s, storetest.Person(t, s, "ada@example.org"))
		if _, err := s.EndSessions(t.Context(), by, by.User.ID, by.Session.ID, "by its owner", now); err != nil {
			t.Fatal(err)
		}
		if got := told(t, s, auth.LetterSessionsEnded); len(got) > 0 {
			t.Errorf("letters %v", got)
		}
	})
}

func TestAnAdministratorIsToldOfALetterThatDoesNotGo(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		u := storetest.Person(t, s, "ada@example.org")
		for range storetest.Rules.Letters.Free {
			if err := s.StartReset(t.Context(), eli, u.ID, toNowhere, now); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.StartReset(t.Context(), eli, u.ID, toNowhere, now); !errors.Is(err, store.ErrTooManyLetters) {
			t.Errorf("StartReset = %v, want ErrTooManyLetters", err)
		}
		if err := s.MailReset(t.Context(), u, toNowhere, auth.Actor{}, now); err != nil {
			t.Errorf("a stranger is told %v", err)
		}
	})
}

// What is already as it is wanted is no change: no event, no letter, and nothing
// that was begun is outdated by it.
func TestWhatStaysAsItWasIsNoNews(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		u, root := storetest.Person(t, s, "ada@example.org"), storetest.Person(t, s, "root@example.org")
		ctx := t.Context()
		must(t, s.SetAdministrator(ctx, eli, root.ID, true, now)) // so that Ada is not the last
		for _, change := range []struct {
			kind auth.EventKind
			make func(yes bool) error
		}{
			{auth.EventRoleChanged, func(yes bool) error { return s.SetAdministrator(ctx, eli, u.ID, yes, now) }},
			{auth.EventMustUseTwoFactor, func(yes bool) error { return s.SetMustUseTwoFactor(ctx, eli, u.ID, yes, now) }},
			{auth.EventUserDisabled, func(yes bool) error {
				if yes {
					return s.DisableUser(ctx, eli, u.ID, now)
				}
				return s.EnableUser(ctx, eli, u.ID, now)
			}},
		} {
			for _, yes := range []bool{false, true} {
				must(t, change.make(yes))
				generation, events, letters := reread(t, s, u.ID).Generation, len(recorded(t, s, "")), waiting(t, s)
				must(t, change.make(yes))
				if got := reread(t, s, u.ID).Generation; got != generation {
					t.Errorf("%s, %v again: generation %d after %d", change.kind, yes, got, generation)
				}
				if got := len(recorded(t, s, "")); got != events {
					t.Errorf("%s, %v again: %d events after %d", change.kind, yes, got, events)
				}
				if got := waiting(t, s); got != letters {
					t.Errorf("%s, %v again: %d letters after %d", change.kind, yes, got, letters)
				}
			}
			must(t, change.make(false))
		}
	})
}

// What is not there cannot be undone, and whoever is kept out gets no link, for
// it would not work.
func TestWhatHasNothingToDoIsNoNews(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		u, g := storetest.Person(t, s, "ada@example.org"), group(t, s, "Staff")
		fay, err := s.InviteUser(ctx, eli, newcomer(t), toNowhere, now)
		must(t, err)
		out := storetest.Person(t, s, "out@example.org")
		must(t, s.DisableUser(ctx, eli, out.ID, now))
		must(t, s.DisableUser(ctx, eli, fay.ID, now))
		enable(t, s, func(a *auth.Activation) { a.Groups, a.Users = []auth.GroupID{g.ID}, []auth.UserID{u.ID, out.ID} })
		spared := storetest.Person(t, s, "spared@example.org")
		paid, err := s.PayAtDoor(ctx, new(mailbox).doorOf(spared, spared.Canonical), nil, auth.Actor{}, now)
		must(t, err)
		must(t, s.Refund(ctx, paid[0]))
		events, letters := len(recorded(t, s, "")), waiting(t, s)
		for name, tt := range map[string]struct {
			act  func() error
			want error
		}{
			"an invitation of somebody disabled":       {func() error { _, err := s.InviteUser(ctx, eli, newcomer(t), toNowhere, now); return err }, store.ErrDisabled},
			"a reset for somebody disabled":            {func() error { return s.StartReset(ctx, eli, out.ID, toNowhere, now) }, store.ErrDisabled},
			"open doors are opened":                    {func() error { return s.OpenDoors(ctx, eli, u.ID, now) }, nil},
			"doors are opened at which no try counted": {func() error { return s.OpenDoors(ctx, eli, spared.ID, now) }, nil},
			"no factors are cleared":                   {func() error { return s.ClearFactors(ctx, eli, u.ID, "lost", now) }, store.ErrNoFactor},
			"a plug-in is saved as it was": {func() error {
				return s.ChangeActivation(ctx, eli, auth.TwoFactorPlugin, store.NoLoss, now, func(a *auth.Activation) { a.Users = []auth.UserID{out.ID, u.ID} })
			}, nil},
		} {
			if err := tt.act(); !errors.Is(err, tt.want) {
				t.Errorf("%s: %v, want %v", name, err, tt.want)
			}
			if e, l := len(recorded(t, s, "")), waiting(t, s); e != events || l != letters {
				t.Errorf("%s: %d events and %d letters, want %d and %d", name, e, l, events, letters)
				events, letters = e, l
			}
		}
	})
}

// Whoever waits because of wrong passwords is let in as well as whoever is locked.
func TestAnAdministratorEndsAWait(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		u := storetest.Person(t, s, "ada@example.org")
		var box mailbox
		d := box.doorOf(u, u.Canonical)
		for range closing.Free + 1 {
			if _, err := s.PayAtDoor(t.Context(), d, nil, auth.Actor{}, now); err != nil {
				break
			}
		}
		must(t, s.OpenDoors(t.Context(), eli, u.ID, now))
		wantOpen(t, s, d, now)
		if events := recorded(t, s, auth.EventDoorOpened); len(events) != 1 {
			t.Errorf("%d events, want 1", len(events))
		}
	})
}

func waiting(t *testing.T, s *store.Store) int {
	t.Helper()
	due, err := s.DueLetters(t.Context(), 1000, now)
	must(t, err)
	return len(due)
}
