package session

import (
	"context"
	"errors"

	"github.com/twinlock/twinlock/internal/store"
)

// choice is what an administrator chose, or that nobody did.
type choice struct {
	value string
	err   error // nil, or store.ErrNotFound
}

// Setting gives what an administrator chose; store.ErrNotFound where nobody did.
// Any page may ask, so it is answered from memory; another choice holds at every
// server as soon as it is made.
func (l *Live) Setting(ctx context.Context, name string) (string, error) {
	if known, ok := l.chosen.Load(name); ok && l.store.Hears() {
		return known.(choice).value, known.(choice).err
	}
	before := l.changes.Load()
	value, err := l.store.Setting(ctx, name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return "", err
	}
	l.keeping.Lock()
	defer l.keeping.Unlock()
	if l.mayKeep(before) {
		l.chosen.Store(name, choice{value, err})
	}
	return value, err
}

// SetUp tells whether somebody administers already. Once somebody does the store is
// not asked again: the last administrator cannot be removed, and no server serves
// from a database while it is restored.
func (l *Live) SetUp(ctx context.Context) (bool, error) {
	if l.setUp.Load() {
		return true, nil
	}
	done, err := l.store.SetUp(ctx)
	if done {
		l.setUp.Store(true)
	}
	return done, err
}
