package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/twinlock/twinlock/internal/auth"
)

// MostFound is how many people are counted at most; one more than that stands for
// however many more.
const MostFound = 2000

// UserFilter narrows the list of people. Its zero value is everybody.
type UserFilter struct {
	Search string      // in the address or the name
	Locked bool        // only people with a door that failures closed
	After  auth.UserID // only who comes after this one in the list
	Before auth.UserID // only who comes before, the nearest
	Beyond string      // only who comes after this canonical address, whoever has it or nobody
	Limit  int         // at most so many; 0 is 50
}

// ListedUser is a person with what a list tells.
type ListedUser struct {
	auth.User
	Authenticators int
	Passkeys       int
	CodesLeft      int       // recovery codes
	Sessions       int       // neither ended nor past the overall limit
	Locked         time.Time // when the first of the doors closed that are closed; zero where all are open
}

// Users lists people by address, whoever's begins with what is searched for before
// all others, and tells how many the filter finds in all, see [MostFound].
func (s *Store) Users(ctx context.Context, f UserFilter, now time.Time) (people []ListedUser, found int, err error) {
	if found, err = s.countFound(ctx, f); err != nil {
		return nil, 0, fmt.Errorf("count users: %w", err)
	}
	if people, err = s.listFound(ctx, f, found, now); err != nil {
		return nil, 0, fmt.Errorf("list users: %w", err)
	}
	return people, found, nil
}

// ListedUser is one person with what a list tells; ErrNotFound where there is none.
func (s *Store) ListedUser(ctx context.Context, id auth.UserID, now time.Time) (ListedUser, error) {
	var one clause
	one.and("u.id = ?", id)
	query := s.listed(&one, now)
	u, err := scanListedUser(s.read.QueryRowContext(ctx, query, one.args...))
	if err != nil {
		return u, fmt.Errorf("user %s: %w", id, notFound(err))
	}
	return u, nil
}

// countFound counts as far as MostFound and one more.
func (s *Store) countFound(ctx context.Context, f UserFilter) (n int, err error) {
	if f.Search != "" && !f.Locked {
		return s.countByPieces(ctx, f.Search)
	}
	var c clause
	s.narrow(&c, f)
	return s.countRows(ctx, `users u WHERE `+c.String(), c.args)
}

func (s *Store) countRows(ctx context.Context, from string, args []any) (n int, err error) {
	err = s.read.QueryRowContext(ctx, fmt.Sprintf(`SELECT COUNT(*) FROM (SELECT 1 FROM %s LIMIT $%d) AS found`, from, len(args)+1),
		append(args, s.mostFound+1)...).Scan(&n)
	return n, err
}

// countByPieces counts who has a text. For a letter or two it looks at the first
// people before it looks at all pieces that begin with them: what is in nearly every
// name is soon found often enough.
func (s *Store) countByPieces(ctx context.Context, search string) (n int, err error) {
	if utf8.RuneCountInString(typed(search)) < longestPiece {
		var c clause
		first := c.arg(`(SELECT u.canonical, u.address, u.name FROM users u`+s.inOrder(false)+` LIMIT ?) AS u`, 2*s.mostFound)
		s.narrow(&c, UserFilter{Search: search})
		n, err := s.countRows(ctx, first+` WHERE `+c.String(), c.args)
		if err != nil || n > s.mostFound {
			return n, err
		}
	}
	from, args := s.havingPieces(search)
	return s.countRows(ctx, from, args)
}

// havingPieces are the people who have a text, as an index names them.
func (s *Store) havingPieces(search string) (from string, args []any) {
	var c clause
	if s.postgres {
		c.and(foundByPieces, norm.NFC.String(search), norm.NFC.String(search))
		return `search_people p WHERE ` + c.String(), c.args
	}
	text := typed(search)
	c.and(`search_pieces MATCH ?`, match(text))
	c.and(hasText, text)
	return `search_pieces CROSS JOIN search_people p ON p.number = search_pieces.rowid CROSS JOIN users u ON u.id = p.user_id WHERE ` + c.String(), c.args
}

const (
	// hasText is whether a person u has a text, on SQLite.
	hasText = `instr(searched(u.canonical, u.address, u.name), ?) > 0`

	// isSearched is whether a person u has what is searched for, on PostgreSQL.
	isSearched = `STRPOS(searched(u.canonical, u.address, u.name), folded(?)) > 0`

	// foundByPieces is whether p of search_people has it, by the index: whoever plans
	// it does not know yet what is sought.
	foundByPieces = `pieces(p.searched) @@ (SELECT sought(folded(?))) AND STRPOS(p.searched, folded(?)) > 0`
)

// narrow adds a filter as it is asked of one person after the other.
func (s *Store) narrow(c *clause, f UserFilter) {
	if f.Locked {
		c.and(`u.id IN (SELECT d.user_id FROM throttle d WHERE d.closed_at > 0)`)
	}
	switch {
	case f.Search == "":
	case s.postgres:
		c.and(isSearched, norm.NFC.String(f.Search))
	default:
		c.and(hasText, typed(f.Search))
	}
}

// gather adds a search that finds few, whom an index names.
func (s *Store) gather(c *clause, search string) {
	if s.postgres {
		c.and(`u.id IN (SELECT p.user_id FROM search_people p WHERE `+foundByPieces+`)`, norm.NFC.String(search), norm.NFC.String(search))
		return
	}
	text := typed(search)
	c.and(`u.id IN (SELECT p.user_id FROM search_people p WHERE p.number IN (SELECT rowid FROM search_pieces WHERE search_pieces MATCH ?))`, match(text))
	c.and(hasText, text)
}

