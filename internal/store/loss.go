package store

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
)

// Accepts is the loss that whoever makes a change agreed to: that certain
// people who have two-factor authentication on are no longer asked for a code.
// A loss of any others is asked about again.
type Accepts string

const (
	// NoLoss agrees to a change by which nobody loses anything.
	NoLoss Accepts = ""
	// AnyLoss agrees to whatever it is: an operator who said --yes, or the
	// operator's settings.
	AnyLoss Accepts = "any"
	// OnlyLook agrees to nothing, not even a change without any loss. It
	// answers with a *LossError of whoever would lose, perhaps nobody.
	OnlyLook Accepts = "look"
)

// LossOf agrees to the loss of exactly these people, in whichever order they
// come.
func LossOf(people []auth.User) Accepts {
	if len(people) == 0 {
		return NoLoss
	}
	ids := make([]string, len(people))
	for i, u := range people {
		ids[i] = string(u.ID)
	}
	slices.Sort(ids)
	return Accepts(strings.Join(ids, " "))
}

// LossError refuses a change by which people who have two-factor
// authentication on would no longer be asked for a code.
type LossError struct {
	People []auth.User // who would lose it, by address
}

func (e *LossError) Error() string {
	return fmt.Sprintf("%d people would no longer be asked for a code", len(e.People))
}

// Is tells any loss from other errors, whoever would lose it.
func (*LossError) Is(err error) bool {
	_, ok := err.(*LossError)
	return ok
}

func (a Accepts) check(lost []auth.User) error {
	if a == OnlyLook || a != AnyLoss && a != LossOf(lost) {
		return &LossError{People: lost}
	}
	return nil
}

// losing is a transaction whose change may take the code away from people. It
// compares who is asked for one before and after: a loss that was not agreed to
// undoes everything as a *LossError, and of one that was each loser gets a
// letter and an event that name who made the change. concerns narrows the look
// to one person; "" is everybody.
//
// The plug-ins are locked first, before administrators, people and groups, in
// every transaction that needs several of them.
func (s *Store) losing(ctx context.Context, by auth.Actor, concerns auth.UserID, accepts Accepts, now time.Time, change func(*tx) error) error {
	return s.transaction(ctx, func(t *tx) error {
		if err := t.lockPlugins(ctx); err != nil {
			return err
		}
		before, err := t.store.askedForCode(ctx, t, concerns)
		if err != nil {
			return err
		}
		if err := change(t); err != nil {
			return err
		}
		after, err := t.store.askedForCode(ctx, t, concerns)
		if err != nil {
			return err
		}
		lost, err := t.lost(ctx, before, after)
		if err != nil {
			return err
		}
		if err := accepts.check(lost); err != nil {
			return err
		}
		return t.tellLosers(ctx, by, lost, now)
	})
}

// lostAtOnce is how many people one statement asks for.
const lostAtOnce = 500

// lost gives who was asked for a code and no longer is, by address. Somebody
// whose account is gone lost nothing that a letter could tell, and somebody
// without a factor has no code to be asked for.
func (t *tx) lost(ctx context.Context, before, after map[auth.UserID]bool) (lost []auth.User, err error) {
	var ids []any
	for id := range before {
		if !after[id] {
			ids = append(ids, id)
		}
	}
	for some := range slices.Chunk(ids, lostAtOnce) {
		people, err := list(ctx, t, scanUser, `
			SELECT `+userColumns+` FROM users u WHERE u.id IN (`+places(1, len(some))+`)`, some...)
		if err != nil {
			return nil, fmt.Errorf("who lost the code: %w", err)
		}
		lost = append(lost, people...)
	}
	slices.SortFunc(lost, func(a, b auth.User) int { return strings.Compare(a.Canonical, b.Canonical) })
	return lost, nil
}

// tellLosers says the same whoever they are, in a few statements: a code may be
// taken from everybody at once.
func (t *tx) tellLosers(ctx context.Context, by auth.Actor, lost []auth.User, now time.Time) error {
	letters, ids := make([]auth.Letter, len(lost)), make([]auth.UserID, len(lost))
	for i, u := range lost {
		letters[i], ids[i] = actOn(u, auth.LetterProtectionOff, by, now), u.ID
		t.changed(u.ID)
	}
	if err := t.queueAll(ctx, letters, now); err != nil {
		return err
	}
	return t.recordEach(ctx, by, auth.EventProtectionOff, ids, "", now)
}

