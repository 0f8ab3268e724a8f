package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/keys"
	"github.com/twinlock/twinlock/internal/origin"
	"github.com/twinlock/twinlock/internal/throttle"
)

var (
	// ErrNotFound is returned for a row that is not there.
	ErrNotFound = errors.New("not found")
	// ErrSpent is returned when what was to be used once has been used,
	// replaced, outdated, or was never there: to whoever asks, all four are one.
	ErrSpent = errors.New("spent or outdated")
	// ErrTaken is returned when a name or an address is already in use.
	ErrTaken = errors.New("already taken")
	// ErrLastAdministrator is returned for what would leave nobody to administer.
	ErrLastAdministrator = errors.New("the last administrator cannot be removed")
	// ErrDisabled is returned for a letter whose link would not work, because
	// the account that it is for is disabled.
	ErrDisabled = errors.New("this account is disabled; enable it first")
	// ErrNoFactor is returned where second factors are to be cleared and none is on.
	ErrNoFactor = errors.New("no second factor is on, so none was cleared")
	// ErrTooMany is returned for one more of what a person has as many of as they
	// may.
	ErrTooMany = errors.New("as many as possible are there already")
	// ErrLastFactor is returned where the last authenticator app is to be removed
	// as one among several.
	ErrLastFactor = errors.New("it is the only one, so it is disabled instead")
	// ErrTooManyLetters is returned when an address cannot receive a letter yet,
	// because it had too many in the last hour.
	ErrTooManyLetters = errors.New("this address has had as many letters as it gets in an hour; try again later")
)

// Listener hears what a committed moment ended or changed, before the moment
// returns. Its methods must be quick and safe for concurrent use.
type Listener interface {
	// UserChanged is called when an account, its groups or any of its
	// sessions changed.
	UserChanged(auth.UserID)
	// PluginsChanged is called when a plug-in works for others than before, or an
	// administrator chose another setting.
	PluginsChanged()
	// EverybodyChanged is called when a group changed that many may be in.
	EverybodyChanged()
	// ApplicationsChanged is called when an application, whom it is for, or
	// what its addresses ask changed.
	ApplicationsChanged()
}

// Store reads and writes the database. It is safe for concurrent use.
type Store struct {
	read       *reader
	write      *sql.DB
	begun      atomic.Int64 // transactions
	statements atomic.Int64 // inside of them
	counts     *Counts
	postgres   bool
	path       string          // of the SQLite file
	config     *pgx.ConnConfig // of PostgreSQL
	firstHost  atomic.Int64    // which of its hosts is asked first
	ring       *keys.Ring
	rules      Rules
	listener   Listener
	refused    refusals

	through   Through
	mostFound int // see MostFound

	hearing sync.Mutex              // held by whoever changes what hears
	heard   atomic.Pointer[hearing] // nil: it neither served nor ended anything yet
	joined  atomic.Int64            // how often this process became a node; older connections are closed
	closed  bool
}

// Rules are what moments obey by themselves.
type Rules struct {
	Ours             origin.Origin // where we live ourselves, and no application behind a proxy does
	Letters          throttle.Rule // with a link, to one address
	CodesThisMonth   throttle.Rule // wrong codes after right passwords
	Tries            throttle.Rule // passwords and codes in a row
	Network          throttle.Rule // failures from one network address
	Requests         throttle.Rule // for letters that strangers may ask for, from one network address
	Policy           auth.Policy   // what the settings say for everybody
	RecoveryCodesFew int           // with so many left, or fewer, a person is asked to make new ones
	SessionsAtOnce   int           // of one person
	WindowTries      int           // wrong passwords that an open window survives
}

// Open opens the database that url names, `sqlite:PATH` or `postgres://…`,
// and brings its schema up to date. What is sealed in it is sealed by ring; a
// ring other than the one the database was begun with is refused, see
// [ErrOtherKeys].
func Open(ctx context.Context, databaseURL string, ring *keys.Ring, rules Rules) (*Store, error) {
	return OpenTelling(ctx, databaseURL, ring, rules, nil, func(Step) {})
}

// Through stands between a store and the driver of its database.
type Through func(driver.Driver) driver.Driver

// OpenTelling is Open that tells of each step by which the schema is brought up to
// date. through is for tests that watch or break what is said to the database, and
// nil otherwise.
func OpenTelling(ctx context.Context, databaseURL string, ring *keys.Ring, rules Rules, through Through, tell func(Step)) (*Store, error) {
	s := &Store{ring: ring, rules: rules, listener: deaf{}, through: through}
	if err := s.connect(databaseURL); err != nil {
		return nil, err
	}
	if s.postgres {
		if err := s.fits(ctx); err != nil {
			return nil, errors.Join(fmt.Errorf("database_url: %w", err), s.Close())
		}
	}
	if err := s.migrate(ctx, tell); err != nil {
		_ = s.Close()
		return nil, err
	}
	if err := s.claimKeys(ctx); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Store) connect(databaseURL string) (err error) {
	s.counts, s.mostFound = newCounts(), MostFound
	if path, ok := strings.CutPrefix(databaseURL, "sqlite:"); ok {
		return s.connectSQLite(path)
	}
	if !strings.HasPrefix(databaseURL, "postgres://") && !strings.HasPrefix(databaseURL, "postgresql://") {
		return errors.New("database_url must begin with sqlite: or postgres://")
	}
	return s.connectPostgres(databaseURL)
}

