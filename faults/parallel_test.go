package faults

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twinlock/twinlock/faults/history"
	"github.com/twinlock/twinlock/faults/kit"
	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/apptest/program"
)

const (
	clients  = 8
	accounts = 4 // two clients act for each
)

// What eight clients are told who act for four people at once, while servers are
// killed, is what some order of their calls explains: nothing was used twice,
// nothing was accepted after it had been revoked, and nothing acknowledged is gone.
func TestAHistoryOfManyAtOnce(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	kit.Each(t, func(t *testing.T, engine kit.Engine) {
		t.Parallel()
		began, runs, calls := time.Now(), often(100, 1), often(160, 120)
		s := kit.Start(t, engine, map[kit.Engine]int{kit.SQLite: 1, kit.PostgreSQL: 2}[engine],
			"--fresh", "24h", "--session-idle", "30d", "--session-overall", "90d", "--sessions-per-user", "1000", "--login-timeout", "1h", "--recovery-codes", "4", "--recovery-codes-few", "0",
			"--throttle-free", "20", "--throttle-longest-wait", "1s", "--wrong-codes", "20", "--wrong-codes-in-all", "1000")
		s.Person("root@example.org", "--admin")
		s.Activate("two-factor")
		var all tally
		for run := range runs {
			t.Logf("run %d, seed %d", run, seed)
			c := newCrowd(t, s, run, seed)
			c.acts(calls)
			for _, broken := range c.history.Check() {
				all.broken++
				t.Error(broken)
			}
			all.count(c)
			t.Logf("run %d: violations %d, %s", run, all.broken, &all)
		}
		table.Add(t, kit.Row{Fault: fmt.Sprintf("history of %d clients, servers killed", clients), Engine: engine, Runs: runs,
			Held:    "an order of the calls explains every answer",
			Figures: []string{all.String(), fmt.Sprintf("violations %d", all.broken)}, Took: time.Since(began)})
	})
}

// tally counts over several runs.
type tally struct {
	calls, kills, broken int
	results              map[history.Result]int
}

func (y *tally) count(c *crowd) {
	if y.results == nil {
		y.results = map[history.Result]int{}
	}
	for _, call := range c.history {
		y.calls++
		y.results[call.Result]++
	}
	y.kills += c.kills
}

func (y *tally) String() string {
	return fmt.Sprintf("%d calls (%d accepted, %d refused, %d without an answer), %d kills",
		y.calls, y.results[history.Accepted], y.results[history.Refused], y.results[history.Unknown], y.kills)
}

// crowd is one run: who acts, for whom, and what they were told.
type crowd struct {
	*testing.T
	*kit.Site
	began  time.Time
	seed   uint64
	people []*account
	kills  int

	mu      sync.Mutex
	history history.History
	letters int // how many were looked at
	numbers int
}

// account is what the clients know of a person. Where a call was not answered
// they know what may be.
type account struct {
	address   string
	passwords []held // the newest last
	phones    []held
	sessions  []held
	recovery  []string // codes, used or not
	shown     shown    // the last code that somebody typed
	links     []string // for a new password
}

// held is a thing, and the words that make use of it.
type held struct {
	history.Thing
	words string
}

func newCrowd(t *testing.T, s *kit.Site, run int, seed uint64) *crowd {
	t.Helper()
	c := &crowd{T: t, Site: s, began: time.Now(), seed: seed + uint64(run)}
	for i := range accounts {
		address := fmt.Sprintf("person%d-%d@example.org", run, i)
		s.Person(address)
		a := &account{address: address}
		first := c.newThing(history.Password, a, kit.Password)
		a.passwords = []held{first}
		c.history = append(c.history, history.Call{Did: "account", Person: address, Result: history.Accepted, Begins: []history.Thing{first.Thing}})
		c.people = append(c.people, a)
	}
	c.letters = len(s.Mail.Messages())
	first := c.client(clients)
	for _, first.account = range c.people {
		first.logsIn()
		first.enables()
	}
	return c
}

func (c *crowd) client(number int) *client {
	return &client{crowd: c, number: number, lot: rand.New(rand.NewPCG(c.seed, uint64(number)))}
}

func (c *crowd) newThing(kind history.Kind, a *account, words string) held {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.numbers++
	return held{history.Thing{Kind: kind, Person: a.address, Name: fmt.Sprint(c.numbers)}, words}
}

