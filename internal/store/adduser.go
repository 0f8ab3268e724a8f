package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/twinlock/twinlock/internal/address"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/throttle"
)

// NewUser is an account that an operator or an administrator makes.
type NewUser struct {
	Address       address.Address
	Name          string
	Language      string
	Hash          secret.Text // of the password; "" for an invitation
	Administrator bool

	MustUseTwoFactor bool
	Groups           []auth.Group
}

// AddUser makes an account whose address counts as confirmed, and drops what
// somebody may have begun to sign up with it. Its door is open: what was tried
// there before it had a password guessed nothing. ErrTaken where the address has
// an account.
func (s *Store) AddUser(ctx context.Context, by auth.Actor, n NewUser, now time.Time) (u auth.User, err error) {
	err = s.transaction(ctx, func(t *tx) error {
		u, err = t.addUser(ctx, by, n, now)
		return err
	})
	return u, err
}

func (t *tx) addUser(ctx context.Context, by auth.Actor, n NewUser, now time.Time) (auth.User, error) {
	made, err := t.addUsers(ctx, by, []NewUser{n}, secret.NewID, now)
	switch {
	case err != nil:
		return auth.User{}, err
	case made[0].ID == "":
		return auth.User{}, ErrTaken
	}
	t.plugins = true // the operator's settings may name the address
	return made[0], nil
}

// addUsers makes accounts, all by the same few statements. Those whose address has
// one, or stood in the list before, are left zero.
func (t *tx) addUsers(ctx context.Context, by auth.Actor, people []NewUser, newID func() string, now time.Time) ([]auth.User, error) {
	canonicals := make([]string, len(people))
	for i, n := range people {
		canonicals[i] = n.Address.Canonical
	}
	if err := t.lockAddresses(ctx, canonicals); err != nil {
		return nil, err
	}
	made, err := t.insertUsers(ctx, people, newID, now)
	if err != nil {
		return nil, err
	}
	if err := t.forgetBefore(ctx, made); err != nil {
		return nil, err
	}
	if err := t.recordAdded(ctx, by, made, now); err != nil {
		return nil, err
	}
	return made, t.joinAll(ctx, by, people, made, now)
}

// forgetBefore drops what strangers began or tried at addresses that now have
// accounts.
func (t *tx) forgetBefore(ctx context.Context, made []auth.User) error {
	var canonicals, buckets []any
	for _, u := range made {
		if u.ID != "" {
			canonicals = append(canonicals, u.Canonical)
			buckets = append(buckets, throttle.Password(u.Canonical))
		}
	}
	if len(canonicals) == 0 {
		return nil
	}
	if _, err := t.exec(ctx, `DELETE FROM signups WHERE canonical IN (`+t.store.marks(len(canonicals))+`)`, canonicals...); err != nil {
		return fmt.Errorf("drop sign-ups: %w", err)
	}
	if _, err := t.exec(ctx, `DELETE FROM throttle WHERE bucket IN (`+t.store.marks(len(buckets))+`)`, buckets...); err != nil {
		return fmt.Errorf("clear counts of tries: %w", err)
	}
	return nil
}

func (t *tx) recordAdded(ctx context.Context, by auth.Actor, made []auth.User, now time.Time) error {
	var administrators, others []auth.UserID
	for _, u := range made {
		switch {
		case u.ID == "":
		case u.Administrator:
			administrators = append(administrators, u.ID)
		default:
			others = append(others, u.ID)
		}
	}
	if err := t.recordEach(ctx, by, auth.EventUserAdded, administrators, "administrator: true", now); err != nil {
		return err
	}
	return t.recordEach(ctx, by, auth.EventUserAdded, others, "", now)
}

// joinAll puts the people who were made into their groups, as far as those are
// there.
func (t *tx) joinAll(ctx context.Context, by auth.Actor, people []NewUser, made []auth.User, now time.Time) error {
	joined, wanted := map[auth.GroupID][]auth.UserID{}, map[auth.GroupID]auth.Group{}
	for i, n := range people {
		for _, g := range n.Groups {
			if made[i].ID != "" && !slices.Contains(joined[g.ID], made[i].ID) {
				joined[g.ID], wanted[g.ID] = append(joined[g.ID], made[i].ID), g
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(joined)) {
		if err := t.joinMany(ctx, by, wanted[id], joined[id], now); err != nil {
			return err
		}
	}
	return nil
}

// AddUsers makes many accounts in one transaction, as AddUser makes one, and
// tells for each whether it is new: an address that has an account keeps it as
// it is. Their ids tell when they were added.
func (s *Store) AddUsers(ctx context.Context, by auth.Actor, people []NewUser, now time.Time) (made []bool, err error) {
	err = s.transaction(ctx, func(t *tx) error {
		users, err := t.addUsers(ctx, by, people, func() string { return secret.NewIDAt(now) }, now)
		if err != nil {
			return fmt.Errorf("add %d people: %w", len(people), err)
		}
		made = make([]bool, len(people))
		for i, u := range users {
			made[i] = u.ID != ""
		}
		return t.noteNamed(ctx, users)
	})
	return made, err
}

// noteNamed notes whether the operator's settings name one of the addresses that now
// have accounts. Nobody else is told of them: nobody can remember them yet.
func (t *tx) noteNamed(ctx context.Context, made []auth.User) error {
	grants, _, err := given(ctx, t)
	if err != nil {
		return err
	}
	for _, g := range grants {
		if g.User != "" && slices.ContainsFunc(made, func(u auth.User) bool { return u.Canonical == g.User }) {
			t.plugins = true
		}
	}
	return nil
}

// InBulk does what writes very many rows. SQLite keeps more of the file in memory
// meanwhile, and what undoes a statement too, and copies what was written into the
// file less often.
func (s *Store) InBulk(ctx context.Context, write func() error) (err error) {
	if s.postgres {
		return write()
	}
	if err := s.tune(ctx, "cache_size = -98304", "temp_store = MEMORY", "wal_autocheckpoint = 4096"); err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, s.tune(context.WithoutCancel(ctx), "cache_size = -2000", "temp_store = DEFAULT", "wal_autocheckpoint = 1000", "wal_checkpoint(PASSIVE)", "shrink_memory"))
	}()
	return write()
}

// tune sets how the connection that writes works.
func (s *Store) tune(ctx context.Context, pragmas ...string) error {
	for _, pragma := range pragmas {
		rows, err := s.write.QueryContext(ctx, "PRAGMA "+pragma)
		if err != nil {
			return fmt.Errorf("tune SQLite: %w", err)
		}
		if err := rows.Close(); err != nil {
			return fmt.Errorf("tune SQLite: %w", err)
		}
	}
	return nil
}
