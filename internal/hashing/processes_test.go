package hashing

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/apptest/child"
	"github.com/twinlock/twinlock/internal/password"
	"github.com/twinlock/twinlock/internal/recovery"
)

// What the test program is started for by its own tests.
const (
	hashes  = "hash-passwords"
	crashes = "crash"
	stands  = "stand-still"
)

func TestMain(m *testing.M) {
	switch len(os.Args) > 1 {
	case true:
		switch os.Args[1] {
		case hashes:
			serve := Serve
			if slices.Contains(os.Args, WhenIdle) {
				serve = ServeWhenIdle
			}
			if serve(os.Stdin, os.Stdout) != nil {
				os.Exit(1)
			}
			return
		case crashes:
			fmt.Fprintln(os.Stderr, "out of memory")
			os.Exit(2)
		case stands:
			_, _ = io.Copy(io.Discard, os.Stdin) // and answers nothing
			return
		}
	}
	os.Exit(m.Run())
}

// small is next to nothing; that hashes cost something is of other tests.
var small = password.Cost{MemoryKiB: 64, Passes: 1}

func process(t *testing.T, log *bytes.Buffer, args ...string) *Processes {
	t.Helper()
	p := New(slog.New(slog.NewTextHandler(log, nil)), time.Minute, os.Args[0], args...)
	t.Cleanup(p.Close)
	return p
}

// hurried has no leisure: what is asked goes to the process that takes its share.
func hurried(p *Processes) *Processes {
	p.leisure = 0
	return p
}

func awake(t *testing.T, k *kept) *running {
	t.Helper()
	r, err := k.awake()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// idle is the process that is asked first.
func idle(p *Processes) *kept { return p.idle[len(p.idle)-1] }

// with lets the first processes have other arguments.
func with(p *Processes, args ...string) *Processes {
	for _, k := range p.idle {
		k.args = args
	}
	return p
}

// A machine that never rests keeps nobody out: what the first processes do not
// answer in their leisure, another does. What one still works on keeps others from
// it, so that little gathers there.
func TestWhatIsNotDoneInLeisureIsDoneBehindOthers(t *testing.T) {
	var log bytes.Buffer
	p := process(t, &log, hashes)
	with(p, stands).leisure = 20 * time.Millisecond
	stored, err := p.Hash(small, "seven purple lanterns")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 * cap(p.seats) {
		if ok, _, err := p.Check(small, stored, "seven purple lanterns"); !ok || err != nil {
			t.Errorf("%v, %v", ok, err)
		}
	}
	for i, k := range p.idle {
		if asked := awake(t, k).asked(); asked != 1 {
			t.Errorf("%d wait for process %d, want 1", asked, i)
		}
	}
	if log.Len() > 0 {
		t.Errorf("the log says %s", &log)
	}
}

// Whoever logs in alone wakes one of them, and it is always the same.
func TestOneQuestionAfterAnotherIsAskedOfOneProcess(t *testing.T) {
	p := process(t, new(bytes.Buffer), hashes)
	p.leisure = time.Minute // a machine with other things to do is not what this is about
	for range 2 * len(p.idle) {
		if _, err := p.Hash(small, "x"); err != nil {
			t.Fatal(err)
		}
	}
	for _, k := range p.idle {
		if k != idle(p) && k.running != nil {
			t.Error("another was started")
		}
	}
}

// The second answers too where the first ends.
func TestWhatTheFirstLeavesTheSecondDoes(t *testing.T) {
	p := process(t, new(bytes.Buffer), hashes)
	with(p, crashes)
	stored, err := p.Hash(small, "seven purple lanterns")
	if ok, _ := small.Check(stored, "seven purple lanterns"); !ok || err != nil {
		t.Errorf("%q, %v", stored, err)
	}
	if awake(t, p.behind).hasEnded() {
		t.Error("it was hashed here")
	}
}

func TestAProcessGivesWhatIsGivenHere(t *testing.T) {
	var log bytes.Buffer
	p := process(t, &log, hashes)
	const typed = "nine \xff grey\x00geese \"over\" Ghent\n"
	stored, err := p.Hash(small, typed)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct{ stored, typed string }{
		"right": {stored, typed}, "wrong": {stored, typed + " "}, "none": {"", typed}, "unreadable": {"$argon2id$v=19$m=64", typed},
		"of other cost": {password.Cost{MemoryKiB: 128, Passes: 1}.Hash(typed), typed}, "nothing typed": {stored, ""},
	} {
		ok, upgrade, err := p.Check(small, tt.stored, tt.typed)
		wantOK, wantUpgrade, _ := Here{}.Check(small, tt.stored, tt.typed)
		if err != nil || ok != wantOK || upgrade != wantUpgrade {
			t.Errorf("%s: %v, %v, %v; here %v, %v", name, ok, upgrade, err, wantOK, wantUpgrade)
		}
	}
	codes := recovery.New(10)
	set, err := p.HashCodes(small, codes)
	if err != nil || len(set.Hashes) != len(codes) {
		t.Fatalf("%d hashes: %v", len(set.Hashes), err)
	}
	for i, code := range codes {
		signs, _ := recovery.Clean(code.Reveal())
		index, ok, err := p.MatchCode(set, signs)
		if hereIndex, hereOK := set.Match(signs); err != nil || !ok || index != i || !hereOK || hereIndex != i {
			t.Errorf("code %d is %d there and %d here: %v", i, index, hereIndex, err)
		}
	}
	if _, ok, err := p.MatchCode(set, strings.Repeat("A", 16)); ok || err != nil {
		t.Errorf("another code: %v, %v", ok, err)
	}
	if log.Len() > 0 {
		t.Errorf("the log says %s", &log)
	}
}

func TestEveryoneGetsTheirOwnAnswer(t *testing.T) {
	p := process(t, new(bytes.Buffer), hashes)
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			typed := fmt.Sprint("number ", i)
			if ok, _, err := p.Check(small, small.Hash(typed), typed); !ok || err != nil {
				t.Errorf("%s: %v, %v", typed, ok, err)
			}
			if ok, _, err := p.Check(small, small.Hash(typed), "number x"); ok || err != nil {
				t.Errorf("another for %s: %v, %v", typed, ok, err)
			}
		})
	}
	all.Wait()
}

