package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/twinlock/twinlock/internal/auth"
)

// UserFilter narrows the list of people. Its zero value is everybody.
type UserFilter struct {
	Search string // in the address or the name
	Group  auth.GroupID
	State  auth.State
	Locked bool // only people with a door that failures closed
	Limit  int  // at most so many; 0 is 50
	Offset int
}

// ListedUser is a person with what a list tells.
type ListedUser struct {
	auth.User
	CodesLeft int       // recovery codes
	Sessions  int       // neither ended nor past the overall limit
	Locked    time.Time // when the first of the doors closed that are closed; zero where all are open
}

// Users lists people by address, and tells how many the filter finds in all.
func (s *Store) Users(ctx context.Context, f UserFilter, now time.Time) (people []ListedUser, found int, err error) {
	where, args := s.found(f)
	if err := s.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM users u WHERE `+where, args...).Scan(&found); err != nil {
		return nil, 0, fmt.Errorf("count users: %w", err)
	}
	limit := f.Limit
	if limit == 0 {
		limit = 50
	}
	people, err = list(ctx, s.read, scanListedUser, fmt.Sprintf(`
		SELECT %s,
		       (SELECT COUNT(*) FROM recovery_codes c WHERE c.user_id = u.id AND c.used_at = 0),
		       (SELECT COUNT(*) FROM sessions s WHERE s.user_id = u.id AND %s),
		       (SELECT COALESCE(MIN(d.closed_at), 0) FROM throttle d WHERE d.user_id = u.id AND d.closed_at > 0)
		  FROM users u WHERE %s ORDER BY u.canonical LIMIT $%d OFFSET $%d`,
		userColumns, s.goingOn(now), where, len(args)+1, len(args)+2), append(args, limit, f.Offset)...)
	if err != nil {
		return nil, 0, fmt.Errorf("list users: %w", err)
	}
	return people, found, nil
}

// found is a filter in SQL, with its arguments numbered from 1.
func (s *Store) found(f UserFilter) (string, []any) {
	conditions, args := []string{"1 = 1"}, []any{}
	add := func(condition string, arg any) {
		args = append(args, arg)
		conditions = append(conditions, strings.ReplaceAll(condition, "?", fmt.Sprintf("$%d", len(args))))
	}
	if f.Search != "" {
		// The canonical address has the domain in ASCII, the other one as it is shown.
		add(s.folded(`u.canonical || ' ' || u.address || ' ' || u.name`)+` LIKE `+s.folded(`?`)+` ESCAPE '\'`,
			"%"+escapeLike(norm.NFC.String(f.Search))+"%")
	}
	if f.Group != "" {
		add(`EXISTS (SELECT 1 FROM memberships m WHERE m.user_id = u.id AND m.group_id = ?)`, f.Group)
	}
	if f.State != "" {
		add(`u.state = ?`, f.State)
	}
	if f.Locked {
		conditions = append(conditions, `EXISTS (SELECT 1 FROM throttle d WHERE d.user_id = u.id AND d.closed_at > 0)`)
	}
	return strings.Join(conditions, " AND "), args
}

// escapeLike makes a search find what was typed, signs included.
func escapeLike(s string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(s)
}

func scanListedUser(r row) (l ListedUser, err error) {
	var hash string
	var locked int64
	targets, done := userTargets(&l.User, &hash)
	if err := r.Scan(append(targets, &l.CodesLeft, &l.Sessions, &locked)...); err != nil {
		return l, err
	}
	done()
	l.Locked = fromMillis(locked)
	return l, nil
}
