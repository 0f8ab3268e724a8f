package main

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// tries sends an address and a password to the login, and gives the status.
func (s *server) tries(email, password string) int {
	s.o.t.Helper()
	form := url.Values{"email": {email}, "password": {password}, "next": {""}}
	r, err := http.NewRequest(http.MethodPost, s.url+"/login", strings.NewReader(form.Encode()))
	if err != nil {
		s.o.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", s.url)
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		s.o.t.Fatal(err)
	}
	_ = answer.Body.Close()
	return answer.StatusCode
}

func TestALockedAccountIsListedAndUnlocked(t *testing.T) {
	o := newOperator(t)
	o.person(ada)
	o.person(bob)
	s := o.serves("--throttle-closed", "10", "--throttle-free", "9")
	for range 9 {
		if got := s.tries(ada, "wrong"); got != http.StatusUnprocessableEntity {
			t.Fatalf("a wrong password: status %d", got)
		}
	}
	eventually(t, "the last wait is over", func() bool { return s.tries(ada, "wrong") == http.StatusUnprocessableEntity })
	if got := s.tries(ada, known); got != http.StatusTooManyRequests {
		t.Fatalf("the right one of a locked account: status %d", got)
	}
	o.letter(ada, "/login/unlock?token")

	var locked []shownPerson
	if o.reads(&locked, "user", "list", "--locked"); len(locked) != 1 || locked[0].Email != ada || locked[0].LockedSince == nil {
		t.Errorf("locked are %+v", locked)
	}
	if said := o.does("user", "show", ada); !regexp.MustCompile(`(?m)^locked +yes$`).MatchString(said) {
		t.Errorf("shown as %s", said)
	}
	if said := o.does("user", "unlock", ada); said != ada+": unlocked\n" {
		t.Errorf("said %q", said)
	}
	if p := o.shows(ada); p.LockedSince != nil {
		t.Errorf("still locked since %v", p.LockedSince)
	}
	if got := s.tries(ada, known); got != http.StatusSeeOther {
		t.Errorf("the right password of an unlocked account: status %d", got)
	}
}
