// Command strangers asks a running server a million times, by default, in the
// name of people whom nobody knows, and tells what stays of it: the heap that is
// live, the memory of the process, and the rows of each table, before and after.
//
//	go run ./bench/strangers [-questions 1000000]
//
// It builds the shipped program and runs it on a fresh SQLite database.
package main

import (
	"bufio"
	"bytes"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	_ "modernc.org/sqlite"

	"github.com/twinlock/twinlock/bench/serving"
	"github.com/twinlock/twinlock/internal/secret"
)

var (
	questions   = flag.Int("questions", 1_000_000, "how many are asked")
	connections = flag.Int("connections", 8, "how many proxies ask at once")
)

func main() {
	flag.Parse()
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "strangers:", err)
		os.Exit(1)
	}
}

func run() error {
	folder, err := os.MkdirTemp("", "strangers")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	s, err := start(folder)
	if err != nil {
		return err
	}
	defer s.stop()

	if err := s.ask(*questions / 20); err != nil { // pools fill, caches are as large as they get
		return err
	}
	before, err := s.measure()
	if err != nil {
		return err
	}
	began := time.Now()
	if err := s.ask(*questions); err != nil {
		return err
	}
	took := time.Since(began)
	after, err := s.measure()
	if err != nil {
		return err
	}
	fmt.Printf("%d questions by strangers in %s: %.0f a second, asked from the same machine, %d cores\n",
		*questions, took.Round(time.Second), float64(*questions)/took.Seconds(), runtime.NumCPU())
	fmt.Printf("%-24s %10s %10s\n", "", "before", "after")
	fmt.Printf("%-24s %10d %10d\n", "live heap, MB", before.heap, after.heap)
	fmt.Printf("%-24s %10d %10d\n", "memory of process, MB", before.resident, after.resident)
	return compare(before.rows, after.rows)
}

// compare prints the rows of each table, and is an error where one has grown.
func compare(before, after map[string]int) error {
	var grown []string
	for _, table := range sorted(after) {
		fmt.Printf("%-24s %10d %10d\n", table, before[table], after[table])
		if after[table] > before[table] {
			grown = append(grown, table)
		}
	}
	if len(grown) > 0 {
		return fmt.Errorf("strangers leave rows in %s", strings.Join(grown, ", "))
	}
	return nil
}

func sorted(rows map[string]int) (names []string) {
	for name := range rows {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// server is the program under test.
type server struct {
	folder, address string
	process         *exec.Cmd

	mu   sync.Mutex
	heap int // live after the last collection, MB
}

func start(folder string) (*server, error) {
	program := filepath.Join(folder, "twinlock")
	if out, err := exec.Command("go", "build", "-o", program, "./cmd/twinlock").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build: %w: %s", err, out)
	}
	address, err := serving.FreeAddress()
	if err != nil {
		return nil, err
	}
	s := &server{folder: folder, address: address}
	data := filepath.Join(folder, "data")
	add := exec.Command(program, "app", "add", "Wiki", "--url", "https://wiki.example.org/", "--allow-everyone", "--rule", "/public=public",
		"--rule", "/money=code:15m", "--data", data)
	if out, err := add.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("add an application: %w: %s", err, out)
	}
	s.process = exec.Command(program, "serve", "--data", data, "--listen", address, "--public-url", "https://id.example.org", "--trusted-proxies", "127.0.0.1")
	s.process.Env = append(os.Environ(), "GODEBUG=gctrace=1")
	said, err := s.process.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := s.process.Start(); err != nil {
		return nil, err
	}
	go s.listen(said)
	return s, serving.Await("http://" + s.address + "/readyz")
}

// collection is what the runtime says of one: heap before, at its end and live,
// in MB.
var collection = regexp.MustCompile(`^gc \d+ .* \d+->\d+->(\d+) MB`)

func (s *server) listen(said io.Reader) {
	for lines := bufio.NewScanner(said); lines.Scan(); {
		if found := collection.FindStringSubmatch(lines.Text()); found != nil {
			live, _ := strconv.Atoi(found[1])
			s.mu.Lock()
			s.heap = live
			s.mu.Unlock()
		}
	}
}

func (s *server) stop() {
	_ = s.process.Process.Signal(syscall.SIGTERM)
	_ = s.process.Wait()
}

