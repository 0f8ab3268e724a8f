package web

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// What leads on by itself leads to web sites; a script or a file is an error
// before anything is sent.
func TestAPageLeadsOnToWebSitesOnly(t *testing.T) {
	for _, to := range []string{"", "/apps", "//evil.example/", "javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "https:", "org.example.app:/signed-in", "https://\x00/"} {
		w := httptest.NewRecorder()
		if err := new(Floor).LeaveTo(w, httptest.NewRequest(http.MethodGet, "/apps/w", nil), to, "Wiki"); err == nil || len(w.Header()) > 0 {
			t.Errorf("%q: %v, %v", to, err, w.Header())
		}
	}
}
