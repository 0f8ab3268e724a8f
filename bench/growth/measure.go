package main

import (
	"errors"
	"fmt"
	"net/url"
	"os/exec"
	"regexp"
	"strconv"

	"github.com/twinlock/twinlock/bench/serving"
	"github.com/twinlock/twinlock/internal/auth"
)

// compared runs the program on both databases and prints what it takes on each.
func compared(small, large *site) error {
	for _, s := range []*site{small, large} {
		if err := s.start(); err != nil {
			return err
		}
		defer func() { _ = s.stop() }()
		if err := s.signIn(); err != nil {
			return fmt.Errorf("%s: %w", s.name(), err)
		}
	}
	fmt.Printf("\n%-46s %28s %28s %7s  %s\n", "", fmt.Sprint(small.people, " people"), fmt.Sprint(large.people, " people"), "ratio", "wanted")
	for _, t := range things() {
		if !wanted(t.part) {
			continue
		}
		if err := t.compare(small, large); err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
	}
	for _, s := range []*site{small, large} {
		fmt.Printf("%s: %.0f MiB of memory after that\n", s.name(), s.resident())
	}
	return nil
}

// thing is what is measured on both: one round of it gives one figure.
type thing struct {
	part, name string
	round      func(s *site, round int) (float64, error)
	wanted     string
}

func (t thing) compare(small, large *site) error {
	var ofSmall, ofLarge serving.Figures
	for round := range *rounds {
		for _, turn := range []struct {
			*site
			into *serving.Figures
		}{{small, &ofSmall}, {large, &ofLarge}} {
			value, err := t.round(turn.site, round)
			if err != nil {
				return fmt.Errorf("%s: %w", turn.name(), err)
			}
			*turn.into = append(*turn.into, value)
		}
	}
	fmt.Printf("%-46s %28s %28s %7.2f  %s\n", t.name, ofSmall, ofLarge, ofLarge.Median()/ofSmall.Median(), t.wanted)
	return nil
}

func things() (all []thing) {
	all = []thing{
		{"pages", "proxy's question, 64 clients, a second", questions, "at least 0.95"},
		{"pages", "login, ms", logins, "at most 1.1"},
		{"pages", "account page, ms", accounts, "at most 1.1"},
		{"lists", "overview, slowest ms", page("/admin"), "under 200 ms"},
		{"lists", "people, first page", page("/admin/users"), "under 200 ms"},
		{"lists", "people, locked", page("/admin/users?locked=yes"), "under 200 ms"},
	}
	for _, typed := range searches {
		all = append(all, thing{"lists", "search " + strconv.Quote(typed), page("/admin/users?" + url.Values{"search": {typed}}.Encode()), "under 200 ms"})
	}
	all = append(all, thing{"lists", "events, newest", page("/admin/events"), "under 200 ms"})
	for _, kind := range []auth.EventKind{auth.EventLogin, auth.EventUserAdded, auth.EventPluginActivated} {
		all = append(all, thing{"lists", "events, " + string(kind), page("/admin/events?kind=" + string(kind)), "under 200 ms"})
	}
	return append(all,
		thing{"lists", "events of a person", eventsOf(""), "under 200 ms"},
		thing{"lists", "events of a person, login", eventsOf(auth.EventLogin), "under 200 ms"},
		thing{"lists", "events of a person, none of the kind", eventsOf(auth.EventPluginActivated), "under 200 ms"},
		thing{"lists", "a person's page", aPerson, "under 200 ms"},
		thing{"lists", "invitations", page("/admin/invitations"), "under 200 ms"},
		thing{"lists", "groups", page("/admin/groups"), "under 200 ms"},
	)
}

// searches are what people type: whole names and addresses, their beginnings and
// ends, and what is in nobody's.
var searches = []string{
	"ada.lovelace40@", "lovelace", "Zoe Groß", "GROSS", "müller", "bücher", "example.org", "an", "xq", "ö", "q", "e", "ß", "lace",
	"ada", "zoe.y", "r12", "nobody-has-this", "zz",
}

// page asks for one as the administrator. What is told is the slowest of three: one
// that was just asked for is quick.
func page(path string) func(*site, int) (float64, error) {
	return func(s *site, _ int) (slowest float64, err error) {
		for range 3 {
			ms, err := s.get(path, s.admin)
			if err != nil {
				return 0, err
			}
			slowest = max(slowest, ms)
		}
		return slowest, nil
	}
}

// someone is another person each time, from all over the table.
func (s *site) someone(n int) string { return id(ofUser, (n*7919+13)%s.people) }

func eventsOf(kind auth.EventKind) func(*site, int) (float64, error) {
	return func(s *site, round int) (float64, error) {
		return s.get("/admin/events?"+url.Values{"person": {s.someone(round)}, "kind": {string(kind)}}.Encode(), s.admin)
	}
}

func aPerson(s *site, round int) (float64, error) {
	return s.get("/admin/users/"+s.someone(round), s.admin)
}

const (
	loginsARound   = 40
	accountsARound = 100
)

// logins gives what half of some people's logins took. Nobody logs in twice.
func logins(s *site, round int) (float64, error) {
	var took serving.Figures
	for n := range loginsARound {
		i := (round*loginsARound + n) % known
		if (i+1)%protectedEach == 0 {
			continue
		}
		browser := s.browser()
		ms, err := timed(func() error { return serving.LogIn(browser, canonical(i), phrase) })
		if err != nil {
			return 0, err
		}
		took = append(took, ms)
	}
	return took.Median(), nil
}

// accounts gives what half of some people's pages took, each in a session that the
// server has not met yet.
func accounts(s *site, round int) (float64, error) {
	var took serving.Figures
	for n := range accountsARound {
		i := (round*accountsARound + n) % known
		ms, err := s.get("/account", "__Host-twinlock="+revealed(token(ofSession, i)))
		if err != nil {
			return 0, err
		}
		took = append(took, ms)
	}
	return took.Median(), nil
}

var aSecond = regexp.MustCompile(`Requests/sec:\s+([\d.]+)`)

// questions gives how many a second are answered about somebody signed in.
func questions(s *site, _ int) (float64, error) {
	args := []string{"-t2", "-c64", "-d4s"}
	for _, h := range []string{
		"X-Forwarded-For: 192.0.2.7", "X-Forwarded-Proto: https", "X-Forwarded-Host: wiki.example.org", "X-Forwarded-Uri: /page?id=7",
		"User-Agent: " + serving.Device, "Accept: text/html", "Accept-Language: en-GB,en;q=0.7", "Sec-Fetch-Mode: navigate", "Cookie: " + s.cookie,
	} {
		args = append(args, "-H", h)
	}
	out, err := exec.Command("wrk", append(args, "http://"+s.address+"/forward-auth/caddy")...).CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("wrk: %w: %s", err, out)
	}
	found := aSecond.FindSubmatch(out)
	if found == nil || regexp.MustCompile(`Non-2xx`).Match(out) {
		return 0, errors.New("wrk: " + string(out))
	}
	return strconv.ParseFloat(string(found[1]), 64)
}
