package slots

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

const wait = 5 * time.Second

// held is work that goes on until it is let go.
type held struct{ begun, letGo chan struct{} }

func newHeld() held { return held{make(chan struct{}), make(chan struct{})} }

func (h held) work() { close(h.begun); <-h.letGo }

// do starts work and gives the channel that its error will come from.
func do(ctx context.Context, s *Slots, work func()) <-chan error {
	ended := make(chan error, 1)
	go func() { ended <- s.Do(ctx, work) }()
	return ended
}

// occupy starts work and returns when it has begun.
func occupy(t *testing.T, s *Slots) (held, <-chan error) {
	t.Helper()
	h := newHeld()
	ended := do(t.Context(), s, h.work)
	<-h.begun
	return h, ended
}

func forbidden(t *testing.T) func() { return func() { t.Error("work began that was refused") } }

func refuseBusy(t *testing.T, err error) {
	t.Helper()
	var busy *BusyError
	if !errors.As(err, &busy) || busy.RetryAfter != wait {
		t.Errorf("got %v, want a *BusyError with %v", err, wait)
	}
}

func TestAsMuchWorkRunsAtOnceAsThereAreSlots(t *testing.T) {
	const slots, pieces = 3, 60
	s := New(slots, pieces, time.Minute)
	defer s.Close()
	var running, done atomic.Int32
	var together sync.WaitGroup
	together.Add(slots) // the first ones meet, which takes all slots at once
	var all sync.WaitGroup
	for range pieces {
		all.Go(func() {
			err := s.Do(t.Context(), func() {
				if now := running.Add(1); now > slots {
					t.Errorf("%d pieces run at once in %d slots", now, slots)
				}
				if done.Add(1) <= slots {
					together.Done()
					together.Wait()
				}
				running.Add(-1)
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if done.Load() != pieces {
		t.Errorf("%d pieces of %d were done", done.Load(), pieces)
	}
}

func TestWhatWorkWroteIsThereWhenDoReturns(t *testing.T) {
	s := New(2, 100, time.Minute)
	defer s.Close()
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			result := 0
			if err := s.Do(t.Context(), func() { result = i + 1 }); err != nil || result != i+1 {
				t.Errorf("result %d, %v; want %d", result, err, i+1)
			}
		})
	}
	all.Wait()
}

func TestAFullLineRefusesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(1, 2, wait)
		h, first := occupy(t, s)
		var ran atomic.Int32
		second := do(t.Context(), s, func() { ran.Add(1) })
		third := do(t.Context(), s, func() { ran.Add(1) })
		synctest.Wait() // both stand in the line

		before := time.Now()
		refuseBusy(t, s.Do(t.Context(), forbidden(t)))
		if took := time.Since(before); took != 0 {
			t.Errorf("it took %v to refuse", took)
		}

		close(h.letGo)
		if err := errors.Join(<-first, <-second, <-third); err != nil || ran.Load() != 2 {
			t.Errorf("%d of the two in the line ran: %v", ran.Load(), err)
		}
		s.Close()
	})
}

// Who is sent away is to know it at once, and not after a wait for nothing.
func TestWhoeverWouldWaitTooLongIsRefusedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(1, 100, wait)
		if err := s.Do(t.Context(), func() { time.Sleep(time.Second) }); err != nil {
			t.Fatal(err)
		}
		h, first := occupy(t, s)
		var line []<-chan error
		for range 3 { // the last of them waits for two seconds of half of five
			line = append(line, do(t.Context(), s, func() {}))
		}
		synctest.Wait()
		before := time.Now()
		refuseBusy(t, s.Do(t.Context(), forbidden(t)))
		if took := time.Since(before); took != 0 {
			t.Errorf("it took %v to refuse", took)
		}

		close(h.letGo)
		for _, ended := range append(line, first) {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
		for range 200 { // what takes no time is expected to take none
			if err := s.Do(t.Context(), func() {}); err != nil {
				t.Fatal(err)
			}
		}
		h, first = occupy(t, s)
		line = nil
		for range 50 {
			line = append(line, do(t.Context(), s, func() {}))
		}
		synctest.Wait()
		close(h.letGo)
		for _, ended := range append(line, first) {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
		s.Close()
	})
}

func TestAWaitIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(1, 2, wait)
		h, first := occupy(t, s)

		before := time.Now()
		refuseBusy(t, s.Do(t.Context(), forbidden(t)))
		if took := time.Since(before); took != wait {
			t.Errorf("it was refused after %v, want %v", took, wait)
		}

		close(h.letGo)
		if err := <-first; err != nil {
			t.Error(err)
		}
		s.Close() // the slot was free: what had been refused was passed over
	})
}

func TestWorkThatHasBegunMayTakeLongerThanTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(1, 1, wait)
		if err := s.Do(t.Context(), func() { time.Sleep(10 * wait) }); err != nil {
			t.Errorf("long work: %v", err)
		}
		s.Close()
	})
}

func TestACallerWhoHangsUpLeavesTheirPlaceToOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(1, 1, wait)
		h, first := occupy(t, s)
		ctx, hangUp := context.WithCancel(t.Context())
		waiting := do(ctx, s, forbidden(t))
		synctest.Wait()
		hangUp()
		if err := <-waiting; !errors.Is(err, context.Canceled) {
			t.Errorf("the caller who hung up got %v", err)
		}
		next := do(t.Context(), s, func() {}) // in the one place of the line
		synctest.Wait()
		close(h.letGo)
		if err := errors.Join(<-first, <-next); err != nil {
			t.Errorf("the next one: %v", err)
		}
		s.Close()
	})
}

func TestACallerWhoHungUpBeforeIsNotServed(t *testing.T) {
	s := New(1, 1, wait)
	defer s.Close()
	ctx, hangUp := context.WithCancel(t.Context())
	hangUp()
	for range 100 { // a free thread and the hang-up would be ready together
		if err := s.Do(ctx, forbidden(t)); !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v", err)
		}
	}
}

func TestTheLongestWaitingGoesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(1, 5, wait)
		h, first := occupy(t, s)
		var order []int // written by the one thread
		var waiting []<-chan error
		for i := range 5 {
			waiting = append(waiting, do(t.Context(), s, func() { order = append(order, i) }))
			synctest.Wait()
		}
		close(h.letGo)
		<-first
		for _, ended := range waiting {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
		if !slices.IsSorted(order) || len(order) != 5 {
			t.Errorf("they went in the order %v", order)
		}
		s.Close()
	})
}

func TestASlotIsHeldUntilItsWorkEndsThoughTheCallerHungUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(1, 1, wait)
		ctx, hangUp := context.WithCancel(t.Context())
		h := newHeld()
		first := do(ctx, s, h.work)
		<-h.begun
		hangUp()
		synctest.Wait()
		select {
		case err := <-first:
			t.Fatalf("Do returned before its work ended: %v", err)
		default:
		}
		refuseBusy(t, s.Do(t.Context(), forbidden(t))) // after its wait: the slot is held

		close(h.letGo)
		if err := <-first; err != nil {
			t.Errorf("work that ended: %v", err)
		}
		s.Close()
	})
}

func TestAPanicIsAnErrorAndTheThreadLivesOn(t *testing.T) {
	s := New(1, 1, time.Minute)
	defer s.Close()
	for range 3 {
		err := s.Do(t.Context(), func() { panic("out of ideas") })
		if err == nil || !strings.Contains(err.Error(), "out of ideas") || !strings.Contains(err.Error(), "slots_test.go") {
			t.Fatalf("the panic became %v, want its words and where it was", err)
		}
	}
	ran := false
	if err := s.Do(t.Context(), func() { ran = true }); err != nil || !ran {
		t.Errorf("after the panics: %v, ran %v", err, ran)
	}
}

func TestCloseWaitsForWorkAndRefusesTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(1, 1, wait)
		h, first := occupy(t, s)
		waiting := do(t.Context(), s, forbidden(t))
		synctest.Wait()
		closed := make(chan struct{})
		go func() { s.Close(); close(closed) }()
		refuseBusy(t, <-waiting)
		synctest.Wait()
		select {
		case <-closed:
			t.Fatal("Close returned before the work ended")
		default:
		}
		close(h.letGo)
		if err := <-first; err != nil {
			t.Errorf("work that had begun: %v", err)
		}
		<-closed
		refuseBusy(t, s.Do(t.Context(), forbidden(t)))
	})
}

func TestLoadTellsWhatRunsAndWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(1, 1, wait)
		h, first := occupy(t, s)
		second := do(t.Context(), s, func() {})
		synctest.Wait()
		refuseBusy(t, s.Do(t.Context(), forbidden(t)))
		if got, want := s.Load(), (Load{Slots: 1, Running: 1, Waiting: 1, Begun: 1, Refused: 1}); got != want {
			t.Errorf("amid it: %+v, want %+v", got, want)
		}
		time.Sleep(wait / 2)
		close(h.letGo)
		if err := errors.Join(<-first, <-second); err != nil {
			t.Fatal(err)
		}
		if got, want := s.Load(), (Load{Slots: 1, Begun: 2, Refused: 1, Waited: wait / 2}); got != want {
			t.Errorf("after it: %+v, want %+v", got, want)
		}
		s.Close()
	})
}

// around starts work with something around it, and gives what ends it there.
func around(ctx context.Context, s *Slots, before func(), work func()) <-chan error {
	ended := make(chan error, 1)
	go func() {
		ended <- s.DoAround(ctx, func(inSlot func(func()) error) error {
			before()
			return inSlot(work)
		})
	}()
	return ended
}

// While some look around their work, others' is done; but few look at once.
func TestFewAreAroundTheirWorkAtOnceAndNoSlotStandsEmpty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const slots = 2
		s := New(slots, 100, time.Hour)
		var atOnce, most, busy time.Duration
		var mu sync.Mutex
		add := func(to *time.Duration, n time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			*to += n
			most = max(most, atOnce)
		}
		began := time.Now()
		var all []<-chan error
		for range 60 {
			ended := make(chan error, 1)
			go func() {
				ended <- s.DoAround(t.Context(), func(inSlot func(func()) error) error {
					add(&atOnce, 1)
					defer add(&atOnce, -1)
					time.Sleep(time.Second)
					return inSlot(func() { time.Sleep(10 * time.Second); add(&busy, 10*time.Second) })
				})
			}()
			all = append(all, ended)
		}
		for _, ended := range all {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
		if most != slots+slots/2+1 {
			t.Errorf("%d are around their work at once", most)
		}
		if took := time.Since(began); slots*took > busy+busy/20 {
			t.Errorf("it takes %v for %v of work in %d slots", took, busy, slots)
		}
		s.Close()
	})
}

func TestWhoeverIsAroundTheirWorkHasItDoneThoughTheyHangUp(t *testing.T) {
	s := New(1, 1, wait)
	defer s.Close()
	ctx, hangUp := context.WithCancel(t.Context())
	ran := false
	if err := <-around(ctx, s, hangUp, func() { ran = true }); err != nil || !ran {
		t.Errorf("done: %v, %v", ran, err)
	}
	if err := s.DoAround(ctx, func(func(func()) error) error { t.Error("begun after"); return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("whoever has hung up before gets %v", err)
	}
}

func TestTheWaitIsOneBeforeAndAfterWhatIsAround(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(1, 10, wait)
		h, first := occupy(t, s)
		before := time.Now()
		refuseBusy(t, <-around(t.Context(), s, func() { time.Sleep(wait / 2) }, forbidden(t)))
		if took := time.Since(before); took != wait {
			t.Errorf("it was refused after %v, want %v", took, wait)
		}
		close(h.letGo)
		if err := <-first; err != nil {
			t.Error(err)
		}
		s.Close()
	})
}

func TestWhatFailsAroundItsWorkLeavesItsPlace(t *testing.T) {
	s := New(1, 0, wait)
	defer s.Close()
	failed := errors.New("failed")
	for range 5 {
		if err := s.DoAround(t.Context(), func(func(func()) error) error { return failed }); !errors.Is(err, failed) {
			t.Errorf("%v", err)
		}
		func() {
			defer func() { _ = recover() }()
			_ = s.DoAround(t.Context(), func(func(func()) error) error { panic("around") })
		}()
	}
	if err := s.DoAround(t.Context(), func(inSlot func(func()) error) error { return inSlot(func() {}) }); err != nil {
		t.Error(err)
	}
}
