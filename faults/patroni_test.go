package faults

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twinlock/twinlock/faults/kit"
	"github.com/twinlock/twinlock/internal/apptest/child"
	"github.com/twinlock/twinlock/internal/apptest/program"
)

// Patroni takes over by itself when the leader, and the Patroni beside it, are
// killed with -9. This is of the long form alone: no other test needs its packages,
// and the leader's word is only taken for void after twenty seconds.
func TestPatroniLosesNothingThatWasAcknowledged(t *testing.T) {
	if !*long {
		return
	}
	began := time.Now()
	rounds := 2
	var all testimony
	var back, without kit.Took
	p := newPatroni(t)
	site := kit.On(t, p.address(), 2, kit.BehindBalancer...)
	site.Balance()
	site.Person("root@example.org", "--admin")
	site.Activate("two-factor")
	for round := range rounds {
		p.fails(site, round, &all, &back, &without)
	}
	table.Add(t, kit.Row{Fault: "fail-over by Patroni and etcd", Engine: kit.PostgreSQL, Runs: rounds, Took: time.Since(began),
		Held: "nothing lost that was acknowledged, no code twice",
		Figures: append(all.figures(), "from the kill to the promotion "+without.String(),
			"written again after the promotion "+back.String())})
}

// patroni are three servers of PostgreSQL, with one Patroni each, and one etcd.
type patroni struct {
	*testing.T
	folder  string
	etcd    string
	members []*patroniMember
}

type patroniMember struct {
	*patroni
	name, port, api string
	process         *exec.Cmd
	said            child.Output
}

func newPatroni(t *testing.T) *patroni {
	t.Helper()
	for _, name := range []string{"patroni", "etcd"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Fatalf("%s is missing; tools/prepare long installs it", name)
		}
	}
	folder, err := os.MkdirTemp("", "twinlock-patroni-")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	must(t, os.Chmod(folder, 0o755))
	p := &patroni{T: t, folder: folder, etcd: "127.0.0.1:" + program.FreePort(t)}
	p.startEtcd()
	for _, name := range []string{"a", "b", "c"} {
		m := &patroniMember{patroni: p, name: name, port: program.FreePort(t), api: program.FreePort(t)}
		m.settings()
		m.start()
		p.members = append(p.members, m)
		t.Cleanup(func() {
			m.kill()
			if t.Failed() {
				t.Logf("Patroni %s said:\n%s", m.name, m.said.String())
			}
		})
	}
	p.awaitWhole()
	p.changes(`CREATE DATABASE twinlock`)
	return p
}

// awaitWhole waits until there is a leader, two copy from it, and Patroni knows
// which of them has everything: before that it lets none take over.
func (p *patroni) awaitWhole() {
	p.Helper()
	program.Within(p, 3*time.Minute, "three members are there", func() bool {
		leader := p.leader()
		if leader == nil {
			return false
		}
		n, err := leader.asks(`SELECT COUNT(*) FILTER (WHERE state = 'streaming') || '/' || COUNT(*) FILTER (WHERE sync_state = 'sync') FROM pg_stat_replication`)
		return err == nil && n == "2/1" && slices.ContainsFunc(p.members, (*patroniMember).mayTakeOver)
	})
}