// openBy opens a database by a driver, through whatever stands before that.
func (s *Store) openBy(d driver.Driver, dsn string) *sql.DB {
	if s.through != nil {
		d = s.through(d)
	}
	return sql.OpenDB(connector{d, dsn})
}

// connector opens connections to one database by a driver.
type connector struct {
	driver driver.Driver
	dsn    string
}

func (c connector) Connect(context.Context) (driver.Conn, error) { return c.driver.Open(c.dsn) }
func (c connector) Driver() driver.Driver                        { return c.driver }

// connectSQLite opens one connection that writes and a few that read.
// synchronous(FULL) because a code that was used must not become good again
// when the power fails.
func (s *Store) connectSQLite(path string) (err error) {
	s.path = path
	if err = os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make the folder of the database: %w", err)
	}
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() +
		"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)"
	library, err := sqlite.NewConnector(dsn)
	if err != nil {
		return fmt.Errorf("open SQLite: %w", err)
	}
	d := preparing{library.Driver()}
	s.write = s.openBy(d, dsn+"&_txlock=immediate")
	s.write.SetMaxOpenConns(1)
	s.write.SetMaxIdleConns(1)
	read := s.openBy(d, dsn+"&_pragma=query_only(1)&_pragma=cache_size(-8192)")
	s.read = &reader{DB: read, store: s, counts: s.counts}
	s.read.SetMaxOpenConns(4)
	s.read.SetMaxIdleConns(4)
	return nil
}

// Close closes the database.
func (s *Store) Close() error {
	s.closeEars()
	err := s.write.Close()
	if s.read != nil && s.read.DB != s.write {
		err = errors.Join(err, s.read.Close())
	}
	return err
}

// Listen tells l of every later change. It is to be called before the store
// is shared.
func (s *Store) Listen(l Listener) { s.listener = l }

// Shared tells whether other processes may write the same database: another
// server, or a command that was typed elsewhere. SQLite is one server's own.
func (s *Store) Shared() bool { return s.postgres }

// Hears tells whether what was read and remembered may be believed now: whatever
// another process ended, and has returned from, the listener was told of. It is
// always so on SQLite, and on PostgreSQL only for a server that is in touch with
// its database.
func (s *Store) Hears() bool {
	if !s.postgres {
		return true
	}
	h := s.heard.Load()
	return h != nil && h.hears()
}

// Ready answers whether the database does, and is still the one that our keys
// belong to: [ErrOtherKeys] where it is not.
func (s *Store) Ready(ctx context.Context) error {
	theirs, err := s.Fingerprint(ctx)
	if err == nil && !s.ring.Holds(theirs) || errors.Is(err, ErrNotFound) {
		return ErrOtherKeys
	}
	return err
}

type deaf struct{}

func (deaf) UserChanged(auth.UserID) {}
func (deaf) PluginsChanged()         {}
func (deaf) EverybodyChanged()       {}
func (deaf) ApplicationsChanged()    {}

// tx is one transaction and what it must tell the listener.
type tx struct {
	*sql.Tx
	connection *sql.Conn
	call       *call // its begin and its commit
	store      *Store
	users      []auth.UserID
	plugins    bool
	everybody  bool

	applications bool

	events []auth.EventKind // recorded
	login  string           // the factor of a login that was finished; "" for none
}

// runs is how often a moment is begun at most, where others undo it.
const runs = 5

// transaction runs change in one writing transaction. Whatever change
// returns as an error undoes all of it. Where PostgreSQL undid it in favour of
// another transaction, change is run again on what is there by then: of an
// earlier run it may keep nothing.
func (s *Store) transaction(ctx context.Context, change func(*tx) error) error {
	s.awaitEars(ctx)
	for run := 1; ; run++ {
		e, undone, err := s.runOnce(ctx, change)
		if err == nil {
			e.everywhere()
		}
		e.over()
		if !undone || run == runs {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(rand.N(10 * time.Millisecond << run)): // not in step with the other
		}
	}
}

// runOnce tells beside the error that another transaction is to blame for it.
// Once the commit is asked for nothing is run again, for its outcome may be
// unknown. Then the listener is told all the same: forgetting too much is safe.
func (s *Store) runOnce(ctx context.Context, change func(*tx) error) (e *ending, undone bool, err error) {
	t, err := s.beginTx(ctx)
	if err != nil {
		return nil, false, fmt.Errorf("begin: %w", err)
	}
	defer t.release()
	if err := change(t); err != nil {
		return nil, undoneByAnother(err), err
	}
	if e, err = t.announce(ctx); err != nil {
		return nil, undoneByAnother(err), err
	}
	asked := time.Now()
	t.call.again()
	err = t.call.why(t.Commit())
	s.counts.ran(ctx, &s.counts.commits, asked, err)
	t.tell(s.listener)
	if err != nil {
		t.discard()
		return e, false, fmt.Errorf("commit: %w", err)
	}
	t.countWritten()
	return e, false, nil
}

