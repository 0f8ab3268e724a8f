package store_test

import (
	"errors"
	"testing"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
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
			{"open doors", func() error { return s.OpenDoors(ctx, eli, u.ID, now) }, auth.LetterLoginOpened},
			{"start a reset", func() error { return s.StartReset(ctx, eli, u.ID, toNowhere, now) }, auth.LetterResetStarted},
			{"clear factors", func() error { return s.ClearFactors(ctx, eli, u.ID, "lost phone", now) }, auth.LetterTwoFactorReset},
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

func TestWhatStaysAsItWasIsNoNews(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		u := storetest.Person(t, s, "ada@example.org")
		if err := errors.Join(s.SetMustUseTwoFactor(t.Context(), eli, u.ID, false, now),
			s.SetAdministrator(t.Context(), eli, u.ID, false, now)); err != nil {
			t.Fatal(err)
		}
		if due, err := s.DueLetters(t.Context(), 10, now); err != nil || len(due) > 0 {
			t.Errorf("letters %v, %v", due, err)
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
