package web

import "net/http"

// checkOrigin refuses what could come from another site's page. A form of ours
// arrives with our own Origin, or with the browser's word that it is from the
// same origin; a request with neither is refused, because nothing that changes
// something here is asked by anything but our own pages.
func (f *Floor) checkOrigin(r *http.Request) error {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return nil
	}
	if r.Header.Get("Origin") == f.PublicURL || r.Header.Get("Sec-Fetch-Site") == "same-origin" {
		return nil
	}
	return foreignForm(f.PublicURL)
}

// SameOrigin tells whether the request names our own origin exactly. It is
// stricter than what every form must show: the browser's word alone is not
// enough where a proof travels.
func (f *Floor) SameOrigin(r *http.Request) bool { return r.Header.Get("Origin") == f.PublicURL }
