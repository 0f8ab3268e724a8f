package store_test

import (
	"context"
	"database/sql"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

// walk is a look at every row of a table or of an index, as SQLite tells of it.
var walk = regexp.MustCompile(`^SCAN (\S+)(?: USING (?:COVERING )?INDEX (\w+))?`)

// smallTables may be walked: why none of them holds many rows.
var smallTables = map[string]string{
	"applications": "an administrator adds each",
	"groups":       "an administrator names each",
	"signing_keys": "those that sign and those that just did",
	"one":          "the first row of a selection",
	"found":        "the rows of a selection, as many as are counted at most",
}

// smallIndexes are of the few rows of a large table that matter.
var smallIndexes = map[string]string{
	"users_administering": "administrators only",
	"users_with_factors":  "whoever has a second factor on",
	"users_with_passkeys": "whoever has passkeys on",
	"users_invited":       "whoever has no password yet",
	"letters_failed":      "letters that could not be sent",
}

// rowsOfNoTable are made by the statement itself.
var rowsOfNoTable = regexp.MustCompile(`^SCAN (CONSTANT ROW|\d+ CONSTANT ROWS|\(subquery-\d+\))`)

// largeWalk tells whether a step of a statement's plan looks at every row of what
// may be large, and at every row of what. What it does not know may be.
func largeWalk(step, statement string) (table string, large bool) {
	found := walk.FindStringSubmatch(step)
	if found == nil || rowsOfNoTable.MatchString(step) || smallIndexes[found[2]] != "" {
		return "", false
	}
	for _, table := range tablesCalled(found[1], statement) {
		if smallTables[table] == "" {
			return table, true
		}
	}
	return "", false
}

// tablesCalled gives the tables that a statement calls by a name, and the name
// itself where it gives none another name.
func tablesCalled(name, statement string) (tables []string) {
	given := regexp.MustCompile(`(?i)(?:\b(?:FROM|JOIN|UPDATE|INTO)|,)\s+(\w+)\s+(?:AS\s+)?` + regexp.QuoteMeta(name) + `\b`)
	for _, found := range given.FindAllStringSubmatch(statement, -1) {
		tables = append(tables, found[1])
	}
	if tables == nil {
		return []string{name}
	}
	return tables
}

// walksAllTheSame are moments that look at everything because it concerns everything.
var walksAllTheSame = map[string]string{
	"SetBack": "what was over stays over when the clock goes back",
}

// fewLive are indexes whose beginning most rows share: whoever looks there for the
// rows that have not ended looks at all of them.
var fewLive = regexp.MustCompile(`\w+_ended \(ended_at=\?\)`)

// No change walks a table that may hold millions of rows: everybody else who
// wants to write waits for it.
func TestNoChangeReadsAWholeTable(t *testing.T) {
	for name, m := range moments {
		if m.prepare == nil || walksAllTheSame[name] != "" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, wire, file := storetest.Wired(t)
			act := m.prepare(play{t, s})
			said := statementsOf(wire)
			must(t, act())
			db, err := sql.Open("sqlite", "file:"+file)
			must(t, err)
			defer db.Close()
			for _, c := range said() {
				for _, step := range planOf(t, db, c) {
					if table, large := largeWalk(step, c.Statement); large || fewLive.MatchString(step) {
						t.Errorf("%s: %s\n%s", step, table, c.Statement)
					}
				}
			}
		})
	}
}

// The same letter calls one table here and another there.
func TestAWalkIsFoundWhateverItsTableIsCalled(t *testing.T) {
	for _, tt := range []struct{ step, statement, want string }{
		{"SCAN g", "SELECT 1 FROM grants g", "grants"},
		{"SCAN g", "SELECT 1 FROM groups g", ""},
		{"SCAN g", "SELECT 1 FROM groups g WHERE EXISTS (SELECT 1 FROM grants g)", "grants"},
		{"SCAN l USING INDEX links_user", "SELECT 1 FROM users u JOIN links AS l ON true", "links"},
		{"SCAN c USING COVERING INDEX x", "SELECT 1 FROM groups g, consents c", "consents"},
		{"SCAN f", "UPDATE throttle f SET failures = 0", "throttle"},
		{"SCAN events", "DELETE FROM events", "events"},
		{"SCAN letters", "DELETE FROM letters WHERE done_at > 0", "letters"},
		{"SCAN nobody", "SELECT 1", "nobody"},
		{"SCAN u USING INDEX users_with_factors", "SELECT 1 FROM users u", ""},
		{"SCAN 2 CONSTANT ROWS", "VALUES (1), (2)", ""},
		{"SEARCH u USING INDEX users_canonical (canonical=?)", "SELECT 1 FROM users u", ""},
	} {
		if got, large := largeWalk(tt.step, tt.statement); got != tt.want || large != (tt.want != "") {
			t.Errorf("%s of %s: %q, want %q", tt.step, tt.statement, got, tt.want)
		}
	}
}

