package web_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/twinlock/twinlock/internal/web"
)

// formTypes are what a body may say that it is.
var formTypes = []string{"application/x-www-form-urlencoded", "Application/X-WWW-Form-Urlencoded; charset=utf-8", "multipart/form-data; boundary=x", "application/json", "text/plain", ""}

// FuzzReadForm: a form that is read has the fields that were asked for and no
// others, each as it was sent and once; anything else is refused.
func FuzzReadForm(f *testing.F) {
	for i, body := range []string{
		"email=a&password=b", "email=a&email=b", "email=a&role=administrator", "email=%00", "email=%ff&password=", "email", "=a", "%zz=a", "email=a;password=b",
		"email=a&%65mail=b", "email[]=a", "EMAIL=a", "{\"email\":\"a\"}", strings.Repeat("email=a&", 100), "--x\r\nContent-Disposition: form-data; name=email\r\n\r\na\r\n--x--",
	} {
		f.Add(uint8(0), "", body)
		f.Add(uint8(i), "email=c&next=/", body)
	}
	f.Fuzz(func(t *testing.T, kind uint8, query, body string) {
		r := httptest.NewRequest(http.MethodPost, "/login", strings.NewReader(body))
		r.URL.RawQuery = query
		r.Header.Set("Content-Type", formTypes[int(kind)%len(formTypes)])
		form, err := web.ReadForm(r, "email", "password")
		if err != nil {
			return
		}
		sent, wrong := url.ParseQuery(body)
		for name, value := range form {
			if name != "email" && name != "password" || !utf8.ValidString(value) || strings.Contains(value, "\x00") ||
				r.URL.Query().Has(name) || len(sent[name]) != 1 || sent[name][0] != value {
				t.Errorf("%q with %q was read as %q", body, query, form)
			}
		}
		if len(form) != len(sent) || wrong != nil {
			t.Errorf("%q was read as %q", body, form)
		}
	})
}

// FuzzReadQuery: what is read of an address is text, and was said once.
func FuzzReadQuery(f *testing.F) {
	for _, query := range []string{"search=a&page=2", "search=a&search=b", "search=%00", "search=%ff", "search", "%", "a;b", "search=a&utm=b", "%73earch=a&search=b"} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		r := httptest.NewRequest(http.MethodGet, "/apps", nil)
		r.URL.RawQuery = query
		read, err := web.ReadQuery(r, "search", "page")
		if err != nil {
			return
		}
		said, _ := url.ParseQuery(query)
		for name, value := range read {
			if name != "search" && name != "page" || !web.IsText(value) || len(said[name]) > 1 || said.Get(name) != value {
				t.Errorf("%q was read as %q", query, read)
			}
		}
	})
}

// FuzzReadUpload: a form of one file gives that file, or nothing, or is refused.
func FuzzReadUpload(f *testing.F) {
	part := func(header, content string) string {
		return "--x\r\n" + header + "\r\n\r\n" + content + "\r\n--x--\r\n"
	}
	logo := `Content-Disposition: form-data; name="logo"; filename="a.png"`
	for _, body := range []string{
		"", "--x--", part(logo, "content"), part(logo, ""), part(`Content-Disposition: form-data; name="other"`, "content"), part(logo, "content\r\n--x\r\n"+logo+"\r\n\r\nmore"),
		part("Content-Disposition: form-data", "content"), part("", "content"), "--x\r\n", part(logo+"\r\nContent-Transfer-Encoding: quoted-printable", "=41"),
	} {
		f.Add("x", []byte(body))
	}
	f.Fuzz(func(t *testing.T, boundary string, body []byte) {
		r := httptest.NewRequest(http.MethodPost, "/admin/apps/a/logo", bytes.NewReader(body))
		r.Header.Set("Content-Type", "multipart/form-data; boundary="+boundary)
		if content, err := web.ReadUpload(r, "logo"); err == nil && len(content) > len(body) {
			t.Errorf("%q gave %d bytes", body, len(content))
		}
	})
}
