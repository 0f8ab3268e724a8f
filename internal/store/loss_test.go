package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/twinlock/twinlock/internal/address"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

// eli administers in these tests.
var eli = auth.Actor{User: auth.User{ID: "eli", Address: "eli@example.org"}, Device: "Eli's browser", Network: "192.0.2.9"}

// protectedPerson has two-factor authentication on.
func protectedPerson(t *testing.T, s *store.Store, email string) auth.User {
	t.Helper()
	by := inSession(t, s, storetest.Person(t, s, email))
	protect(t, s, &by)
	return by.User
}

func group(t *testing.T, s *store.Store, name string, members ...auth.User) auth.Group {
	t.Helper()
	g, err := s.AddGroup(t.Context(), eli, name, now)
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range members {
		if err := s.JoinGroup(t.Context(), eli, g, u.ID, now); err != nil {
			t.Fatal(err)
		}
	}
	return g
}

// enable makes two-factor authentication active and changes for whom.
func enable(t *testing.T, s *store.Store, change func(*auth.Activation)) {
	t.Helper()
	err := s.ChangeActivation(t.Context(), eli, auth.TwoFactorPlugin, store.NoLoss, now, func(a *auth.Activation) {
		a.Active = true
		change(a)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// twoFactor is for whom two-factor authentication works.
func twoFactor(t *testing.T, s *store.Store) auth.Activation {
	t.Helper()
	all, err := s.Activations(t.Context())
	must(t, err)
	return all[slices.IndexFunc(all, func(a auth.Activation) bool { return a.Plugin == auth.TwoFactorPlugin })]
}

func wantAsked(t *testing.T, s *store.Store, want int) {
	t.Helper()
	if got, err := s.AskedForCode(t.Context(), twoFactor(t, s)); err != nil || got != want {
		t.Errorf("%d people are asked for a code, want %d; %v", got, want, err)
	}
}

// told gives the letters of a kind that wait, by address.
func told(t *testing.T, s *store.Store, kind auth.LetterKind) (letters []auth.Letter) {
	t.Helper()
	due, err := s.DueLetters(t.Context(), 1000, now)
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range due {
		if q.Letter.Kind == kind {
			letters = append(letters, q.Letter)
		}
	}
	slices.SortFunc(letters, func(a, b auth.Letter) int { return strings.Compare(a.To, b.To) })
	return letters
}

func recorded(t *testing.T, s *store.Store, kind auth.EventKind) []store.ListedEvent {
	t.Helper()
	events, err := s.Events(t.Context(), store.EventFilter{Kind: kind, Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	return events
}

// lossy is a change that takes the code away from Ada and Bob, who are asked
// for one before.
type lossy struct {
	name   string
	change func(*testing.T, *store.Store, store.Accepts) error
}

// lossyChanges prepares each on a store of its own.
func lossyChanges(t *testing.T, s *store.Store) []lossy {
	ada, bob := protectedPerson(t, s, "ada@example.org"), protectedPerson(t, s, "bob@example.org")
	protectedPerson(t, s, "cem@example.org") // is in no group
	staff := group(t, s, "Staff", ada, bob)
	enable(t, s, func(a *auth.Activation) { a.Groups = []auth.GroupID{staff.ID} })
	change := func(change func(*auth.Activation)) func(*testing.T, *store.Store, store.Accepts) error {
		return func(t *testing.T, s *store.Store, a store.Accepts) error {
			return s.ChangeActivation(t.Context(), eli, auth.TwoFactorPlugin, a, now, change)
		}
	}
	return []lossy{
		{"the plug-in is deactivated", change(func(a *auth.Activation) { a.Active = false })},
		{"the group is no longer named", change(func(a *auth.Activation) { a.Groups = nil })},
		{"the group is deleted", func(t *testing.T, s *store.Store, a store.Accepts) error {
			return s.DeleteGroup(t.Context(), eli, staff, a, now)
		}},
	}
}

func TestNobodyLosesTheCodeUnseen(t *testing.T) {
	for i := range 3 {
		storetest.Each(t, func(t *testing.T, s *store.Store) {
			act := lossyChanges(t, s)[i]
			wantAsked(t, s, 2)
			var people []auth.User
			for _, name := range []string{"ada", "bob", "cem"} {
				u, err := s.UserByAddress(t.Context(), name+"@example.org")
				must(t, err)
				people = append(people, u)
			}
			ada, bob, cem := people[0], people[1], people[2]
			for _, agreed := range []store.Accepts{
				store.NoLoss, store.LossOf(people[:1]), store.LossOf(people), store.LossOf([]auth.User{ada, cem}), store.OnlyLook,
			} {
				var loss *store.LossError
				if err := act.change(t, s, agreed); !errors.As(err, &loss) {
					t.Fatalf("%s, %q agreed to: %v, want a loss", act.name, agreed, err)
				}
				if len(loss.People) != 2 || loss.People[0].Address != "ada@example.org" || loss.People[1].Address != "bob@example.org" {
					t.Errorf("%s: loses %v", act.name, loss.People)
				}
			}
			wantAsked(t, s, 2)
			if letters, events := told(t, s, auth.LetterProtectionOff), recorded(t, s, auth.EventProtectionOff); len(letters)+len(events) > 0 {
				t.Errorf("%s: refused, and told %v, recorded %v", act.name, letters, events)
			}
			if err := act.change(t, s, store.LossOf([]auth.User{bob, ada})); err != nil {
				t.Fatalf("%s, agreed to: %v", act.name, err)
			}
			wantAsked(t, s, 0)
			letters := told(t, s, auth.LetterProtectionOff)
			if len(letters) != 2 || letters[0].To != "ada@example.org" || letters[1].To != "bob@example.org" {
				t.Fatalf("%s: letters %v", act.name, letters)
			}
			if v := letters[0].Values; v.By != "eli@example.org" || v.Device != "" || v.Network != "" {
				t.Errorf("%s: the letter names %+v", act.name, v)
			}
			events := recorded(t, s, auth.EventProtectionOff)
			if len(events) != 2 || events[0].Actor != "eli" {
				t.Errorf("%s: events %v", act.name, events)
			}
		})
	}
}

// Taking the code from everybody is one change, however many they are.
func TestWhatIsSaidToTheDatabaseDoesNotGrowWithWhoLoses(t *testing.T) {
	said := map[int]int{}
	for _, losers := range []int{10, 100} {
		s, wire, _ := storetest.Wired(t)
		enable(t, s, func(a *auth.Activation) { a.Everyone = true })
		for i := range losers {
			protectedPerson(t, s, fmt.Sprintf("person%03d@example.org", i))
		}
		statements := statementsOf(wire)
		must(t, s.ChangeActivation(t.Context(), eli, auth.TwoFactorPlugin, store.AnyLoss, now, func(a *auth.Activation) { a.Active = false }))
		said[losers] = len(statements())
		letters, events := told(t, s, auth.LetterProtectionOff), recorded(t, s, auth.EventProtectionOff)
		if len(letters) != losers || len(events) != losers || letters[losers-1].To != fmt.Sprintf("person%03d@example.org", losers-1) {
			t.Errorf("%d lose, %d letters, %d events", losers, len(letters), len(events))
		}
	}
	if said[100] > said[10]+5 {
		t.Errorf("%d statements for 10 people, %d for 100", said[10], said[100])
	}
}

func TestOnePersonLosesTheCodeWithAGroup(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*testing.T, *store.Store, auth.Group, auth.User, store.Accepts) error
	}{
		{"leaves it", func(t *testing.T, s *store.Store, g auth.Group, u auth.User, a store.Accepts) error {
			return s.LeaveGroup(t.Context(), eli, g, u.ID, a, now)
		}},
		{"is put into no group", func(t *testing.T, s *store.Store, _ auth.Group, u auth.User, a store.Accepts) error {
			return s.SetGroupsOf(t.Context(), eli, u.ID, nil, a, now)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, s *store.Store) {
				ada, bob := protectedPerson(t, s, "ada@example.org"), protectedPerson(t, s, "bob@example.org")
				staff := group(t, s, "Staff", ada, bob)
				enable(t, s, func(a *auth.Activation) { a.Groups = []auth.GroupID{staff.ID} })
				var loss *store.LossError
				if err := tt.change(t, s, staff, ada, store.NoLoss); !errors.As(err, &loss) || len(loss.People) != 1 || loss.People[0].ID != ada.ID {
					t.Fatalf("unseen: %v", err)
				}
				wantAsked(t, s, 2)
				if err := tt.change(t, s, staff, ada, store.LossOf([]auth.User{ada})); err != nil {
					t.Fatal(err)
				}
				wantAsked(t, s, 1)
				if letters := told(t, s, auth.LetterProtectionOff); len(letters) != 1 || letters[0].To != ada.Address {
					t.Errorf("letters %v", letters)
				}
				if err := s.LeaveGroup(t.Context(), eli, staff, ada.ID, store.NoLoss, now); err != nil {
					t.Errorf("leaving a group twice: %v", err)
				}
			})
		})
	}
}

func TestWhoIsEnabledInAnotherWayLosesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ada, bob := protectedPerson(t, s, "ada@example.org"), protectedPerson(t, s, "bob@example.org")
		staff, board := group(t, s, "Staff", ada, bob), group(t, s, "Board", ada)
		enable(t, s, func(a *auth.Activation) {
			a.Groups, a.Users = []auth.GroupID{staff.ID, board.ID}, []auth.UserID{bob.ID}
		})
		if err := s.DeleteGroup(t.Context(), eli, staff, store.NoLoss, now); err != nil {
			t.Errorf("a group beside others: %v", err)
		}
		wantAsked(t, s, 2)
		if got := told(t, s, auth.LetterProtectionOff); len(got) > 0 {
			t.Errorf("letters %v", got)
		}
	})
}

