package storetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/apptest/child"
)

// Member is a PostgreSQL server of a test's own, which it may break: alone, or
// one of several that copy each other. It is set up as after installation, so a
// commit is on disk.
type Member struct {
	Name  string
	Port  string // of 127.0.0.1
	Data  string
	Flags []string // for the next start

	t       testing.TB
	as      *syscall.Credential
	process *exec.Cmd
	ended   chan struct{}
	said    child.Output
}

// NewMember makes a server, and starts it. Flags are PostgreSQL's own, as "-c",
// "max_connections=200". It ends with the test.
func NewMember(t testing.TB, name string, flags ...string) *Member {
	t.Helper()
	return NewMemberIn(t, temporary(t), name, flags...)
}

// NewMemberIn is NewMember with its data in a folder of the test's own.
func NewMemberIn(t testing.TB, folder, name string, flags ...string) *Member {
	t.Helper()
	m := newMember(t, folder, name, flags)
	m.Runs("initdb", "--auth=trust", "--username=twinlock", "--encoding=UTF8", "--locale=C", "--data-checksums", "--no-sync", "--pgdata="+m.Data)
	m.Start()
	return m
}

func newMember(t testing.TB, folder, name string, flags []string) *Member {
	t.Helper()
	m := &Member{Name: name, Port: freePort(t), Data: filepath.Join(folder, "data"), t: t, Flags: flags}
	var err error
	if m.as, err = unprivileged(folder); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		m.Kill()
		if t.Failed() {
			t.Logf("PostgreSQL %s said:\n%s", m.Name, m.said.String())
		}
	})
	return m
}

// temporary is a folder to which whoever runs a server finds the way.
func temporary(t testing.TB) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "twinlock-postgres-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	return folder
}

// Standby makes a server that copies from m, and starts it.
func (m *Member) Standby(name string, flags ...string) *Member {
	m.t.Helper()
	s := newMember(m.t, temporary(m.t), name, flags)
	s.Rejoin(m)
	return s
}

// Rejoin makes m, which was killed, a standby of another with a fresh copy.
func (m *Member) Rejoin(other *Member) {
	m.t.Helper()
	if err := os.RemoveAll(m.Data); err != nil {
		m.t.Error(err)
		return
	}
	m.Runs("pg_basebackup", "--dbname="+other.source(m.Name), "--pgdata="+m.Data, "--checkpoint=fast", "--no-sync")
	m.Follow(other)
}

// Follow makes m, which is stopped, a standby of another, and starts it.
func (m *Member) Follow(other *Member) {
	m.t.Helper()
	if err := os.WriteFile(filepath.Join(m.Data, "standby.signal"), nil, 0o644); err != nil {
		m.t.Fatal(err)
	}
	auto := filepath.Join(m.Data, "postgresql.auto.conf")
	if err := os.WriteFile(auto, []byte("primary_conninfo = '"+other.source(m.Name)+"'\n"), 0o644); err != nil {
		m.t.Fatal(err)
	}
	m.Start()
}

func (m *Member) source(standby string) string {
	return "host=127.0.0.1 port=" + m.Port + " user=twinlock application_name=" + standby
}

// Address is where a database of this server is.
func (m *Member) Address(database string) string {
	return "postgres://twinlock@127.0.0.1:" + m.Port + "/" + database + "?sslmode=disable"
}

// Start starts the server and waits until it answers.
func (m *Member) Start() {
	m.t.Helper()
	m.Begin()
	m.Await(30 * time.Second)
}

// LogElsewhere moves the log of what was written (WAL) out of the data, and starts
// the server again.
func (m *Member) LogElsewhere() {
	m.t.Helper()
	m.StopImmediately()
	to, from := filepath.Join(temporary(m.t), "log"), filepath.Join(m.Data, "pg_wal")
	if out, err := exec.Command("cp", "-a", from, to).CombinedOutput(); err != nil {
		m.t.Fatalf("move the log: %v\n%s", err, out)
	}
	if err := errors.Join(os.Chmod(filepath.Dir(to), 0o755), os.RemoveAll(from), os.Symlink(to, from)); err != nil {
		m.t.Fatalf("move the log: %v", err)
	}
	m.Start()
}

// Begin is Start without the wait.
func (m *Member) Begin() {
	m.t.Helper()
	m.process = m.command("postgres", append([]string{"-D", m.Data, "-k", "", "-c", "listen_addresses=127.0.0.1", "-c", "log_min_messages=panic", "-p", m.Port}, m.Flags...)...)
	m.process.Stdout, m.process.Stderr = &m.said, &m.said
	m.process.WaitDelay = time.Second
	if err := child.Start(m.process); err != nil {
		m.t.Fatal(err)
	}
	process, ended := m.process, make(chan struct{})
	m.ended = ended
	go func() {
		defer close(ended)
		_ = process.Wait()
	}()
}

// Await waits until the server answers.
func (m *Member) Await(patience time.Duration) {
	m.t.Helper()
	db, err := sql.Open("pgx", m.Address("postgres"))
	if err != nil {
		m.t.Fatal(err)
	}
	defer db.Close()
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(m.t.Context(), time.Second)
		err := db.PingContext(ctx)
		cancel()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			m.t.Fatalf("PostgreSQL %s does not answer: %v\n%s", m.Name, err, m.said.String())
		}
	}
}

