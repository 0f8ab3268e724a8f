package apptest

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/app"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/config"
	"github.com/twinlock/twinlock/internal/password"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

// Site is a running Twinlock. Its embedded App is the program itself, for what
// no page does.
type Site struct {
	*app.App
	Clock *Clock
	Mail  *Mail

	t       testing.TB
	options app.Options
}

// New builds a site on an empty SQLite database and closes it when the test
// ends. Settings are given as on the command line, by name and value:
//
//	apptest.New(t, "session_idle=5m", "registration=invited")
//
// A setting named data or database_url takes the place of the temporary one.
func New(t testing.TB, settings ...string) *Site {
	t.Helper()
	return NewWith(t, app.Options{}, settings...)
}

// NewWith is New for a test that brings parts of its own; what it leaves out is
// the kit's.
func NewWith(t testing.TB, o app.Options, settings ...string) *Site {
	t.Helper()
	given := map[string]string{"data": migrated(t), "hash_slots": "2"}
	for _, s := range settings {
		name, value, _ := strings.Cut(s, "=")
		given[name] = value
	}
	c, err := config.Load(given, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	s := &Site{Clock: newClock(), Mail: newMail(), t: t, options: o}
	s.open(c)
	t.Cleanup(s.close)
	return s
}

// migrated is a data folder with a database in which every table is.
func migrated(t testing.TB) string {
	t.Helper()
	folder := t.TempDir()
	storetest.WriteSQLite(t, filepath.Join(folder, "twinlock.db"))
	return folder
}

func (s *Site) open(c config.Config) {
	s.t.Helper()
	o := s.options
	o.HashCost, o.Now, o.Outgoing = HashCost, s.Clock.Now, s.Mail
	if o.Log == nil {
		o.Log = slog.New(logOf(s.t))
	}
	var err error
	s.App, err = app.New(s.t.Context(), c, o)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.ObeySettings(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	s.Mail.send = s.sendAll
}

// sendAll sends what is due, one batch after another until none brings a letter.
func (s *Site) sendAll() error {
	for before := -1; before != s.Mail.taken(); {
		before = s.Mail.taken()
		if err := s.SendLetters(context.Background()); err != nil {
			return err
		}
	}
	return nil
}

func (s *Site) close() {
	s.t.Helper()
	if err := s.Close(); err != nil {
		s.t.Error(err)
	}
}

// Restart ends the program and starts it again on the same data. Browsers,
// people, the clock and the mail box stay.
func (s *Site) Restart() {
	s.t.Helper()
	s.close()
	s.open(s.Config)
}

// HashCost is next to nothing: what a hash takes is not what these tests are
// about.
var HashCost = password.Cost{MemoryKiB: 64, Passes: 1}

// logOf writes what is worth a warning into the test's own log.
func logOf(t testing.TB) slog.Handler {
	return slog.NewTextHandler(testLog{t}, &slog.HandlerOptions{Level: slog.LevelWarn})
}

type testLog struct{ t testing.TB }

func (l testLog) Write(line []byte) (int, error) {
	l.t.Logf("%s", strings.TrimSpace(string(line)))
	return len(line), nil
}

// Command is the actor of what a test does as an operator would.
var Command = auth.Actor{Command: true}

// Activate makes a plug-in work for everyone.
func (s *Site) Activate(plugin auth.PluginID) {
	s.t.Helper()
	s.SetActivation(auth.Activation{Plugin: plugin, Active: true, Everyone: true})
}

// SetActivation makes a plug-in work for whom it says.
func (s *Site) SetActivation(a auth.Activation) {
	s.t.Helper()
	err := s.Store.ChangeActivation(s.t.Context(), Command, a.Plugin, store.AnyLoss, s.Now(),
		func(wanted *auth.Activation) { *wanted = a })
	if err != nil {
		s.t.Fatal(err)
	}
}

// ChangeApplication changes an application as an operator would.
func (s *Site) ChangeApplication(id auth.ApplicationID, change func(*auth.Application)) {
	s.t.Helper()
	err := s.Store.ChangeApplication(s.t.Context(), Command, id, s.Now(), func(a *auth.Application) error {
		change(a)
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// ChangeClient changes what an application is registered with, as an operator
// would.
func (s *Site) ChangeClient(id auth.ApplicationID, change func(*auth.Client)) {
	s.t.Helper()
	err := s.Store.ChangeClient(s.t.Context(), Command, id, s.Now(), func(c *auth.Client) error {
		change(c)
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// start is when every test begins: a Monday, twelve seconds into a period of
// the authenticator.
var start = time.Date(2026, 11, 23, 9, 30, 12, 0, time.UTC)
