package faults

import (
	"database/sql"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twinlock/twinlock/faults/kit"
	"github.com/twinlock/twinlock/internal/apptest"
)

// startWanted is how soon a server is ready after it was killed.
const startWanted = 2 * time.Second

// A server that is killed in the middle of whatever it writes, and on PostgreSQL
// the database, has lost nothing that it said was done; what can be used once was
// used once, or can still be used; and nothing is half there.
func TestAKillDuringAWrite(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	kit.Each(t, func(t *testing.T, engine kit.Engine) {
		t.Parallel()
		t.Logf("seed %d", seed)
		began, kills := time.Now(), often(45, 1)*len(writes)
		s := newStage(t, engine, rand.New(rand.NewPCG(seed, 0)))
		s.provide(kills/len(writes) + 2)
		for _, w := range writes {
			s.plays(w)
		}
		for round := range kills / len(writes) {
			t.Logf("round %d: lost %d, used twice %d, half %d", round, s.lost, s.twice, s.half)
			for _, i := range s.lot.Perm(len(writes)) {
				s.breaks(writes[i])
			}
		}
		s.lettersCome()
		table.Add(t, kit.Row{Fault: "kill -9 during a write", Engine: engine, Runs: kills,
			Held: "what was acknowledged is there, nothing one-time was used twice, nothing is half done",
			Figures: append([]string{
				fmt.Sprintf("done and acknowledged %d, done %d, not done %d", s.acknowledged, s.silent, s.undone),
				fmt.Sprintf("lost %d, used twice %d, half %d", s.lost, s.twice, s.half),
				"server ready after " + s.start.String()}, s.back()...),
			Took: time.Since(began)})
	})
}

// stage is a site whose writes are broken, and who writes.
type stage struct {
	*testing.T
	*kit.Site
	db   *sql.DB
	lot  *rand.Rand
	took map[string]time.Duration // each write, when nothing breaks

	people    int
	root      *apptest.Browser
	plain     *kit.Person // without two-factor authentication
	protected *kit.Person // with it
	codes     []string    // recovery codes left
	inside    *apptest.Browser
	wiki      *kit.Application
	signups   []mailed
	resets    []mailed
	expected  []string // whose letter has to come

	acknowledged, silent, undone, lost, twice, half int
	start, database                                 kit.Took
}

func newStage(t *testing.T, engine kit.Engine, lot *rand.Rand) *stage {
	t.Helper()
	s := &stage{T: t, lot: lot, took: map[string]time.Duration{}, Site: kit.Start(t, engine, 1,
		"--fresh", "24h", "--session-idle", "30d", "--session-overall", "90d", "--reset-link", "24h", "--verify-link", "30d")}
	s.db = beside(t, s.Site)
	s.Activate("two-factor")
	s.root = s.Browser(0, "127.0.0.3")
	root := s.Person("root@example.org", "--admin")
	s.SignIn(s.root, root)
	s.EnableTwoFactor(s.root, root)
	s.plain = s.newPerson()
	s.inside = s.Browser(0, "127.0.0.4")
	s.SignIn(s.inside, s.plain)
	s.wiki = s.Application("Wiki")
	s.protected, s.codes = s.newProtected()
	return s
}