func (s *Store) beginTx(ctx context.Context) (t *tx, err error) {
	s.begun.Add(1)
	asked, c := time.Now(), s.call(ctx)
	defer func() {
		c.answered()
		err = c.why(err)
		s.counts.ran(ctx, &s.counts.begins, asked, err)
	}()
	connection, err := s.write.Conn(c)
	if err != nil {
		return nil, err
	}
	begun, err := connection.BeginTx(c, nil)
	if err != nil {
		return nil, errors.Join(err, connection.Close())
	}
	return &tx{Tx: begun, connection: connection, call: c, store: s}, nil
}

// release rolls back what was not committed, and gives the connection back.
func (t *tx) release() {
	t.call.again()
	if err := t.Rollback(); err != nil && !errors.Is(err, sql.ErrTxDone) {
		t.discard()
	}
	_ = t.connection.Close()
	t.call.over()
}

// discard closes the connection of a transaction that may still be open: SQLite
// leaves one open whose commit failed, and nobody else could ever write.
func (t *tx) discard() { _ = t.connection.Raw(func(any) error { return driver.ErrBadConn }) }

// undoneByAnother is PostgreSQL's word that a transaction was ended so that
// another one could go on: a deadlock, or two that do not come one after the other.
func undoneByAnother(err error) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused) && (refused.Code == "40P01" || refused.Code == "40001")
}

// tells is whether the transaction changed anything that somebody may remember.
func (t *tx) tells() bool {
	return len(t.users) > 0 || t.plugins || t.everybody || t.applications
}

// countWritten counts what is now written.
func (t *tx) countWritten() {
	for _, kind := range t.events {
		t.store.counts.Events.Add(string(kind))
	}
	if t.login != "" {
		t.store.counts.Logins.Add(t.login)
	}
}

// tell tells what the transaction changed.
func (t *tx) tell(l Listener) {
	for _, u := range t.users {
		l.UserChanged(u)
	}
	if t.plugins {
		l.PluginsChanged()
	}
	if t.everybody {
		l.EverybodyChanged()
	}
	if t.applications {
		l.ApplicationsChanged()
	}
}

// changed notes that whatever is remembered of an account is out of date.
func (t *tx) changed(u auth.UserID) { t.users = append(t.users, u) }

// exec runs one statement and gives how many rows it changed.
func (t *tx) exec(ctx context.Context, query string, args ...any) (int64, error) {
	res, err := t.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// claim runs a conditional statement that must change exactly one row: the
// check and the claim in one. Anything else is [ErrSpent].
func (t *tx) claim(ctx context.Context, query string, args ...any) error {
	n, err := t.exec(ctx, query, args...)
	if err != nil {
		return err
	}
	if n != 1 {
		return ErrSpent
	}
	return nil
}

// forUpdate makes two transactions over the same row wait for one another, and
// nobody who only adds what belongs to it. SQLite's writers wait already.
func (t *tx) forUpdate() string {
	if t.store.postgres {
		return " FOR NO KEY UPDATE"
	}
	return ""
}

// lockAddress makes whatever gives an address to somebody, or begins to, wait
// for one another: there is no row yet that all of them need.
func (t *tx) lockAddress(ctx context.Context, canonical string) error {
	return t.lockAddresses(ctx, []string{canonical})
}

// lockAddresses is lockAddress for many, in one order whoever asks.
func (t *tx) lockAddresses(ctx context.Context, canonicals []string) error {
	if !t.store.postgres || len(canonicals) == 0 {
		return nil
	}
	locks := make([]int32, len(canonicals))
	for i, canonical := range canonicals {
		locks[i] = addressLock(canonical)
	}
	slices.Sort(locks)
	array := strings.NewReplacer("[", "{", "]", "}", " ", ",").Replace(fmt.Sprint(slices.Compact(locks)))
	if _, err := t.exec(ctx, `SELECT pg_advisory_xact_lock($1, one) FROM UNNEST(CAST($2 AS int[])) AS one`, addressLocks, array); err != nil {
		return fmt.Errorf("lock addresses: %w", err)
	}
	return nil
}

// addressLock is the name of an address's lock: two addresses of one name wait for
// nothing, no more.
func addressLock(canonical string) int32 {
	name := fnv.New32a()
	_, _ = name.Write([]byte(canonical))
	return int32(name.Sum32())
}

// addressLocks tells locks of addresses from other advisory ones: "addr" in
// ASCII.
const addressLocks = 0x61646472

// millis is a time as the database keeps it; zero for never.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// fromMillis is the time that millis kept.
func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func notFound(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	return err
}

// querier is a database or a transaction.
type querier interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
	QueryRowContext(context.Context, string, ...any) *sql.Row
}

// list reads every row of a query by scan.
func list[T any](ctx context.Context, q querier, scan func(row) (T, error), query string, args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

// row is one row, of one or of many.
type row interface{ Scan(...any) error }
