package app_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/app"
	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/apptest/child"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/config"
	"github.com/twinlock/twinlock/internal/mail"
	"github.com/twinlock/twinlock/internal/mail/mailtest"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

func TestMain(m *testing.M) {
	status := m.Run()
	storetest.Stop()
	os.Exit(status)
}

func TestALetterIsOutWithinAMinuteAfterTheMailServerIsBack(t *testing.T) {
	for name, trouble := range map[string]struct {
		begin, end func(*testing.T, *mailtest.Server)
	}{
		"down": {
			func(_ *testing.T, s *mailtest.Server) { s.Stop() },
			func(t *testing.T, s *mailtest.Server) {
				if err := s.Resume(); err != nil {
					t.Fatal(err)
				}
			},
		},
		"not now": {
			func(_ *testing.T, s *mailtest.Server) { s.Refuse(mailtest.Recipient, 451) },
			func(_ *testing.T, s *mailtest.Server) { s.Behave() },
		},
		"hanging up in the middle": {
			func(_ *testing.T, s *mailtest.Server) { s.HangUp(mailtest.Content) },
			func(_ *testing.T, s *mailtest.Server) { s.Behave() },
		},
		"another password": {
			func(_ *testing.T, s *mailtest.Server) { s.Refuse(mailtest.Login, 535) },
			func(_ *testing.T, s *mailtest.Server) { s.Behave() },
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := mailtest.Start(t)
			p := newPost(t, server.URL(), nil)
			p.queueTest()
			trouble.begin(t, server)
			for range 8 { // far enough for the longest pause
				p.send()
				p.now = p.now.Add(time.Minute)
			}
			trouble.end(t, server)
			p.now = p.now.Add(time.Minute)
			p.send()
			p.send()
			if got := server.Messages(); len(got) != 1 || got[0].Subject != "Test message from Twinlock" {
				t.Errorf("%d letters", len(got))
			}
		})
	}
}

func TestALetterRefusedForGoodIsNotTriedAgain(t *testing.T) {
	server := mailtest.Start(t)
	p := newPost(t, server.URL(), nil)
	p.queueTest()
	server.Refuse(mailtest.Recipient, 550)
	p.send()
	server.Behave()
	p.now = p.now.Add(time.Hour)
	p.send()
	if got := server.Messages(); len(got) != 0 {
		t.Errorf("%d letters", len(got))
	}
}

func TestALetterHasTheSameNameAtEveryTry(t *testing.T) {
	names := &names{}
	p := newPost(t, "", names)
	p.queueTest()
	for range 3 {
		p.send()
		p.now = p.now.Add(time.Minute)
	}
	if len(*names) != 3 || (*names)[0] == "" || (*names)[0] != (*names)[1] || (*names)[1] != (*names)[2] {
		t.Errorf("names %q", *names)
	}
}

// A letter that failed for as long as the settings allow is given up; the
// others go out all the same.
func TestALetterIsGivenUpAfterSoLong(t *testing.T) {
	server := mailtest.Start(t, mailtest.Clear)
	p := newPost(t, server.URL(), nil, "mail_retry=10m")
	p.queueTest()
	server.Refuse(mailtest.Recipient, 451)
	end := p.now.Add(p.app.Config.MailRetry)
	waiting := func() store.Health {
		health, err := p.app.Store.Health(t.Context(), p.now)
		must(t, err)
		return health
	}
	for !p.now.After(end) {
		if waiting().LettersWaiting == 0 {
			t.Fatalf("given up at %s", p.now)
		}
		p.send()
		p.now = p.now.Add(time.Minute)
	}
	if h := waiting(); h.LettersWaiting != 0 || h.LettersFailed != 1 || !strings.Contains(h.LastFailure, "451") {
		t.Errorf("%d wait, %d failed: %s", h.LettersWaiting, h.LettersFailed, h.LastFailure)
	}
	server.Behave()
	p.queueTest()
	p.send()
	if got := server.Messages(); len(got) != 1 {
		t.Errorf("%d letters", len(got))
	}
}

