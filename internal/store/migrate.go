package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	"golang.org/x/sys/unix"
)

//go:embed migrations
var migrations embed.FS

// ErrOtherKeys is returned by Open when the keys at hand are not the ones
// that the database was begun with.
var ErrOtherKeys = errors.New("the sealing keys are not the ones this database was begun with")

// Step is a change of the schema that an older version left to this one.
type Step struct {
	Name       string
	Number, Of int // all steps
	State      StepState
	Took       time.Duration // where it is done
}

// StepState is what became of a step.
type StepState int

const (
	StepBegins  StepState = iota
	StepDone              // by this server
	StepTaken             // by another, since it began here
	StepGaveWay           // to others, who used its table; it begins again
)

// migrate brings the schema up to date. Each step is one transaction, so a
// start that was killed half-way is finished by the next.
func (s *Store) migrate(ctx context.Context, tell func(Step)) error {
	return s.migrateBy(ctx, func(p *goose.Provider) error { return takeSteps(ctx, p, tell) })
}

// takeSteps takes all that were not yet, and tells what becomes of each: among many
// people it takes minutes. Of a database that is new it tells nothing. Where nothing
// is to be done it does not wait for whoever migrates.
func takeSteps(ctx context.Context, p *goose.Provider, tell func(Step)) error {
	if pending, err := p.HasPending(ctx); err != nil || !pending {
		return err
	}
	all, err := p.Status(ctx)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(all, isTaken) {
		tell = func(Step) {}
	}
	for i, m := range all {
		if isTaken(m) {
			continue
		}
		step := Step{Name: strings.TrimSuffix(path.Base(m.Source.Path), ".sql"), Number: i + 1, Of: len(all)}
		if err := takeStep(ctx, p, m.Source.Version, step, tell); err != nil {
			return err
		}
	}
	return nil
}

func takeStep(ctx context.Context, p *goose.Provider, version int64, step Step, tell func(Step)) error {
	tell(step)
	done, err := p.ApplyVersion(ctx, version, true)
	switch {
	case errors.Is(err, goose.ErrAlreadyApplied):
		step.State, err = StepTaken, nil
	case hasLost(err):
		step.State = StepGaveWay
	case err != nil:
		return err
	default:
		step.State, step.Took = StepDone, done.Duration
	}
	tell(step)
	return err
}

func isTaken(m *goose.MigrationStatus) bool { return m.State == goose.StateApplied }

func (s *Store) migrateBy(ctx context.Context, up func(*goose.Provider) error) error {
	unlock, err := s.lockMigration()
	if err != nil {
		return err
	}
	defer unlock()
	dialect, folder := goose.DialectSQLite3, "migrations/sqlite"
	options := []goose.ProviderOption{goose.WithAllowOutofOrder(true)} // each step stands by itself
	if s.postgres {
		dialect, folder = goose.DialectPostgres, "migrations/postgres"
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(lockEvery, lockTries))
		if err != nil {
			return fmt.Errorf("migrate: %w", err)
		}
		options = append(options, goose.WithSessionLocker(impatient{locker})) // two nodes may start at once
	}
	files, err := fs.Sub(migrations, folder)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	provider, err := goose.NewProvider(dialect, s.write, files, options...)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if err := s.refuseNewer(ctx, provider); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if err := untilFree(ctx, func() error { return up(provider) }); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// refuseNewer keeps a program from an SQLite file that a newer one has changed:
// whatever the tables demand there it may not know. Servers on one PostgreSQL are
// replaced one after another, and an older one goes on beside a newer.
func (s *Store) refuseNewer(ctx context.Context, provider *goose.Provider) error {
	if s.postgres {
		return nil
	}
	schema, err := provider.GetDBVersion(ctx)
	if err != nil {
		return err
	}
	sources := provider.ListSources()
	if schema > sources[len(sources)-1].Version {
		return fmt.Errorf("the database is of another program: %w", ErrNewerSchema)
	}
	return nil
}

