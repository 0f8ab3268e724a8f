package app_test

import (
	"context"
	"encoding/json"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/app"
	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/config"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

// A server that stops beside others says so for a while before it does, and
// answers until then: no request is lost on its way to the next.
func TestAServerThatStopsBesideOthersSaysSoFirst(t *testing.T) {
	url, folder := storetest.Migrated["PostgreSQL"](t), t.TempDir()
	start := func(name string) (address string, stop context.CancelFunc, ended <-chan error) {
		t.Helper()
		address = freeAddress(t)
		given := map[string]string{"data": filepath.Join(folder, name), "listen": address, "database_url": url, "public_url": "http://localhost:8080"}
		if name != "first" { // which makes the key
			given["sealing_key_file"] = filepath.Join(folder, "first", "keys", "sealing.key")
		}
		c, err := config.Load(given, nil, "")
		must(t, err)
		server, err := app.NewServer(t.Context(), c, app.Options{HashCost: apptest.HashCost})
		must(t, err)
		ctx, cancel := context.WithCancel(context.Background())
		said, done := &announcement{said: make(chan struct{})}, make(chan error, 1)
		go func() { done <- server.Serve(ctx, said, nil) }()
		<-said.said
		t.Cleanup(func() { cancel(); must(t, server.Release()) })
		return address, cancel, done
	}
	first, stopFirst, firstEnded := start("first")
	second, stopSecond, secondEnded := start("second")
	stopFirst()
	told := ""
	for told != "stopping" {
		told = becauseOf(t, first)
	}
	answer, err := http.Get("http://" + first + "/login")
	must(t, err)
	must(t, answer.Body.Close())
	if answer.StatusCode != http.StatusOK || !answer.Close {
		t.Errorf("status %d, connection closed: %v", answer.StatusCode, answer.Close)
	}
	must(t, <-firstEnded)
	if told := becauseOf(t, second); told != "" {
		t.Errorf("the other server is not ready: %q", told)
	}
	began := time.Now()
	stopSecond()
	must(t, <-secondEnded)
	if took := time.Since(began); took >= 2*time.Second {
		t.Errorf("the last server waited %v for others", took)
	}
}

// becauseOf asks a server why it is not ready; "" where it is.
func becauseOf(t *testing.T, address string) string {
	t.Helper()
	answer, err := http.Get("http://" + address + "/readyz")
	must(t, err)
	defer answer.Body.Close()
	var said struct{ Because string }
	must(t, json.NewDecoder(answer.Body).Decode(&said))
	return said.Because
}
