package proof_test

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/hashing"
	"github.com/twinlock/twinlock/internal/keys"
	"github.com/twinlock/twinlock/internal/password"
	"github.com/twinlock/twinlock/internal/proof"
	"github.com/twinlock/twinlock/internal/recovery"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/slots"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
	"github.com/twinlock/twinlock/internal/throttle"
	"github.com/twinlock/twinlock/internal/totp"
)

var (
	now  = storetest.Now
	from = proof.From{Network: netip.MustParseAddr("192.0.2.1"), Now: now}
	row  = throttle.Rule{Free: 1, FirstWait: time.Hour, LongestWait: time.Hour, CloseAfter: 100}
)

// examiner examines with one slot, on a store of its own.
func examiner(t *testing.T) (*proof.Examiner, *slots.Slots) {
	t.Helper()
	one := slots.New(1, 1, time.Minute)
	return &proof.Examiner{
		Store: storetest.Open(t, storetest.Migrated["SQLite"](t), keys.New()), Slots: one,
		Hasher: hashing.Here{}, Cost: password.Cost{MemoryKiB: 64, Passes: 1},
		Rules: proof.Rules{Password: row, Code: row, BitsIPv6: 64, Network: row,
			CodesThisMonth: throttle.Rule{Free: 1, CloseAfter: 1, Window: 30 * 24 * time.Hour}},
		VerifyLink: mailed, UnlockLink: mailed,
	}, one
}

var mailed = store.Mailed{Life: time.Hour, Path: func(secret.Token) string { return "/" }}

// protected has two-factor authentication on, and the recovery codes given.
func protected(t *testing.T, s *store.Store) (auth.User, []recovery.Code) {
	t.Helper()
	u := storetest.Person(t, s, "ada@example.org")
	by := auth.Actor{User: u, Session: storetest.Session(t, s, u, now).Session}
	codes := recovery.New(1)
	_, err := s.EnableTwoFactor(t.Context(), by, store.Enrolment{User: u.ID, Generation: u.Generation,
		Key: totp.NewKey(), Codes: recovery.Hash(codes, recovery.Cost{MemoryKiB: 64, Passes: 1})}, now)
	if err != nil {
		t.Fatal(err)
	}
	if u, err = s.User(t.Context(), u.ID); err != nil {
		t.Fatal(err)
	}
	return u, codes
}

