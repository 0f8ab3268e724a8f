package storetest

import (
	"database/sql"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/apptest/child"
)

// Pooled is the address of a database behind a pooler (PgBouncer) that lends a
// connection for one transaction at a time.
func Pooled(t *testing.T, database string) string {
	t.Helper()
	at, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	server := begun(t)
	folder, err := os.MkdirTemp(server.Folder, "pooler-")
	if err != nil {
		t.Fatal(err)
	}
	credential, err := unprivileged(folder)
	if err != nil {
		t.Fatal(err)
	}
	settings := filepath.Join(folder, "pgbouncer.ini")
	text := "[databases]\n* = host=" + server.Folder + " user=twinlock\n" +
		"[pgbouncer]\nlisten_addr =\nunix_socket_dir = " + folder + "\nauth_type = any\npool_mode = transaction\n"
	if err := os.WriteFile(settings, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	pooler := command(credential, poolerProgram(t), settings)
	if err := child.Start(pooler); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = pooler.Process.Signal(syscall.SIGKILL)
		_ = pooler.Wait()
	})
	pooled := "postgres://twinlock@" + at.Path + "?" + url.Values{
		"host": {folder}, "port": {"6432"}, "default_query_exec_mode": {"simple_protocol"}}.Encode()
	waitFor(t, pooled)
	return pooled
}

func poolerProgram(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"pgbouncer", "/usr/sbin/pgbouncer"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("PgBouncer is missing; tools/prepare installs it")
	return ""
}

func waitFor(t *testing.T, address string) {
	t.Helper()
	db, err := sql.Open("pgx", address)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for end := time.Now().Add(startPatience); ; <-again.C {
		if err := db.Ping(); err == nil {
			return
		} else if time.Now().After(end) {
			t.Fatalf("the pooler does not answer: %v", err)
		}
	}
}