// lists are what pages and the purge read again and again, by name, and which tables
// each may walk all the same.
var lists = map[string]struct {
	read func(p play) error
	walk map[string]string // by a table, or by one and the index that is read instead
}{
	"people":                        {func(p play) error { return users(p, store.UserFilter{}) }, map[string]string{"u": "in order, up to a limit", "users": "up to as many as are counted"}},
	"people, from somebody on":      {func(p play) error { return users(p, store.UserFilter{After: p.ada().ID}) }, map[string]string{"users": "up to as many as are counted", "u": "up to as many as are counted"}},
	"people, locked":                {func(p play) error { return users(p, store.UserFilter{Locked: true}) }, map[string]string{"d": "only closed doors"}},
	"people, searched":              {func(p play) error { return users(p, store.UserFilter{Search: "ada"}) }, nil},
	"people, searched for a letter": {func(p play) error { return users(p, store.UserFilter{Search: "a"}) }, map[string]string{"u": "in order, up to a limit"}},
	"invitations":                   {func(p play) error { _, _, err := p.Invitees(p.Context(), 50); return err }, nil},
	"events":                        {func(p play) error { return events(p, store.EventFilter{}) }, map[string]string{"e": "in order, up to a limit"}},
	"events of a person":            {func(p play) error { return events(p, store.EventFilter{Subject: "a"}) }, nil},
	"events of a kind":              {func(p play) error { return events(p, store.EventFilter{Kind: auth.EventLogin}) }, nil},
	"events of a kind of a person":  {func(p play) error { return events(p, store.EventFilter{Subject: "a", Kind: auth.EventLogin}) }, nil},
	"older events":                  {func(p play) error { return events(p, store.EventFilter{Before: "e"}) }, nil},
	"older events of a kind":        {func(p play) error { return events(p, store.EventFilter{Before: "e", Kind: auth.EventLogin}) }, nil},
	"logins a day":                  {func(p play) error { _, err := p.LoginsPerDay(p.Context(), 30, now); return err }, map[string]string{"d": "days", "k": "kinds", "days": "days"}},
	"the overview":                  {func(p play) error { _, err := p.Health(p.Context(), now); return err }, map[string]string{"users by sqlite_autoindex_users_2": "the number of people is counted"}},
	"the purge":                     {func(p play) error { return purgeTwice(p) }, map[string]string{"clock": "one row"}},
}

func users(p play, f store.UserFilter) error {
	_, _, err := p.Users(p.Context(), f, now)
	return err
}

func events(p play, f store.EventFilter) error {
	_, err := p.Events(p.Context(), f)
	return err
}

// purgeTwice has the clock be believed by the second.
func purgeTwice(p play) error {
	must(p.T, p.Record(p.Context(), auth.Actor{}, auth.EventLogin, "", "", now.Add(-month)))
	k := store.Kept{Events: day, Sessions: day, Throttle: day}
	must(p.T, p.Purge(p.Context(), k, now))
	return p.Purge(p.Context(), k, now.Add(day))
}

// by names the index that a list goes by, where another one would be no walk either
// and yet lead past far more rows.
var by = map[string]string{
	"events of a kind of a person": "events_subject",
	"the overview":                 "sessions_open",
	"people, searched":             "search_pieces",
}

// isMatch is a look into the index of pieces for some of them.
var isMatch = regexp.MustCompile(`^SCAN \S+ VIRTUAL TABLE INDEX \d+:M`)

// Whatever a page lists is found by an index, however many rows there are beside it.
func TestNoListReadsAWholeTable(t *testing.T) {
	for name, l := range lists {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, wire, file := storetest.Wired(t)
			said := statementsOf(wire)
			must(t, l.read(play{t, s}))
			db, err := sql.Open("sqlite", "file:"+file)
			must(t, err)
			defer db.Close()
			goesBy := false
			for _, c := range said() {
				for _, step := range planOf(t, db, c) {
					goesBy = goesBy || strings.Contains(step, by[name])
					table, large := largeWalk(step, c.Statement)
					called := walk.FindStringSubmatch(step)
					if large && !isMatch.MatchString(step) && l.walk[called[1]] == "" && l.walk[called[1]+" by "+called[2]] == "" || fewLive.MatchString(step) && name != "the purge" {
						t.Errorf("%s: %s\n%s", step, table, c.Statement)
					}
				}
			}
			if !goesBy {
				t.Errorf("it does not go by %s", by[name])
			}
		})
	}
}

// statementsOf notes what is said from now on.
func statementsOf(w *storetest.Wire) (said func() []storetest.Call) {
	var mu sync.Mutex
	var all []storetest.Call
	w.Break(func(_ context.Context, c storetest.Call) error {
		mu.Lock()
		defer mu.Unlock()
		if c.Statement != "" {
			all = append(all, c)
		}
		return nil
	}, nil)
	return func() []storetest.Call {
		mu.Lock()
		defer mu.Unlock()
		return all
	}
}

func planOf(t *testing.T, db *sql.DB, c storetest.Call) (steps []string) {
	t.Helper()
	args := make([]any, len(c.Args))
	for i, a := range c.Args {
		args[i] = a.Value
	}
	rows, err := db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+c.Statement, args...)
	if err != nil {
		t.Fatalf("%v\n%s", err, c.Statement)
	}
	defer rows.Close()
	for rows.Next() {
		var id, parent, unused int
		var detail string
		must(t, rows.Scan(&id, &parent, &unused, &detail))
		steps = append(steps, strings.TrimSpace(detail))
	}
	must(t, rows.Err())
	return steps
}
