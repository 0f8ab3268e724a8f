package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/config"
	"github.com/twinlock/twinlock/internal/hashing"
	"github.com/twinlock/twinlock/internal/i18n"
	"github.com/twinlock/twinlock/internal/keys"
	"github.com/twinlock/twinlock/internal/metrics"
	"github.com/twinlock/twinlock/internal/oidc"
	"github.com/twinlock/twinlock/internal/origin"
	"github.com/twinlock/twinlock/internal/passkey"
	"github.com/twinlock/twinlock/internal/password"
	"github.com/twinlock/twinlock/internal/proof"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/session"
	"github.com/twinlock/twinlock/internal/setup"
	"github.com/twinlock/twinlock/internal/slots"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/web"
)

// App is the running program. Its fields are for the commands and the test
// kit; they do not change after New.
type App struct {
	Config  config.Config
	Store   *store.Store
	Live    *session.Live
	Floor   *web.Floor
	Now     func() time.Time
	Handler http.Handler
	OpenID  *oidc.Flow

	log      *slog.Logger
	ring     *keys.Ring
	slots    *slots.Slots // where passwords are hashed
	hasher   hashing.Hasher
	judges   *slots.Slots // where passwords of forms are judged
	linked   *slots.Slots // where those behind a mailed link are judged
	bar      *slots.Slots // where they are judged while they are typed
	cost     password.Cost
	bundle   *i18n.Bundle
	setup    *setup.Flow
	clock    *onward
	unready  atomic.Value // what readyz said last
	stopping atomic.Bool  // it was told to stop
	work     background
}

// Options are what tests and the developer's program choose differently.
// The zero value is the shipped program.
type Options struct {
	Now      func() time.Time // nil: the program's clock
	Log      *slog.Logger     // nil: to standard error
	Pseudo   bool             // the pseudo-language is offered too
	Outgoing Sender           // nil: as the settings say
	HashCost password.Cost    // zero: as the settings say
	HashBy   []string         // the program, and its arguments, that hashes in processes of its own; nil: this one does
	Slots    *slots.Slots     // nil: as the settings say; Close ends them, and the three below
	Judges   *slots.Slots     // nil: as many as hash
	Linked   *slots.Slots     // nil: as many as hash
	Bar      *slots.Slots     // nil: as many as hash, and no line behind them
	Through  store.Through    // nil: nothing is between the store and its database
}

// New opens the keys and the database that the settings name and builds the
// program on them. Nothing runs before Start.
func New(ctx context.Context, c config.Config, o Options) (*App, error) {
	a := &App{Config: c, Now: o.Now, log: o.Log, cost: o.HashCost, slots: o.Slots, judges: o.Judges, linked: o.Linked, bar: o.Bar, work: background{drain: drain, letters: metrics.NewTally(letterSent, letterFailed, letterGivenUp)}}
	if a.cost == (password.Cost{}) {
		a.cost = costOf(c)
	}
	if a.Now == nil {
		a.Now = Clock
	}
	if a.log == nil {
		a.log = slog.Default()
	}
	if err := a.open(ctx, o); err != nil {
		return nil, err
	}
	if err := a.build(ctx, o); err != nil {
		return nil, errors.Join(err, a.Store.Close())
	}
	return a, nil
}

func (a *App) open(ctx context.Context, o Options) (err error) {
	load := i18n.Load
	if o.Pseudo {
		load = i18n.LoadWithPseudo
	}
	if a.bundle, err = load(); err != nil {
		return err
	}
	if err := password.Load(); err != nil { // a missing list must not go unnoticed
		return err
	}
	if a.ring, a.Store, err = openStore(ctx, a.Config, o.Through, a.tellStep); err != nil {
		return err
	}
	return a.prepareMail(o)
}

