package web

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestAFormHoldsTextAndNothingElse(t *testing.T) {
	for body, right := range map[string]bool{
		"email=ada%40example.org": true, "email=%F0%9F%94%91": true, "email=": true,
		"email=%00": false, "email=ada%00": false, "email=%ff": false, "email=a&email=b": false, "other=a": false,
	} {
		r := httptest.NewRequest(http.MethodPost, "/login", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if _, err := ReadForm(r, "email"); (err == nil) != right {
			t.Errorf("a form of %s: %v", body, err)
		}
		if body == "other=a" {
			continue // an address may be decorated
		}
		if _, err := ReadQuery(httptest.NewRequest(http.MethodGet, "/login?"+body, nil), "email"); (err == nil) != right {
			t.Errorf("an address with %s: %v", body, err)
		}
	}
}
