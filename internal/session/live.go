package session

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/origin"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
)

// Live holds what is known of sessions. It is safe for concurrent use.
type Live struct {
	store *store.Store
	rules auth.Policy // what holds for everybody; plug-ins and groups add to it

	// changes counts what the store has told. A row is kept only when
	// nothing was told between the beginning of its reading and its keeping.
	changes atomic.Uint64
	keeping sync.Mutex
	byToken sync.Map               // secret.Hash → *store.Holder
	byUser  map[auth.UserID]tokens // guarded by keeping; of byToken and of children

	children sync.Map // secret.Hash → *store.ApplicationHolder

	hits, misses atomic.Int64 // of questions whose session it is

	plugins atomic.Pointer[[]auth.Activation]
	chosen  sync.Map // name of a setting → choice
	setUp   atomic.Bool
	gates   atomic.Pointer[map[origin.Origin]auth.Gate]
	seen    sync.Map      // auth.SessionID → *lastSeen
	writing chan struct{} // held by whoever writes what was seen
}

// tokens are what is remembered of one person.
type tokens map[secret.Hash]struct{}

// New makes an empty memory in front of a store, and listens to it.
func New(s *store.Store, rules auth.Policy) *Live {
	l := &Live{store: s, rules: rules, byUser: map[auth.UserID]tokens{}, writing: make(chan struct{}, 1)}
	s.Listen(l)
	return l
}

// Presence is a session with what it is worth now.
type Presence struct {
	Session  auth.Session
	User     auth.User
	Groups   []auth.Group
	Policy   auth.Policy
	Standing auth.Standing
}

// Who tells whose session a token opens and what it is worth now. A token
// that opens nothing is store.ErrNotFound.
func (l *Live) Who(ctx context.Context, token secret.Hash, now time.Time) (Presence, error) {
	holder, err := l.holder(ctx, token, now)
	if err != nil {
		return Presence{}, err
	}
	return l.presence(ctx, holder, now)
}

func (l *Live) presence(ctx context.Context, holder *store.Holder, now time.Time) (Presence, error) {
	activations, err := l.Activations(ctx)
	if err != nil {
		return Presence{}, err
	}
	return l.presenceUnder(holder, activations, now), nil
}

func (l *Live) presenceUnder(holder *store.Holder, activations []auth.Activation, now time.Time) Presence {
	p := Presence{Session: holder.Session, User: holder.User, Groups: holder.Groups,
		Policy: l.policyUnder(activations, holder.User.ID, holder.Groups)}
	p.Session.LastSeen = l.freshest(p.Session)
	p.Standing = auth.StandingOf(p.Session, p.User, p.Policy, now)
	return p
}

func (l *Live) holder(ctx context.Context, token secret.Hash, now time.Time) (*store.Holder, error) {
	if known, ok := l.byToken.Load(token); ok && l.believes(known.(*store.Holder).Session, now) {
		l.hits.Add(1)
		return known.(*store.Holder), nil
	}
	l.misses.Add(1)
	before := l.changes.Load()
	read, err := l.store.Holder(ctx, token)
	if err != nil {
		return nil, err
	}
	holder := &read
	l.keeping.Lock()
	defer l.keeping.Unlock()
	if l.mayKeep(before) && holder.Session.Ended.IsZero() {
		l.byToken.Store(token, holder)
		l.note(holder.User.ID, token)
	}
	return holder, nil
}

// believes tells whether what is remembered of a session is good for an answer.
// One that seems to have lapsed is read again: another server may have seen its
// owner since.
func (l *Live) believes(s auth.Session, now time.Time) bool {
	if !l.store.Hears() {
		return false
	}
	idle := l.rules.SessionIdle
	return !l.store.Shared() || now.Before(s.LastSeen.Add(idle)) || now.Before(l.freshest(s).Add(idle))
}

// note remembers whose a token is. Its caller holds keeping.
func (l *Live) note(user auth.UserID, token secret.Hash) {
	if l.byUser[user] == nil {
		l.byUser[user] = tokens{}
	}
	l.byUser[user][token] = struct{}{}
}

