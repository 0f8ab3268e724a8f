package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/twinlock/twinlock/internal/secret"
)

// ending is what a transaction is about to end, and who has heard of it. A nil
// ending is one that no other process needs to hear of.
type ending struct {
	*hearing
	id    string
	heard chan string
}

// awaitEars waits until the answers to what is ended would be heard, and not for
// long: without them an ending takes a second. It is done before anything is locked.
func (s *Store) awaitEars(ctx context.Context) {
	if !s.postgres {
		return
	}
	h := s.ears()
	select {
	case <-h.connected:
	case <-h.ended:
	case <-time.After(endingPatience):
	case <-ctx.Done():
	}
}

// announce says within the transaction what it ends.
func (t *tx) announce(ctx context.Context) (*ending, error) {
	if !t.store.postgres || !t.tells() {
		return nil, nil
	}
	e := &ending{hearing: t.store.ears(), id: secret.NewID(), heard: make(chan string, 64)}
	text, err := t.newsOf(e)
	if err != nil {
		return nil, err
	}
	if _, err := t.exec(ctx, `SELECT pg_notify($1, $2)`, newsChannel, text); err != nil {
		return nil, fmt.Errorf("tell other servers: %w", err)
	}
	e.mu.Lock()
	e.awaited[e.id] = e.heard
	e.mu.Unlock()
	return e, nil
}

// newsOf puts what a transaction ends into words. What is too long for them ends
// what everybody knows.
func (t *tx) newsOf(e *ending) (string, error) {
	n := news{From: e.hearing.id, Ending: e.id, Users: t.users, Plugins: t.plugins, Everybody: t.everybody, Applications: t.applications}
	text, err := json.Marshal(n)
	if err == nil && len(text) > mostNews {
		n.Users, n.Everybody = nil, true
		text, err = json.Marshal(n)
	}
	return string(text), err
}

// over is to be called when the transaction is.
func (e *ending) over() {
	if e == nil {
		return
	}
	e.mu.Lock()
	delete(e.awaited, e.id)
	e.mu.Unlock()
}

// everywhere returns when no other server can take for true what was just
// committed to be over.
func (e *ending) everywhere() {
	if e == nil {
		return
	}
	certain := time.Now().Add(endingPatience)
	ctx, cancel := context.WithDeadline(context.Background(), certain)
	defer cancel()
	remembering, err := e.others(ctx)
	if err != nil { // who they are cannot be told, so the time tells that they remember nothing
		time.Sleep(time.Until(certain))
		return
	}
	patience := time.NewTimer(endingPatience) // from when their beats were seen
	defer patience.Stop()
	for len(remembering) > 0 {
		select {
		case node := <-e.heard:
			delete(remembering, node)
		case <-patience.C:
			e.forget(remembering)
			return
		}
	}
}

// others are the nodes beside this process, and their beats.
func (e *ending) others(ctx context.Context) (map[string]int64, error) {
	nodes, err := list(ctx, e.store.write, func(r row) (n nodeRow, err error) { return n, r.Scan(&n.ID, &n.Beat) },
		`SELECT id, beat FROM nodes WHERE id <> $1`, e.hearing.id)
	remembering := map[string]int64{}
	for _, n := range nodes {
		remembering[n.ID] = n.Beat
	}
	return remembering, err
}

// forget removes the nodes that stayed silent, so that the next ending need not
// wait for them. Where that fails it waits, and tries again.
func (e *ending) forget(silent map[string]int64) {
	for len(e.heard) > 0 { // at the last moment
		delete(silent, <-e.heard)
	}
	ctx, cancel := context.WithTimeout(context.Background(), endingPatience)
	defer cancel()
	for id, beat := range silent {
		_, _ = e.store.write.ExecContext(ctx, forgetNode, id, beat)
	}
}
