package main

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/twinlock/twinlock/bench/serving"
	"github.com/twinlock/twinlock/internal/apptest/child"
)

const password = "seven purple lanterns drift"

type person struct{ address string }

// people log in at once.
var people = func() (all [64]person) {
	for i := range all {
		all[i].address = fmt.Sprintf("person%d@example.org", i)
	}
	return all
}()

// benched are the program and the bare server, running.
type benched struct {
	folder, program string
	product, bare   *exec.Cmd
	address, bareAt string
	postgres        *serving.Postgres // nil on SQLite
	cookie          string            // of the application, of somebody signed in
	started         time.Duration
	idle            float64 // memory before anybody came, in MiB
}

func begin() (b *benched, err error) {
	b = &benched{}
	if b.folder, err = os.MkdirTemp("", "speed"); err != nil {
		return nil, err
	}
	for _, step := range []func() error{b.build, b.startDatabase, b.fill, b.start, b.startBare, b.signIn} {
		if err := step(); err != nil {
			b.end()
			return nil, err
		}
	}
	return b, nil
}

func (b *benched) end() {
	for _, process := range []*exec.Cmd{b.product, b.bare} {
		if process != nil && process.Process != nil {
			_ = process.Process.Signal(syscall.SIGTERM)
			_ = process.Wait()
		}
	}
	if b.postgres != nil {
		b.postgres.End()
	}
	_ = os.RemoveAll(b.folder)
}

func (b *benched) build() error {
	if *program != "" {
		b.program = *program
		return nil
	}
	b.program = filepath.Join(b.folder, "twinlock")
	c := exec.Command("go", "build", "-trimpath", "-ldflags=-s", "-o", b.program, "./cmd/twinlock")
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w: %s", err, out)
	}
	return nil
}

// where are the flags that say where the data is.
func (b *benched) where() []string {
	flags := []string{"--data", filepath.Join(b.folder, "data")}
	if b.postgres != nil {
		flags = append(flags, "--database-url", b.postgres.URL("speed"))
	}
	return flags
}

// startDatabase starts PostgreSQL, where it is to be that.
func (b *benched) startDatabase() (err error) {
	if *engine != "postgres" {
		return nil
	}
	if err := os.Chmod(b.folder, 0o755); err != nil { // PostgreSQL is another user
		return err
	}
	if b.postgres, err = serving.StartPostgres(filepath.Join(b.folder, "postgres")); err != nil {
		return err
	}
	return b.postgres.Make("speed")
}

func (b *benched) command(in string, args ...string) error {
	c := exec.Command(b.program, append(args, b.where()...)...)
	c.Stdin = strings.NewReader(in)
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("twinlock %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return nil
}

func (b *benched) fill() error {
	for _, p := range people {
		if err := b.command(password, "user", "add", p.address, "--password-stdin"); err != nil {
			return err
		}
	}
	return b.command("", "app", "add", "Wiki", "--url", serving.Wiki+"/", "--allow-everyone")
}

func (b *benched) start() (err error) {
	if b.address, err = serving.FreeAddress(); err != nil {
		return err
	}
	b.product = exec.Command(b.program, append([]string{"serve", "--listen", b.address, "--public-url", serving.Home, "--trusted-proxies", "127.0.0.1"}, b.where()...)...)
	began := time.Now()
	if err := b.product.Start(); err != nil {
		return err
	}
	err = serving.Await("http://" + b.address + "/readyz")
	b.started = time.Since(began)
	if err != nil {
		return err
	}
	time.Sleep(time.Second) // what the start needed once is given back
	b.idle = b.memory()
	return nil
}

func (b *benched) startBare() (err error) {
	if b.bareAt, err = serving.FreeAddress(); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	b.bare = exec.Command(self, "bare", b.bareAt)
	if err := b.bare.Start(); err != nil {
		return err
	}
	return serving.Await("http://" + b.bareAt + "/question")
}

// browser is a new one, with connections of its own.
func (b *benched) browser() *http.Client {
	return serving.Browser(b.address, &http.Transport{MaxIdleConnsPerHost: len(people)})
}

// signIn logs somebody in and opens the wiki, and keeps the cookie that the
// proxy's questions then carry.
func (b *benched) signIn() (err error) {
	browser := b.browser()
	if err := serving.LogIn(browser, people[0].address, password); err != nil {
		return err
	}
	b.cookie, err = serving.OpenWiki(browser)
	return err
}

// memory is what the program and the processes that it started take of the
// machine, in MiB.
func (b *benched) memory() float64 { return float64(child.Memory(b.product.Process.Pid)) / (1 << 20) }

// mostMemory looks again and again, until it is told to stop, and gives the most
// that it saw.
func (b *benched) mostMemory() (stop func() float64) {
	end, seen := make(chan struct{}), 0.0
	var looking sync.WaitGroup
	looking.Go(func() {
		for pause := time.NewTicker(10 * time.Millisecond); ; {
			select {
			case <-end:
				return
			case <-pause.C:
			}
			seen = max(seen, b.memory())
		}
	})
	return func() float64 { close(end); looking.Wait(); return seen }
}