// listFound reads a page of the list, of which as many were counted.
func (s *Store) listFound(ctx context.Context, f UserFilter, found int, now time.Time) (people []ListedUser, err error) {
	from, backwards := f.After, f.Before != ""
	if backwards {
		from = f.Before
	}
	at := f.Beyond
	if from != "" {
		if at, err = s.place(ctx, from); err != nil {
			return nil, err
		}
	}
	limit := f.Limit
	if limit == 0 {
		limit = 50
	}
	for _, c := range s.stretches(f, found, at, backwards) {
		query := s.listed(&c, now) + s.inOrder(backwards) + c.arg(` LIMIT ?`, limit-len(people))
		more, err := list(ctx, s.read, scanListedUser, query, c.args...)
		if err != nil {
			return nil, err
		}
		if people = append(people, more...); len(people) == limit {
			break
		}
	}
	if backwards {
		slices.Reverse(people)
	}
	return people, nil
}

// place is the canonical address of somebody in the list; "" where who was named is
// gone.
func (s *Store) place(ctx context.Context, id auth.UserID) (canonical string, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT canonical FROM users WHERE id = $1`, id).Scan(&canonical)
	if err == sql.ErrNoRows {
		err = nil
	}
	return canonical, err
}

// stretches are the parts of the list beyond a place, in the order in which they are
// read: whoever's address begins with what is searched for, and all others. Where
// many are found the others are found on the way.
func (s *Store) stretches(f UserFilter, found int, at string, backwards bool) (all []clause) {
	if f.Search == "" || f.Locked {
		var c clause
		s.narrow(&c, f)
		s.beyond(&c, at, backwards)
		return []clause{c}
	}
	begins := typed(f.Search)
	isFirst := strings.HasPrefix(at, begins)
	address := s.listedBy()
	var first, others clause
	first.and(address+` >= ? AND `+address+` < ?`, begins, begins+string(utf8.MaxRune))
	others.and(`NOT (`+address+` >= ? AND `+address+` < ?)`, begins, begins+string(utf8.MaxRune))
	if found > s.mostFound {
		s.narrow(&others, f)
	} else {
		s.gather(&others, f.Search)
	}
	switch {
	case at == "" && !backwards:
		return []clause{first, others}
	case at == "":
		return []clause{others, first}
	case isFirst:
		s.beyond(&first, at, backwards)
		if backwards {
			return []clause{first}
		}
		return []clause{first, others}
	default:
		s.beyond(&others, at, backwards)
		if backwards {
			return []clause{others, first}
		}
		return []clause{others}
	}
}

func (s *Store) beyond(c *clause, at string, backwards bool) {
	switch {
	case at == "":
	case backwards:
		c.and(s.listedBy()+` < ?`, at)
	default:
		c.and(s.listedBy()+` > ?`, at)
	}
}

// listedBy is what people are in order of, the same on both engines: byte by byte.
func (s *Store) listedBy() string {
	if s.postgres {
		return `u.canonical COLLATE "C"`
	}
	return `u.canonical`
}

func (s *Store) inOrder(backwards bool) string {
	if backwards {
		return ` ORDER BY ` + s.listedBy() + ` DESC`
	}
	return ` ORDER BY ` + s.listedBy()
}

// listed selects the people of a clause.
func (s *Store) listed(c *clause, now time.Time) string {
	where, goingOn := c.String(), s.goingOn(c, now)
	return `SELECT ` + userColumns + `,
		       (SELECT COUNT(*) FROM recovery_codes c WHERE c.user_id = u.id AND c.used_at = 0),
		       (SELECT COUNT(*) FROM authenticators a WHERE a.user_id = u.id),
		       (SELECT COUNT(*) FROM passkeys p WHERE p.user_id = u.id),
		       (SELECT COUNT(*) FROM sessions s WHERE s.user_id = u.id AND ` + goingOn + `),
		       (SELECT COALESCE(MIN(d.closed_at), 0) FROM throttle d WHERE d.user_id = u.id AND d.closed_at > 0)
		  FROM users u WHERE ` + where
}

func scanListedUser(r row) (l ListedUser, err error) {
	var hash string
	var locked int64
	targets, done := userTargets(&l.User, &hash)
	if err := r.Scan(append(targets, &l.CodesLeft, &l.Authenticators, &l.Passkeys, &l.Sessions, &locked)...); err != nil {
		return l, err
	}
	done()
	l.Locked = fromMillis(locked)
	return l, nil
}

// clause collects conditions, each with its arguments where it says ?.
type clause struct {
	conditions []string
	args       []any
}

func (c *clause) and(condition string, args ...any) {
	c.conditions = append(c.conditions, c.arg(condition, args...))
}

// arg numbers the arguments of a piece of SQL.
func (c *clause) arg(text string, args ...any) string {
	for _, arg := range args {
		c.args = append(c.args, arg)
		text = strings.Replace(text, "?", fmt.Sprintf("$%d", len(c.args)), 1)
	}
	return text
}

// String is all conditions at once, true where there is none.
func (c *clause) String() string {
	if len(c.conditions) == 0 {
		return "1 = 1"
	}
	return strings.Join(c.conditions, " AND ")
}