// forget leaves nothing of a token in memory.
func (l *Live) forget(user auth.UserID, token secret.Hash) {
	l.keeping.Lock()
	defer l.keeping.Unlock()
	l.byToken.Delete(token)
	l.children.Delete(token)
	delete(l.byUser[user], token)
	if len(l.byUser[user]) == 0 {
		delete(l.byUser, user)
	}
}

// Lookups counts how often it was asked whose session a token opens: hits were
// answered from memory, misses by the store.
func (l *Live) Lookups() (hits, misses int64) { return l.hits.Load(), l.misses.Load() }

// mayKeep tells whether a row that was begun to be read after so many changes
// may be remembered. Nothing is while nobody tells us of what another process
// changes.
func (l *Live) mayKeep(before uint64) bool {
	return l.store.Hears() && l.changes.Load() == before
}

// PolicyFor computes what holds for a person in these groups.
func (l *Live) PolicyFor(ctx context.Context, user auth.UserID, groups []auth.Group) (auth.Policy, error) {
	activations, err := l.Activations(ctx)
	if err != nil {
		return auth.Policy{}, err
	}
	return l.policyUnder(activations, user, groups), nil
}

func (l *Live) policyUnder(activations []auth.Activation, user auth.UserID, groups []auth.Group) auth.Policy {
	p := l.rules
	p.Passkeys = false
	ids := make([]auth.GroupID, len(groups))
	for i, g := range groups {
		ids[i] = g.ID
		if g.OpenWindow >= 0 && g.OpenWindow < p.OpenWindow {
			p.OpenWindow = g.OpenWindow
		}
	}
	for _, a := range activations {
		switch enabled := a.EnabledFor(user, ids); a.Plugin {
		case auth.TwoFactorPlugin:
			p.TwoFactor = enabled
		case auth.PasskeysPlugin:
			p.Passkeys = enabled && l.rules.Passkeys // where they work at all
		case auth.OpenIDConnectPlugin:
			p.OpenIDConnect = enabled
		case auth.ForwardAuthPlugin:
			p.ForwardAuth = enabled
		}
	}
	return p
}

// PolicyOf is PolicyFor with the groups read from the store.
func (l *Live) PolicyOf(ctx context.Context, user auth.UserID) (auth.Policy, error) {
	groups, err := l.store.GroupsOf(ctx, user)
	if err != nil {
		return auth.Policy{}, err
	}
	return l.PolicyFor(ctx, user, groups)
}

// Activations gives the state of every plug-in.
func (l *Live) Activations(ctx context.Context) ([]auth.Activation, error) {
	if known := l.plugins.Load(); known != nil && l.store.Hears() {
		return *known, nil
	}
	before := l.changes.Load()
	all, err := l.store.Activations(ctx)
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	l.keeping.Lock()
	defer l.keeping.Unlock()
	if l.mayKeep(before) {
		l.plugins.Store(&all)
	}
	return all, nil
}

// lastSeen is when a session was last used by its owner, and how much of that
// is written. Both are milliseconds since the Unix epoch.
type lastSeen struct{ at, written atomic.Int64 }

// Seen notes a request of the person's own in s, as Who gave it: a navigation or
// a form. What pages do in the background is not one. Where s was about to lapse
// it is written at once, for the next request may meet another server; what cannot
// be written now is with the next Flush.
func (l *Live) Seen(ctx context.Context, s auth.Session, now time.Time) {
	known, ok := l.seen.Load(s.ID)
	if !ok {
		known, _ = l.seen.LoadOrStore(s.ID, new(lastSeen))
	}
	known.(*lastSeen).at.Store(now.UnixMilli())
	if l.LapsesUnwritten(s, now) && l.store.Seen(ctx, map[auth.SessionID]time.Time{s.ID: now}) == nil {
		known.(*lastSeen).written.Store(now.UnixMilli())
	}
}

// longestUnwritten is longer than what was seen stays unwritten: two times the
// pause between two calls of Flush.
const longestUnwritten = 20 * time.Second

// LapsesUnwritten tells whether another server may take s for lapsed before it
// knows of a request that comes now.
func (l *Live) LapsesUnwritten(s auth.Session, now time.Time) bool {
	return l.store.Shared() && now.Add(longestUnwritten).After(s.LastSeen.Add(l.rules.SessionIdle))
}

