package main

import (
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// sends posts a form as a page of the server does, and gives the cookies that
// come back.
func (s *server) sends(path string, form url.Values, cookies ...*http.Cookie) (status int, given []*http.Cookie) {
	s.o.t.Helper()
	r, err := http.NewRequest(http.MethodPost, s.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		s.o.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", s.url)
	for _, c := range cookies {
		r.AddCookie(c)
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		s.o.t.Fatal(err)
	}
	_ = answer.Body.Close()
	return answer.StatusCode, answer.Cookies()
}

// What lets somebody in, and what was typed where it does not belong, stands in
// no line that the server prints and in no file but the letters.
func TestWhatLetsPeopleInStandsInNoLogAndNoFile(t *testing.T) {
	const wrong, inTheWrongField = "nine wrong lapwings 4411", "ten misplaced dunlins 5512"
	o := newOperator(t)
	o.person(ada)
	s := o.serves("--log-level", "debug")
	login := func(email, password string) (int, []*http.Cookie) {
		return s.sends("/login", url.Values{"email": {email}, "password": {password}, "next": {""}})
	}
	login(ada, wrong)
	login(inTheWrongField, known)
	status, cookies := login(ada, known)
	if status != http.StatusSeeOther || len(cookies) == 0 {
		t.Fatalf("the login: status %d, %d cookies", status, len(cookies))
	}
	hidden := []string{known, wrong, inTheWrongField}
	for _, c := range cookies {
		if len(c.Value) == 43 {
			hidden = append(hidden, c.Value)
		}
	}
	o.does("user", "reset-password", ada)
	o.does("user", "add", bob)
	for email, path := range map[string]string{ada: "/forgot-password/new", bob: "/invitation"} {
		o.letter(email, path+"?token")
		token := regexp.MustCompile(regexp.QuoteMeta(path) + `\?token=(?:3D)?([A-Za-z0-9_-]{43})`).FindStringSubmatch(strings.Join(o.letters(email), ""))
		if token == nil {
			t.Fatalf("no link to %s in %s", path, o.letters(email))
		}
		hidden = append(hidden, token[1])
		page, err := http.Get(s.url + path + "?token=" + token[1])
		if err != nil || page.StatusCode != http.StatusOK {
			t.Fatalf("the link to %s: %v, %v", path, page, err)
		}
		_ = page.Body.Close()
		s.sends(path, url.Values{"token": {token[1]}, "new-password": {wrong}, "nonsense": {inTheWrongField}})
	}
	if len(hidden) < 7 {
		t.Fatalf("only %d secrets are looked for: the login gave too few cookies", len(hidden))
	}
	if err := s.stops(); err != nil {
		t.Fatal(err)
	}
	for _, h := range hidden {
		if strings.Contains(s.said.String(), h) {
			t.Errorf("the server printed %q:\n%s", h, s.said)
		}
		o.everyFile(func(path string, content []byte) {
			if strings.Contains(string(content), h) {
				t.Errorf("%q stands in %s", h, filepath.Base(path))
			}
		})
	}
}