// build hands every flow its parts.
func (a *App) build(ctx context.Context, o Options) error {
	c := a.Config
	a.Live = session.New(a.Store, policyOf(c))
	if err := a.startClock(ctx); err != nil {
		return err
	}
	a.hasher = hasherOf(o, a.log)
	a.openSlots(o)
	a.Floor = &web.Floor{
		PublicURL: string(c.PublicURL), Site: c.SiteName, TrustedProxies: c.TrustedProxies,
		IdleNotice: c.IdleNotice, PasskeyTimeout: c.PasskeyTimeout, Now: a.Now, SetBacks: a.clock.SetBacks, Store: a.Store, Live: a.Live, Ring: a.ring,
		Bundle: a.bundle, Pages: ui.New(a.bundle, FlowPages), Log: a.log,
	}
	var err error
	if a.Floor.Passkeys, err = partyOf(c); err != nil {
		return err
	}
	a.Handler = a.Floor.Handler(a.routes(a.examiner()))
	return nil
}

// partyOf is where we live as passkeys know it; nil where they cannot work.
func partyOf(c config.Config) (*passkey.Party, error) {
	if !c.PublicURL.HasName() {
		return nil, nil
	}
	ours, _ := origin.Parse(string(c.PublicURL)) // the settings hold it to be one
	return passkey.NewParty(ours.String(), ours.Name(), c.SiteName)
}

// openSlots makes room for what takes a processor for a while. Whoever judges
// passwords as they are typed, and anybody may, keeps no form waiting; and forms
// that are judged keep no login from being hashed. Nor do forms that anybody may
// send keep those waiting that are sent from a link of ours.
func (a *App) openSlots(o Options) {
	count := a.Config.HashSlots
	if count == 0 {
		count = runtime.GOMAXPROCS(0)
	}
	if o.HashBy != nil && a.slots == nil {
		a.slots = slots.NewWaiting(count, lineBehind*count, a.Config.HashWait)
	}
	for _, withLine := range []**slots.Slots{&a.slots, &a.judges, &a.linked} {
		if *withLine == nil {
			*withLine = slots.New(count, lineBehind*count, a.Config.HashWait)
		}
	}
	if a.bar == nil {
		a.bar = slots.New(count, 0, barWait)
	}
}

// hashRest is how long nobody logs in until the processes that hash end.
const hashRest = time.Minute

func hasherOf(o Options, log *slog.Logger) hashing.Hasher {
	if o.HashBy == nil {
		return hashing.Here{}
	}
	return hashing.New(log, hashRest, o.HashBy[0], o.HashBy[1:]...)
}

const (
	lineBehind = 64          // how many wait for each slot at most
	barWait    = time.Second // how long a free slot may take to begin
)

// startClock lets the program's clock go on from where it was kept.
func (a *App) startClock(ctx context.Context) (err error) {
	if a.clock, err = newOnward(ctx, a.Now, keptInStore{a.Store, a.Live, a.othersServe}, a.log); err != nil {
		return err
	}
	a.Now = a.clock.Now
	return nil
}

// othersServe tells whether a server other than this one uses the database. A
// server whose connection broke is not seen until it has said so anew.
func (a *App) othersServe(ctx context.Context) (bool, error) {
	if use := a.work.use; use != nil {
		return use.Others(ctx)
	}
	servers, err := a.Store.Servers(ctx)
	return servers > 0, err
}

// keepClock writes how far the clock has come. A command that is typed beside a
// server does not: the clock of its machine is none that others go on from.
func (a *App) keepClock(ctx context.Context) error {
	if a.work.use == nil {
		if others, err := a.othersServe(ctx); err != nil || others {
			return err
		}
	}
	return a.clock.Keep(ctx)
}

func (a *App) examiner() *proof.Examiner {
	e := &proof.Examiner{
		Store: a.Store, Slots: a.slots, Hasher: a.hasher, Rules: triesOf(a.Config), Cost: a.cost,
		VerifyLink: a.SignupLink(),
		UnlockLink: mailed(a.Config.UnlockLink, "/login/unlock"),
	}
	if a.Floor.Passkeys != nil {
		e.Passkeys = a.Floor.Passkeys
	}
	return e
}

// mailed is a link to one of our pages, as letters carry it.
func mailed(life time.Duration, path string) store.Mailed {
	return store.Mailed{Life: life, Path: func(t secret.Token) string { return web.MailedPath(path, t) }}
}

