package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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
	beatPause       = 250 * time.Millisecond
	beatsPerSweep   = 4
	silence         = 3 * time.Second // of a node that is taken for gone
	hearingPause    = 100 * time.Millisecond
	hearingPatience = 5 * time.Second // for the first beat to come back
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
	said    atomic.Pointer[beat]
	proved  atomic.Pointer[time.Time] // when the last beat that came back was said; nil: none did
	answers chan string               // endings that are to be answered
	known   map[string]sighting       // of the other nodes

	mu      sync.Mutex
	awaited map[string]chan<- string // ending → who heard of it
}

// beat is one beat and when it was said.
type beat struct {
	number int64
	at     time.Time
}

// sighting is when a node's beat was first seen to be this one.
type sighting struct {
	beat int64
	at   time.Time
}

// ears are what hears the answers to what this process ends.
func (s *Store) ears() *hearing {
	if h := s.heard.Load(); h != nil {
		return h
	}
	h := s.startHearing(false)
	if !s.heard.CompareAndSwap(nil, h) {
		h.stop()
	}
	return s.heard.Load()
}

// remember makes this process a node, which may remember what it reads, and
// returns once it hears.
func (s *Store) remember(ctx context.Context) error {
	h := s.startHearing(true)
	if before := s.heard.Swap(h); before != nil {
		before.stop()
	}
	select {
	case <-h.connected:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(hearingPatience):
		return errors.Join(ErrNotHeard, h.why())
	}
}

// forgetAll makes this process none; what others end waits for it no longer.
func (s *Store) forgetAll(ctx context.Context) error {
	h := s.heard.Swap(nil)
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
	if _, err := ear.Exec(ctx, "LISTEN "+newsChannel+"; LISTEN "+pgx.Identifier{beatChannel + h.id}.Sanitize()); err != nil {
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
	connection, err := pgx.Connect(ctx, h.store.url)
	if err != nil {
		return nil, fmt.Errorf("listen to other servers: %w", err)
	}
	return connection, nil
}

func closeConnection(c *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), hearingPause)
	defer cancel()
	_ = c.Close(ctx)
}

// join makes this process a node. What it remembered is forgotten first: news of
// it may have come while nobody listened.
func (h *hearing) join(ctx context.Context, voice *pgx.Conn) error {
	h.store.listener.EverybodyChanged()
	_, err := voice.Exec(ctx, `
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
		if err != nil {
			return fmt.Errorf("listen to other servers: %w", err)
		}
		if n.Channel != newsChannel {
			h.hearOwnBeat(n.Payload)
			continue
		}
		var told news
		if err := json.Unmarshal([]byte(n.Payload), &told); err != nil {
			return fmt.Errorf("what another server said: %w", err)
		}
		h.hearNews(told)
	}
}

func (h *hearing) hearOwnBeat(payload string) {
	if said := h.said.Load(); said != nil && payload == fmt.Sprint(said.number) {
		h.proved.Store(&said.at)
		h.once.Do(func() { close(h.connected) })
	}
}

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
	if n.Ending == "" || n.From == h.id || !h.node {
		return
	}
	(&tx{users: n.Users, plugins: n.Plugins, everybody: n.Everybody, applications: n.Applications}).tell(h.store.listener)
	select {
	case h.answers <- n.Ending:
	default: // whoever ended it waits until this memory lasts no longer
	}
}

var (
	errTakenForGone = errors.New("the other servers took this one for gone")
	errNoBeatBack   = errors.New("what this server says does not come back to it")
)

// beat says again and again that this node is here, and answers what it heard.
// A beat must be on disk as every other commit, on the standbys too where the
// database has some: a primary that was replaced and does not know it must not
// let anybody believe in what it remembers.
func (h *hearing) beat(ctx context.Context, voice *pgx.Conn) error {
	tick := time.NewTicker(beatPause)
	defer tick.Stop()
	began := time.Now()
	for i := 1; ; i++ {
		if err := h.sayBeat(ctx, voice); err != nil {
			return err
		}
		if last := h.proved.Load(); time.Since(began) > silence && (last == nil || time.Since(*last) > silence) {
			return errNoBeatBack
		}
		if i%beatsPerSweep == 0 {
			if err := h.sweep(ctx, voice); err != nil {
				return err
			}
		}
		if err := h.answerUntil(ctx, voice, tick.C); err != nil {
			return err
		}
	}
}

func (h *hearing) sayBeat(ctx context.Context, voice *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	n := h.beats.Add(1)
	h.said.Store(&beat{n, time.Now()})
	said, err := voice.Exec(ctx, `
		WITH mine AS (UPDATE nodes SET beat = $2 WHERE id = $1 RETURNING id)
		SELECT pg_notify($3, $4) FROM mine`, h.id, n, beatChannel+h.id, fmt.Sprint(n))
	if err != nil {
		return fmt.Errorf("tell other servers that this one is here: %w", err)
	}
	if said.RowsAffected() == 0 {
		return errTakenForGone
	}
	return nil
}

// answerUntil answers endings until it is time for the next beat.
func (h *hearing) answerUntil(ctx context.Context, voice *pgx.Conn, next <-chan time.Time) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-next:
			return nil
		case first := <-h.answers:
			if err := h.answer(ctx, voice, append([]string{first}, h.waiting()...)); err != nil {
				return err
			}
		}
	}
}

// waiting takes the endings that are to be answered too.
func (h *hearing) waiting() (endings []string) {
	for len(endings) < mostHeard-1 {
		select {
		case ending := <-h.answers:
			endings = append(endings, ending)
		default:
			return endings
		}
	}
	return endings
}

func (h *hearing) answer(ctx context.Context, voice *pgx.Conn, endings []string) error {
	text, err := json.Marshal(news{From: h.id, Heard: endings})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	if _, err := voice.Exec(ctx, `SELECT pg_notify($1, $2)`, newsChannel, string(text)); err != nil {
		return fmt.Errorf("answer other servers: %w", err)
	}
	return nil
}

// sweep removes nodes that were silent for so long that they remember nothing.
func (h *hearing) sweep(ctx context.Context, voice *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	rows, err := voice.Query(ctx, `SELECT id, beat FROM nodes WHERE id <> $1`, h.id)
	if err != nil {
		return fmt.Errorf("look for silent servers: %w", err)
	}
	now, seen := time.Now(), map[string]sighting{}
	var silent []nodeRow
	nodes, err := pgx.CollectRows(rows, pgx.RowToStructByPos[nodeRow])
	if err != nil {
		return fmt.Errorf("look for silent servers: %w", err)
	}
	for _, n := range nodes {
		seen[n.ID] = sighting{n.Beat, now}
		if before, ok := h.known[n.ID]; ok && before.beat == n.Beat {
			seen[n.ID] = before
			if now.Sub(before.at) > silence {
				silent = append(silent, n)
			}
		}
	}
	h.known = seen
	for _, n := range silent {
		if _, err := voice.Exec(ctx, forgetNode, n.ID, n.Beat); err != nil {
			return fmt.Errorf("forget a silent server: %w", err)
		}
	}
	return nil
}

// nodeRow is a row of nodes.
type nodeRow struct {
	ID   string
	Beat int64
}

// forgetNode removes a node that gave no beat since one that was seen longer ago
// than any memory lasts.
const forgetNode = `DELETE FROM nodes WHERE id = $1 AND beat = $2`

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
