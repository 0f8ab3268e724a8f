package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
)

// groupName is how names of groups are compared.
func groupName(name string) string { return strings.ToLower(norm.NFC.String(strings.TrimSpace(name))) }

// SameGroupName tells whether two names are the same group's, whatever their case
// and the form of their accents.
func SameGroupName(a, b string) bool { return groupName(a) == groupName(b) }

// Groups lists all groups by name.
func (s *Store) Groups(ctx context.Context) ([]auth.Group, error) { return groups(ctx, s.read) }

func groups(ctx context.Context, q querier) ([]auth.Group, error) {
	groups, err := list(ctx, q, scanGroup, `SELECT g.id, g.name, g.open_window FROM groups g ORDER BY g.canonical`)
	if err != nil {
		return nil, fmt.Errorf("list groups: %w", err)
	}
	return groups, nil
}

// GroupByName finds a group whatever the case of its name; ErrNotFound where
// there is none.
func (s *Store) GroupByName(ctx context.Context, name string) (auth.Group, error) {
	g, err := scanGroup(s.read.QueryRowContext(ctx,
		`SELECT g.id, g.name, g.open_window FROM groups g WHERE g.canonical = $1`, groupName(name)))
	return g, notFound(err)
}

// Members counts the people of each group.
func (s *Store) Members(ctx context.Context) (map[auth.GroupID]int, error) {
	members := map[auth.GroupID]int{}
	_, err := list(ctx, s.read, func(r row) (struct{}, error) {
		var id auth.GroupID
		var n int
		err := r.Scan(&id, &n)
		members[id] = n
		return struct{}{}, err
	}, `SELECT group_id, COUNT(*) FROM memberships GROUP BY group_id`)
	return members, err
}

// AddGroup makes a group; ErrTaken where one has the name.
func (s *Store) AddGroup(ctx context.Context, by auth.Actor, name string, now time.Time) (g auth.Group, err error) {
	g = auth.Group{ID: auth.GroupID(secret.NewID()), Name: strings.TrimSpace(name), OpenWindow: -time.Millisecond}
	err = s.transaction(ctx, func(t *tx) error {
		n, err := t.exec(ctx, `
			INSERT INTO groups (id, name, canonical, open_window) VALUES ($1, $2, $3, $4)
			ON CONFLICT (canonical) DO NOTHING`, g.ID, g.Name, groupName(name), g.OpenWindow.Milliseconds())
		if err != nil {
			return fmt.Errorf("add group: %w", err)
		}
		if n == 0 {
			return ErrTaken
		}
		t.plugins = true // the operator's settings may name it
		return t.record(ctx, by, auth.EventGroupAdded, "", g.Name, now)
	})
	return g, err
}

// SetGroup changes a group's name and how long an open window spares its
// members the code; a negative time leaves that as the settings have it. Where
// the operator's settings name groups, a new name may take the code away.
func (s *Store) SetGroup(ctx context.Context, by auth.Actor, g auth.Group, accepts Accepts, now time.Time) error {
	return s.losing(ctx, by, "", accepts, now, func(t *tx) error {
		var taken int
		err := t.QueryRowContext(ctx, `SELECT COUNT(*) FROM groups WHERE canonical = $1 AND id <> $2`, groupName(g.Name), g.ID).Scan(&taken)
		if err != nil {
			return err
		}
		if taken > 0 {
			return ErrTaken
		}
		n, err := t.exec(ctx, `UPDATE groups SET name = $1, canonical = $2, open_window = $3 WHERE id = $4`,
			strings.TrimSpace(g.Name), groupName(g.Name), g.OpenWindow.Milliseconds(), g.ID)
		if err != nil {
			return fmt.Errorf("change group %s: %w", g.ID, err)
		}
		if n == 0 {
			return ErrNotFound
		}
		t.everybody = true
		return t.record(ctx, by, auth.EventGroupChanged, "", g.Name, now)
	})
}

// DeleteGroup removes a group from wherever it is named. Its people stay, and
// may lose the code that only the group had them asked for.
func (s *Store) DeleteGroup(ctx context.Context, by auth.Actor, g auth.Group, accepts Accepts, now time.Time) error {
	return s.losing(ctx, by, "", accepts, now, func(t *tx) error {
		n, err := t.exec(ctx, `DELETE FROM groups WHERE id = $1`, g.ID)
		if err != nil {
			return fmt.Errorf("delete group %s: %w", g.ID, err)
		}
		if n == 0 {
			return ErrNotFound
		}
		t.everybody = true
		return t.record(ctx, by, auth.EventGroupDeleted, "", g.Name, now)
	})
}