func TestTheAdministratorSeesThatALetterWasGivenUp(t *testing.T) {
	site := apptest.New(t)
	site.Activate(auth.TwoFactorPlugin)
	b := administratorWithPhone(t, site)
	site.Mail.Refuse(fmt.Errorf("%w: no such word", mail.ErrUnwritable))
	must(t, site.SendLetters(t.Context()))
	if page := b.Get("/admin").WantStatus(http.StatusOK); !strings.Contains(page.Body, "no such word") {
		t.Error("the overview does not tell of it")
	}
	if page := b.Get("/admin/events?kind=letter.failed").WantStatus(http.StatusOK); !strings.Contains(page.Body, "no such word") {
		t.Error("the record does not tell of it")
	}
}

// A letter that cannot be read is set aside and told of; those behind it go out.
func TestALetterThatCannotBeReadStopsNoOther(t *testing.T) {
	server := mailtest.Start(t)
	p := newPost(t, server.URL(), nil)
	p.queueTest()
	db, err := sql.Open("sqlite", strings.TrimPrefix(p.app.Config.DatabaseURL.Reveal(), "sqlite:"))
	must(t, err)
	t.Cleanup(func() { _ = db.Close() })
	_, err = db.ExecContext(t.Context(), `UPDATE letters SET sealed = 'no seal of ours'`)
	must(t, err)
	for range 3 {
		p.queueTest()
	}
	p.send()
	if got := server.Messages(); len(got) != 3 {
		t.Errorf("%d letters, want the three that can be read", len(got))
	}
	health, err := p.app.Store.Health(t.Context(), p.now)
	must(t, err)
	if health.LettersWaiting != 0 || health.LettersFailed != 1 {
		t.Errorf("%d wait, %d failed", health.LettersWaiting, health.LettersFailed)
	}
}

// Two servers on one database, and a letter between them: it goes out once.
func TestTwoSendersSendEachLetterOnce(t *testing.T) {
	for name, address := range storetest.Engines {
		t.Run(name, func(t *testing.T) {
			const rounds, letters = 100, 3
			server := mailtest.Start(t, mailtest.Clear)
			one := newPost(t, server.URL(), nil, "database_url="+address(t))
			other := one.beside()
			for range rounds {
				for range letters {
					one.queueTest()
				}
				var both sync.WaitGroup
				for _, p := range []*post{one, other} {
					both.Go(func() {
						if err := p.app.SendLetters(t.Context()); err != nil {
							t.Error(err)
						}
					})
				}
				both.Wait()
			}
			one.now = one.now.Add(app.LetterLease)
			one.send()
			names := map[string]int{}
			for _, m := range server.Messages() {
				names[m.Header.Get("Message-ID")]++
			}
			if len(names) != rounds*letters || len(server.Messages()) != rounds*letters {
				t.Errorf("%d letters under %d names, want %d", len(server.Messages()), len(names), rounds*letters)
			}
		})
	}
}

// killedSender makes this test's process a sender that waits to be killed: its
// value is the mail server, and the data.
const killedSender = "TWINLOCK_TEST_SENDER"

// A server that is killed between the claim of a letter and the note that it
// was sent loses nothing: after the lease another one sends it.
func TestALetterOutlivesTheServerThatWasKilledOverIt(t *testing.T) {
	if given := os.Getenv(killedSender); given != "" {
		url, data, _ := strings.Cut(given, " ")
		newPost(t, url, nil, "data="+data).send()
		t.Fatal("nobody killed this sender")
	}
	server := mailtest.Start(t)
	p := newPost(t, server.URL(), nil)
	p.queueTest()
	reached := server.Hang(mailtest.Recipient)
	sender := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	sender.Env = append(os.Environ(), killedSender+"="+server.URL()+" "+p.app.Config.Data)
	must(t, child.Start(sender))
	select {
	case <-reached:
	case <-time.After(30 * time.Second):
		t.Error("the sender does not send")
	}
	must(t, sender.Process.Kill())
	_ = sender.Wait()
	server.Behave()

	p.send()
	if got := server.Messages(); len(got) != 0 {
		t.Errorf("%d letters while the killed sender has the claim", len(got))
	}
	p.now = p.now.Add(app.LetterLease)
	p.send()
	p.send()
	if got := server.Messages(); len(got) != 1 {
		t.Errorf("%d letters after the lease, want 1", len(got))
	}
}

