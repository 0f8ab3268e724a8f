package store_test

import (
	"errors"
	"testing"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

// obey starts the server with these settings of the cloud edition.
func obey(t *testing.T, s *store.Store, grants ...auth.Enablement) {
	t.Helper()
	if err := s.ObeySettings(t.Context(), store.Given{Decides: true, Grants: grants}, now); err != nil {
		t.Fatal(err)
	}
}

var forStaff = auth.Enablement{Plugin: auth.TwoFactorPlugin, Group: "staff"}

func TestAGroupThatTheSettingsNameCountsFromItsFirstDay(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ada, bob := protectedPerson(t, s, "ada@example.org"), protectedPerson(t, s, "bob@example.org")
		obey(t, s, forStaff, auth.Enablement{Plugin: auth.TwoFactorPlugin, User: "cem@example.org"})
		wantAsked(t, s, 0)
		staff := group(t, s, "Staff", ada)
		wantAsked(t, s, 1)
		if err := s.JoinGroup(t.Context(), eli, staff, bob.ID, now); err != nil {
			t.Fatal(err)
		}
		wantAsked(t, s, 2)
		protectedPerson(t, s, "cem@example.org")
		wantAsked(t, s, 3)
	})
}

func TestWhatTakesTheCodeAwayUnderTheSettingsIsSeenAsWell(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ada := protectedPerson(t, s, "ada@example.org")
		staff := group(t, s, "Staff", ada)
		obey(t, s, forStaff)
		wantAsked(t, s, 1)
		var loss *store.LossError
		renamed := staff
		renamed.Name = "Board"
		for name, change := range map[string]func() error{
			"leave":  func() error { return s.LeaveGroup(t.Context(), eli, staff, ada.ID, store.NoLoss, now) },
			"delete": func() error { return s.DeleteGroup(t.Context(), eli, staff, store.NoLoss, now) },
			"rename": func() error { return s.SetGroup(t.Context(), eli, renamed, store.NoLoss, now) },
		} {
			if err := change(); !errors.As(err, &loss) || len(loss.People) != 1 {
				t.Errorf("%s: %v, want a loss", name, err)
			}
		}
		command := auth.Actor{Command: true}
		if err := s.SetGroup(t.Context(), command, renamed, store.AnyLoss, now); err != nil {
			t.Fatal(err)
		}
		wantAsked(t, s, 0)
		if letters := told(t, s, auth.LetterProtectionOff); len(letters) != 1 || letters[0].Values.By != "command" {
			t.Errorf("letters %+v", letters)
		}
		if events := recorded(t, s, auth.EventProtectionOff); len(events) != 1 || events[0].Actor != auth.ByCommand {
			t.Errorf("events %+v", events)
		}
	})
}

func TestALossAtAStartIsToldInTheNameOfTheSettings(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ada := protectedPerson(t, s, "ada@example.org")
		group(t, s, "Staff", ada)
		obey(t, s, forStaff)
		obey(t, s, forStaff) // the same settings at the next start change nothing
		if events := recorded(t, s, auth.EventPluginsGiven); len(events) != 1 || events[0].Actor != auth.BySettings || events[0].Detail != "two-factor:group=staff" {
			t.Errorf("events %+v", events)
		}
		obey(t, s)
		wantAsked(t, s, 0)
		if letters := told(t, s, auth.LetterProtectionOff); len(letters) != 1 || letters[0].To != ada.Address || letters[0].Values.By != "settings" {
			t.Errorf("letters %+v", letters)
		}
		if events := recorded(t, s, auth.EventProtectionOff); len(events) != 1 || events[0].Actor != auth.BySettings || events[0].Subject != ada.ID {
			t.Errorf("events %+v", events)
		}
	})
}

func TestNobodyButTheOperatorChangesWhatTheSettingsGive(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		obey(t, s, forStaff)
		err := s.ChangeActivation(t.Context(), eli, auth.TwoFactorPlugin, store.AnyLoss, now, func(a *auth.Activation) { a.Everyone = true })
		if !errors.Is(err, store.ErrGiven) {
			t.Errorf("ChangeActivation = %v, want ErrGiven", err)
		}
	})
}

func TestLeavingTheCloudEditionBringsBackWhatTheAdministratorHad(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ada := protectedPerson(t, s, "ada@example.org")
		group(t, s, "Staff", ada)
		enable(t, s, func(a *auth.Activation) { a.Everyone = true })
		obey(t, s)
		wantAsked(t, s, 0)
		if err := s.ObeySettings(t.Context(), store.Given{}, now); err != nil {
			t.Fatal(err)
		}
		all, err := s.Activations(t.Context())
		if err != nil || !all[0].Active || !all[0].Everyone {
			t.Errorf("after the cloud edition: %+v, %v", all, err)
		}
		wantAsked(t, s, 1)
		if events := recorded(t, s, auth.EventPluginsNotGiven); len(events) != 1 || events[0].Actor != auth.BySettings {
			t.Errorf("events %+v", events)
		}
	})
}

func TestWhoChangesAnAddressThatTheSettingsNameIsTold(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ada := protectedPerson(t, s, "ada@example.org")
		obey(t, s, auth.Enablement{Plugin: auth.TwoFactorPlugin, User: "ada@example.org"})
		if err := changeAddress(t, s, ada, "lovelace@example.org"); err != nil {
			t.Fatal(err)
		}
		wantAsked(t, s, 0)
		letters := told(t, s, auth.LetterProtectionOff)
		if len(letters) != 1 || letters[0].To != "lovelace@example.org" || letters[0].Values.By != "ada@example.org" {
			t.Errorf("letters %+v", letters)
		}
	})
}