// freshest is the later of what is written and what is remembered.
func (l *Live) freshest(s auth.Session) time.Time {
	if known, ok := l.seen.Load(s.ID); ok {
		if at := time.UnixMilli(known.(*lastSeen).at.Load()).UTC(); at.After(s.LastSeen) {
			return at
		}
	}
	return s.LastSeen
}

// Flush writes what was seen since the last time, and forgets what is written
// and past the idle limit. What cannot be written is kept for the next time.
func (l *Live) Flush(ctx context.Context, now time.Time) error {
	if err := l.beginWriting(ctx); err != nil {
		return err
	}
	defer l.endWriting()
	if err := l.flush(ctx, now); err != nil {
		return err
	}
	l.forgetIdle(now)
	return nil
}

func (l *Live) beginWriting(ctx context.Context) error {
	select {
	case l.writing <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *Live) endWriting() { <-l.writing }

// flush writes no time ahead of now: a request that had read the clock before
// it was set back was made now.
func (l *Live) flush(ctx context.Context, now time.Time) error {
	seen, batch := map[auth.SessionID]int64{}, map[auth.SessionID]time.Time{}
	l.seen.Range(func(id, known any) bool {
		if at := known.(*lastSeen).at.Load(); at > known.(*lastSeen).written.Load() {
			seen[id.(auth.SessionID)] = at
			batch[id.(auth.SessionID)] = time.UnixMilli(min(at, now.UnixMilli())).UTC()
		}
		return true
	})
	if err := l.store.Seen(ctx, batch); err != nil {
		return err
	}
	for id, at := range seen {
		if known, ok := l.seen.Load(id); ok {
			known.(*lastSeen).written.Store(at)
		}
	}
	return nil
}

// SetBack lets the clock go back from its furthest reading to now. What was seen
// until then is written before, so that whoever was here has not lapsed, and
// nothing of it is remembered after: it would bring back who had.
func (l *Live) SetBack(ctx context.Context, furthest, now time.Time) error {
	if err := l.beginWriting(ctx); err != nil {
		return err
	}
	defer l.endWriting()
	if err := l.flush(ctx, furthest); err != nil {
		return err
	}
	if err := l.store.SetBack(ctx, furthest, now); err != nil {
		return err
	}
	l.seen.Clear()
	return nil
}

// forgetIdle drops what cannot bear on any decision any more. A row kept in
// memory may be older than the one written, so it is read again.
func (l *Live) forgetIdle(now time.Time) {
	idle := now.Add(-l.rules.SessionIdle)
	forgetIdle := func(token secret.Hash, holder *store.Holder) {
		if l.freshest(holder.Session).Before(idle) {
			l.forget(holder.User.ID, token)
		}
	}
	l.byToken.Range(func(token, holder any) bool {
		forgetIdle(token.(secret.Hash), holder.(*store.Holder))
		return true
	})
	l.children.Range(func(token, holder any) bool {
		forgetIdle(token.(secret.Hash), &holder.(*store.ApplicationHolder).Holder)
		return true
	})
	l.seen.Range(func(id, known any) bool { // also of sessions that ended: their rows left before
		if at := known.(*lastSeen).at.Load(); at < idle.UnixMilli() && at <= known.(*lastSeen).written.Load() {
			l.seen.Delete(id)
		}
		return true
	})
}

// UserChanged forgets whatever is known of an account's sessions.
func (l *Live) UserChanged(user auth.UserID) {
	l.keeping.Lock()
	defer l.keeping.Unlock()
	l.changes.Add(1)
	for token := range l.byUser[user] {
		l.byToken.Delete(token)
		l.children.Delete(token)
	}
	delete(l.byUser, user)
}

// PluginsChanged forgets which plug-ins work for whom, and what administrators
// chose. Sessions need not be forgotten: what they are worth is computed at each
// question.
func (l *Live) PluginsChanged() {
	l.keeping.Lock()
	defer l.keeping.Unlock()
	l.changes.Add(1)
	l.plugins.Store(nil)
	l.chosen.Clear()
}

// EverybodyChanged forgets everything.
func (l *Live) EverybodyChanged() {
	l.keeping.Lock()
	defer l.keeping.Unlock()
	l.changes.Add(1)
	l.plugins.Store(nil)
	l.chosen.Clear()
	l.gates.Store(nil)
	l.byToken.Clear()
	l.children.Clear()
	clear(l.byUser)
}
