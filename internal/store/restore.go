package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/keys"
	"github.com/twinlock/twinlock/internal/totp"
)

var (
	// ErrNotEmpty is returned for a restore into a database with accounts.
	ErrNotEmpty = errors.New("the database has accounts")
	// ErrNewerSchema is returned for a schema that this program does not know yet.
	ErrNewerSchema = errors.New("it was made by a newer version of this program")
)

// Scratch is an empty SQLite database with the schema of an earlier day, in
// which a backup of that day is put together before anything else is touched.
type Scratch struct{ *Store }

// OpenScratch makes the file of a scratch, with the schema of a version.
func OpenScratch(ctx context.Context, path string, version int64) (*Scratch, error) {
	s := &Store{listener: deaf{}, counts: newCounts()}
	if err := s.connectSQLite(path); err != nil {
		return nil, err
	}
	err := s.migrateBy(ctx, func(p *goose.Provider) error {
		sources := p.ListSources()
		if newest := sources[len(sources)-1].Version; version > newest {
			return fmt.Errorf("%w: its schema is %d, this one knows %d", ErrNewerSchema, version, newest)
		}
		_, err := p.UpTo(ctx, version)
		return err
	})
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return &Scratch{s}, nil
}

// Fill puts rows into tables, in one transaction; what belongs together is
// checked at its end. next gives one table after the other, and "" after the last.
func (s *Scratch) Fill(ctx context.Context, next func() (table string, columns []Column, rows func(func([]any) error) error, err error)) error {
	_, _, err := s.runOnce(ctx, func(t *tx) error { // next gives nothing twice
		if _, err := t.exec(ctx, `PRAGMA defer_foreign_keys = 1`); err != nil {
			return err
		}
		for {
			table, columns, rows, err := next()
			if err != nil || table == "" {
				return err
			}
			if err := t.hasTable(ctx, table, columns); err != nil {
				return err
			}
			if _, err := t.exec(ctx, `DELETE FROM `+quoted(table)); err != nil { // what the schema itself put there
				return err
			}
			into := &inserter{tx: t, table: table, columns: columns}
			if err := rows(func(row []any) error { return into.add(ctx, row) }); err != nil {
				return err
			}
			if err := into.flush(ctx); err != nil {
				return err
			}
		}
	})
	return err
}

// hasTable refuses columns that the schema does not have, or has beside these.
func (t *tx) hasTable(ctx context.Context, table string, columns []Column) error {
	var n int
	err := t.QueryRowContext(ctx, `SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = $1`, table).Scan(&n)
	if err != nil || n == 0 {
		return errors.Join(err, fmt.Errorf("there is no table %q in its schema", table))
	}
	ours, err := (&Snapshot{tx: t.Tx}).Columns(ctx, table)
	if err != nil {
		return err
	}
	byName := func(a, b Column) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	}
	slices.SortFunc(ours, byName)
	if theirs := slices.SortedFunc(slices.Values(columns), byName); !slices.Equal(ours, theirs) {
		return fmt.Errorf("the columns of %q are not those of its schema", table)
	}
	return nil
}

// Raise brings the schema of a filled scratch up to date, and what is in it
// along.
func (s *Scratch) Raise(ctx context.Context) error { return s.migrate(ctx, func(Step) {}) }

// Restoration is what a restore has to be told.
type Restoration struct {
	Made    time.Time  // when the backup was made
	Ring    *keys.Ring // what is sealed in it was sealed by
	Replace bool       // accounts at hand may go
}

// Restored is what a restore found and did.
type Restored struct {
	Rows           map[string]int64 // of each table that came from the backup
	People         int64
	Administrators int64
	TwoFactor      int64 // people who have it on
	Invited        int64 // people who never chose a password: their invitations are void
	SessionsEnded  int64 // of the database at hand
}