// Asks asks the server and gives the one word that it answers.
func (m *Member) Asks(question string) (answer string) {
	m.t.Helper()
	answer, err := m.TryAsk(question)
	if err != nil {
		m.t.Fatalf("PostgreSQL %s: %s: %v\n%s", m.Name, question, err, m.said.String())
	}
	return answer
}

// TryAsk is Asks for what may fail.
func (m *Member) TryAsk(question string) (answer string, err error) {
	db, err := sql.Open("pgx", m.Address("postgres"))
	if err != nil {
		return "", err
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	var word sql.NullString
	err = db.QueryRowContext(ctx, question).Scan(&word)
	return word.String, err
}

// Kill ends the server with -9, and all of its processes: as a machine that loses
// its power does. It is no failure where it ended before.
func (m *Member) Kill() { m.signal(syscall.SIGKILL, true) }

// StopImmediately ends the server as `pg_ctl stop -m immediate` does.
func (m *Member) StopImmediately() {
	m.signal(syscall.SIGCONT, false)
	if m.process != nil {
		_ = m.process.Process.Signal(syscall.SIGQUIT)
		<-m.ended
	}
	m.process = nil
}

// Freeze lets every process of the server stand still, until Thaw.
func (m *Member) Freeze() { m.signal(syscall.SIGSTOP, false) }

// Thaw lets them go on.
func (m *Member) Thaw() { m.signal(syscall.SIGCONT, false) }

func (m *Member) signal(signal syscall.Signal, ends bool) {
	if m.process == nil {
		return
	}
	// The first process comes first: it makes no others then.
	_ = m.process.Process.Signal(signal)
	for _, pid := range children(m.process.Process.Pid) {
		_ = syscall.Kill(pid, signal)
	}
	if ends {
		<-m.ended
		m.process = nil
	}
}

// children are the processes that a process started (proc(5)).
func children(parent int) (all []int) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		_, rest, _ := strings.Cut(string(stat), ") ")
		fields := strings.Fields(rest)
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil && len(fields) > 1 && fields[1] == strconv.Itoa(parent) {
			all = append(all, pid)
		}
	}
	return all
}

// Runs runs one of PostgreSQL's programs to its end, as its user, and gives what
// it says.
func (m *Member) Runs(program string, args ...string) string {
	m.t.Helper()
	out, err := m.command(program, args...).CombinedOutput()
	if err != nil {
		m.t.Fatalf("%s: %v\n%s", program, err, out)
	}
	return string(out)
}

func (m *Member) command(program string, args ...string) *exec.Cmd {
	m.t.Helper()
	folder, err := programFolder()
	if err != nil {
		m.t.Fatalf("PostgreSQL: %v", err)
	}
	return command(m.as, filepath.Join(folder, program), args...)
}

// MostReceived is the standby that has received the most.
func MostReceived(standbys ...*Member) *Member {
	return slices.MaxFunc(standbys, func(a, b *Member) int { return int(a.received() - b.received()) })
}

func (m *Member) received() int64 {
	m.t.Helper()
	n, err := strconv.ParseInt(m.Asks(`SELECT COALESCE(pg_wal_lsn_diff(pg_last_wal_receive_lsn(), '0/0'), 0)::bigint`), 10, 64)
	if err != nil {
		m.t.Fatal(err)
	}
	return n
}

// Promote makes a standby the primary.
func (m *Member) Promote() {
	m.t.Helper()
	if m.Asks(`SELECT pg_promote(true, 30)`) != "true" {
		m.t.Fatalf("PostgreSQL %s was not promoted\n%s", m.Name, m.said.String())
	}
}

// Copies makes a running standby copy from another than before.
func (m *Member) Copies(other *Member) {
	m.t.Helper()
	m.Changes(`ALTER SYSTEM SET primary_conninfo = '` + other.source(m.Name) + `'`)
	m.Asks(`SELECT pg_reload_conf()`)
}

// Changes runs a statement that answers nothing.
func (m *Member) Changes(statement string) {
	m.t.Helper()
	db, err := sql.Open("pgx", m.Address("postgres"))
	if err != nil {
		m.t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(m.t.Context(), statement); err != nil {
		m.t.Fatalf("PostgreSQL %s: %s: %v", m.Name, statement, err)
	}
}

// AwaitCopied waits until so many standbys copy from m, without a lag.
func (m *Member) AwaitCopied(standbys int) {
	m.t.Helper()
	const streaming = `SELECT COUNT(*)::text FROM pg_stat_replication WHERE state = 'streaming'`
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		n, err := m.TryAsk(streaming)
		if err == nil && n == fmt.Sprint(standbys) {
			return
		}
		if time.Now().After(end) {
			m.t.Fatalf("%s of %d standbys copy from %s: %v\n%s", n, standbys, m.Name, err, m.said.String())
		}
	}
}

// freePort is a port of this machine that nobody listens on.
func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}
