package storetest

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/apptest/child"
)

// Cluster is a PostgreSQL server: as its own user, on a socket in a temporary
// folder.
type Cluster struct {
	Folder string // holds its data and its socket

	programs string
	ahead    string // how far its clock is wrong, as faketime takes it; "" for right
	as       *syscall.Credential
	settings []string
	server   *os.Process // nil: none runs
	ended    chan error
}

// StartCluster starts a server of the test's own, which it may break, with
// settings such as "fsync=off". It ends with the test.
func StartCluster(t testing.TB, settings ...string) *Cluster {
	t.Helper()
	return StartClusterAhead(t, "", settings...)
}

// StartClusterAhead is StartCluster for a server whose clock is wrong by so much:
// "+10m".
func StartClusterAhead(t testing.TB, by string, settings ...string) *Cluster {
	t.Helper()
	c, err := newCluster(settings...)
	if err != nil {
		t.Fatalf("PostgreSQL: %v", err)
	}
	t.Cleanup(func() {
		c.End(syscall.SIGQUIT) // immediate shutdown
		_ = os.RemoveAll(c.Folder)
	})
	c.ahead = by
	if err := c.Start(); err != nil {
		t.Fatalf("PostgreSQL: %v", err)
	}
	return c
}

func newCluster(settings ...string) (*Cluster, error) {
	c := &Cluster{settings: settings}
	var err error
	if c.programs, err = programFolder(); err != nil {
		return nil, err
	}
	if c.Folder, err = os.MkdirTemp("", "twinlock-postgres-"); err != nil {
		return nil, err
	}
	if c.as, err = unprivileged(c.Folder); err != nil {
		return nil, err
	}
	initdb := command(c.as, filepath.Join(c.programs, "initdb"), "--auth=trust", "--username=twinlock",
		"--encoding=UTF8", "--locale=C", "--no-sync", "--pgdata="+c.data())
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return c, nil
}

func (c *Cluster) data() string { return filepath.Join(c.Folder, "data") }

// Start starts the server and waits until it answers. What a killed one left
// behind may keep the next from starting for a moment.
func (c *Cluster) Start() error {
	db, err := sql.Open("pgx", c.Address("postgres"))
	if err != nil {
		return err
	}
	defer db.Close()
	end := time.Now().Add(startPatience)
	for err = c.startOnce(db, end); err != nil && time.Now().Before(end); err = c.startOnce(db, end) {
	}
	return err
}

// startOnce asks until the server answers: it tells nobody when it is ready.
func (c *Cluster) startOnce(db *sql.DB, end time.Time) error {
	args := []string{"-D", c.data(), "-k", c.Folder, "-c", "listen_addresses="}
	for _, s := range c.settings {
		args = append(args, "-c", s)
	}
	program := filepath.Join(c.programs, "postgres")
	if c.ahead != "" {
		args = append([]string{"-f", c.ahead, program}, args...)
		program = "faketime" // becomes the server
	}
	server, ended := command(c.as, program, args...), make(chan error, 1)
	if err := child.Start(server); err != nil {
		return err
	}
	go func() { ended <- server.Wait() }()
	c.server, c.ended = server.Process, ended
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		err := db.Ping()
		if err == nil {
			return nil
		}
		select {
		case why := <-ended:
			c.server = nil
			return fmt.Errorf("the server ended: %w", errors.Join(why, err))
		case now := <-again.C:
			if now.After(end) {
				return fmt.Errorf("the server does not answer: %w", err)
			}
		}
	}
}

// End sends the server a signal that ends it, and waits for its end: SIGINT is a
// fast shutdown, SIGQUIT an immediate one, and of SIGKILL it knows nothing.
// Where none runs it does nothing.
func (c *Cluster) End(signal syscall.Signal) {
	if c.server == nil {
		return
	}
	_ = c.server.Signal(signal)
	<-c.ended
	c.server = nil
}

// Address is where a database of the server is.
func (c *Cluster) Address(database string) string {
	return "postgres://twinlock@/" + database + "?" + url.Values{"host": {c.Folder}}.Encode()
}

// Database makes a database, and gives its address.
func (c *Cluster) Database(t testing.TB, name string) string {
	t.Helper()
	db, err := sql.Open("pgx", c.Address("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("CREATE DATABASE " + name); err != nil {
		t.Fatalf("PostgreSQL: %v", err)
	}
	return c.Address(name)
}

// programFolder is where the newest PostgreSQL of this machine is.
func programFolder() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	slices.Sort(found)
	if len(found) > 0 {
		return filepath.Dir(found[len(found)-1]), nil
	}
	path, err := exec.LookPath("initdb")
	if err != nil {
		return "", errors.New("its programs are missing; tools/prepare installs them")
	}
	return filepath.Dir(path), nil
}

// unprivileged is who runs the server: it refuses to be root.
func unprivileged(folder string) (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, err
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, errors.Join(os.Chown(folder, uid, gid), os.Chmod(folder, 0o755))
}

func command(as *syscall.Credential, program string, args ...string) *exec.Cmd {
	c := exec.Command(program, args...)
	c.Dir = "/"
	c.SysProcAttr = &syscall.SysProcAttr{Credential: as}
	return c
}
