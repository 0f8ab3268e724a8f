package app_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/app"
	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/apptest/authority"
	"github.com/twinlock/twinlock/internal/config"
)

// protected is a server that speaks TLS itself.
type protected struct {
	url       string
	cert, key string
	authority *authority.Authority
	log       *diary

	sync.Mutex
	now time.Time
}

// diary is a log that tests read.
type diary struct {
	sync.Mutex
	written bytes.Buffer
}

func (d *diary) Write(line []byte) (int, error) {
	d.Lock()
	defer d.Unlock()
	return d.written.Write(line)
}

func (d *diary) has(words string) bool {
	d.Lock()
	defer d.Unlock()
	return strings.Contains(d.written.String(), words)
}

// wait waits until the log has these words.
func (d *diary) wait(t *testing.T, words string) {
	t.Helper()
	end := time.After(10 * time.Second)
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for !d.has(words) {
		select {
		case <-again.C:
		case <-end:
			t.Fatalf("the log does not say %q", words)
		}
	}
}

// protect serves with a certificate for hosts until the test ends.
func protect(t *testing.T, until time.Duration, hosts ...string) *protected {
	t.Helper()
	folder := t.TempDir()
	p := &protected{
		cert: filepath.Join(folder, "cert.pem"), key: filepath.Join(folder, "key.pem"),
		authority: authority.New(t), log: &diary{}, now: time.Now().UTC(),
	}
	p.renew(until, hosts...)
	listen := freeAddress(t)
	p.url = "https://" + listen
	c, err := config.Load(map[string]string{"data": filepath.Join(folder, "data"), "listen": listen,
		"public_url": p.url, "tls_cert": p.cert, "tls_key": p.key}, nil, "")
	must(t, err)
	serve(t, c, app.Options{Now: p.clock, Log: slog.New(slog.NewTextHandler(p.log, nil)), HashCost: apptest.HashCost})
	return p
}

// serve runs a server until the test ends, and returns when it listens.
func serve(t *testing.T, c config.Config, o app.Options) {
	t.Helper()
	server, err := app.NewServer(t.Context(), c, o)
	must(t, err)
	ctx, stop := context.WithCancel(context.Background())
	said, ended := &announcement{said: make(chan struct{})}, make(chan error, 1)
	go func() { ended <- server.Serve(ctx, said, nil) }()
	t.Cleanup(func() {
		stop()
		must(t, <-ended)
		must(t, server.Release())
	})
	select {
	case <-said.said:
	case err := <-ended:
		ended <- err
		t.Fatalf("it did not start: %v", err)
	}
}

// announcement tells when the link to the set-up was printed, which is the last
// thing before requests are answered.
type announcement struct {
	once sync.Once
	said chan struct{}
	link string // once said: to the set-up, without the public URL
}

func (a *announcement) Write(line []byte) (int, error) {
	if link, found := bytes.CutPrefix(line, []byte("Set up: ")); found {
		a.once.Do(func() {
			to, _ := url.Parse(string(bytes.TrimSpace(link)))
			a.link = to.RequestURI()
			close(a.said)
		})
	}
	return len(line), nil
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	return l.Addr().String()
}

func (p *protected) clock() time.Time {
	p.Lock()
	defer p.Unlock()
	return p.now
}

// later turns the clock, so that the next handshake looks at the files.
func (p *protected) later(d time.Duration) {
	p.Lock()
	defer p.Unlock()
	p.now = p.now.Add(d)
}

func (p *protected) renew(until time.Duration, hosts ...string) {
	p.authority.Certify(p.cert, p.key, time.Now().Add(until), hosts...)
}

// serial asks for a page and gives the number of the certificate that was shown.
func (p *protected) serial(t *testing.T, client *http.Client) int64 {
	t.Helper()
	answer, err := client.Get(p.url + "/healthz")
	must(t, err)
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	must(t, err)
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("status %d", answer.StatusCode)
	}
	return answer.TLS.PeerCertificates[0].SerialNumber.Int64()
}

const month = 30 * 24 * time.Hour

func TestARenewedCertificateIsShownAndOpenConnectionsGoOn(t *testing.T) {
	p := protect(t, month, "127.0.0.1")
	early := p.authority.Client()
	before := p.serial(t, early)
	p.renew(month, "127.0.0.1")
	p.later(time.Minute)
	if after := p.serial(t, p.authority.Client()); after <= before {
		t.Errorf("a new connection was shown certificate %d, as before the renewal", after)
	}
	if still := p.serial(t, early); still != before {
		t.Errorf("the open connection was replaced: certificate %d, then %d", before, still)
	}
}

