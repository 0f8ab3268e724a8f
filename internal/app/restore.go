package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/config"
	"github.com/twinlock/twinlock/internal/keys"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/transfer"
)

// Restored is what a restore did.
type Restored struct {
	store.Restored
	Backup       transfer.Header
	KeysReplaced string // where the keys that were at hand lie now; "" where they stayed
}

// Restore puts a backup in the place of the database that the settings name.
// It refuses while a server runs, and a database with accounts unless replace is
// set. It reads the whole backup and checks it before it changes anything; what
// it then changes is one transaction. A restore that is killed leaves the old
// state, or the new one, and the next start finishes it.
func Restore(ctx context.Context, c config.Config, from io.Reader, replace bool, progress transfer.Progress) (done Restored, err error) {
	lock, err := lockStopped(ctx, c.Data)
	if err != nil {
		return done, err
	}
	defer lock.Close()
	opened, err := transfer.Open(from)
	if err != nil {
		return done, err
	}
	done.Backup = opened.Header
	held, err := keysFor(c, opened)
	if err != nil {
		return done, err
	}
	path := filepath.Join(c.Data, "restoring.db")
	removeScratch(path) // of a restore that was killed
	defer removeScratch(path)
	scratch, err := opened.Check(ctx, path, progress)
	if err != nil {
		return done, err
	}
	defer scratch.Close()
	if done.Restored, err = restoreFrom(ctx, c, scratch, held, store.Restoration{Made: opened.Made, Ring: held.ring, Replace: replace}); err != nil {
		return done, err
	}
	done.KeysReplaced, err = held.settle()
	return done, err
}

func restoreFrom(ctx context.Context, c config.Config, scratch *store.Scratch, held restoredKeys, r store.Restoration) (done store.Restored, err error) {
	s, err := store.Open(ctx, c.DatabaseURL.Reveal(), nil, rulesOf(c))
	if err != nil {
		return done, err
	}
	defer s.Close()
	use, err := s.Alone(ctx)
	if err != nil {
		return done, err
	}
	defer use.Close()
	if err := held.prepare(); err != nil {
		return done, err
	}
	return s.Restore(ctx, auth.Actor{Command: true}, scratch, r, Clock())
}

func removeScratch(path string) {
	for _, end := range []string{"", "-wal", "-shm", "-journal", ".migrating"} {
		_ = os.Remove(path + end)
	}
}

// restoredKeys are the keys that open what a backup has sealed, and whether
// they have yet to take their place.
type restoredKeys struct {
	ring *keys.Ring
	path string // of the key file
	new  bool   // they come with the backup
}

// keysFor finds the keys of a backup: the ones at hand, or else the ones that
// it brings along.
func keysFor(c config.Config, opened *transfer.Opened) (restoredKeys, error) {
	path := keyFile(c)
	atHand, err := keys.OpenFile(path)
	switch {
	case err == nil && atHand.Holds(opened.Fingerprint):
		return restoredKeys{ring: atHand, path: path}, nil
	case err != nil && !isMissing(err):
		return restoredKeys{}, fmt.Errorf("sealing key: %w", err)
	case opened.Ring != nil && c.SealingKeyFile == "":
		return restoredKeys{ring: opened.Ring, path: path, new: true}, nil
	case err == nil:
		return restoredKeys{}, fmt.Errorf("%s is not the key of this backup: put the one in its place that was kept with it", path)
	}
	return restoredKeys{}, fmt.Errorf("the key of this backup is missing: put the one that was kept with it at %s, mode 0600", path)
}

// pending is where keys wait for the restore that they belong to: the database
// and the key file cannot change in one step, so the database decides.
func pending(path string) string { return path + ".restored" }

// prepare lays new keys ready before the database changes.
func (k restoredKeys) prepare() error {
	if !k.new {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(k.path), 0o700); err != nil {
		return fmt.Errorf("make the folder of the sealing key: %w", err)
	}
	if err := os.Remove(pending(k.path)); err != nil && !isMissing(err) {
		return fmt.Errorf("lay the sealing key ready: %w", err)
	}
	if err := k.ring.WriteFile(pending(k.path)); err != nil {
		return fmt.Errorf("lay the sealing key ready: %w", err)
	}
	return nil
}

// settle puts new keys in their place after the database has changed, and keeps
// the ones that were there: older backups need them.
func (k restoredKeys) settle() (replaced string, err error) {
	if !k.new {
		return "", nil
	}
	return settleKeys(k.path)
}

func settleKeys(path string) (replaced string, err error) {
	replaced = path + ".replaced-" + Clock().Format("20060102T150405Z")
	if err := os.Link(path, replaced); isMissing(err) {
		replaced = ""
	} else if err != nil && !errors.Is(err, os.ErrExist) {
		return "", fmt.Errorf("keep the sealing key that was here: %w", err)
	}
	if err := os.Rename(pending(path), path); err != nil {
		return "", fmt.Errorf("put the sealing key in its place: %w", err)
	}
	return replaced, nil
}

// finishRestore puts keys in their place whose restore was killed after the
// database had changed. Where it had not, they are left to the next restore.
func finishRestore(ctx context.Context, c config.Config, tell func(store.Step)) error {
	path := keyFile(c)
	ring, err := keys.OpenFile(pending(path))
	if err != nil || c.SealingKeyFile != "" {
		return nil // nothing waits
	}
	s, err := store.OpenTelling(ctx, c.DatabaseURL.Reveal(), nil, rulesOf(c), nil, tell)
	if err != nil {
		return err
	}
	defer s.Close()
	begunWith, err := s.Fingerprint(ctx)
	if errors.Is(err, store.ErrNotFound) || err == nil && !ring.Holds(begunWith) {
		return nil
	} else if err != nil {
		return err
	}
	_, err = settleKeys(path)
	return err
}
