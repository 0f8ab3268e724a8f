package web

import (
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// Form is a form that was sent: every value once, nothing unknown. Absent
// fields are "".
type Form map[string]string

// IsText tells what can be looked up and kept: UTF-8 without the byte zero, which
// PostgreSQL knows in no text.
func IsText(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }

// ReadForm reads a form that may hold these fields and no others. A repeated,
// unknown or wrongly typed field, or one that comes in the address as well, is
// refused with 400: no two readers may understand one request differently.
func ReadForm(r *http.Request, fields ...string) (Form, error) {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/x-www-form-urlencoded" {
		return nil, BadRequest()
	}
	if err := r.ParseForm(); err != nil {
		return nil, tooLargeOrBad(err)
	}
	form := Form{}
	for name, values := range r.PostForm {
		if len(values) != 1 || !slices.Contains(fields, name) || !IsText(values[0]) || r.URL.Query().Has(name) {
			return nil, BadRequest()
		}
		form[name] = values[0]
	}
	return form, nil
}

// ReadQuery gives the values of an address that a page understands, each at
// most once. What it does not know it ignores: links are decorated on their way.
func ReadQuery(r *http.Request, names ...string) (Form, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, BadRequest()
	}
	form := Form{}
	for _, name := range names {
		values := query[name]
		if len(values) > 1 || len(values) == 1 && !IsText(values[0]) {
			return nil, BadRequest()
		}
		form[name] = query.Get(name)
	}
	return form, nil
}