func TestACertificateThatCannotBeUsedDoesNotReplaceTheOneThatCan(t *testing.T) {
	p := protect(t, month, "127.0.0.1")
	before := p.serial(t, p.authority.Client())
	other := filepath.Join(t.TempDir(), "other.pem")
	for name, spoil := range map[string]func(){
		"cut short": func() { must(t, os.WriteFile(p.cert, []byte("-----BEGIN CERT"), 0o600)) },
		"gone":      func() { must(t, os.Remove(p.cert)) },
		"of another key": func() {
			p.authority.Certify(p.cert, other, time.Now().Add(month), "127.0.0.1")
		},
	} {
		spoil()
		p.later(time.Minute)
		if now := p.serial(t, p.authority.Client()); now != before {
			t.Errorf("%s: certificate %d, want %d still", name, now, before)
		}
	}
	if !p.log.has("the new certificate cannot be used") {
		t.Error("nothing of it in the log")
	}
	p.renew(month, "127.0.0.1")
	p.later(time.Minute)
	if now := p.serial(t, p.authority.Client()); now <= before {
		t.Error("a good pair was not taken after a bad one")
	}
}

func TestOldTLSIsRefused(t *testing.T) {
	p := protect(t, month, "127.0.0.1")
	for version, want := range map[uint16]bool{tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		settings := p.authority.Trust()
		settings.MinVersion, settings.MaxVersion = tls.VersionTLS10, version
		connection, err := tls.Dial("tcp", strings.TrimPrefix(p.url, "https://"), settings)
		if spoken := err == nil; spoken != want {
			t.Errorf("%s: spoken %t, want %t (%v)", tls.VersionName(version), spoken, want, err)
		}
		if err == nil {
			_ = connection.Close()
		}
	}
}

func TestALoginOverTLSSetsItsCookieForThisHostAlone(t *testing.T) {
	p := protect(t, month, "127.0.0.1")
	answer, err := p.authority.Client().Get(p.url + "/login")
	must(t, err)
	defer answer.Body.Close()
	if sts := answer.Header.Get("Strict-Transport-Security"); !strings.Contains(sts, "max-age=63072000") {
		t.Errorf("Strict-Transport-Security: %q", sts)
	}
	for _, cookie := range answer.Cookies() {
		if !cookie.Secure || !strings.HasPrefix(cookie.Name, "__Host-") {
			t.Errorf("cookie %s goes elsewhere too", cookie)
		}
	}
	plain := apptest.New(t).Browser().Get("/login")
	if sts := plain.Header.Get("Strict-Transport-Security"); sts != "" {
		t.Errorf("over http: Strict-Transport-Security: %q", sts)
	}
}

func TestACertificateThatBrowsersWillRefuseIsToldAtTheStart(t *testing.T) {
	for want, p := range map[string]*protected{
		"it is not for 127.0.0.1":   protect(t, month, "id.example.org"),
		"it was good until":         protect(t, -time.Minute, "127.0.0.1"),
		"the certificate ends soon": protect(t, 48*time.Hour, "127.0.0.1"),
	} {
		p.log.wait(t, want)
	}
}

func TestAServerWithoutItsCertificateDoesNotStart(t *testing.T) {
	c, err := config.Load(map[string]string{"data": t.TempDir(), "listen": freeAddress(t),
		"tls_cert": "/nowhere/cert.pem", "tls_key": "/nowhere/key.pem"}, nil, "")
	must(t, err)
	server, err := app.NewServer(t.Context(), c, app.Options{HashCost: apptest.HashCost})
	must(t, err)
	defer server.Release()
	if err := server.Serve(t.Context(), io.Discard, nil); err == nil || !strings.Contains(err.Error(), "/nowhere/cert.pem") {
		t.Errorf("Serve = %v", err)
	}
}

func TestAnHTTPSAddressWithoutTrustedProxiesIsToldAtTheStart(t *testing.T) {
	for proxies, want := range map[string]bool{"": true, "127.0.0.1": false} {
		log := &diary{}
		c, err := config.Load(map[string]string{"data": t.TempDir(), "listen": freeAddress(t),
			"public_url": "https://id.example.org", "trusted_proxies": proxies}, nil, "")
		must(t, err)
		serve(t, c, app.Options{Log: slog.New(slog.NewTextHandler(log, nil)), HashCost: apptest.HashCost})
		if told := log.has("without trusted_proxies"); told != want {
			t.Errorf("trusted_proxies %q: told %t, want %t", proxies, told, want)
		}
	}
}
