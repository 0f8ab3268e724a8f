package main

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/twinlock/twinlock/bench/serving"
	"github.com/twinlock/twinlock/internal/apptest/child"
)

const (
	phrase        = "seven purple lanterns drift"
	administrator = "root@example.org"
)

// site is a database of some size, and the program on it.
type site struct {
	program string
	people  int
	address string
	server  *exec.Cmd
	cookie  string // of the wiki, of somebody signed in
	admin   string // the session of the administrator
}

func (s *site) name() string { return fmt.Sprintf("%s, %d people", *engine, s.people) }

func (s *site) data() string { return filepath.Join(*folder, fmt.Sprintf("%s-%d", *engine, s.people)) }

func (s *site) database() string { return fmt.Sprintf("growth_%d", s.people) }

func (s *site) url() string {
	if *engine == "postgres" {
		return postgres.URL(s.database())
	}
	return "sqlite:" + filepath.Join(s.data(), "twinlock.db")
}

func (s *site) open() (*sql.DB, error) {
	if *engine == "postgres" {
		return sql.Open("pgx", s.url())
	}
	path := filepath.Join(s.data(), "twinlock.db")
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	return sql.Open("sqlite", "file:"+path)
}

func (s *site) makeDatabase() error {
	if *engine != "postgres" {
		return nil
	}
	return postgres.Make(s.database())
}

func (s *site) command(in string, args ...string) error {
	c := exec.Command(s.program, append(args, "--data", s.data(), "--database-url", s.url())...)
	c.Stdin = strings.NewReader(in)
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("twinlock %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return nil
}

func (s *site) start() (err error) {
	if s.address, err = serving.FreeAddress(); err != nil {
		return err
	}
	s.server = exec.Command(s.program, "serve", "--data", s.data(), "--database-url", s.url(), "--listen", s.address,
		"--public-url", serving.Home, "--trusted-proxies", "127.0.0.1", "--log-level", "warn")
	s.server.Stderr = os.Stderr
	if err := s.server.Start(); err != nil {
		return err
	}
	return serving.Await("http://" + s.address + "/readyz")
}

func (s *site) stop() error {
	if s.server == nil {
		return nil
	}
	err := errors.Join(s.server.Process.Signal(syscall.SIGTERM), s.server.Wait())
	s.server = nil
	return err
}

// resident is how much memory the program and its processes take, in MiB.
func (s *site) resident() float64 { return float64(child.Memory(s.server.Process.Pid)) / (1 << 20) }
