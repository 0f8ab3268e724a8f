package kit

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Apache is the web server of that name before an application. Its module
// mod_auth_openidc signs people in, by the settings of the documentation, but
// without TLS. To a browser it is another site than the server.
type Apache struct {
	URL string // without a slash at the end

	mu   sync.Mutex
	last http.Header // of the last request that reached the application
}

// apacheModules are those that Debian's own settings load, as far as they are
// needed, and those that the documentation names.
var apacheModules = []string{"mpm_event", "authn_core", "authz_core", "authz_user", "ssl", "headers", "proxy", "proxy_http", "auth_openidc"}

// Apache adds the application by command, as an operator does, and starts both.
func (s *Server) Apache(t testing.TB) *Apache {
	t.Helper()
	folder, port := t.TempDir(), FreePort(t)
	a := &Apache{URL: "http://127.0.0.1:" + port}
	behind := httptest.NewServer(http.HandlerFunc(a.answer))
	t.Cleanup(behind.Close)
	var added struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
	}
	out := s.Run("", "app", "add", "Wiki", "--url", a.URL+"/", "--redirect-uri", a.URL+"/.signed-in", "--logout-uri", a.URL+"/",
		"--logout-notice", a.URL+"/.signed-in?logout=backchannel", "--allow-everyone", "--json")
	if err := json.Unmarshal([]byte(out), &added); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var whole strings.Builder
	fmt.Fprintf(&whole, "ServerRoot /usr/lib/apache2\nServerName 127.0.0.1\nListen 127.0.0.1:%s\nPidFile %s/pid\nMutex sem\nErrorLog /dev/stderr\n", port, folder)
	if os.Getuid() == 0 {
		whole.WriteString("User nobody\nGroup nogroup\n")
	}
	for _, name := range apacheModules {
		fmt.Fprintf(&whole, "LoadModule %[1]s_module modules/mod_%[1]s.so\n", name)
	}
	certificate, private := certify(t, folder, "wiki.example.org")
	whole.WriteString(documented(t, "apache.conf", "*:443", "127.0.0.1:"+port, "SSLEngine on", "SSLEngine off",
		"/etc/ssl/certs/example.org.pem", certificate, "/etc/ssl/private/example.org.key", private, "https://wiki.example.org", a.URL,
		"https://id.example.org", s.URL, "the-client-id", added.ID, "the-client-secret", added.Secret, "the-passphrase", rand.Text(), "127.0.0.1:3000", behind.Listener.Addr().String()))
	write(t, filepath.Join(folder, "apache.conf"), whole.String())
	runProxy(t, "apache2", "-D", "FOREGROUND", "-f", filepath.Join(folder, "apache.conf"))
	awaits(t, a.URL+"/.signed-in")
	return a
}

// answer is the application: it shows who it was told of.
func (a *Apache) answer(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/favicon.ico" { // browsers ask for it when they like
		http.NotFound(w, r)
		return
	}
	a.mu.Lock()
	a.last = r.Header.Clone()
	a.mu.Unlock()
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = fmt.Fprintf(w, `<!doctype html><html lang="en"><title>Wiki</title><h1>Wiki</h1><p>Here is %q.</p><p>You asked for %s</p>`,
		r.Header.Get("Remote-User"), r.RequestURI)
}

// Reached gives what the application was told with the last request.
func (a *Apache) Reached() http.Header {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.last
}