// askedForCode gives the people who are asked for a code: they have a second factor
// on whose plug-in works for them. concerns narrows the look to one person; "" is
// everybody.
func (s *Store) askedForCode(ctx context.Context, q querier, concerns auth.UserID) (map[auth.UserID]bool, error) {
	asking, err := s.askingPlugins(ctx, q)
	if err != nil {
		return nil, err
	}
	return askedUnder(ctx, q, asking, concerns)
}

// askingPlugins are the plug-ins that ask for a code, as they now work: passkeys do
// not everywhere, whatever an administrator activated.
func (s *Store) askingPlugins(ctx context.Context, q querier) (asking []auth.Activation, err error) {
	for _, id := range []auth.PluginID{auth.TwoFactorPlugin, auth.PasskeysPlugin} {
		a, err := activation(ctx, q, id)
		if err != nil {
			return nil, err
		}
		a.Active = a.Active && (id != auth.PasskeysPlugin || s.rules.Policy.Passkeys)
		asking = append(asking, a)
	}
	return asking, nil
}

// askedUnder is askedForCode where the plug-ins work as asking says. It asks for
// one after the other: each has an index of its own, which a question for either
// would not use.
func askedUnder(ctx context.Context, q querier, asking []auth.Activation, concerns auth.UserID) (map[auth.UserID]bool, error) {
	asked := map[auth.UserID]bool{}
	for _, a := range asking {
		condition, named := isAsked(a, 2)
		one := `u.id = $1`
		if concerns == "" {
			one = `$1 = ''`
		}
		people, err := list(ctx, q, scanID[auth.UserID], `
			SELECT u.id FROM users u WHERE `+one+` AND (`+condition+`)`, append([]any{concerns}, named...)...)
		if err != nil {
			return nil, fmt.Errorf("who is asked for a code: %w", err)
		}
		for _, id := range people {
			asked[id] = true
		}
	}
	return asked, nil
}

// isAsked is the condition of a user u who is asked for a plug-in's factor where it
// works as a says, with the values of its placeholders, which begin at the given
// number. It is the one place that says in SQL who is asked.
func isAsked(a auth.Activation, first int) (condition string, values []any) {
	condition, values = isEnabled(a, first)
	return isOn(a.Plugin) + ` AND ` + condition, values
}

// isOn is the condition of a user u who has a plug-in's factor on.
func isOn(id auth.PluginID) string {
	if id == auth.PasskeysPlugin {
		return `u.passkeys_since > 0`
	}
	return `u.two_factor_since > 0`
}

// isEnabled is the condition of a user u for whom a plug-in works that works as a
// says. Its placeholders begin with the first.
func isEnabled(a auth.Activation, first int) (condition string, values []any) {
	switch {
	case !a.Active:
		return isOn(a.Plugin) + ` AND 1 = 0`, nil
	case a.Everyone:
		return `1 = 1`, nil
	}
	for _, u := range a.Users {
		values = append(values, u)
	}
	for _, g := range a.Groups {
		values = append(values, g)
	}
	condition = `(u.id IN (` + places(first, len(a.Users)) + `) OR EXISTS (
		SELECT 1 FROM memberships pm WHERE pm.user_id = u.id AND pm.group_id IN (` + places(first+len(a.Users), len(a.Groups)) + `)))`
	return condition, values
}

// places are so many placeholders for identifiers, from the first on. Nobody's
// stands beside them, for a list may not be empty.
func places(first, count int) string {
	var all strings.Builder
	all.WriteString("''")
	for i := range count {
		all.WriteString(", $" + strconv.Itoa(first+i))
	}
	return all.String()
}

// AskedForCode counts the people who are asked for a plug-in's own factor where it
// works as a says.
func (s *Store) AskedForCode(ctx context.Context, a auth.Activation) (int, error) {
	asked, err := askedUnder(ctx, s.read, []auth.Activation{a}, "")
	return len(asked), err
}

// AskedForPasskey counts the people who can be asked for a passkey where its plug-in
// works as a says: one of theirs was made for this domain.
func (s *Store) AskedForPasskey(ctx context.Context, a auth.Activation, domain string) (n int, err error) {
	condition, named := isAsked(a, 2)
	err = s.read.QueryRowContext(ctx, `
		SELECT COUNT(*) FROM users u WHERE (`+condition+`)
		   AND EXISTS (SELECT 1 FROM passkeys p WHERE p.user_id = u.id AND p.domain = $1)`, append([]any{domain}, named...)...).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("who can be asked for a passkey: %w", err)
	}
	return n, nil
}