func hungUp(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// wantUncounted tells that a bucket holds no failure: the rule here lets one
// through and makes the next wait.
func wantUncounted(t *testing.T, e *proof.Examiner, buckets ...throttle.Bucket) {
	t.Helper()
	for _, b := range buckets {
		if err := e.Store.Waits(t.Context(), b, throttle.Rule{Free: 1, FirstWait: time.Hour, LongestWait: time.Hour}, now); err != nil {
			t.Errorf("%s was counted: %v", b.Kind(), err)
		}
	}
}

func counted(t *testing.T, e *proof.Examiner, b throttle.Bucket) bool {
	t.Helper()
	var wait *store.WaitError
	return errors.As(e.Store.Waits(t.Context(), b, throttle.Rule{Free: 1, FirstWait: time.Hour, LongestWait: time.Hour}, now), &wait)
}

func TestACodeThatNoSlotLookedAtIsPaidForNowhere(t *testing.T) {
	e, one := examiner(t)
	u, codes := protected(t, e.Store)
	one.Close()
	var busy *slots.BusyError
	if _, err := e.Code(t.Context(), from, u, codes[0].Reveal()); !errors.As(err, &busy) {
		t.Fatalf("%v, want busy", err)
	}
	wantUncounted(t, e, throttle.Code(string(u.ID)), throttle.CodesThisMonth(string(u.ID)))
}

func TestWhatIsTakenBackIsTakenBackAfterTheBrowserHungUp(t *testing.T) {
	e, one := examiner(t)
	defer one.Close()
	u, codes := protected(t, e.Store)
	checked, err := e.Code(t.Context(), from, u, codes[0].Reveal())
	if err != nil || checked.Verdict != proof.Right || len(checked.Paid) != 2 {
		t.Fatalf("%+v (%v)", checked, err)
	}
	checked.Verdict = proof.Spent // another request was faster
	if err := e.RefuseCode(hungUp(t), from, u, checked); err != nil {
		t.Fatal(err)
	}
	wantUncounted(t, e, throttle.Code(string(u.ID)), throttle.CodesThisMonth(string(u.ID)))
}

func TestWhoeverHangsUpHasStillTriedACode(t *testing.T) {
	e, one := examiner(t)
	defer one.Close()
	u, _ := protected(t, e.Store)
	checked, err := e.Code(t.Context(), from, u, "000000")
	if err != nil || checked.Verdict != proof.Wrong {
		t.Fatalf("%+v (%v)", checked, err)
	}
	if err := e.RefuseCode(hungUp(t), from, u, checked); err != nil {
		t.Fatal(err)
	}
	network := throttle.Network(from.Network, 64)
	for _, b := range []throttle.Bucket{throttle.Code(string(u.ID)), throttle.CodesThisMonth(string(u.ID)), network} {
		if !counted(t, e, b) {
			t.Errorf("%s was not counted", b.Kind())
		}
	}
}

func TestWhoeverHangsUpIsRefusedAllTheSame(t *testing.T) {
	e, one := examiner(t)
	defer one.Close()
	u := storetest.Person(t, e.Store, "ada@example.org")
	e.Rules.Password.CloseAfter = 1
	tried, err := e.Password(t.Context(), from, u.Canonical, "wrong")
	if err != nil || tried.Right || !tried.Paid.Closes {
		t.Fatalf("%+v (%v)", tried, err)
	}
	if err := e.RefusePassword(hungUp(t), from, tried); err != nil {
		t.Fatal(err)
	}
	letters, err := e.Store.DueLetters(t.Context(), 10, now)
	if err != nil || len(letters) != 1 || letters[0].Letter.Kind != auth.LetterUnlock {
		t.Errorf("letters %v (%v), want the one that unlocks", letters, err)
	}
	if !counted(t, e, throttle.Network(from.Network, 64)) {
		t.Error("its network address was not counted")
	}
}

// The end of a request is no way to try without being counted, nor a way to wait
// for ever.
func TestWhoeverComesAtTheEndOfTheirTimeIsCounted(t *testing.T) {
	e, one := examiner(t)
	defer one.Close()
	u := storetest.Person(t, e.Store, "ada@example.org")
	tried, err := e.Password(t.Context(), from, u.Canonical, "wrong")
	if err != nil {
		t.Fatal(err)
	}
	late, cancel := context.WithDeadline(t.Context(), time.Now())
	defer cancel()
	if err := e.RefusePassword(late, from, tried); err != nil {
		t.Error(err)
	}
	undisturbed, cancel := proof.Undisturbed(late)
	defer cancel()
	if end, ok := undisturbed.Deadline(); !ok || time.Until(end) > 10*time.Second {
		t.Errorf("it ends at %v (%v)", end, ok)
	}
}

func TestAPasswordThatNoSlotLookedAtIsPaidForNowhere(t *testing.T) {
	e, one := examiner(t)
	u := storetest.Person(t, e.Store, "ada@example.org")
	if _, err := e.Password(hungUp(t), from, u.Canonical, "wrong"); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want canceled", err)
	}
	begun, letGo := make(chan struct{}), make(chan struct{})
	held := make(chan error)
	go func() { held <- one.Do(context.Background(), func() { close(begun); <-letGo }) }()
	<-begun
	answered := make(chan error)
	go func() {
		_, err := e.Password(context.Background(), from, u.Canonical, "wrong")
		answered <- err
	}()
	for !counted(t, e, throttle.Password(u.Canonical)) { // it has paid, and waits for the slot
		time.Sleep(time.Millisecond)
	}
	go one.Close()
	if err := <-answered; err == nil {
		t.Error("looked at without a slot")
	}
	close(letGo)
	<-held
	wantUncounted(t, e, throttle.Password(u.Canonical), throttle.Network(from.Network, 64))
}

// ended is a hasher whose process ends before it answers.
type ended struct{ hashing.Here }

func (ended) Check(password.Cost, string, string) (ok, upgrade bool, err error) {
	return true, false, hashing.ErrEnded
}

func (ended) Hash(password.Cost, string) (string, error) { return "", hashing.ErrEnded }

func (ended) MatchCode(recovery.Set, string) (index int, ok bool, err error) {
	return 0, true, hashing.ErrEnded
}

// What a process did not come to is neither right nor wrong, and costs nothing.
func TestWhatTheHasherDidNotFindOutIsPaidForNowhere(t *testing.T) {
	e, _ := examiner(t)
	u, codes := protected(t, e.Store)
	e.Hasher = ended{}
	var busy *slots.BusyError
	if p, err := e.Password(t.Context(), from, u.Canonical, "wrong"); !errors.As(err, &busy) || p.Right {
		t.Errorf("password: right %v, %v", p.Right, err)
	}
	if c, err := e.Code(t.Context(), from, u, codes[0].Reveal()); !errors.As(err, &busy) || c.Verdict == proof.Right {
		t.Errorf("recovery code: %s, %v", c.Verdict, err)
	}
	if hash, err := e.Hash(t.Context(), "nine grey geese over Ghent"); !errors.As(err, &busy) || hash != "" {
		t.Errorf("a new password: %v", err)
	}
	wantUncounted(t, e, throttle.Password(u.Canonical), throttle.Code(string(u.ID)), throttle.CodesThisMonth(string(u.ID)), throttle.Network(from.Network, 64))
}