// Restore puts a backup, filled and raised, in the place of what the database
// holds, in one transaction. It is a travel in time, and lets nobody in by it:
//
//   - what is voided is gone, and every account's generation is above all that it
//     ever had, so that nothing which was sealed or begun earlier is good;
//   - a code of now or before is spent, whatever the backup knew;
//   - where the database at hand is the same one, later, what it knows to be
//     spent stays spent: recovery codes, steps, and its events and counts stay.
//
// What the operator's settings gave at the last start they give at once: they
// are the machine's, and older ones of the backup's day are not obeyed.
//
// ErrNotEmpty where there are accounts, and Replace is not set.
func (s *Store) Restore(ctx context.Context, by auth.Actor, from *Scratch, r Restoration, now time.Time) (done Restored, err error) {
	err = s.transaction(ctx, func(t *tx) error {
		if err := t.lockTables(ctx); err != nil {
			return err
		}
		if err := t.refuseAccounts(ctx, r.Replace); err != nil {
			return err
		}
		spent, err := t.spentAtHand(ctx, r)
		if err != nil {
			return err
		}
		given, err := setting(ctx, t, givenPlugins)
		if err != nil && err != ErrNotFound {
			return err
		}
		started := err == nil
		if done, err = t.replaceAll(ctx, from, spent.same); err != nil {
			return err
		}
		if started {
			if err := t.keepSetting(ctx, givenPlugins, given); err != nil {
				return err
			}
		}
		if err := t.leaveThePast(ctx, r, spent, now); err != nil {
			return err
		}
		if err := t.count(ctx, &done); err != nil {
			return err
		}
		t.plugins, t.everybody = true, true
		return t.record(ctx, by, auth.EventRestored, "", "backup of "+r.Made.UTC().Format(time.RFC3339), now)
	})
	return done, err
}