// Whoever was being answered by a process that ends is told so, never a verdict;
// the next question has a process again.
func TestAProcessThatIsKilledIsFollowedByAnother(t *testing.T) {
	p := hurried(process(t, new(bytes.Buffer), hashes))
	stored, err := p.Hash(small, "seven purple lanterns")
	if err != nil {
		t.Fatal(err)
	}
	large := password.Cost{MemoryKiB: 256 << 10, Passes: 4} // goes on until the kill
	answered := make(chan error)
	for range 2 {
		go func() {
			ok, _, err := p.Check(large, "", "seven purple lanterns")
			if ok {
				err = errors.New("right")
			}
			answered <- err
		}()
	}
	first := awake(t, p.behind)
	for first.asked() < 2 {
		time.Sleep(time.Millisecond)
	}
	first.kill()
	for range 2 {
		if err := <-answered; !errors.Is(err, ErrEnded) {
			t.Errorf("%v, want that it has ended", err)
		}
	}
	if ok, _, err := p.Check(small, stored, "seven purple lanterns"); !ok || err != nil {
		t.Errorf("after: %v, %v", ok, err)
	}
}

// asked is how many wait for an answer.
func (r *running) asked() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.waiting)
}

func TestAProcessThatStandsStillKeepsNobodyWaitingForEver(t *testing.T) {
	r := awake(t, process(t, new(bytes.Buffer), stands).behind)
	if _, err := r.ask(question{Hash: &hash{small, "x"}}, 50*time.Millisecond); !errors.Is(err, ErrEnded) {
		t.Errorf("%v", err)
	}
	for !r.hasEnded() {
		time.Sleep(time.Millisecond)
	}
}

