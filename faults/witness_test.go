package faults

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twinlock/twinlock/faults/kit"
	"github.com/twinlock/twinlock/internal/apptest"
)

// witness is one person who goes on logging in, enrolling, changing the password
// and logging out while something breaks, and keeps what the pages acknowledged.
// Of what was lost on its way the outcome is unknown, and nothing is said of it.
type witness struct {
	*testing.T
	site     *kit.Site
	open     func() *apptest.Browser
	person   *kit.Person
	seen     *testimony
	enrolled bool

	inside *apptest.Browser // nil: logged out, or it is not known
	live   string           // the cookie of inside
	ended  []string         // cookies of sessions that were acknowledged to be over
	old    []string         // passwords that were acknowledged to be replaced
	codes  []spentCode
	used   []string // recovery codes that were acknowledged

	step    int64 // the last one whose code was sent
	unknown bool  // a change of the password or an enrolment was lost: it ends here
}

// spentCode is a code of the phone that let somebody in.
type spentCode struct {
	code string
	step int64
}

// testimony is what all witnesses saw together.
type testimony struct {
	pause time.Duration // between what each of them does; zero is a moment

	asked, busy, written                                                atomic.Int64
	logins, recoveries, enrolments, passwords, logouts, questions, lost atomic.Int64

	checked struct{ sessions, ended, codes, recovery, passwords, enrolments atomic.Int64 }

	mu       sync.Mutex
	wrong    []string
	answered time.Time // when something was last written for somebody
	failed   []string  // requests without an answer of the program's own
}

func (s *testimony) wrote(n *atomic.Int64) {
	n.Add(1)
	s.written.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answered = time.Now()
}

func (s *testimony) lastWritten() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.answered
}

// lose notes a request that was not answered, or with 503.
func (s *testimony) lose(p *apptest.Page) {
	s.lost.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.failed) < 20 {
		s.failed = append(s.failed, fmt.Sprintf("%s: %d %.100s", p.Path, p.Status, p.Text()))
	}
}

// deny notes what must never be seen.
func (w *witness) deny(format string, values ...any) {
	w.seen.mu.Lock()
	defer w.seen.mu.Unlock()
	w.seen.wrong = append(w.seen.wrong, w.person.Address+": "+fmt.Sprintf(format, values...))
}

// acts does something at random, as often as until is open.
func (w *witness) acts(until <-chan struct{}) {
	pause := time.NewTicker(max(w.seen.pause, 20*time.Millisecond))
	defer pause.Stop()
	for !w.unknown {
		select {
		case <-until:
			return
		case <-pause.C:
		}
		switch {
		case w.inside == nil:
			w.logIn()
		case !w.enrolled:
			w.enrol()
		default:
			[]func(){w.ask, w.ask, w.ask, w.logOut, w.logOut, w.changePassword}[rand.IntN(6)]()
		}
	}
}

// answers tells whether a page is an answer of the program, and notes those that
// are not. 429 and 422 are answers, and so is that too many passwords are being
// hashed, which a machine with other things to do says; then nothing was done.
func (w *witness) answers(p *apptest.Page) bool {
	w.seen.asked.Add(1)
	if isBusy(p) {
		w.seen.busy.Add(1)
		return false
	}
	if p.Status == 0 || p.Status >= 500 {
		w.seen.lose(p)
		return false
	}
	return true
}

func isBusy(p *apptest.Page) bool {
	return p.Status == http.StatusServiceUnavailable && (p.Says("Many people are logging in at once") || p.Says("The server is very busy"))
}