func TestMovingToAnotherGroupAtOnceLosesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ada := protectedPerson(t, s, "ada@example.org")
		staff, board := group(t, s, "Staff", ada), group(t, s, "Board")
		enable(t, s, func(a *auth.Activation) { a.Groups = []auth.GroupID{staff.ID, board.ID} })
		if err := s.SetGroupsOf(t.Context(), eli, ada.ID, []auth.GroupID{board.ID}, store.NoLoss, now); err != nil {
			t.Errorf("from Staff to Board: %v", err)
		}
		in, err := s.GroupsOf(t.Context(), ada.ID)
		if err != nil || len(in) != 1 || in[0].ID != board.ID {
			t.Errorf("is in %v, %v", in, err)
		}
		wantAsked(t, s, 1)
	})
}

func TestAnAccountThatIsDeletedLosesNoCode(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ada := protectedPerson(t, s, "ada@example.org")
		enable(t, s, func(a *auth.Activation) { a.Users = []auth.UserID{ada.ID} })
		if err := s.DeleteUser(t.Context(), eli, ada.ID, now); err != nil {
			t.Error(err)
		}
		if got := told(t, s, auth.LetterProtectionOff); len(got) > 0 {
			t.Errorf("letters %v", got)
		}
	})
}

// Changes for whom plug-ins work, of groups, of people and of factors, all at
// once: each is refused or done, none kills another.
func TestChangesThatMayTakeTheCodeAwayNeverBlockOneAnother(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ada, bob := protectedPerson(t, s, "ada@example.org"), protectedPerson(t, s, "bob@example.org")
		staff := group(t, s, "Staff", ada, bob)
		ctx := t.Context()
		changes := []func() error{
			func() error {
				return s.ChangeActivation(ctx, eli, auth.TwoFactorPlugin, store.AnyLoss, now, func(a *auth.Activation) {
					a.Active, a.Groups, a.Users = true, []auth.GroupID{staff.ID}, []auth.UserID{ada.ID, bob.ID}
				})
			},
			func() error {
				return s.ChangeActivation(ctx, eli, auth.TwoFactorPlugin, store.AnyLoss, now, func(a *auth.Activation) {
					a.Groups, a.Users = nil, []auth.UserID{bob.ID, ada.ID}
				})
			},
			func() error { return s.JoinGroup(ctx, eli, staff, ada.ID, now) },
			func() error { return s.LeaveGroup(ctx, eli, staff, ada.ID, store.AnyLoss, now) },
			func() error { return s.SetGroupsOf(ctx, eli, bob.ID, nil, store.AnyLoss, now) },
			func() error { return s.SetGroup(ctx, eli, staff, store.AnyLoss, now) },
			func() error { return s.SetMustUseTwoFactor(ctx, eli, ada.ID, true, now) },
			func() error { return s.ObeySettings(ctx, store.Given{}, now) },
			func() error { return changeAddress(t, s, bob, "bob2@example.org") },
			func() error { return changeAddress(t, s, bob, "bob@example.org") },
		}
		errs := make(chan error)
		for _, change := range changes {
			go func() {
				var err error
				for range 8 {
					if err = change(); err != nil && !errors.Is(err, store.ErrSpent) && !errors.Is(err, store.ErrTaken) {
						break
					}
					err = nil
				}
				errs <- err
			}()
		}
		for range changes {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
	})
}

