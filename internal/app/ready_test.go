package app_test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/app"
	"github.com/twinlock/twinlock/internal/apptest"
)

// tamper changes the database behind the server's back.
func tamper(t *testing.T, site *apptest.Site, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", strings.TrimPrefix(site.Config.DatabaseURL.Reveal(), "sqlite:"))
	must(t, err)
	defer db.Close()
	_, err = db.ExecContext(t.Context(), statement)
	must(t, err)
}

func TestReadyTellsWhyItIsNot(t *testing.T) {
	for _, tt := range []struct {
		because   string
		turn      time.Duration
		harm, end string
	}{
		{"database", 0, `ALTER TABLE settings RENAME TO put_aside`, `ALTER TABLE put_aside RENAME TO settings`},
		{"keys", 0, `UPDATE settings SET value = 'somebody else''s' WHERE name = 'keys.fingerprint'`, ``},
		{"clock", -time.Hour, `ALTER TABLE attempts RENAME TO put_aside`, `ALTER TABLE put_aside RENAME TO attempts`},
	} {
		t.Run(tt.because, func(t *testing.T) {
			var said bytes.Buffer
			site := apptest.NewWith(t, app.Options{Log: slog.New(slog.NewTextHandler(&said, nil))})
			browser := site.Browser()
			wantReady(t, browser, http.StatusOK, `{"status":"ok"}`)
			tamper(t, site, tt.harm)
			site.Clock.Turn(tt.turn)
			for range 3 {
				wantReady(t, browser, http.StatusServiceUnavailable, `{"because":"`+tt.because+`","status":"not ready"}`)
			}
			if lines := strings.Count(said.String(), "not ready"); lines != 1 {
				t.Errorf("the log says it %d times: %s", lines, &said)
			}
			if tt.end != "" {
				tamper(t, site, tt.end)
			}
		})
	}
}

func wantReady(t *testing.T, b *apptest.Browser, status int, body string) {
	t.Helper()
	answer := b.Get("/readyz")
	if answer.WantStatus(status); answer.Body != body || !json.Valid([]byte(body)) {
		t.Errorf("it says %s, want %s", answer.Body, body)
	}
}