// JoinGroup puts a person into a group; being in it already is no error, and
// no event. ErrNotFound where the group was deleted meanwhile.
func (s *Store) JoinGroup(ctx context.Context, by auth.Actor, g auth.Group, user auth.UserID, now time.Time) error {
	return s.transaction(ctx, func(t *tx) error {
		if _, err := t.lockUser(ctx, user); err != nil {
			return err
		}
		if err := t.join(ctx, by, g, user, now); err != nil {
			return err
		}
		return t.groupIsThere(ctx, g.ID)
	})
}

// groupIsThere is to be asked after join, which waits for whoever is deleting it.
func (t *tx) groupIsThere(ctx context.Context, id auth.GroupID) error {
	var n int
	if err := t.QueryRowContext(ctx, `SELECT COUNT(*) FROM groups WHERE id = $1`, id).Scan(&n); err != nil {
		return fmt.Errorf("look for group %s: %w", id, err)
	}
	if n == 0 {
		return ErrNotFound
	}
	return nil
}

// LeaveGroup takes a person out of a group, and perhaps the code away that
// only the group had them asked for. Not being in it is no error, and no event.
func (s *Store) LeaveGroup(ctx context.Context, by auth.Actor, g auth.Group, user auth.UserID, accepts Accepts, now time.Time) error {
	return s.losing(ctx, by, user, accepts, now, func(t *tx) error {
		if _, err := t.lockUser(ctx, user); err != nil {
			return err
		}
		return t.leave(ctx, by, g, user, now)
	})
}

// SetGroupsOf puts a person into exactly these groups, in one step: who leaves
// one group and joins another that does the same loses nothing. ErrNotFound where
// one of them is not there any more: then nothing changes.
func (s *Store) SetGroupsOf(ctx context.Context, by auth.Actor, user auth.UserID, wanted []auth.GroupID, accepts Accepts, now time.Time) error {
	return s.losing(ctx, by, user, accepts, now, func(t *tx) error {
		if _, err := t.lockUser(ctx, user); err != nil {
			return err
		}
		all, err := groups(ctx, t)
		if err != nil {
			return err
		}
		for _, g := range all {
			change := t.leave
			if slices.Contains(wanted, g.ID) {
				change = t.join
			}
			if err := change(ctx, by, g, user, now); err != nil {
				return err
			}
		}
		for _, id := range wanted {
			if err := t.groupIsThere(ctx, id); err != nil {
				return err
			}
		}
		return nil
	})
}

// join leaves out a group that was deleted meanwhile, and on PostgreSQL waits
// for whoever is deleting it.
func (t *tx) join(ctx context.Context, by auth.Actor, g auth.Group, user auth.UserID, now time.Time) error {
	lock := ""
	if t.store.postgres {
		lock = " FOR KEY SHARE"
	}
	return t.changeMembership(ctx, by, g, user, "joined ", `
		INSERT INTO memberships (group_id, user_id) SELECT id, $2 FROM groups WHERE id = $1`+lock+` ON CONFLICT DO NOTHING`, now)
}

// joinMany is join for people who are in no group yet.
func (t *tx) joinMany(ctx context.Context, by auth.Actor, g auth.Group, users []auth.UserID, now time.Time) error {
	lock := ""
	if t.store.postgres {
		lock = " FOR KEY SHARE"
	}
	there, err := list(ctx, t, scanID[auth.GroupID], `SELECT id FROM groups WHERE id = $1`+lock, g.ID)
	if err != nil {
		return fmt.Errorf("look for group %s: %w", g.ID, err)
	}
	if len(there) == 0 {
		return nil
	}
	into := t.into("memberships", "group_id", "user_id")
	for _, user := range users {
		if err := into.add(ctx, []any{g.ID, user}); err != nil {
			return err
		}
	}
	if err := into.flush(ctx); err != nil {
		return err
	}
	return t.recordEach(ctx, by, auth.EventGroupChanged, users, "joined "+g.Name, now)
}

func (t *tx) leave(ctx context.Context, by auth.Actor, g auth.Group, user auth.UserID, now time.Time) error {
	return t.changeMembership(ctx, by, g, user, "left ", `
		DELETE FROM memberships WHERE group_id = $1 AND user_id = $2`, now)
}

func (t *tx) changeMembership(ctx context.Context, by auth.Actor, g auth.Group, user auth.UserID, what, statement string, now time.Time) error {
	n, err := t.exec(ctx, statement, g.ID, user)
	if err != nil {
		return fmt.Errorf("membership of %s in %s: %w", user, g.ID, err)
	}
	if n == 0 {
		return nil
	}
	t.changed(user)
	return t.record(ctx, by, auth.EventGroupChanged, user, what+g.Name, now)
}
