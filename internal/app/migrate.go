package app

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/config"
	"github.com/twinlock/twinlock/internal/keys"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/transfer"
)

// Migrate copies the SQLite database that the settings name into an empty one on
// PostgreSQL, where it goes on as it was: this is no travel in time, so sessions
// and links stay good. It refuses while a server runs on either. One that was
// broken off goes on where it was.
func Migrate(ctx context.Context, c config.Config, to string, progress transfer.Progress) (done transfer.Moved, err error) {
	path, isSQLite := strings.CutPrefix(c.DatabaseURL.Reveal(), "sqlite:")
	if !isSQLite {
		return done, errors.New("the database is on PostgreSQL already; its own tools move it: pg_dump, or a standby that is promoted")
	}
	lock, err := lockStopped(ctx, c.Data)
	if err != nil {
		return done, err
	}
	defer lock.Close()
	ring, err := keys.OpenFile(keyFile(c))
	if err != nil {
		return done, fmt.Errorf("sealing key: %w", err)
	}
	from, err := store.OpenSource(ctx, path, ring)
	if err != nil {
		return done, fmt.Errorf("%s: %w", path, err)
	}
	defer from.Close()
	if err := store.LookBeforeMove(ctx, to); err != nil {
		return done, fmt.Errorf("the database to move to: %w", err)
	}
	target, err := store.Open(ctx, to, ring, rulesOf(c))
	if err != nil {
		return done, fmt.Errorf("the database to move to: %w", err)
	}
	defer target.Close()
	use, err := target.Alone(ctx)
	if err != nil {
		return done, fmt.Errorf("the database to move to: %w", err)
	}
	defer use.Close()
	return transfer.Move(ctx, from, target, auth.Actor{Command: true}, progress, Clock())
}
