package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
)

// What ends on one server must be over on all of them. Where several share a
// PostgreSQL, each is a row in nodes while it remembers what it read, and hears
// by LISTEN what the others end. Whoever ends something says so in the very
// transaction (NOTIFY), and returns only when every node has answered that it
// forgot, or can remember nothing any more.
//
// The latter is certain after a second, without asking: a node believes its
// memory only for so long after a beat of its own that it heard come back.
// PostgreSQL hands out what was said in the order of the commits, so a beat that
// came back was said after everything that was heard before it. No clock is
// compared with another one's.
const (
	memoryLasts     = 900 * time.Millisecond // after a beat that was heard, counted from its saying
	endingPatience  = time.Second            // longer than any memory lasts
	silence         = 3 * time.Second        // of a node that is taken for gone, and of a database that is not waited for
	hearingPause    = 100 * time.Millisecond // before another try to connect
	hearingPatience = 5 * time.Second        // for the first beat to come back
)

// ErrNotHeard is returned where the database does not say by itself what others
// do, as behind a pooler that lends a connection for one transaction.
var ErrNotHeard = errors.New("the database does not pass on what other servers say (LISTEN, NOTIFY): database_url must lead to the primary itself, or through a pooler that lends a connection for a whole session")

const (
	newsChannel = "twinlock_news"
	beatChannel = "twinlock_beat_" // and the node
	mostNews    = 7500             // bytes; PostgreSQL takes 8000
	mostHeard   = 200              // endings that one answer names
)

// news is what processes on one PostgreSQL tell each other.
type news struct {
	From  string   `json:"from"`
	Heard []string `json:"heard,omitempty"` // endings that the sender heard of

	Ending       string        `json:"ending,omitempty"`
	Users        []auth.UserID `json:"users,omitempty"`
	Plugins      bool          `json:"plugins,omitempty"`
	Everybody    bool          `json:"everybody,omitempty"`
	Applications bool          `json:"applications,omitempty"`
}

// readNews understands what was said. What a newer version says that this one has
// no word for ends everything that is remembered.
func readNews(text string) (n news) {
	strict := json.NewDecoder(strings.NewReader(text))
	strict.DisallowUnknownFields()
	if strict.Decode(&n) == nil {
		if _, err := strict.Token(); err == io.EOF {
			return n
		}
	}
	_ = json.Unmarshal([]byte(text), &n)
	n.Plugins, n.Everybody, n.Applications = true, true, true
	return n
}

// hearing is a process's part in the talk. A process that only ends things, as a
// command does, hears the answers and is no node.
type hearing struct {
	store *Store
	id    string
	node  bool

	cancel context.CancelFunc
	ended  chan struct{}

	connected chan struct{} // closed once the first connection hears
	once      sync.Once
	failure   atomic.Pointer[error] // why it hears nothing now

	beats   atomic.Int64
	said    [beatsKnown]atomic.Pointer[beat]
	proved  atomic.Pointer[time.Time] // when the last beat that came back was said; nil: none did
	answers chan string               // endings that are to be answered
	known   map[string]sighting       // of the other nodes

	mu      sync.Mutex
	awaited map[string]chan<- string // ending → who heard of it
}

// ears are what hears the answers to what this process ends.
func (s *Store) ears() *hearing {
	s.hearing.Lock()
	defer s.hearing.Unlock()
	if h := s.heard.Load(); h != nil {
		return h
	}
	h := s.startHearing(false)
	if s.closed {
		h.stop()
	}
	s.heard.Store(h)
	return h
}

// closeEars ends the hearing for good.
func (s *Store) closeEars() {
	s.hearing.Lock()
	defer s.hearing.Unlock()
	s.closed = true
	if h := s.heard.Load(); h != nil {
		h.stop()
	}
}

// remember makes this process a node, which may remember what it reads, and
// returns once it hears.
func (s *Store) remember(ctx context.Context) error {
	s.hearing.Lock()
	h := s.startHearing(true)
	if before := s.heard.Swap(h); before != nil {
		before.stop()
	}
	s.hearing.Unlock()
	select {
	case <-h.connected:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(hearingPatience):
	}
	if why := h.why(); why != nil && !errors.Is(why, errNoBeatBack) {
		return why
	}
	return ErrNotHeard
}

// forgetAll makes this process no node; what others end waits for it no longer.
func (s *Store) forgetAll(ctx context.Context) error {
	s.hearing.Lock()
	h := s.heard.Swap(nil)
	s.hearing.Unlock()
	if h == nil {
		return nil
	}
	h.stop()
	_, err := s.write.ExecContext(ctx, `DELETE FROM nodes WHERE id = $1`, h.id)
	return err
}

