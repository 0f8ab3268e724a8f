// Package kit brings up what the tests in faults/ break: the real program as one
// process or several on a database of their own, its mail box, and people at its
// pages.
package kit

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/apptest/program"
	"github.com/twinlock/twinlock/internal/mail/mailtest"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

// Engine is a kind of database.
type Engine string

// The two that there are.
const (
	SQLite     Engine = "SQLite"
	PostgreSQL Engine = "PostgreSQL"
)

// Each runs a test once for each engine.
func Each(t *testing.T, test func(*testing.T, Engine)) {
	for _, e := range []Engine{SQLite, PostgreSQL} {
		t.Run(string(e), func(t *testing.T) { test(t, e) })
	}
}

// Site is one or several servers of a database. All go by one clock and send
// their letters to one mail box.
type Site struct {
	Engine  Engine
	URL     string             // as people type it
	Servers []*program.Server  // each at an address of its own; on SQLite there is one
	Cluster *storetest.Cluster // nil on SQLite
	Address string             // of the database, as the setting database_url takes it; on SQLite one server at a time uses it
	Mail    *mailtest.Server

	balancer string // where HAProxy listens

	t  testing.TB
	mu sync.Mutex
	by time.Duration // how far the clock is turned
}

// generous are settings under which tests meet no limit that they do not look
// for, and wait no longer than they must for a hash.
var generous = []string{
	"--letters-per-hour", "100", "--throttle-network", "10000", "--throttle-requests", "100000",
	"--hash-memory", "7", "--hash-passes", "5", "--log-level", "warn",
}

// Start starts a site of so many servers, with further flags. It ends with the
// test.
func Start(t testing.TB, engine Engine, servers int, flags ...string) *Site {
	t.Helper()
	s := New(t, engine, servers, flags...)
	for _, server := range s.Servers {
		server.Start()
	}
	return s
}

// New is Start for servers that have not started yet. The first one to start has
// to be the first one.
func New(t testing.TB, engine Engine, servers int, flags ...string) *Site {
	t.Helper()
	s := &Site{Engine: engine, t: t}
	if engine == PostgreSQL {
		s.Cluster = storetest.StartCluster(t) // before the servers, so that it ends after them
		s.Address = s.Cluster.Database(t, "twinlock")
	}
	s.prepare(servers, flags)
	return s
}

// On is Start on a PostgreSQL of the test's own.
func On(t testing.TB, address string, servers int, flags ...string) *Site {
	t.Helper()
	s := &Site{Engine: PostgreSQL, Address: address, t: t}
	s.prepare(servers, flags)
	for _, server := range s.Servers {
		server.Start()
	}
	return s
}

func (s *Site) prepare(servers int, flags []string) {
	s.t.Helper()
	s.Mail = mailtest.Start(s.t, mailtest.Clear)
	port := program.FreePort(s.t)
	s.URL = "http://localhost:" + port
	for i := range servers {
		folder := s.t.TempDir()
		server := program.Behind(s.t, folder, port, s.URL, generous...)
		server.Flags = append(server.Flags, flags...)
		server.Environ = []string{"TWINLOCK_SMTP_URL=" + s.Mail.URL()}
		if i > 0 {
			server.ClockFile = s.Servers[0].ClockFile
			server.Flags = append(server.Flags, "--sealing-key-file", filepath.Join(s.Servers[0].Data, "keys", "sealing.key"))
		}
		s.Servers = append(s.Servers, server)
		port = program.FreePort(s.t)
	}
	if s.Engine == SQLite {
		s.Address = "sqlite:" + filepath.Join(s.Servers[0].Data, "twinlock.db")
	}
	for _, server := range s.Servers {
		server.Environ = append(server.Environ, "TWINLOCK_DATABASE_URL="+s.Address)
	}
}

// Now is what the servers' clock shows.
func (s *Site) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Now().UTC().Add(s.by)
}

// Turn turns the servers' clock forward, or with a negative d back.
func (s *Site) Turn(d time.Duration) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.by += d
	s.Servers[0].Clock(fmt.Sprintf("%+dms", s.by.Milliseconds()))
}

// Browser opens a browser on one of the servers, at an address of 127.0.0.0/8
// such as "127.0.0.2".
func (s *Site) Browser(server int, network string) *apptest.Browser {
	s.t.Helper()
	return apptest.Far(s.t, s.URL, s.Servers[server].Local, network)
}

// Command runs a command beside the first server, and gives what it prints.
func (s *Site) Command(in string, args ...string) string {
	s.t.Helper()
	return s.Servers[0].Run(in, args...)
}

// Activate makes a plug-in work for everyone.
func (s *Site) Activate(plugin string) {
	s.t.Helper()
	s.Command("", "plugin", "activate", plugin)
	s.Command("", "plugin", "allow", plugin, "--everyone")
}