// ask asks so many questions over connections of their own.
func (s *server) ask(many int) error {
	failed := make(chan error, *connections)
	for range *connections {
		go func() { failed <- s.askOver(many / *connections) }()
	}
	var all error
	for range *connections {
		all = errors.Join(all, <-failed)
	}
	return all
}

// atOnce is how many questions go out before their answers are read, so that
// whoever asks costs the machine little.
const atOnce = 64

func (s *server) askOver(many int) error {
	connection, err := net.Dial("tcp", s.address)
	if err != nil {
		return err
	}
	defer connection.Close()
	answers := bufio.NewReader(connection)
	for many > 0 {
		batch := min(many, atOnce)
		many -= batch
		var out bytes.Buffer
		for range batch {
			question(&out)
		}
		if _, err := connection.Write(out.Bytes()); err != nil {
			return err
		}
		for range batch {
			if err := readAnswer(answers); err != nil {
				return err
			}
		}
	}
	return nil
}

func readAnswer(from *bufio.Reader) error {
	answer, err := http.ReadResponse(from, nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return err
	}
	if answer.StatusCode >= http.StatusInternalServerError || answer.Header.Get("Remote-User") != "" {
		return fmt.Errorf("a stranger is answered %d, as %q", answer.StatusCode, answer.Header.Get("Remote-User"))
	}
	return nil
}

// question writes one as a proxy asks it, about a stranger like no other: from
// anywhere, with a cookie that opens nothing or none, at an address that there
// is or is not.
func question(out *bytes.Buffer) {
	host := []string{"wiki.example.org", "wiki.example.org", "wiki.example.org", fmt.Sprintf("h%d.example.org", rand.Uint32())}[rand.IntN(4)]
	path := []string{"/", "/public/a.css", "/money", fmt.Sprintf("/p%d?q=%d", rand.Uint32(), rand.Uint32())}[rand.IntN(4)]
	if rand.IntN(2) == 0 {
		fmt.Fprintf(out, "GET /forward-auth/nginx HTTP/1.1\r\nHost: twinlock\r\nX-Original-URL: https://%s%s\r\n", host, path)
	} else {
		fmt.Fprintf(out, "GET /forward-auth/caddy HTTP/1.1\r\nHost: twinlock\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: %s\r\nX-Forwarded-Uri: %s\r\n", host, path)
	}
	fmt.Fprintf(out, "X-Forwarded-For: %d.%d.%d.%d\r\n", 1+rand.IntN(223), rand.IntN(256), rand.IntN(256), rand.IntN(256))
	switch rand.IntN(4) {
	case 0:
		fmt.Fprintf(out, "Cookie: __Host-twinlock-app=%s\r\n", secret.New().Reveal())
	case 1:
		fmt.Fprintf(out, "Cookie: __Host-twinlock=%s\r\n", secret.New().Reveal())
	}
	if rand.IntN(2) == 0 {
		out.WriteString("Sec-Fetch-Mode: navigate\r\nAccept: text/html\r\n")
	} else {
		out.WriteString("Sec-Fetch-Mode: cors\r\n")
	}
	out.WriteString("\r\n")
}

// measured is how large the server is.
type measured struct {
	heap, resident int // MB
	rows           map[string]int
}

func (s *server) measure() (m measured, err error) {
	s.mu.Lock()
	m.heap = s.heap
	s.mu.Unlock()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.process.Process.Pid))
	if err != nil {
		return m, err
	}
	_, resident, _ := strings.Cut(string(status), "VmRSS:")
	if _, err := fmt.Sscan(resident, &m.resident); err != nil {
		return m, err
	}
	m.resident /= 1024
	m.rows, err = s.rows()
	return m, err
}

func (s *server) rows() (map[string]int, error) {
	db, err := sql.Open("sqlite", filepath.Join(s.folder, "data", "twinlock.db")+"?mode=ro")
	if err != nil {
		return nil, err
	}
	defer db.Close()
	tables, err := db.Query(`SELECT name FROM sqlite_master WHERE type = 'table'`)
	if err != nil {
		return nil, err
	}
	defer tables.Close()
	all := map[string]int{}
	for tables.Next() {
		var name string
		if err := tables.Scan(&name); err != nil {
			return nil, err
		}
		all[name] = 0
	}
	if err := tables.Err(); err != nil {
		return nil, err
	}
	for name := range all {
		var n int
		if err := db.QueryRow(`SELECT COUNT(*) FROM "` + name + `"`).Scan(&n); err != nil {
			return nil, err
		}
		all[name] = n
	}
	return all, nil
}