// The letter on its way when the order to stop comes goes out, and no other
// begins.
func TestTheLetterOnItsWayGoesOutBeforeTheServerStops(t *testing.T) {
	server := mailtest.Start(t)
	p := newPost(t, server.URL(), nil)
	p.queueTest()
	p.queueTest()
	reached := server.Hang(mailtest.Content)
	order, giveOrder := context.WithCancel(t.Context())
	p.app.Start(order)
	<-reached
	giveOrder()
	server.Behave()
	p.stop()
	if got := server.Messages(); len(got) != 1 {
		t.Errorf("%d letters went out, want the one on its way", len(got))
	}
	again := newPost(t, server.URL(), nil, "data="+p.app.Config.Data)
	again.send()
	if got := server.Messages(); len(got) != 2 {
		t.Errorf("%d letters after the next start, want 2", len(got))
	}
}

// One that takes longer than the server may take to stop is given back: the
// next start sends it at once.
func TestALetterThatTakesTooLongIsGivenBackWhenTheServerStops(t *testing.T) {
	server := mailtest.Start(t)
	p := newPost(t, server.URL(), nil)
	p.app.SetDrain(time.Millisecond)
	p.queueTest()
	reached := server.Hang(mailtest.Recipient)
	order, giveOrder := context.WithCancel(t.Context())
	p.app.Start(order)
	<-reached
	giveOrder()
	p.stop()
	server.Behave()
	again := newPost(t, server.URL(), nil, "data="+p.app.Config.Data)
	again.send()
	if got := server.Messages(); len(got) != 1 {
		t.Errorf("%d letters after the next start, want 1", len(got))
	}
}

// names is a sender that never gets through and remembers what it was given.
type names []string

func (n *names) Send(_ context.Context, m mail.Message) error {
	*n = append(*n, m.ID)
	return errors.New("the line is dead")
}

// post is a program whose letters go where its settings say, and its clock.
type post struct {
	t        *testing.T
	settings map[string]string
	outgoing mail.Sender
	app      *app.App
	stop     func() // of what Start began
	now      time.Time
}

// newPost starts a program on a database of its own, unless the settings, given
// as name=value, name one.
func newPost(t *testing.T, smtpURL string, outgoing mail.Sender, settings ...string) *post {
	t.Helper()
	p := &post{t: t, now: time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC), outgoing: outgoing}
	p.settings = map[string]string{"data": t.TempDir(), "smtp_url": smtpURL}
	for _, s := range settings {
		name, value, _ := strings.Cut(s, "=")
		p.settings[name] = value
	}
	p.open()
	return p
}

// beside starts another program on the same database.
func (p *post) beside() *post {
	p.t.Helper()
	other := *p
	other.open()
	return &other
}

func (p *post) open() {
	p.t.Helper()
	c, err := config.Load(p.settings, nil, "")
	if err != nil {
		p.t.Fatal(err)
	}
	p.app, err = app.New(p.t.Context(), c, app.Options{
		Now: func() time.Time { return p.now }, Outgoing: p.outgoing, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		p.t.Fatal(err)
	}
	opened, stopped := p.app, false
	p.stop = func() {
		p.t.Helper()
		stopped = true
		must(p.t, opened.Stop())
	}
	p.t.Cleanup(func() {
		if !stopped {
			_ = opened.Close()
		}
	})
}

func (p *post) queueTest() {
	p.t.Helper()
	ada := auth.Actor{User: auth.User{ID: "ada", Address: "ada@example.com", Language: "en"}}
	if err := p.app.Store.SendTestLetter(p.t.Context(), ada, p.now); err != nil {
		p.t.Fatal(err)
	}
}

func (p *post) send() {
	p.t.Helper()
	if err := p.app.SendLetters(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
}
