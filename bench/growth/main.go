// Command growth tells what becomes slower when a database grows. It fills a
// small database and a large one with people, sessions and events as they would
// be after a year, runs the shipped program on both, and measures them by turns
// on one machine.
//
//	go run ./bench/growth [-engine sqlite|postgres] [-people 1000000] [-folder /tmp/twinlock-growth]
//	go run ./bench/growth -only import
//
// The folder is kept, and a database that was filled is used again: it takes some
// minutes and 6 GB. On PostgreSQL a server of its own is started in the folder,
// with Debian's programs. It needs wrk (Debian's package wrk).
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/twinlock/twinlock/bench/serving"
)

var (
	engine = flag.String("engine", "sqlite", "sqlite or postgres")
	people = flag.Int("people", 1_000_000, "people of the large database; it has twice as many sessions and ten times as many events")
	few    = flag.Int("few", 1000, "people of the small database")
	folder = flag.String("folder", filepath.Join(os.TempDir(), "twinlock-growth"), "where the databases are, and stay")
	rounds = flag.Int("rounds", 5, "how often each is measured, by turns")
	only   = flag.String("only", "", "measure only this: fill, pages, lists, purge or import")
)

// postgres is what the databases are on, with the engine of its name.
var postgres *serving.Postgres

func main() {
	flag.Parse()
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "growth:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	if *engine != "sqlite" && *engine != "postgres" {
		return fmt.Errorf("-engine is sqlite or postgres, not %q", *engine)
	}
	if _, err := exec.LookPath("wrk"); err != nil {
		return fmt.Errorf("wrk is missing: apt install wrk")
	}
	if err := os.MkdirAll(*folder, 0o755); err != nil {
		return err
	}
	program, err := build()
	if err != nil {
		return err
	}
	fmt.Printf("go run ./bench/growth %s\n%s, %d cores, the load beside it; %d rounds, medians with the least and the most\n\n",
		strings.Join(os.Args[1:], " "), runtime.Version(), runtime.NumCPU(), *rounds)
	if *engine == "postgres" {
		if postgres, err = serving.StartPostgres(filepath.Join(*folder, "postgres")); err != nil {
			return err
		}
		defer postgres.End()
	}
	if *only == "import" {
		return measureImport(program)
	}
	small, large := &site{program: program, people: *few}, &site{program: program, people: *people}
	for _, s := range []*site{small, large} {
		if err := s.prepare(ctx); err != nil {
			return fmt.Errorf("%s: %w", s.name(), err)
		}
	}
	if wanted("pages") || wanted("lists") {
		if err := compared(small, large); err != nil {
			return err
		}
	}
	if wanted("purge") {
		if err := large.measurePurge(ctx); err != nil {
			return err
		}
	}
	if *only == "" {
		return measureImport(program)
	}
	return nil
}

// wanted tells whether a part is to be measured.
func wanted(part string) bool { return *only == "" || *only == part }

func build() (program string, err error) {
	program = filepath.Join(*folder, "twinlock")
	c := exec.Command("go", "build", "-trimpath", "-ldflags=-s", "-o", program, "./cmd/twinlock")
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w: %s", err, out)
	}
	return program, nil
}
