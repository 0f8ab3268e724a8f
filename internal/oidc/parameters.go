package oidc

import (
	"mime"
	"net/http"
	"net/url"

	"github.com/twinlock/twinlock/internal/web"
)

// parameters are what an application sent. What nobody here knows is ignored,
// as the standard asks (RFC 6749 §3.1); what comes twice is refused where it
// matters, so that no two readers understand one request differently.
type parameters url.Values

// readQuery reads the parameters of an address.
func readQuery(r *http.Request) (parameters, bool) {
	return checked(url.ParseQuery(r.URL.RawQuery))
}

// readBody reads the parameters of a form. Those of the address do not count.
func readBody(r *http.Request) (parameters, bool) {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/x-www-form-urlencoded" {
		return nil, false
	}
	if err := r.ParseForm(); err != nil {
		return nil, false
	}
	return checked(r.PostForm, nil)
}

func checked(values url.Values, err error) (parameters, bool) {
	if err != nil {
		return nil, false
	}
	for name, given := range values {
		for _, value := range given {
			if !web.IsText(name) || !web.IsText(value) {
				return nil, false
			}
		}
	}
	return parameters(values), true
}

// get gives a parameter; "" where it was not sent, or sent empty, which is the
// same (RFC 6749 §3.1).
func (p parameters) get(name string) string { return url.Values(p).Get(name) }

// repeats tells whether one of these came more than once.
func (p parameters) repeats(names ...string) bool {
	for _, name := range names {
		if len(p[name]) > 1 {
			return true
		}
	}
	return false
}
