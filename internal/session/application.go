package session

import (
	"context"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/origin"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
)

// WhoAt tells whose session stands behind a token that a browser holds at an
// application's own host, and what that session is worth now. A token that is
// good for nothing there is store.ErrNotFound: one of another host or of another
// application, and one from before its session went on under a new generation.
func (l *Live) WhoAt(ctx context.Context, token secret.Hash, at origin.Origin, a auth.ApplicationID, now time.Time) (Presence, error) {
	child, err := l.child(ctx, token, now)
	if err != nil {
		return Presence{}, err
	}
	if child.Origin != at || child.Application != a || child.Generation != child.Session.Generation {
		return Presence{}, store.ErrNotFound
	}
	return l.presence(ctx, &child.Holder, now)
}

// KnownAt is WhoAt from memory alone: false where the store has to be asked.
func (l *Live) KnownAt(token secret.Hash, at origin.Origin, a auth.ApplicationID, now time.Time) (Presence, bool) {
	child, ok := l.knownChild(token, now)
	if !ok || child.Origin != at || child.Application != a || child.Generation != child.Session.Generation {
		return Presence{}, false
	}
	activations := l.plugins.Load()
	if activations == nil || !l.store.Hears() {
		return Presence{}, false
	}
	return l.presenceUnder(&child.Holder, *activations, now), true
}

// KnownGate is GateAt from memory alone, for where the plug-in works for anybody:
// false where the store has to be asked.
func (l *Live) KnownGate(at origin.Origin) (auth.Gate, bool) {
	gates, activations := l.gates.Load(), l.plugins.Load()
	if gates == nil || activations == nil || !l.store.Hears() || !auth.IsActive(*activations, auth.ForwardAuthPlugin) {
		return auth.Gate{}, false
	}
	gate, ok := (*gates)[at]
	return gate, ok
}

// knownChild is the child that is remembered of a token; what it points to does
// not change.
func (l *Live) knownChild(token secret.Hash, now time.Time) (*store.ApplicationHolder, bool) {
	known, ok := l.children.Load(token)
	if !ok {
		return nil, false
	}
	child := known.(*store.ApplicationHolder)
	if !l.believes(child.Session, now) {
		return nil, false
	}
	l.hits.Add(1)
	return child, true
}

func (l *Live) child(ctx context.Context, token secret.Hash, now time.Time) (*store.ApplicationHolder, error) {
	if known, ok := l.knownChild(token, now); ok {
		return known, nil
	}
	l.misses.Add(1)
	before := l.changes.Load()
	read, err := l.store.ApplicationHolder(ctx, token)
	if err != nil {
		return nil, err
	}
	child := &read
	l.keeping.Lock()
	defer l.keeping.Unlock()
	if l.mayKeep(before) && child.Session.Ended.IsZero() {
		l.children.Store(token, child)
		l.note(child.User.ID, token)
	}
	return child, nil
}

// GateAt finds the application behind a proxy that is asked for at an origin;
// store.ErrNotFound where there is none. Of those that there are not, nothing
// is remembered.
func (l *Live) GateAt(ctx context.Context, at origin.Origin) (auth.Gate, error) {
	if !l.store.Hears() {
		return l.store.GateAt(ctx, at)
	}
	gates, err := l.allGates(ctx)
	if err != nil {
		return auth.Gate{}, err
	}
	gate, ok := gates[at]
	if !ok {
		return auth.Gate{}, store.ErrNotFound
	}
	return gate, nil
}

func (l *Live) allGates(ctx context.Context) (map[origin.Origin]auth.Gate, error) {
	if known := l.gates.Load(); known != nil && l.store.Hears() {
		return *known, nil
	}
	before := l.changes.Load()
	gates, err := l.store.Gates(ctx)
	if err != nil {
		return nil, err
	}
	l.keeping.Lock()
	defer l.keeping.Unlock()
	if l.mayKeep(before) {
		l.gates.Store(&gates)
	}
	return gates, nil
}

// ApplicationsChanged forgets which applications there are.
func (l *Live) ApplicationsChanged() {
	l.keeping.Lock()
	defer l.keeping.Unlock()
	l.changes.Add(1)
	l.gates.Store(nil)
}
