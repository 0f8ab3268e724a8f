package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/throttle"
)

// PassingColumns are the columns after whose moment something is over, as
// table.column.
func PassingColumns() (all []string) {
	for _, p := range passing {
		for _, column := range p.columns {
			all = append(all, p.table+"."+column)
		}
	}
	return all
}

// UnconcernedColumns say why the other columns are no such moment.
var UnconcernedColumns = unconcerned

// Unfit says what is in the way of a database on PostgreSQL.
func Unfit(version int, encoding string) error { return unfit(version, encoding) }

// CountSignIn counts one sign-in in a transaction of its own.
func (s *Store) CountSignIn(ctx context.Context, id auth.ApplicationID, now time.Time) error {
	return s.transaction(ctx, func(t *tx) error { return t.countSignIn(ctx, id, now) })
}

// HasRule tells whether the counts of a kind are thought of when the clock is
// set back.
func (r Rules) HasRule(kind throttle.Kind) bool { _, ok := r.ofKind()[kind]; return ok }

// MigrateBy brings a schema as far as so many steps, and tells whether there are
// more.
func MigrateBy(ctx context.Context, url string, steps int) (more bool, err error) {
	s := &Store{listener: deaf{}}
	if err := s.connect(url); err != nil {
		return false, err
	}
	err = s.migrateBy(ctx, func(p *goose.Provider) error {
		sources := p.ListSources()
		more = steps < len(sources)
		_, err := p.UpTo(ctx, sources[steps-1].Version)
		return err
	})
	return more, errors.Join(err, s.Close())
}

// SignupsInLine is how many sign-ups wait for their letters.
func (s *Store) SignupsInLine(ctx context.Context) (int, error) { return s.signupsInLine(ctx) }

// News is what a notification says to a store: whom to forget, and that
// everything is to be.
type News struct {
	From, Ending                     string
	Heard                            []string
	Users                            []auth.UserID
	Plugins, Everybody, Applications bool
}

// ReadNews reads a notification.
func ReadNews(text string) News {
	n := readNews(text)
	return News{n.From, n.Ending, n.Heard, n.Users, n.Plugins, n.Everybody, n.Applications}
}

// HearBeat hears a notification of the channel of beats, and tells whether it was
// taken for one of the given number.
func HearBeat(number int64, text string) bool {
	h := &hearing{connected: make(chan struct{})}
	h.said[number%beatsKnown].Store(&beat{number: number, at: time.Now()})
	h.hearOwnBeat(text)
	return h.proved.Load() != nil
}

// CountAtMost has lists count no further.
func CountAtMost(s *Store, n int) { s.mostFound = n }

// StatementsKept is how many statements a connection to SQLite keeps.
const StatementsKept = statementsKept

// LongestKept is the length of the longest statement that is kept.
const LongestKept = longestKept

// Lite is what a connection of SQLite's driver can do.
type Lite = lite

// OpenPreparing opens a database by a driver of SQLite whose connections keep what
// they prepared.
func OpenPreparing(d driver.Driver, dsn string) *sql.DB {
	return sql.OpenDB(connector{preparing{d}, dsn})
}

// HavingPieces is how many at most are counted of the people that PostgreSQL's index
// of pieces names.
var HavingPieces = func() string {
	from, _ := (&Store{postgres: true}).havingPieces("")
	return `SELECT 1 FROM ` + from + ` LIMIT 2001`
}()