// Close keeps how far the clock has come and closes the database. Hashes that have
// begun are waited for in what is left of the time for both.
func (a *App) Close() error {
	ctx, cancel := a.untilGone()
	defer cancel()
	err := a.keepClock(ctx)
	a.closeSlots(ctx)
	a.hasher.Close()
	return errors.Join(err, a.Store.Close())
}

func (a *App) closeSlots(ctx context.Context) {
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		for _, s := range []*slots.Slots{a.slots, a.judges, a.linked, a.bar} {
			s.Close()
		}
	}()
	select {
	case <-closed:
	case <-ctx.Done():
	}
}

// Work is how much was done since the start. Answers that must not differ must
// not take different work either.
type Work struct {
	store.Work
	Hashes int64
}

// Work counts what was done so far.
func (a *App) Work() Work { return Work{a.Store.Work(), a.slots.Begun()} }

// policyOf is what the settings say for everybody.
func policyOf(c config.Config) auth.Policy {
	return auth.Policy{
		SessionIdle: c.SessionIdle, SessionOverall: c.SessionOverall, OpenWindow: c.OpenWindow,
		Fresh: c.Fresh, WrongCodes: c.WrongCodes, WindowTries: c.OpenWindowTries,
		Passkeys: c.PublicURL.HasName(), // they belong to one
	}
}

// ErrNoKeys is returned when a database has accounts and its keys are gone.
var ErrNoKeys = errors.New("the database has accounts, and the keys that it was begun with are missing")

// tellStep tells of a database that is brought up to date, so that nobody takes the
// minutes which that needs among many people for a server that hangs.
func (a *App) tellStep(s store.Step) {
	step := a.log.With("step", s.Name, "number", s.Number, "of", s.Of)
	switch s.State {
	case store.StepBegins:
		step.Info("a step of the database begins")
	case store.StepDone:
		step.Info("a step of the database is done", "took", s.Took.Round(time.Millisecond))
	case store.StepTaken:
		step.Info("a step of the database was taken by another server")
	case store.StepGaveWay:
		step.Info("a step of the database gave way to others, and is tried again")
	}
}

// openStore opens the keys and the database of the settings. Keys are made
// only for a database without accounts.
func openStore(ctx context.Context, c config.Config, through store.Through, tell func(store.Step)) (*keys.Ring, *store.Store, error) {
	path := keyFile(c)
	if err := finishRestore(ctx, c, tell); err != nil {
		return nil, nil, fmt.Errorf("finish a restore: %w", err)
	}
	ring, err := keys.OpenFile(path)
	if err == nil {
		s, err := store.OpenTelling(ctx, c.DatabaseURL.Reveal(), ring, rulesOf(c), through, tell)
		if errors.Is(err, store.ErrOtherKeys) {
			err = fmt.Errorf("%w: put back the file %s that belongs to it", err, path)
		}
		return ring, s, err
	}
	if c.SealingKeyFile != "" || !isMissing(err) {
		return nil, nil, fmt.Errorf("sealing key: %w", err)
	}
	return makeKeys(ctx, c, path, through, tell)
}

func makeKeys(ctx context.Context, c config.Config, path string, through store.Through, tell func(store.Step)) (*keys.Ring, *store.Store, error) {
	if err := refuseUnlessEmpty(ctx, c, path, tell); err != nil {
		return nil, nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, nil, fmt.Errorf("make the folder of the sealing key: %w", err)
	}
	ring, err := keys.CreateFile(path)
	if err != nil {
		return nil, nil, fmt.Errorf("make the sealing key: %w", err)
	}
	s, err := store.OpenTelling(ctx, c.DatabaseURL.Reveal(), ring, rulesOf(c), through, tell)
	return ring, s, err
}

func refuseUnlessEmpty(ctx context.Context, c config.Config, path string, tell func(store.Step)) error {
	s, err := store.OpenTelling(ctx, c.DatabaseURL.Reveal(), nil, rulesOf(c), nil, tell)
	if err != nil {
		return err
	}
	defer s.Close()
	empty, err := s.Empty(ctx)
	if err == nil && !empty {
		err = fmt.Errorf("%w: put back %s", ErrNoKeys, path)
	}
	return err
}