// acts lets every client do its share, while servers are killed and the clock runs
// fast, and then asks after everything once more.
func (c *crowd) acts(calls int) {
	c.Helper()
	over := make(chan struct{})
	var beside, people sync.WaitGroup
	beside.Go(func() { c.runsFast(over) })
	beside.Go(func() { c.killsServers(over) })
	for i := range clients {
		people.Go(func() {
			one := c.client(i)
			for range calls / clients {
				one.acts()
			}
		})
	}
	people.Wait()
	close(over)
	beside.Wait()
	last := c.client(clients)
	for _, a := range c.people {
		last.account = a
		for range a.sessions {
			last.asks()
		}
		last.logsIn()
	}
}

// runsFast turns the clock, so that phones have new codes.
func (c *crowd) runsFast(over <-chan struct{}) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-over:
			return
		case <-tick.C:
			c.Turn(30 * time.Second)
		}
	}
}

// killsServers kills one after every so many calls, and starts it again.
func (c *crowd) killsServers(over <-chan struct{}) {
	lot := rand.New(rand.NewPCG(c.seed, 99))
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for next := c.answered() + 20; ; {
		select {
		case <-over:
			return
		case <-tick.C:
		}
		if c.answered() < next {
			continue
		}
		s := c.Servers[lot.IntN(len(c.Servers))]
		s.Kill()
		if err := s.TryStart(); err != nil {
			c.Error(err)
			return
		}
		c.kills++
		next = c.answered() + 40 + lot.IntN(80)
	}
}

// answered is how many calls are over.
func (c *crowd) answered() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.history)
}

// client acts for one person after another, one call at a time.
type client struct {
	*crowd
	number  int
	lot     *rand.Rand
	account *account
}

// chances are how often a client does what, of a hundred times.
var chances = []struct {
	of   int
	does func(*client)
}{
	{46, (*client).asks}, {26, (*client).logsIn}, {4, (*client).logsOut}, {3, (*client).endsOthers}, {4, (*client).changesPassword},
	{4, (*client).forgets}, {3, (*client).setsForgotten}, {5, (*client).enables}, {5, (*client).disables},
}

func (c *client) acts() {
	c.account = c.people[(c.number+c.lot.IntN(2))%accounts]
	n := c.lot.IntN(100)
	for _, chance := range chances {
		if n -= chance.of; n < 0 {
			chance.does(c)
			return
		}
	}
}

// one gives the newest of what is held, and sometimes an older one.
func (c *client) one(of *[]held) (held, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := *of
	if len(all) == 0 {
		return held{}, false
	}
	if c.lot.IntN(8) == 0 {
		return all[c.lot.IntN(len(all))], true
	}
	return all[len(all)-1], true
}

// any gives one of what is held.
func (c *client) any(of *[]held) (held, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(*of) == 0 {
		return held{}, false
	}
	return (*of)[c.lot.IntN(len(*of))], true
}

func (c *client) anyWord(of *[]string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(*of) == 0 {
		return ""
	}
	return (*of)[c.lot.IntN(len(*of))]
}

func (c *client) keep(in *[]held, h held) {
	c.mu.Lock()
	defer c.mu.Unlock()
	*in = append(*in, h)
}

// sessionCookie opens the session, where the site is http.
const sessionCookie = "twinlock"

// at opens a browser on one of the servers, in a session, or in none.
func (c *client) at(session string) *apptest.Browser {
	b := c.Browser(c.lot.IntN(len(c.Servers)), fmt.Sprintf("127.0.1.%d", 1+c.number))
	if session != "" {
		b.SetCookie(sessionCookie, session)
	}
	return b
}

// calls sends something, and writes down what it was answered. Answered tells
// what an answer means.
func (c *client) calls(call history.Call, send func() *apptest.Page, answered func(*apptest.Page) history.Result) history.Call {
	call.Client, call.Person, call.Call = c.number, c.account.address, time.Since(c.began)
	page := send()
	call.Return = time.Since(c.began)
	call.Result = history.Unknown
	switch {
	case page.Status == 0:
		c.waits()
	case page.Status < 500 && page.Status != 429:
		call.Result = answered(page)
		call.Did += fmt.Sprintf(" (%d %s%s)", page.Status, page.Header.Get("Location"), page.Alert())
	}
	return call
}

// waits goes on when a server is there again.
func (c *client) waits() {
	program.Eventually(c, "a server is ready", func() bool { return c.Servers[c.lot.IntN(len(c.Servers))].Ready() })
}

func (c *client) note(call history.Call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.history = append(c.history, call)
}

// goesOn takes every way but the one to the login for a yes.
func goesOn(page *apptest.Page) history.Result {
	to := page.Header.Get("Location")
	if page.Status < 400 && !strings.HasPrefix(to, "/login") {
		return history.Accepted
	}
	return history.Refused
}