// changeAddress goes through the link that is mailed to the new address.
func changeAddress(t *testing.T, s *store.Store, u auth.User, email string) error {
	wanted, err := address.Parse(email)
	if err != nil {
		return err
	}
	u, err = s.User(t.Context(), u.ID)
	if err != nil {
		return err
	}
	sessions, err := s.Sessions(t.Context(), u.ID)
	if err != nil || len(sessions) == 0 {
		return err
	}
	by := auth.Actor{User: u, Session: sessions[0]}
	var token secret.Token
	m := store.Mailed{Life: 1e12, Path: func(t secret.Token) string { token = t; return "/account/address?token=" + t.Reveal() }}
	if err := s.AskNewAddress(t.Context(), by, wanted, m, now); err != nil {
		return err
	}
	_, err = s.ChangeAddress(t.Context(), by, token.Hash(), now)
	return err
}

// Ada is asked for a code because of each of her groups. All may go but the
// last.
func TestChangesAtOnceLoseNothingThatNoneLosesAlone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ada := protectedPerson(t, s, "ada@example.org")
		for range 4 {
			var hers []auth.GroupID
			for i := range 8 {
				hers = append(hers, group(t, s, fmt.Sprint("Group ", i), ada).ID)
			}
			enable(t, s, func(a *auth.Activation) { a.Groups = hers })
			next := make(chan auth.GroupID, len(hers))
			for _, id := range hers {
				next <- id
			}
			won := together(t, new(store.LossError), func() error {
				return s.DeleteGroup(t.Context(), eli, auth.Group{ID: <-next}, store.NoLoss, now)
			})
			wantAsked(t, s, 1)
			if won != len(hers)-1 {
				t.Errorf("%d of %d groups went unseen", won, len(hers))
			}
			if err := s.SetGroupsOf(t.Context(), eli, ada.ID, nil, store.LossOf([]auth.User{ada}), now); err != nil {
				t.Fatal(err)
			}
			groups, err := s.Groups(t.Context())
			if err != nil || len(groups) != 1 {
				t.Fatalf("groups %v, %v", groups, err)
			}
			if err := s.DeleteGroup(t.Context(), eli, groups[0], store.NoLoss, now); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// A form may name people and groups that were deleted while it was open.
func TestWhoeverIsGoneMeanwhileIsLeftOut(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ada, a := storetest.Person(t, s, "ada@example.org"), addWiki(t, s)
		a.Users, a.Groups = []auth.UserID{"gone", ada.ID}, []auth.GroupID{"gone"}
		must(t, s.ChangeApplication(t.Context(), eli, a.ID, now, into(a)))
		enable(t, s, func(p *auth.Activation) { p.Users, p.Groups = a.Users, a.Groups })
		a, err := s.Application(t.Context(), a.ID)
		must(t, err)
		all, err := s.Activations(t.Context())
		must(t, err)
		for what, named := range map[string]struct {
			users  []auth.UserID
			groups []auth.GroupID
		}{"the application": {a.Users, a.Groups}, "the plug-in": {all[0].Users, all[0].Groups}} {
			if !slices.Equal(named.users, []auth.UserID{ada.ID}) || len(named.groups) > 0 {
				t.Errorf("%s names %v and %v", what, named.users, named.groups)
			}
		}
	})
}
