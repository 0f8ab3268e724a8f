package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"
)

var (
	// ErrServing is returned to whoever needs the database alone.
	ErrServing = errors.New("a server uses this database; stop every server on it first")
	// ErrRestoring is returned to a server whose database is being restored.
	ErrRestoring = errors.New("this database is being restored")
)

// Use is a process's word to the others on the same database: that it serves
// from it, or that it wants it alone. It ends with Close, and with the process.
// SQLite needs none: the data folder has a lock. The zero Use says nothing.
type Use struct {
	store *Store
	ask   string
	taken error
	hears bool // it is a node as well

	mu   sync.Mutex
	held *sql.Conn
}

// useLock is the advisory lock of PostgreSQL: "twinlock" in ASCII.
const useLock = "8392585669650441067"

// Serve says that this process serves from the database, and begins to hear what
// the others end: see [Store.Hears]. ErrRestoring while somebody has it alone,
// ErrNotHeard where nothing can be heard, and ErrHalfMoved for a database that is
// not whole.
func (s *Store) Serve(ctx context.Context) (*Use, error) {
	u, err := s.use(ctx, `SELECT pg_try_advisory_lock_shared(`+useLock+`)`, ErrRestoring)
	if err != nil || !s.postgres {
		return u, err
	}
	u.hears = true
	err = s.refuseHalfMoved(ctx)
	if err == nil {
		err = s.remember(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, u.Close())
	}
	return u, nil
}

// Alone keeps servers off the database. ErrServing where one uses it.
func (s *Store) Alone(ctx context.Context) (*Use, error) {
	return s.use(ctx, `SELECT pg_try_advisory_lock(`+useLock+`)`, ErrServing)
}

func (s *Store) use(ctx context.Context, ask string, taken error) (*Use, error) {
	u := &Use{store: s, ask: ask, taken: taken}
	return u, u.Keep(ctx)
}

// countServers leaves out a process that asks on the connection which says that
// it serves: its own word is then known to hold.
const countServers = `
	SELECT COUNT(*) FROM pg_locks
	 WHERE locktype = 'advisory' AND mode = 'ShareLock' AND granted AND objsubid = 1
	   AND (classid::bigint << 32 | objid::bigint) = ` + useLock + `
	   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
	   AND pid <> pg_backend_pid()`

// Servers counts the processes that serve from the database. On SQLite it is
// none: there the lock of the data folder keeps others away.
func (s *Store) Servers(ctx context.Context) (n int, err error) {
	if !s.postgres {
		return 0, nil
	}
	if err = s.read.QueryRowContext(ctx, countServers).Scan(&n); err != nil {
		return 0, fmt.Errorf("count the servers: %w", err)
	}
	return n, nil
}

// errKeeping is returned instead of waiting for a database that may not answer.
var errKeeping = errors.New("that this server uses the database is just being said anew")

// Others tells whether another process serves from the database. A server whose
// own word was lost gives it anew first, for otherwise it would take another for
// itself.
func (u *Use) Others(ctx context.Context) (bool, error) {
	if u.store == nil || !u.store.postgres {
		return false, nil
	}
	if !u.mu.TryLock() {
		return false, errKeeping
	}
	defer u.mu.Unlock()
	if err := u.keep(ctx); err != nil {
		return false, err
	}
	var n int
	if err := u.held.QueryRowContext(ctx, countServers).Scan(&n); err != nil {
		return false, fmt.Errorf("count the other servers: %w", err)
	}
	return n > 0, nil
}

// Keep says it anew where the connection that said it broke, and tells where a
// server hears nothing of the others: it asks the database each time then.
func (u *Use) Keep(ctx context.Context) error {
	if u.store == nil || !u.store.postgres {
		return nil
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if err := u.keep(ctx); err != nil || !u.hears || u.store.Hears() {
		return err
	}
	return fmt.Errorf("what other servers end is not heard, so each request asks the database: %w", u.store.ears().why())
}

// keep is Keep for whoever has mu.
func (u *Use) keep(ctx context.Context) error {
	if u.held != nil {
		if u.held.PingContext(ctx) == nil {
			return nil
		}
		_ = u.held.Close()
		u.held = nil
	}
	connection, err := u.store.write.Conn(ctx)
	if err != nil {
		return fmt.Errorf("use the database: %w", err)
	}
	var free bool
	if err := connection.QueryRowContext(ctx, u.ask).Scan(&free); err != nil {
		return errors.Join(fmt.Errorf("use the database: %w", err), connection.Close())
	}
	if !free {
		return errors.Join(u.taken, connection.Close())
	}
	u.held = connection
	return nil
}

// Close takes the word back.
func (u *Use) Close() error { return u.Leave(context.Background()) }

// Leave is Close for whoever has to be gone when ctx ends.
func (u *Use) Leave(ctx context.Context) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, leavePatience)
	defer cancel()
	var err error
	if u.hears {
		err = u.store.forgetAll(ctx)
	}
	if u.held == nil {
		return err
	}
	_, unlock := u.held.ExecContext(ctx, `SELECT pg_advisory_unlock_all()`)
	err = errors.Join(err, unlock, u.held.Close())
	u.held = nil
	return err
}

// leavePatience is how long a database may take to strike a server off.
const leavePatience = 2 * time.Second
