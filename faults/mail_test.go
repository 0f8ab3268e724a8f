package faults

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/twinlock/twinlock/faults/kit"
	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/apptest/program"
	"github.com/twinlock/twinlock/internal/mail/mailtest"
)

const (
	mailPage  = 300 * time.Millisecond // how long a page may take whatever the mail server does
	mailAgain = 60 * time.Second       // until a letter that waited is out, once the server is back
	resetLink = "/forgot-password/new"
)

// troubles are what a mail server does to a letter that is to be sent later, the
// first of them by not being there. While
// it hangs our server is not killed: what a killed one was about to send is kept
// from others for two minutes.
var troubles = []struct {
	name  string
	begin func(*mailtest.Server)
	kill  bool
}{
	{"mail server gone", (*mailtest.Server).Stop, true},
	{"mail server slow", func(m *mailtest.Server) { m.Hang(mailtest.Recipient) }, false},
	{"mail server answers 451", func(m *mailtest.Server) { m.Refuse(mailtest.Recipient, 451) }, true},
	{"mail server hangs up within a letter", func(m *mailtest.Server) { m.HangUp(mailtest.Content) }, true},
}

// No page waits for mail or tells by it who has an account; what is queued
// outlives a kill, and is sent once when the mail server is back.
func TestLettersWaitForTheirServer(t *testing.T) {
	kit.Each(t, func(t *testing.T, engine kit.Engine) {
		t.Parallel()
		site := kit.Start(t, engine, 1, "--letters-per-hour", "3")
		for i, trouble := range troubles {
			(&post{T: t, site: site, name: trouble.name, number: i}).waits(trouble.begin, trouble.kill)
		}
		(&post{T: t, site: site, name: "mail server answers 550", number: len(troubles)}).isGivenUp()
		(&post{T: t, site: site, name: "letter that comes late", number: len(troubles) + 1}).comesLate()
	})
}

// post is one trouble with mail.
type post struct {
	*testing.T
	site   *kit.Site
	name   string
	number int
	took   kit.Took
}

func (p *post) address(who string, i int) string {
	return fmt.Sprintf("%s%d-%d@example.org", who, p.number, i)
}

func (p *post) browser(i int) *apptest.Browser {
	return p.site.Browser(0, fmt.Sprintf("127.9.%d.%d", p.number+1, i+2))
}

// asks asks for a link, and gives what the page says but for the address.
func (p *post) asks(i int, address string) string {
	p.Helper()
	form := p.browser(i).Get("/forgot-password").Form("Send reset link").Fill("Email", address)
	began := time.Now()
	page := form.Press()
	p.took.Since(began)
	if page.Status != http.StatusOK {
		p.Fatalf("%s: %d %s", p.name, page.Status, page.Text())
	}
	return strings.ReplaceAll(page.Unnumbered(), address, "")
}

func (p *post) waits(begin func(*mailtest.Server), kill bool) {
	p.Helper()
	began := time.Now()
	const people = 3
	for i := range people {
		p.site.Person(p.address("known", i))
	}
	begin(p.site.Mail)
	for i := range people {
		for range 5 { // of which three are sent
			known, unknown := p.asks(i, p.address("known", i)), p.asks(i+100, p.address("nobody", i))
			if known != unknown {
				p.Errorf("%s: who has an account reads %q, others %q", p.name, known, unknown)
			}
		}
	}
	if longest := p.took.At(1); longest > time.Duration(often(1, 10))*mailPage {
		p.Errorf("%s: a page took %s", p.name, longest)
	}
	if kill {
		p.site.Servers[0].Kill()
		p.site.Servers[0].Start()
	}
	time.Sleep(time.Duration(often(130, 1)) * time.Second) // longer than what a killed sender had claimed is kept from others
	if n := p.received("known"); n != 0 {
		p.Errorf("%s: %d letters came through", p.name, n)
	}
	p.back(p.number == 0)
	again := time.Now()
	program.Within(p, 2*mailAgain, "the letters are sent: "+p.name, func() bool { return p.received("known") == 3*people })
	sent := time.Since(again)
	if sent > mailAgain {
		p.Errorf("%s: the letters were sent after %s", p.name, sent)
	}
	p.settles()
	if n, none := p.received("known"), p.received("nobody"); n != 3*people || none != 0 {
		p.Errorf("%s: %d letters for %d, and %d to nobody", p.name, n, 3*people, none)
	}
	table.Add(p, kit.Row{Fault: p.name, Engine: p.site.Engine, Runs: people * 10, Took: time.Since(began),
		Held:    "the same page for everybody, at most three letters an hour kept over a kill, each sent once",
		Figures: []string{"pages " + p.took.String(), fmt.Sprintf("all sent %.0f s after the return", sent.Seconds())}})
}

// back ends the trouble. The short form does not wait for the next try: it turns
// the clock to it.
func (p *post) back(gone bool) {
	p.Helper()
	p.site.Mail.Behave()
	if gone {
		if err := p.site.Mail.Resume(); err != nil {
			p.Fatal(err)
		}
	}
	if !*long {
		p.site.Turn(3 * time.Minute) // which also ends what a killed sender had claimed
	}
}

// settles waits until whatever else might be sent would have been.
func (p *post) settles() {
	p.Helper()
	p.site.Turn(5 * time.Minute)
	time.Sleep(3 * time.Second)
}

// received counts the letters to some people of this trouble.
func (p *post) received(who string) (n int) {
	for _, m := range p.site.Mail.Messages() {
		for _, to := range m.Recipients {
			if strings.HasPrefix(to, fmt.Sprintf("%s%d-", who, p.number)) {
				n++
			}
		}
	}
	return n
}

// isGivenUp is what becomes of a letter that will never be taken: it is not tried
// for ever.
func (p *post) isGivenUp() {
	p.Helper()
	began := time.Now()
	ada := p.site.Person(p.address("known", 0))
	p.site.Mail.Refuse(mailtest.Recipient, 550)
	p.asks(0, ada.Address)
	program.Eventually(p, "the letter is given up", func() bool { return p.site.Servers[0].Said("letter given up") })
	p.back(false)
	p.site.Turn(2 * time.Hour)
	p.settles()
	if n := p.received("known"); n != 0 {
		p.Errorf("%d letters were sent that the server had refused for good", n)
	}
	table.Add(p, kit.Row{Fault: p.name, Engine: p.site.Engine, Runs: 1, Held: "given up at once, never tried again",
		Figures: []string{"pages " + p.took.String()}, Took: time.Since(began)})
}

// comesLate asks for a link that lives half an hour, which counts from then.
func (p *post) comesLate() {
	p.Helper()
	began := time.Now()
	ada, bob := p.site.Person(p.address("known", 0)), p.site.Person(p.address("other", 0))
	p.site.Mail.Stop()
	p.asks(0, ada.Address)
	p.site.Turn(29 * time.Minute)
	p.asks(1, bob.Address)
	p.site.Turn(2 * time.Minute)
	p.back(true)
	p.site.Turn(time.Minute)
	p.browser(2).Get(p.site.Link(bob.Address, resetLink)).WantStatus(http.StatusOK)
	p.browser(3).Get(p.site.Link(ada.Address, resetLink)).WantStatus(http.StatusGone)
	table.Add(p, kit.Row{Fault: p.name, Engine: p.site.Engine, Runs: 2, Held: "its link lives from when it was asked for", Took: time.Since(began)})
}