// Where the system lets no process live, people log in all the same.
func TestWhatNeverAnswersIsDoneHereAndToldInTheLog(t *testing.T) {
	log := &child.Output{}
	p := New(slog.New(slog.NewTextHandler(log, nil)), time.Minute, os.Args[0], crashes)
	for range 2 {
		stored, err := p.Hash(small, "x")
		if ok, _ := small.Check(stored, "x"); !ok || err != nil {
			t.Errorf("%q, %v", stored, err)
		}
	}
	if said := log.String(); strings.Count(said, "out of memory") != 1 {
		t.Errorf("the log says %q", said)
	}
}

func TestWhereNoneStartsHashesAreComputedHere(t *testing.T) {
	var log bytes.Buffer
	p := New(slog.New(slog.NewTextHandler(&log, nil)), time.Minute, "/nothing/here")
	for range 2 {
		stored, err := p.Hash(small, "x")
		if err != nil {
			t.Fatal(err)
		}
		if ok, _, err := p.Check(small, stored, "x"); !ok || err != nil {
			t.Errorf("%v, %v", ok, err)
		}
	}
	if told := strings.Count(log.String(), "/nothing/here"); told != 1 {
		t.Errorf("the log says it %d times: %s", told, &log)
	}
}

func TestAProcessWithoutWorkEnds(t *testing.T) {
	p := New(slog.New(slog.DiscardHandler), 20*time.Millisecond, os.Args[0], hashes)
	defer p.Close()
	if _, err := p.Hash(small, "x"); err != nil {
		t.Fatal(err)
	}
	r := awake(t, idle(p))
	for until := time.Now().Add(10 * time.Second); !r.hasEnded(); time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("it goes on")
		}
	}
	if _, err := p.Hash(small, "x"); err != nil {
		t.Errorf("after its rest: %v", err)
	}
}

// The process outlives nobody: it ends when the server does, however that ends.
func TestTheProcessEndsWithItsServer(t *testing.T) {
	c := exec.Command(os.Args[0], hashes)
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	_ = in.Close() // as the system does for a process that was killed
	ended := make(chan error)
	go func() { ended <- c.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		_ = c.Process.Kill()
		t.Error("it goes on")
	}
}

// Every field of a question and of an answer comes through the pipe.
func TestNothingIsLostOnTheWay(t *testing.T) {
	for _, of := range []any{check{}, hash{}, codes{}, match{}, question{}, answer{}, recovery.Set{}} {
		typ := reflect.TypeOf(of)
		for i := range typ.NumField() {
			if !typ.Field(i).IsExported() {
				t.Errorf("%s.%s does not travel", typ, typ.Field(i).Name)
			}
		}
	}
}

// That a process which works when the machine is idle is ended for being slow is the
// usual course of a machine that has much to do, and no error.
func TestASlowIdleProcessIsNoError(t *testing.T) {
	log := &child.Output{}
	p := New(slog.New(slog.NewTextHandler(log, nil)), time.Minute, os.Args[0], hashes)
	t.Cleanup(p.Close)
	if _, err := p.Hash(small, "x"); err != nil {
		t.Fatal(err)
	}
	for of, want := range map[*kept]string{idle(p): "level=INFO", p.behind: "level=ERROR"} {
		r := awake(t, of)
		if _, err := r.ask(question{Hash: &hash{small, "x"}}, time.Minute); err != nil { // so that it is known to answer
			t.Fatal(err)
		}
		before := len(log.String())
		r.kill()
		for !r.hasEnded() {
			time.Sleep(time.Millisecond)
		}
		if said := log.String()[before:]; !strings.Contains(said, want) {
			t.Errorf("the log says %q, want %s", said, want)
		}
	}
}

// One that cannot be started, as for want of memory, keeps nobody from the others.
func TestAProcessThatDoesNotLiveIsAskedAfterTheOthers(t *testing.T) {
	p := process(t, new(bytes.Buffer), hashes)
	p.leisure = time.Minute
	p.idle = append(p.idle, &kept{program: "/nothing/here", log: p.log, rest: time.Minute, patience: time.Minute})
	p.free, p.seats = slices.Clone(p.idle), make(chan struct{}, len(p.idle))
	for range 2 { // the first finds out
		if _, err := p.Hash(small, "x"); err != nil {
			t.Fatal(err)
		}
	}
	if p.idle[len(p.idle)-2].running == nil {
		t.Error("no other was asked")
	}
}