func (w *witness) logIn() {
	browser := w.open()
	page := browser.Get("/login")
	if !w.answers(page) {
		return
	}
	page = page.Form("Login").Fill("Email", w.person.Address).Fill("Password", w.person.Password).Press()
	if !w.answers(page) {
		return
	}
	asks := page.HasButton("Send code")
	if asks != w.enrolled {
		w.deny("two-factor authentication was acknowledged to be %v and the login asks for a code: %v (%d %s)", w.enrolled, asks, page.Status, page.Text())
		w.unknown = true
		return
	}
	if !asks {
		w.comeIn(browser, page, &w.seen.logins)
		return
	}
	if code, step := w.nextCode(); code != "" {
		if w.comeIn(browser, page.Form("Send code").Fill("Login code", code).Press(), &w.seen.logins) {
			w.codes = append(w.codes, spentCode{code, step})
		}
	} else if n := len(w.person.RecoveryCodes); n > 0 {
		recovery := w.person.RecoveryCodes[n-1]
		w.person.RecoveryCodes = w.person.RecoveryCodes[:n-1]
		if w.comeIn(browser, page.Form("Send code").Fill("Login code", recovery).Press(), &w.seen.recoveries) {
			w.used = append(w.used, recovery)
		}
	}
}

// nextCode is a code that was never sent before, of one of the steps that count;
// "" where there is none for now.
func (w *witness) nextCode() (code string, step int64) {
	now := w.site.Now()
	for _, by := range []time.Duration{-30, 0, 30} {
		at := now.Add(by * time.Second)
		if step := at.Unix() / 30; step > w.step && at.Unix()/30 >= (now.Unix()+2)/30-1 { // not one that ends on its way
			w.step = step
			return w.person.CodeAt(w, at), step
		}
	}
	return "", 0
}

// comeIn notes a login that was acknowledged.
func (w *witness) comeIn(browser *apptest.Browser, page *apptest.Page, n *atomic.Int64) bool {
	if !w.answers(page) {
		return false
	}
	if !page.HasButton("Log out") {
		w.deny("what is right was refused: %s: %d %s", page.Path, page.Status, page.Text())
		return false
	}
	w.inside, w.live = browser, browser.Cookie("twinlock")
	w.seen.wrote(n)
	return true
}

// ask opens a page as somebody who is logged in.
func (w *witness) ask() {
	page := w.inside.Get("/account")
	if !w.answers(page) {
		return
	}
	if !page.HasButton("Log out") {
		w.deny("a session that was acknowledged is gone: %s: %d %s", page.Path, page.Status, page.Text())
		w.inside = nil
		return
	}
	w.seen.questions.Add(1)
}

func (w *witness) enrol() {
	page := w.inside.Get("/account/two-factor")
	if !w.answers(page) {
		return
	}
	if !page.HasButton("Activate") {
		w.deny("no set-up: %s: %d %s", page.Path, page.Status, page.Text())
		w.inside = nil
		return
	}
	w.person.Key = strings.ReplaceAll(page.Definition("Secret key"), " ", "")
	code, step := w.nextCode()
	w.unknown = true // until it is acknowledged
	page = page.Form("Activate").Fill("Login code", code).Press()
	if !w.answers(page) {
		w.unknown = !isBusy(page)
		return
	}
	if page.Status != http.StatusOK || !page.Says("Recovery codes") {
		w.deny("an enrolment was refused: %d %s", page.Status, page.Text())
		return
	}
	w.person.RecoveryCodes = page.List("Recovery codes")
	w.unknown, w.enrolled = false, true
	w.codes = append(w.codes, spentCode{code, step})
	w.moved()
	w.seen.wrote(&w.seen.enrolments)
}

// moved notes that the session got another cookie.
func (w *witness) moved() {
	if now := w.inside.Cookie("twinlock"); now != w.live {
		w.ended = append(w.ended, w.live)
		w.live = now
	}
}

func (w *witness) changePassword() {
	page := w.inside.Get("/account")
	if !w.answers(page) || !page.HasButton("Change password") {
		return
	}
	chosen := fmt.Sprintf("%d quiet otters paddle to %d", rand.Int32(), rand.Int32())
	w.unknown = true
	page = page.Form("Change password").Fill("Current password", w.person.Password).Fill("New password", chosen).Press()
	if !w.answers(page) {
		w.unknown = !isBusy(page)
		return
	}
	if page.Status != http.StatusOK || !strings.Contains(page.Done(), "password") {
		w.deny("a new password was refused: %s: %d %s", page.Path, page.Status, page.Text())
		return
	}
	w.old = append(w.old, w.person.Password)
	w.unknown, w.person.Password = false, chosen
	w.moved()
	w.seen.wrote(&w.seen.passwords)
}

