package app

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/store"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// troubled is a kept clock that makes trouble as it is told. Like the real one
// it does each step once.
type troubled struct {
	kept          store.Clock
	before, after func(context.Context) error // around a step; nil for no trouble
	steps         []time.Duration
}

func (k *troubled) Clock(context.Context) (store.Clock, error) { return k.kept, nil }

func (k *troubled) KeepClock(_ context.Context, c store.Clock) error {
	if c.SetBacks == k.kept.SetBacks && c.Furthest.After(k.kept.Furthest) {
		k.kept.Furthest = c.Furthest
	}
	return nil
}

func (k *troubled) SetBack(ctx context.Context, furthest, now time.Time) error {
	if k.before != nil {
		if err := k.before(ctx); err != nil {
			return err
		}
	}
	if k.kept.Furthest.After(now) {
		k.steps = append(k.steps, furthest.Sub(now))
		k.kept = store.Clock{Furthest: now, SetBacks: k.kept.SetBacks + 1}
	}
	if k.after != nil {
		return k.after(ctx)
	}
	return nil
}

func (k *troubled) OthersServe(context.Context) (bool, error) { return false, nil }

// newTroubled is a clock that reads what *now says.
func newTroubled(t *testing.T, now *time.Time) (*onward, *troubled) {
	t.Helper()
	k := &troubled{}
	c, err := newOnward(t.Context(), func() time.Time { return *now }, k, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	c.pause = 0
	return c, k
}

func wantTime(t *testing.T, c *onward, want time.Time) {
	t.Helper()
	if got := c.Now(); !got.Equal(want) {
		t.Errorf("the clock says %s, want %s", got, want)
	}
}

func TestTheClockStandsStillForASecondRatherThanGoBack(t *testing.T) {
	now := noon
	c, k := newTroubled(t, &now)
	wantTime(t, c, noon)
	now = noon.Add(-time.Second)
	wantTime(t, c, noon)
	now = noon.Add(time.Millisecond)
	wantTime(t, c, now)
	if len(k.steps) != 0 {
		t.Errorf("set back by %v", k.steps)
	}
}

func TestOthersGoOnWhileOneSetsTheClockBack(t *testing.T) {
	now := noon
	c, k := newTroubled(t, &now)
	c.Now()
	now = noon.Add(-time.Hour)
	k.before = func(ctx context.Context) error {
		if until, bounded := ctx.Deadline(); !bounded || time.Until(until) > setBackPatience {
			t.Error("a database that does not answer would be waited for without an end")
		}
		wantTime(t, c, noon) // somebody else asks meanwhile, and waits for nothing
		return c.Keep(ctx)   // nor does what is written now undo the step
	}
	wantTime(t, c, now)
	wantTime(t, c, now)
	if len(k.steps) != 1 || k.steps[0] != time.Hour {
		t.Errorf("set back by %v", k.steps)
	}
}

// sitOut returns when the pause after a failure is over.
func sitOut(c *onward) {
	c.stepping.Lock()
	defer c.stepping.Unlock()
}

// Where the database does not answer the time stands still: nothing that was
// over is ever seen by a clock that was set back.
func TestTheTimeStandsStillUntilTheStepIsDone(t *testing.T) {
	now := noon
	c, k := newTroubled(t, &now)
	c.Now()
	now = noon.Add(-time.Hour)
	k.before = func(context.Context) error { return errors.New("the disk is full") }
	for range 3 {
		wantTime(t, c, noon)
		sitOut(c)
	}
	k.before = nil
	wantTime(t, c, now)
	if len(k.steps) != 1 {
		t.Errorf("set back by %v", k.steps)
	}
}

func TestAfterAFailureNobodyTriesBeforeThePauseIsOver(t *testing.T) {
	now := noon
	c, k := newTroubled(t, &now)
	c.pause = time.Hour
	c.Now()
	now = noon.Add(-time.Hour)
	tries := 0
	k.before = func(context.Context) error { tries++; return errors.New("the disk is full") }
	for range 5 {
		wantTime(t, c, noon)
	}
	if tries != 1 {
		t.Errorf("tried %d times", tries)
	}
}

func TestAStepWhoseAnswerWasLostIsNotDoneTwice(t *testing.T) {
	now := noon
	c, k := newTroubled(t, &now)
	c.Now()
	now = noon.Add(-time.Hour)
	k.after = func(context.Context) error { return errors.New("the connection broke") }
	wantTime(t, c, noon)
	sitOut(c)
	k.after = nil
	wantTime(t, c, now)
	if len(k.steps) != 1 || c.SetBacks() != 1 {
		t.Errorf("set back by %v, counted %d", k.steps, c.SetBacks())
	}
}

// A reading that was taken before the clock was set back, and is looked at
// after it, is no leap ahead: the next one would be another step back.
func TestASlowReaderDoesNotBringTheTimeBeforeTheStepBack(t *testing.T) {
	now := noon
	c, k := newTroubled(t, &now)
	c.Now()
	machine := c.read
	now = noon.Add(time.Minute)
	c.read = func() time.Time {
		slow := now
		c.read = machine
		now = noon.Add(-time.Hour)
		wantTime(t, c, now) // somebody else sees the step meanwhile
		return slow
	}
	wantTime(t, c, noon.Add(-time.Hour))
	wantTime(t, c, noon.Add(-time.Hour))
	if len(k.steps) != 1 {
		t.Errorf("set back by %v", k.steps)
	}
}

func TestTheClockIsKeptAndGoneOnFrom(t *testing.T) {
	now := noon
	c, k := newTroubled(t, &now)
	if err := c.Keep(t.Context()); err != nil || !k.kept.Furthest.IsZero() {
		t.Errorf("kept %v before the first reading, %v", k.kept, err)
	}
	c.Now()
	if err := c.Keep(t.Context()); err != nil || !k.kept.Furthest.Equal(noon) {
		t.Errorf("kept %v, %v", k.kept, err)
	}
	now = noon.Add(-time.Hour)
	next, err := newOnward(t.Context(), func() time.Time { return now }, k, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	wantTime(t, next, now)
	if len(k.steps) != 1 || k.steps[0] != time.Hour {
		t.Errorf("set back by %v", k.steps)
	}
}
