package app_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/app"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/config"
	"github.com/twinlock/twinlock/internal/mail"
	"github.com/twinlock/twinlock/internal/mail/mailtest"
)

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

// names is a sender that never gets through and remembers what it was given.
type names []string

func (n *names) Send(_ context.Context, m mail.Message) error {
	*n = append(*n, m.ID)
	return errors.New("the line is dead")
}

// post is a program whose letters go where its settings say, and its clock.
type post struct {
	t   *testing.T
	app *app.App
	now time.Time
}

func newPost(t *testing.T, smtpURL string, outgoing mail.Sender) *post {
	t.Helper()
	p := &post{t: t, now: time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC)}
	c, err := config.Load(map[string]string{"data": t.TempDir(), "smtp_url": smtpURL}, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	p.app, err = app.New(t.Context(), c, app.Options{
		Now: func() time.Time { return p.now }, Outgoing: outgoing, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.app.Close() })
	return p
}

func (p *post) queueTest() {
	p.t.Helper()
	letter := auth.Letter{Kind: auth.LetterTest, To: "ada@example.com", Language: "en", Values: auth.LetterValues{At: p.now}}
	if err := p.app.Store.Queue(p.t.Context(), letter, p.now); err != nil {
		p.t.Fatal(err)
	}
}

func (p *post) send() {
	p.t.Helper()
	if err := p.app.SendLetters(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
}