func (s *Store) startHearing(node bool) *hearing {
	ctx, cancel := context.WithCancel(context.Background())
	h := &hearing{store: s, id: secret.NewID(), node: node, cancel: cancel, ended: make(chan struct{}),
		connected: make(chan struct{}), answers: make(chan string, 1024),
		known: map[string]sighting{}, awaited: map[string]chan<- string{}}
	go h.run(ctx)
	return h
}

func (h *hearing) stop() {
	h.proved.Store(nil)
	h.cancel()
	<-h.ended
}

func (h *hearing) run(ctx context.Context) {
	defer close(h.ended)
	for ctx.Err() == nil {
		err := h.hear(ctx)
		h.proved.Store(nil)
		h.failure.Store(&err)
		select {
		case <-ctx.Done():
		case <-time.After(hearingPause):
		}
	}
}

// hear listens until a connection fails or ctx ends.
func (h *hearing) hear(ctx context.Context) error {
	ear, err := h.connect(ctx)
	if err != nil {
		return err
	}
	defer closeConnection(ear)
	err = soon(ctx, ear, "LISTEN "+newsChannel+"; LISTEN "+pgx.Identifier{beatChannel + h.id}.Sanitize())
	if err != nil {
		return fmt.Errorf("listen to other servers: %w", err)
	}
	if !h.node {
		h.once.Do(func() { close(h.connected) })
		return h.listen(ctx, ear)
	}
	voice, err := h.connect(ctx)
	if err != nil {
		return err
	}
	defer closeConnection(voice)
	if err := h.join(ctx, voice); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	beaten := make(chan struct{})
	go func() {
		defer close(beaten)
		cancel(h.beat(ctx, voice))
	}()
	err = h.listen(ctx, ear)
	cancel(err)
	<-beaten
	return context.Cause(ctx)
}

func (h *hearing) connect(ctx context.Context) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	config := h.store.config.Copy()
	h.store.orderHosts(config)
	connection, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		h.store.firstHost.Add(1)
		return nil, fmt.Errorf("listen to other servers: %w", err)
	}
	return connection, nil
}

// soon runs a statement that has no reason to take long.
func soon(ctx context.Context, c *pgx.Conn, statement string, args ...any) error {
	ctx, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	_, err := c.Exec(ctx, statement, args...)
	return err
}

func closeConnection(c *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), hearingPause)
	defer cancel()
	_ = c.Close(ctx)
}

// join makes this process a node. What it remembered is forgotten first: news of
// it may have come while nobody listened. Nor does anybody go on reading by a
// connection that was there before: it may lead to a primary that another one
// replaced meanwhile.
func (h *hearing) join(ctx context.Context, voice *pgx.Conn) error {
	h.store.joined.Add(1)
	h.store.listener.EverybodyChanged()
	err := soon(ctx, voice, `
		INSERT INTO nodes (id, beat) VALUES ($1, $2)
		ON CONFLICT (id) DO UPDATE SET beat = excluded.beat`, h.id, h.beats.Add(1))
	if err != nil {
		return fmt.Errorf("join the other servers: %w", err)
	}
	return nil
}

func (h *hearing) listen(ctx context.Context, ear *pgx.Conn) error {
	for {
		n, err := ear.WaitForNotification(ctx)
		switch {
		case err != nil:
			return fmt.Errorf("listen to other servers: %w", err)
		case n.Channel == newsChannel:
			h.hearNews(readNews(n.Payload))
		default:
			h.hearOwnBeat(n.Payload)
		}
	}
}

// hearNews obeys what this process said itself, too: where the answer to its own
// commit was lost, the commit may have come true after it forgot.
func (h *hearing) hearNews(n news) {
	for _, ending := range n.Heard {
		h.mu.Lock()
		awaited := h.awaited[ending]
		h.mu.Unlock()
		if awaited != nil {
			select {
			case awaited <- n.From:
			default: // nobody waits for so many
			}
		}
	}
	if !h.node {
		return
	}
	(&tx{users: n.Users, plugins: n.Plugins, everybody: n.Everybody, applications: n.Applications}).tell(h.store.listener)
	if n.Ending == "" || n.From == h.id {
		return
	}
	select {
	case h.answers <- n.Ending:
	default: // whoever ended it waits until this memory lasts no longer
	}
}

// why tells what keeps this process from hearing; nil where nothing does.
func (h *hearing) why() error {
	if err := h.failure.Load(); err != nil {
		return *err
	}
	return nil
}

// hears tells whether everything that was ended until now, and has returned, was
// heard here. The clock on the wall is asked too: the other one stands still
// while a machine sleeps.
func (h *hearing) hears() bool {
	said := h.proved.Load()
	if said == nil {
		return false
	}
	now := time.Now()
	steady, wall := now.Sub(*said), now.Round(0).Sub(said.Round(0))
	return steady < memoryLasts && wall >= 0 && wall < memoryLasts
}