// lockTables keeps everybody else out until the transaction ends. SQLite has
// one writer anyway.
func (t *tx) lockTables(ctx context.Context) error {
	if !t.store.postgres {
		return nil
	}
	for _, table := range Tables {
		if _, err := t.exec(ctx, `LOCK TABLE `+quoted(table.Name)+` IN ACCESS EXCLUSIVE MODE`); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) refuseAccounts(ctx context.Context, replace bool) error {
	if replace {
		return nil
	}
	var n int
	if err := t.QueryRowContext(ctx, `SELECT COUNT(*) FROM users`).Scan(&n); err != nil {
		return err
	}
	if n > 0 {
		return fmt.Errorf("%w: %d", ErrNotEmpty, n)
	}
	return nil
}

// spent is what the database at hand knows to be used up.
type spent struct {
	same  bool // it is the one that the backup was made of
	steps []spentStep
	codes []spentCode
	keys  []usedPasskey
}

type (
	spentStep struct {
		authenticator string
		step          int64
	}
	usedPasskey struct {
		id    auth.PasskeyID
		count int64
	}
	spentCode struct {
		user auth.UserID
		hash []byte
		used int64
	}
)

func (t *tx) spentAtHand(ctx context.Context, r Restoration) (s spent, err error) {
	begunWith, err := setting(ctx, t, fingerprintSetting)
	if errors.Is(err, ErrNotFound) {
		return s, nil
	} else if err != nil {
		return s, err
	}
	if s.same = r.Ring.Holds(begunWith); !s.same {
		return s, nil
	}
	s.steps, err = list(ctx, t, func(r row) (one spentStep, err error) { return one, r.Scan(&one.authenticator, &one.step) },
		`SELECT id, last_step FROM authenticators`)
	if err != nil {
		return s, err
	}
	s.codes, err = list(ctx, t, func(r row) (one spentCode, err error) { return one, r.Scan(&one.user, &one.hash, &one.used) },
		`SELECT user_id, hash, used_at FROM recovery_codes WHERE used_at > 0`)
	if err != nil {
		return s, err
	}
	s.keys, err = list(ctx, t, func(r row) (one usedPasskey, err error) { return one, r.Scan(&one.id, &one.count) },
		`SELECT id, sign_count FROM passkeys WHERE sign_count > 0`)
	return s, err
}

// replaceAll empties the database, children before parents, and fills it from
// the scratch.
func (t *tx) replaceAll(ctx context.Context, from *Scratch, same bool) (done Restored, err error) {
	for _, table := range slices.Backward(Tables) {
		if table.Treatment == Left || table.Treatment == Added && same {
			continue
		}
		if table.Name == "sessions" {
			if err := t.QueryRowContext(ctx, `SELECT COUNT(*) FROM sessions WHERE ended_at = 0`).Scan(&done.SessionsEnded); err != nil {
				return done, err
			}
		}
		if _, err := t.exec(ctx, `DELETE FROM `+quoted(table.Name)); err != nil {
			return done, fmt.Errorf("empty %s: %w", table.Name, err)
		}
	}
	done.Rows = map[string]int64{}
	return done, from.Snapshot(ctx, func(n *Snapshot) error {
		for _, table := range Tables {
			if table.Treatment != Carried && table.Treatment != Added {
				continue
			}
			rows, err := t.copyTable(ctx, n, table)
			if err != nil {
				return fmt.Errorf("fill %s: %w", table.Name, err)
			}
			done.Rows[table.Name] = rows
		}
		return nil
	})
}

func (t *tx) copyTable(ctx context.Context, from *Snapshot, table Table) (rows int64, err error) {
	columns, err := from.Columns(ctx, table.Name)
	if err != nil {
		return 0, err
	}
	into := &inserter{tx: t, table: table.Name, columns: columns}
	if table.Treatment == Added {
		into.unless = ` ON CONFLICT DO NOTHING`
	}
	err = from.Rows(ctx, table.Name, columns, func(row []any) error {
		rows++
		return into.add(ctx, row)
	})
	if err != nil {
		return rows, err
	}
	return rows, into.flush(ctx)
}

// leaveThePast makes sure that nothing which was good once is good again.
func (t *tx) leaveThePast(ctx context.Context, r Restoration, s spent, now time.Time) error {
	latest := now // a clock that was set back does not lower what the backup's clock had reached
	if r.Made.After(latest) {
		latest = r.Made
	}
	// Milliseconds since 1970 are more than an account ever had changes.
	if _, err := t.exec(ctx, `UPDATE users SET generation = CASE WHEN generation < $1 THEN $1 ELSE generation + 1 END`,
		millis(latest)); err != nil {
		return err
	}
	if _, err := t.exec(ctx, `UPDATE authenticators SET last_step = $1 WHERE last_step < $1`, totp.Latest(latest)); err != nil {
		return err
	}
	for _, one := range s.steps {
		if one.step <= totp.Latest(latest) {
			continue
		}
		if _, err := t.exec(ctx, `UPDATE authenticators SET last_step = $1 WHERE id = $2 AND last_step < $1`,
			one.step, one.authenticator); err != nil {
			return err
		}
	}
	for _, one := range s.codes {
		if _, err := t.exec(ctx, `UPDATE recovery_codes SET used_at = $1 WHERE user_id = $2 AND hash = $3 AND used_at = 0`,
			one.used, one.user, one.hash); err != nil {
			return err
		}
	}
	for _, one := range s.keys {
		if _, err := t.exec(ctx, `UPDATE passkeys SET sign_count = $1 WHERE id = $2 AND sign_count < $1`, one.count, one.id); err != nil {
			return err
		}
	}
	if _, err := t.exec(ctx, `DELETE FROM settings WHERE name = $1`, setupLinks); err != nil {
		return err
	}
	return t.keepSetting(ctx, fingerprintSetting, r.Ring.Fingerprint())
}

func (t *tx) count(ctx context.Context, done *Restored) error {
	err := t.QueryRowContext(ctx, `
		SELECT COUNT(*),
		       COALESCE(SUM(CASE WHEN administrator THEN 1 ELSE 0 END), 0),
		       COALESCE(SUM(CASE WHEN two_factor_since > 0 OR passkeys_since > 0 THEN 1 ELSE 0 END), 0),
		       COALESCE(SUM(CASE WHEN password_hash = '' THEN 1 ELSE 0 END), 0)
		  FROM users`).Scan(&done.People, &done.Administrators, &done.TwoFactor, &done.Invited)
	if err != nil {
		return fmt.Errorf("count people: %w", err)
	}
	return nil
}
