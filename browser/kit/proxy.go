package kit

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/security"

	"github.com/twinlock/twinlock/internal/apptest/child"
)

// Proxied is a server behind a real reverse proxy with TLS, beside a sample
// application behind the same proxy: set up from the pages of the documentation
// as they stand, with other ports.
type Proxied struct {
	*Server
	App  string // the application's address at the proxy, without a slash at its end
	Port string // of the proxy

	instead []string // pairs of what the proxy's settings say and what they shall
	app     string   // where the application listens
	stop    func()   // ends the proxy

	mu   sync.Mutex
	last http.Header // of the last request that reached the application
}

// Proxies are the reverse proxies that run here.
var Proxies = map[string]func(t testing.TB, p *Proxied, behind, app string){"nginx": startNginx, "caddy": startCaddy}

// StartProxied starts all three. Flags are further ones of the server.
func StartProxied(t testing.TB, proxy string, flags ...string) *Proxied {
	t.Helper()
	return startProxied(t, proxy, nil, flags)
}

// StartSpoiled is StartProxied where a line is missing from the proxy's
// settings, wherever it stands.
func StartSpoiled(t testing.TB, proxy, line string) *Proxied {
	t.Helper()
	return startProxied(t, proxy, []string{line, ""}, nil)
}

func startProxied(t testing.TB, proxy string, instead, flags []string) *Proxied {
	t.Helper()
	p := &Proxied{Port: FreePort(t), instead: instead}
	p.App = "https://wiki.example.org:" + p.Port
	app := httptest.NewServer(http.HandlerFunc(p.answer))
	t.Cleanup(app.Close)
	behind := FreePort(t)
	p.Server = start(t, "", behind, "https://id.example.org:"+p.Port, append([]string{"--trusted-proxies", "127.0.0.1"}, flags...))
	p.app = app.Listener.Addr().String()
	Proxies[proxy](t, p, "127.0.0.1:"+behind, p.app)
	p.answers(t)
	return p
}

// answers waits until the proxy does.
func (p *Proxied) answers(t testing.TB) {
	t.Helper()
	Eventually(t, "the proxy answers", func() bool {
		connection, err := tls.Dial("tcp", "127.0.0.1:"+p.Port, &tls.Config{InsecureSkipVerify: true, ServerName: "id.example.org"})
		if err == nil {
			_ = connection.Close()
		}
		return err == nil
	})
}

// PutBefore runs nginx by settings that were copied from a page, in the place of
// the proxy. Of them nothing is replaced but what their first lines leave to
// whoever copies them.
func (p *Proxied) PutBefore(t testing.TB, settings string) {
	t.Helper()
	p.stop()
	folder := t.TempDir()
	certificate, key := certify(t, folder, "id.example.org", "wiki.example.org")
	p.stop = runNginx(t, folder, replaced(t, settings, "127.0.0.1:3000", p.app,
		"/etc/ssl/certs/example.org.pem", certificate, "/etc/ssl/private/example.org.key", key))
	p.answers(t)
}

// answer is the application: it shows what it was asked, and who it was told of.
func (p *Proxied) answer(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/favicon.ico" { // browsers ask for it when they like
		http.NotFound(w, r)
		return
	}
	p.mu.Lock()
	p.last = r.Header.Clone()
	p.mu.Unlock()
	if r.Header.Get("Upgrade") == "websocket" {
		echo(w)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Application", "yes")
	_, _ = fmt.Fprintf(w, `<!doctype html><html lang="en"><title>Wiki</title><h1>Wiki</h1><p>Here is %q.</p><p>You asked for %s %s</p>`,
		r.Header.Get("Remote-User"), r.Method, strings.ReplaceAll(r.RequestURI, "&", "&amp;"))
}

// echo takes a web socket, and gives back whatever comes through it.
func echo(w http.ResponseWriter) {
	connection, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer connection.Close()
	_, _ = io.WriteString(connection, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nApplication: yes\r\n\r\n")
	_, _ = io.Copy(connection, buffered)
}

// Reached gives what the application was told with the last request that
// reached it, and forgets it; nil where none did.
func (p *Proxied) Reached() http.Header {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := p.last
	p.last = nil
	return last
}

// documented reads a page of the documentation with other names for what is different
// here. What is to be replaced must be there.
func documented(t testing.TB, name string, replace ...string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "docs", "proxies", name))
	if err != nil {
		t.Fatal(err)
	}
	return replaced(t, string(raw), replace...)
}

func startNginx(t testing.TB, p *Proxied, behind, app string) {
	t.Helper()
	folder := t.TempDir()
	certificate, key := certify(t, folder, "id.example.org", "wiki.example.org")
	site := documented(t, "nginx.conf", "listen 443 ssl", "listen 127.0.0.1:"+p.Port+" ssl",
		"/etc/ssl/certs/example.org.pem", certificate, "/etc/ssl/private/example.org.key", key,
		"https://wiki.example.org$request_uri", p.App+"$request_uri", "127.0.0.1:8080", behind, "127.0.0.1:3000", app)
	p.stop = runNginx(t, folder, replaced(t, site, p.instead...))
}