func (c *client) asks() {
	session, ok := c.any(&c.account.sessions)
	if !ok {
		return
	}
	b := c.at(session.words)
	var whose string
	call := c.calls(history.Call{Did: "question in " + session.String(), Under: []history.Thing{session.Thing}, Owed: true},
		func() *apptest.Page { return b.Ask(b.Request("GET", "/account", nil)) },
		func(page *apptest.Page) history.Result {
			for _, a := range c.people {
				if strings.Contains(page.Body, a.address) {
					whose = a.address
				}
			}
			return goesOn(page)
		})
	call.Shown = whose
	c.note(call)
}

// newSession is what a browser holds after a call that was accepted.
func (c *client) newSession(b *apptest.Browser) held {
	return c.newThing(history.Session, c.account, b.Cookie(sessionCookie))
}

func (c *client) logsIn() {
	password, _ := c.one(&c.account.passwords)
	b := c.at("")
	page := b.Get("/login")
	if !page.HasButton("Login") {
		c.waits()
		return
	}
	form := page.Form("Login").Fill("Email", c.account.address).Fill("Password", password.words)
	var to string
	call := c.calls(history.Call{Did: "login by " + password.String(), Under: []history.Thing{password.Thing}, Owed: true}, form.PressOnce,
		func(page *apptest.Page) history.Result {
			to = page.Header.Get("Location")
			switch {
			case strings.HasPrefix(to, "/login/code"):
				return history.Accepted
			case strings.HasPrefix(to, "/login?again") && c.number < clients: // the account was changed under it
				return history.Unknown
			}
			return goesOn(page)
		})
	if call.Result == history.Accepted && !strings.HasPrefix(to, "/login/code") {
		made := c.newSession(b)
		call.PasswordAlone, call.Begins = true, []history.Thing{made.Thing}
		c.keep(&c.account.sessions, made)
	}
	c.note(call)
	if call.Result == history.Accepted && len(call.Begins) == 0 {
		c.showsCode(b, b.Get(to))
	}
}

// showsCode goes on with a login that asks for a code.
func (c *client) showsCode(b *apptest.Browser, page *apptest.Page) {
	phone, ok := c.one(&c.account.phones)
	if !ok || !page.HasButton("Send code") {
		return
	}
	code, spends := c.codeOf(phone)
	if recovery := c.anyWord(&c.account.recovery); recovery != "" && c.lot.IntN(3) == 0 {
		of, words, _ := strings.Cut(recovery, " ")
		code, spends, phone.Name = words, "recovery code "+recovery, of
	}
	form := page.Form("Send code").Fill("Login code", code)
	call := c.calls(history.Call{Did: "code: " + spends, Under: []history.Thing{phone.Thing}, Spends: spends}, form.PressOnce, goesOn)
	if call.Result == history.Accepted {
		made := c.newSession(b)
		call.Begins = []history.Thing{made.Thing}
		c.keep(&c.account.sessions, made)
	}
	c.note(call)
}

// shown is a code, and what it is called.
type shown struct {
	phone        history.Thing
	code, spends string
}

// codeOf is what a phone shows, or one time in three what somebody typed before.
func (c *client) codeOf(phone held) (code, spends string) {
	now := c.Now()
	p := kit.Person{Key: phone.words}
	next := shown{phone.Thing, p.CodeAt(c.T, now), fmt.Sprintf("code %d of %s", now.Unix()/30, phone)}
	c.mu.Lock()
	defer c.mu.Unlock()
	if before := c.account.shown; before.phone == phone.Thing && c.lot.IntN(3) == 0 {
		next = before
	}
	c.account.shown = next
	return next.code, next.spends
}

func (c *client) logsOut() {
	session, ok := c.any(&c.account.sessions)
	if !ok {
		return
	}
	b := c.at(session.words)
	c.note(c.calls(history.Call{Did: "logout of " + session.String(), Ends: []history.Ending{{Kind: history.Session, One: session.Name}}},
		func() *apptest.Page { return b.Once("/logout", url.Values{}) },
		func(page *apptest.Page) history.Result {
			if page.Status == 303 {
				return history.Accepted
			}
			return history.Refused
		}))
}

// opens shows a page of somebody who is in a session, and tells whether it has a
// button.
func (c *client) opens(path, button string) (held, *apptest.Browser, *apptest.Page, bool) {
	session, ok := c.any(&c.account.sessions)
	if !ok {
		return session, nil, nil, false
	}
	b := c.at(session.words)
	page := b.Get(path)
	if page.Status == 0 {
		c.waits()
	}
	return session, b, page, page.HasButton(button)
}