func (w *witness) logOut() {
	page := w.inside.Get("/account")
	if !w.answers(page) || !page.HasButton("Log out") {
		return
	}
	page = page.Form("Log out").Press()
	w.inside = nil
	if !w.answers(page) {
		return
	}
	w.ended = append(w.ended, w.live)
	w.seen.wrote(&w.seen.logouts)
}

// testify checks everything that was acknowledged against what is there now.
func (w *witness) testify() {
	if w.inside != nil && !w.unknown {
		w.ask()
		w.seen.checked.sessions.Add(1)
	}
	for _, cookie := range w.ended[max(0, len(w.ended)-3):] {
		browser := w.open()
		browser.SetCookie("twinlock", cookie)
		if page := browser.Get("/account"); w.mustAnswer(page) && page.HasButton("Log out") {
			w.deny("a session that was acknowledged to be over is alive")
		}
		w.seen.checked.ended.Add(1)
	}
	if w.unknown {
		return
	}
	w.tries(&w.seen.checked.codes, w.freshCodes()...)
	if len(w.used) > 0 {
		w.tries(&w.seen.checked.recovery, w.used[len(w.used)-1])
	}
	w.triesOldPassword()
	before := w.seen.logins.Load() + w.seen.recoveries.Load()
	for range 40 { // what is left may be a code of the phone that has to be waited for
		if w.logIn(); w.inside != nil || w.unknown {
			break
		}
		time.Sleep(time.Second)
	}
	if w.inside == nil && len(w.person.RecoveryCodes) > 0 {
		w.deny("nobody can log in any more (%d)", before)
		return
	}
	w.seen.checked.passwords.Add(1)
	if w.enrolled {
		w.seen.checked.enrolments.Add(1)
	}
}

func (w *witness) mustAnswer(p *apptest.Page) bool {
	if isBusy(p) {
		return false
	}
	if !w.answers(p) {
		w.deny("%s: %d %s", p.Path, p.Status, p.Text())
		return false
	}
	return true
}

// freshCodes are codes that were used and would still be good by the clock: the
// last three at most.
func (w *witness) freshCodes() (codes []string) {
	for _, spent := range w.codes[max(0, len(w.codes)-3):] {
		if spent.step >= (w.site.Now().Unix()+2)/30-1 {
			codes = append(codes, spent.code)
		}
	}
	return codes
}

// tries sends codes that were used before, which must let nobody in.
func (w *witness) tries(n *atomic.Int64, codes ...string) {
	for _, code := range codes {
		page := w.open().Get("/login")
		if !w.mustAnswer(page) {
			return
		}
		page = page.Form("Login").Fill("Email", w.person.Address).Fill("Password", w.person.Password).Press()
		if !w.mustAnswer(page) {
			return
		}
		if !page.HasButton("Send code") {
			w.deny("the right password does not lead to the code: %d %s", page.Status, page.Text())
			return
		}
		if page = page.Form("Send code").Fill("Login code", code).Press(); !w.mustAnswer(page) {
			return
		}
		if page.HasButton("Log out") {
			w.deny("a code was accepted twice")
		}
		n.Add(1)
	}
}

func (w *witness) triesOldPassword() {
	if len(w.old) == 0 {
		return
	}
	page := w.open().Get("/login")
	if !w.mustAnswer(page) {
		return
	}
	page = page.Form("Login").Fill("Email", w.person.Address).Fill("Password", w.old[len(w.old)-1]).Press()
	if w.mustAnswer(page) && (page.HasButton("Send code") || page.HasButton("Log out")) {
		w.deny("a password that was acknowledged to be replaced opens the account")
	}
}