// runNginx runs nginx with these sites and nothing of this machine's settings.
func runNginx(t testing.TB, folder, sites string) (stop func()) {
	t.Helper()
	write(t, filepath.Join(folder, "site.conf"), sites)
	whole := "daemon off; master_process off; pid " + folder + "/pid; error_log stderr;\nevents {}\nhttp {\naccess_log off;\n"
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		whole += kind + "_temp_path " + filepath.Join(folder, kind) + ";\n"
	}
	write(t, filepath.Join(folder, "nginx.conf"), whole+"include "+folder+"/site.conf;\n}\n")
	return runProxy(t, "nginx", "-p", folder, "-c", filepath.Join(folder, "nginx.conf"))
}

func startCaddy(t testing.TB, p *Proxied, behind, app string) {
	t.Helper()
	folder := t.TempDir()
	site := documented(t, "Caddyfile", "127.0.0.1:8080", behind, "127.0.0.1:3000", app)
	p.stop = runCaddy(t, folder, replaced(t, site, p.instead...), p.Port, FreePort(t), "\tauto_https disable_redirects\n")
}

// runCaddy runs Caddy with these sites on other ports than 443 and 80, and an
// authority of its own. More are further global options.
func runCaddy(t testing.TB, folder, sites, tlsPort, plainPort, more string) (stop func()) {
	t.Helper()
	global := "{\n\tadmin off\n\tlocal_certs\n\tskip_install_trust\n" + more + "\thttps_port " + tlsPort +
		"\n\thttp_port " + plainPort + "\n\tdefault_bind 127.0.0.1\n\tstorage file_system " + folder + "\n\tlog {\n\t\tlevel ERROR\n\t}\n}\n"
	write(t, filepath.Join(folder, "Caddyfile"), global+sites)
	return runProxy(t, "caddy", "run", "--adapter", "caddyfile", "--config", filepath.Join(folder, "Caddyfile"))
}

// runProxy runs a proxy until it is stopped, or the test ends.
func runProxy(t testing.TB, name string, args ...string) (stop func()) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		path = "/usr/sbin/" + name // where Debian has what only root needs
	}
	c := exec.Command(path, args...)
	said := &child.Output{}
	c.Stdout, c.Stderr = said, said
	c.WaitDelay = time.Second // what it started may hold them open
	if err := child.Start(c); err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	stop = sync.OnceFunc(func() {
		_ = c.Process.Signal(syscall.SIGTERM)
		_ = c.Wait()
	})
	t.Cleanup(func() {
		stop()
		if t.Failed() {
			t.Logf("%s said:\n%s", name, said)
		}
	})
	return stop
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// certify makes a certificate that nobody but these tests trusts.
func certify(t testing.TB, folder string, names ...string) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: names[0]}, DNSNames: names,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	rawKey, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	certificate, key = filepath.Join(folder, "certificate.pem"), filepath.Join(folder, "key.pem")
	write(t, certificate, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw})))
	write(t, key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: rawKey})))
	return certificate, key
}

// Trusting lets a tab take the certificates of these tests for good.
func (tab *Tab) Trusting() *Tab {
	tab.t.Helper()
	tab.do("trust the proxy", security.SetIgnoreCertificateErrors(true))
	return tab
}

// Raw sends a request to the proxy byte by byte, as no browser would, and gives
// the answer.
func (p *Proxied) Raw(t testing.TB, request string) *http.Response {
	t.Helper()
	answer, connection, _ := p.ask(t, request)
	defer connection.Close()
	body, _ := io.ReadAll(answer.Body)
	answer.Body = io.NopCloser(strings.NewReader(string(body)))
	return answer
}

// Talk sends a request byte by byte that asks for another protocol, then what is
// said in that, and gives the answer, with as much of what came back.
func (p *Proxied) Talk(t testing.TB, request, said string) (answer *http.Response, heard string) {
	t.Helper()
	answer, connection, from := p.ask(t, request)
	defer connection.Close()
	if answer.StatusCode != http.StatusSwitchingProtocols {
		return answer, ""
	}
	if _, err := io.WriteString(connection, said); err != nil {
		t.Fatal(err)
	}
	back := make([]byte, len(said))
	if _, err := io.ReadFull(from, back); err != nil {
		t.Fatal(err)
	}
	return answer, string(back)
}

func (p *Proxied) ask(t testing.TB, request string) (*http.Response, net.Conn, *bufio.Reader) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	dialer := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true, ServerName: "wiki.example.org", NextProtos: []string{"http/1.1"}}}
	connection, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", p.Port))
	if err != nil {
		t.Fatal(err)
	}
	_ = connection.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(connection, strings.ReplaceAll(request, "\n", "\r\n")); err != nil {
		t.Fatal(err)
	}
	from := bufio.NewReader(connection)
	answer, err := http.ReadResponse(from, nil)
	if err != nil {
		t.Fatal(err)
	}
	return answer, connection, from
}