func (c *client) endsOthers() {
	session, _, page, ok := c.opens("/account/sessions", "End all others")
	if !ok {
		return
	}
	c.note(c.calls(history.Call{Did: "end all but " + session.String(), Under: []history.Thing{session.Thing},
		Ends: []history.Ending{{Kind: history.Session, But: session.Name}}}, page.Form("End all others").PressOnce, goesOn))
}

// every ends all that a person holds of these kinds.
func every(kinds ...history.Kind) (all []history.Ending) {
	for _, kind := range kinds {
		all = append(all, history.Ending{Kind: kind})
	}
	return all
}

// renewed notes a call that gives its session a new token.
func (c *client) renewed(call history.Call, b *apptest.Browser) {
	if call.Result == history.Accepted {
		made := c.newSession(b)
		call.Begins = append(call.Begins, made.Thing)
		defer c.keep(&c.account.sessions, made)
	}
	c.note(call)
}

func (c *client) newPassword() held {
	next := c.newThing(history.Password, c.account, "")
	next.words = "seven grey herons number " + next.Name
	return next
}

func (c *client) changesPassword() {
	session, b, page, ok := c.opens("/account", "Change password")
	if !ok {
		return
	}
	old, _ := c.one(&c.account.passwords)
	next := c.newPassword()
	form := page.Form("Change password").Fill("Current password", old.words).Fill("New password", next.words)
	call := c.calls(history.Call{Did: "change to " + next.String(), Under: []history.Thing{session.Thing, old.Thing},
		Begins: []history.Thing{next.Thing}, Ends: every(history.Password, history.Session)}, form.PressOnce, goesOn)
	if call.Result != history.Refused {
		c.keep(&c.account.passwords, next)
	}
	c.renewed(call, b)
}

func (c *client) forgets() {
	b := c.at("")
	if page := b.Get("/forgot-password"); page.HasButton("Send reset link") {
		page.Form("Send reset link").Fill("Email", c.account.address).PressOnce()
	}
}

// readLetters finds the links that came since.
func (c *client) readLetters() {
	all := c.Mail.Messages()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, letter := range all[c.letters:] {
		link := kit.LinkTo(letter, "/forgot-password/new")
		for _, a := range c.people {
			if link != "" && slices.Contains(letter.Recipients, a.address) {
				a.links = append(a.links, link)
			}
		}
	}
	c.letters = len(all)
}

func (c *client) setsForgotten() {
	c.readLetters()
	link := c.anyWord(&c.account.links)
	if link == "" {
		return
	}
	page := c.at("").Get(link)
	if !page.HasButton("Set new password") {
		return
	}
	next := c.newPassword()
	call := c.calls(history.Call{Did: "reset to " + next.String(), Spends: "link " + link, Begins: []history.Thing{next.Thing},
		Ends: every(history.Password, history.Session, history.Phone)},
		page.Form("Set new password").Fill("New password", next.words).PressOnce,
		func(page *apptest.Page) history.Result {
			if page.Status == 303 {
				return history.Accepted
			}
			return history.Refused
		})
	if call.Result != history.Refused {
		c.keep(&c.account.passwords, next)
	}
	c.note(call)
}

func (c *client) enables() {
	session, b, page, ok := c.opens("/account/two-factor", "Activate")
	if !ok {
		return
	}
	phone := c.newThing(history.Phone, c.account, strings.ReplaceAll(page.Definition("Secret key"), " ", ""))
	code, spends := c.codeOf(phone)
	var codes []string
	call := c.calls(history.Call{Did: "enable " + phone.String(), Under: []history.Thing{session.Thing}, Spends: spends,
		Begins: []history.Thing{phone.Thing}, Ends: every(history.Session)},
		page.Form("Activate").Fill("Login code", code).PressOnce,
		func(page *apptest.Page) history.Result {
			if page.Status != 200 || !page.HasButton("Continue") {
				return history.Refused
			}
			for _, code := range page.List("Recovery codes") {
				codes = append(codes, phone.Name+" "+code)
			}
			return history.Accepted
		})
	if call.Result != history.Refused {
		c.keep(&c.account.phones, phone)
	}
	if call.Result == history.Accepted {
		c.mu.Lock()
		c.account.recovery = codes
		c.mu.Unlock()
	}
	c.renewed(call, b)
}

func (c *client) disables() {
	session, b, page, ok := c.opens("/account/two-factor", "Disable")
	phone, has := c.one(&c.account.phones)
	if !ok || !has {
		return
	}
	code, spends := c.codeOf(phone)
	call := c.calls(history.Call{Did: "disable " + phone.String(), Under: []history.Thing{session.Thing, phone.Thing}, Spends: spends,
		Ends: every(history.Session, history.Phone)}, page.Form("Disable").Fill("Login code", code).PressOnce, goesOn)
	c.renewed(call, b)
}