// beside is a way to the site's database beside its servers, that writes
// nothing.
func beside(t testing.TB, s *kit.Site) *sql.DB {
	t.Helper()
	driver, address := "pgx", s.Address
	if file, ok := strings.CutPrefix(s.Address, "sqlite:"); ok {
		driver, address = "sqlite", "file:"+file+"?mode=ro&_pragma=busy_timeout(5000)"
	}
	db, err := sql.Open(driver, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// number reads one number from the database. Connections from before its restart
// are of no use any more.
func (s *stage) number(query string, values ...any) (n int64) {
	s.Helper()
	err := s.db.QueryRow(query, values...).Scan(&n)
	for again := 0; err != nil && again < 10; again++ {
		err = s.db.QueryRow(query, values...).Scan(&n)
	}
	if err != nil {
		s.Fatalf("%s: %v", query, err)
	}
	return n
}

func (s *stage) browser() *apptest.Browser {
	return s.Browser(0, fmt.Sprintf("127.0.%d.%d", 1+s.lot.IntN(200), 1+s.lot.IntN(200)))
}

func (s *stage) newAddress() string {
	s.people++
	return fmt.Sprintf("person%d@example.org", s.people)
}

func (s *stage) newPerson() *kit.Person { return s.Person(s.newAddress()) }

func (s *stage) newProtected() (*kit.Person, []string) {
	s.Helper()
	p, b := s.newPerson(), s.browser()
	s.SignIn(b, p)
	s.EnableTwoFactor(b, p)
	return p, p.RecoveryCodes
}

// plays plays a write that nothing breaks, to know how long it takes, and that it
// is looked at rightly.
func (s *stage) plays(w write) {
	s.Helper()
	t := w.begin(s)
	began := time.Now()
	acknowledged := t.send()
	s.took[w.name] = time.Since(began)
	if !acknowledged || !t.done() {
		s.Fatalf("%s: nothing broke, and it was answered %v, done %v", w.name, acknowledged, t.done())
	}
	if half := t.looksHalf(true); half != "" || !t.isKept() {
		s.Fatalf("%s: nothing broke, and %q, kept %v", w.name, half, t.isKept())
	}
	if t.again != nil && t.again() {
		s.Fatalf("%s was taken a second time", w.name)
	}
}

// breaks kills the server, or the database, while a write is under way, and looks
// at what is there afterwards.
func (s *stage) breaks(w write) {
	s.Helper()
	t := w.begin(s)
	when := s.moment(w)
	answer := make(chan bool, 1)
	go func() { answer <- t.send() }()
	what := when.comes(answer)
	acknowledged := s.kill(answer)
	done := t.done()
	about := fmt.Sprintf("%s, killed %s: acknowledged %v, done %v", w.name, what, acknowledged, done)
	switch {
	case acknowledged && (!done || !t.isKept()):
		s.lost++
		s.Errorf("lost: %s", about)
	case acknowledged:
		s.acknowledged++
	case done:
		s.silent++
	default:
		s.undone++
	}
	if half := t.looksHalf(done); half != "" {
		s.half++
		s.Errorf("half done: %s: %s", about, half)
	}
	if t.again == nil {
		return
	}
	taken := t.again()
	for tries := 1; !taken && !done && tries < 3; tries++ { // as somebody would who is asked to come back
		taken = t.again()
	}
	switch {
	case taken && done:
		s.twice++
		s.Errorf("used twice: %s", about)
	case !taken && !done:
		s.Errorf("cannot be done any more: %s", about)
	}
}

// kill kills the server and starts it again; on PostgreSQL, one time in four, the
// database. It gives whether the write under way was acknowledged.
func (s *stage) kill(answer <-chan bool) (acknowledged bool) {
	s.Helper()
	if s.Cluster != nil && s.lot.IntN(4) == 0 {
		s.Cluster.End([]syscall.Signal{syscall.SIGKILL, syscall.SIGQUIT}[s.lot.IntN(2)])
		if err := s.Cluster.Start(); err != nil {
			s.Fatal(err)
		}
		began := time.Now()
		for !s.Servers[0].Ready() {
			if time.Since(began) > 20*time.Second {
				s.Fatalf("the server is not ready %s after the database was\n%s", time.Since(began), s.Servers[0].Printed())
			}
		}
		s.database.Since(began)
		return <-answer
	}
	s.Servers[0].Kill()
	acknowledged = <-answer
	began := time.Now()
	s.Servers[0].Start()
	took := time.Since(began)
	s.start.Add(took)
	switch {
	case took <= startWanted:
	case *long:
		s.Errorf("the start took %s", took)
	default: // beside all other tests
		s.Logf("the start took %s", took)
	}
	return acknowledged
}

// back tells how soon the site was there again after its database was.
func (s *stage) back() []string {
	if s.Cluster == nil {
		return nil
	}
	return []string{"ready after the database's own restart " + s.database.String()}
}

// moment is when the kill comes.
type moment struct {
	after  time.Duration         // from the sending
	stirs  func() (string, bool) // or when the database is written; nil: it is not looked at
	before string
}

// moment draws one: for half of them at any time while the write takes place, for
// the others when the database begins to be written.
func (s *stage) moment(w write) moment {
	if s.lot.IntN(2) == 0 {
		return moment{after: time.Duration(s.lot.Float64() * 1.2 * float64(s.took[w.name]))}
	}
	before, _ := s.written()
	soon := math.Pow(s.lot.Float64(), 3) // rather sooner than later, where one write follows another
	return moment{after: time.Duration(soon * float64(s.took[w.name])), stirs: s.written, before: before}
}

// comes waits for the moment. Whatever was answered before it waits no longer.
func (m moment) comes(answer chan bool) (what string) {
	if m.stirs == nil {
		time.Sleep(m.after)
		return m.after.String() + " after it was sent"
	}
	for len(answer) == 0 {
		if now, ok := m.stirs(); ok && now != m.before {
			break
		}
	}
	time.Sleep(m.after)
	return m.after.String() + " after the database was written"
}

// written tells apart what the database's log has taken in.
func (s *stage) written() (state string, ok bool) {
	if s.Cluster == nil {
		info, err := os.Stat(strings.TrimPrefix(s.Address, "sqlite:") + "-wal")
		if err != nil {
			return "", false
		}
		return fmt.Sprint(info.Size(), info.ModTime().UnixNano()), true
	}
	err := s.db.QueryRow(`SELECT pg_current_wal_insert_lsn()::text`).Scan(&state)
	return state, err == nil
}

// lettersCome waits for the letters of every sign-up that is there.
func (s *stage) lettersCome() {
	s.Helper()
	for _, address := range s.expected {
		s.Link(address, "/register/confirm")
	}
}