// mayTakeOver tells whether Patroni has this one down as the standby that has
// everything.
func (m *patroniMember) mayTakeOver() bool {
	answer, err := http.Get("http://127.0.0.1:" + m.api + "/synchronous")
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

func (p *patroni) startEtcd() {
	p.Helper()
	peer := "http://127.0.0.1:" + program.FreePort(p)
	c := exec.Command("etcd", "--name", "one", "--data-dir", filepath.Join(p.folder, "etcd"), "--logger", "zap", "--log-level", "error",
		"--listen-client-urls", "http://"+p.etcd, "--advertise-client-urls", "http://"+p.etcd,
		"--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", "one="+peer)
	var said child.Output
	c.Stdout, c.Stderr = &said, &said
	must(p.T, child.Start(c))
	p.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	program.Eventually(p, "etcd answers", func() bool {
		answer, err := http.Get("http://" + p.etcd + "/health")
		if err == nil {
			answer.Body.Close()
		}
		return err == nil && answer.StatusCode == http.StatusOK
	})
}

// settings are those of Patroni, with synchronous standbys.
func (m *patroniMember) settings() {
	m.Helper()
	programs, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(programs) == 0 {
		m.Fatal("PostgreSQL is missing; tools/prepare installs it")
	}
	must(m.T, os.MkdirAll(m.home(), 0o700))
	text := fmt.Sprintf(`scope: twinlock
name: %s
restapi: {listen: "127.0.0.1:%s", connect_address: "127.0.0.1:%s"}
etcd3: {host: "%s"}
bootstrap:
  dcs:
    ttl: 20
    loop_wait: 2
    retry_timeout: 3
    synchronous_mode: true
    postgresql: {use_pg_rewind: true, parameters: {synchronous_commit: "on", max_connections: 200, wal_log_hints: "on"}}
  initdb: [{encoding: UTF8}, {locale: C}, data-checksums]
postgresql:
  listen: "127.0.0.1:%s"
  connect_address: "127.0.0.1:%s"
  data_dir: %s/data
  bin_dir: %s
  pg_hba: ["host all all 127.0.0.1/32 trust", "host replication all 127.0.0.1/32 trust"]
  authentication: {superuser: {username: twinlock}, replication: {username: twinlock}, rewind: {username: twinlock}}
  parameters: {unix_socket_directories: "", log_min_messages: panic}
`, m.name, m.api, m.api, m.etcd, m.port, m.port, m.home(), filepath.Dir(programs[len(programs)-1]))
	must(m.T, os.WriteFile(m.home()+".yml", []byte(text), 0o644))
	if as := m.user(); as != nil {
		must(m.T, os.Chown(m.home(), int(as.Uid), int(as.Gid)))
	}
}

func (m *patroniMember) home() string { return filepath.Join(m.folder, m.name) }

// user is who may run PostgreSQL, which root may not; nil is whoever runs the test.
func (m *patroniMember) user() *syscall.Credential {
	m.Helper()
	if os.Getuid() != 0 {
		return nil
	}
	u, err := user.Lookup("postgres")
	must(m.T, err)
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

func (m *patroniMember) start() {
	m.Helper()
	m.process = exec.Command("patroni", m.home()+".yml")
	m.process.Dir, m.process.Env = "/", append(os.Environ(), "HOME="+m.home())
	m.process.Stdout, m.process.Stderr = &m.said, &m.said
	m.process.WaitDelay = time.Second
	m.process.SysProcAttr = &syscall.SysProcAttr{Credential: m.user()}
	must(m.T, child.Start(m.process))
}

// kill ends Patroni and its PostgreSQL with -9: Patroni first, or it would start
// the other again.
func (m *patroniMember) kill() {
	if m.process == nil {
		return
	}
	_ = m.process.Process.Kill()
	_ = m.process.Wait()
	m.process = nil
	text, _ := os.ReadFile(filepath.Join(m.home(), "data", "postmaster.pid"))
	first, _, _ := strings.Cut(string(text), "\n")
	if pid, err := strconv.Atoi(first); err == nil && pid > 1 {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

// leader is the one that may be written to; nil is none.
func (p *patroni) leader() *patroniMember {
	for _, m := range p.members {
		if standby, err := m.asks(`SELECT pg_is_in_recovery()`); err == nil && standby == "false" {
			return m
		}
	}
	return nil
}

func (m *patroniMember) asks(question string) (answer string, err error) {
	db, err := sql.Open("pgx", "postgres://twinlock@127.0.0.1:"+m.port+"/postgres?sslmode=disable")
	if err != nil {
		return "", err
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	err = db.QueryRowContext(ctx, question).Scan(&answer)
	return answer, err
}

func (p *patroni) changes(statement string) {
	p.Helper()
	db, err := sql.Open("pgx", strings.Replace(p.address(), "/twinlock?", "/postgres?", 1))
	must(p.T, err)
	defer db.Close()
	_, err = db.ExecContext(p.Context(), statement)
	must(p.T, err)
}

func (p *patroni) address() string {
	var hosts []string
	for _, m := range p.members {
		hosts = append(hosts, "127.0.0.1:"+m.port)
	}
	return "postgres://twinlock@" + strings.Join(hosts, ",") + "/twinlock?sslmode=disable&target_session_attrs=read-write&connect_timeout=3"
}

func (p *patroni) fails(site *kit.Site, round int, all *testimony, back, without *kit.Took) {
	p.Helper()
	people := newPeople(p.T, site, round, 10, all)
	people.until("people log in, enrol, change passwords and log out", func() bool {
		return all.enrolments.Load() >= int64(4*(round+1)) && all.passwords.Load() > int64(2*round) && all.logouts.Load() > int64(4*round)
	})
	old := p.leader()
	old.kill()
	killed := time.Now()
	program.Within(p, 2*time.Minute, "another leader is there", func() bool {
		next := p.leader()
		return next != nil && next != old
	})
	promoted := time.Now()
	without.Add(promoted.Sub(killed))
	program.Within(p, 3*serviceBack, "something is written again", func() bool { return all.lastWritten().After(promoted) })
	took := all.lastWritten().Sub(promoted)
	back.Add(took)
	if took > serviceBack {
		p.Errorf("something is written again %s after the promotion", took)
	}
	people.writeMore(12)
	people.testify()
	for _, what := range all.wrong {
		p.Error(what)
	}
	old.start()
	p.awaitWhole()
}