// On PostgreSQL another node's migration is waited for: asked every second,
// for five minutes.
const (
	lockEvery = 1
	lockTries = 300
)

// A step waits for a table that somebody else uses for tableWait, since all who
// come later wait behind it, and then leaves it to them for tablePause. A backup
// reads for minutes.
const (
	tableWait  = "2s"
	tablePause = 3 * time.Second
	tableTries = 60
)

// impatient keeps the connection that migrates from waiting for longer.
type impatient struct{ lock.SessionLocker }

func (l impatient) SessionLock(ctx context.Context, c *sql.Conn) error {
	if _, err := c.ExecContext(ctx, `SET lock_timeout = '`+tableWait+`'`); err != nil {
		return err
	}
	return l.SessionLocker.SessionLock(ctx, c)
}

func (l impatient) SessionUnlock(ctx context.Context, c *sql.Conn) error {
	_, err := c.ExecContext(ctx, `RESET lock_timeout`)
	return errors.Join(err, l.SessionLocker.SessionUnlock(ctx, c))
}

// hasLost tells a step that gave way to others: it did not get its table in time
// (lock_not_available), or they waited for each other.
func hasLost(err error) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused) && refused.Code == "55P03" || undoneByAnother(err)
}

// untilFree migrates again where a step has lost. The steps before it are done.
func untilFree(ctx context.Context, migrate func() error) error {
	for try := 1; ; try++ {
		err := migrate()
		if !hasLost(err) || try == tableTries {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(tablePause):
		}
	}
}

// lockMigration lets one process at a time look at the schema of an SQLite
// file and change it. PostgreSQL has locks of its own for that.
func (s *Store) lockMigration() (unlock func(), err error) {
	if s.postgres {
		return func() {}, nil
	}
	file, err := os.OpenFile(s.path+".migrating", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("migrate: %w", err)
	}
	return func() { _ = file.Close() }, nil // the lock goes with the file
}

// Empty tells whether nobody has an account yet: only then may keys be made.
func (s *Store) Empty(ctx context.Context) (bool, error) {
	var n int
	err := s.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM (SELECT 1 FROM users LIMIT 1) AS anybody`).Scan(&n)
	return n == 0, err
}

// fingerprintSetting names the keys that the database was begun with, or the
// newer ones of the same root.
const fingerprintSetting = "keys.fingerprint"

// claimKeys binds the database to the ring it was first opened with.
func (s *Store) claimKeys(ctx context.Context) error {
	if s.ring == nil {
		return nil
	}
	return s.transaction(ctx, func(t *tx) error {
		if _, err := t.exec(ctx, `
			INSERT INTO settings (name, value) VALUES ($1, $2)
			ON CONFLICT (name) DO NOTHING`, fingerprintSetting, s.ring.Fingerprint()); err != nil {
			return fmt.Errorf("claim keys: %w", err)
		}
		theirs, err := setting(ctx, t, fingerprintSetting)
		if err != nil {
			return fmt.Errorf("claim keys: %w", err)
		}
		if !s.ring.Holds(theirs) {
			return ErrOtherKeys
		}
		return nil
	})
}

// Fingerprint names the keys that the database was begun with; ErrNotFound
// where it has not been.
func (s *Store) Fingerprint(ctx context.Context) (string, error) {
	return setting(ctx, s.read, fingerprintSetting)
}

// setting reads one value; ErrNotFound where it was never chosen.
func setting(ctx context.Context, q querier, name string) (string, error) {
	var value string
	err := q.QueryRowContext(ctx, `SELECT value FROM settings WHERE name = $1`, name).Scan(&value)
	return value, notFound(err)
}

// Setting reads what an administrator chose; ErrNotFound where nobody did.
func (s *Store) Setting(ctx context.Context, name string) (string, error) {
	return setting(ctx, s.read, name)
}
