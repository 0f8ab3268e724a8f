package mail_test

import (
	"context"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/mail"
	"github.com/twinlock/twinlock/internal/mail/mailtest"
)

func TestALetterGoesThroughEveryKindOfServer(t *testing.T) {
	for name, protection := range map[string]mailtest.Protection{
		"STARTTLS": mailtest.STARTTLS, "TLS from the start": mailtest.ImplicitTLS, "in the clear on this machine": mailtest.Clear,
	} {
		t.Run(name, func(t *testing.T) {
			server := mailtest.Start(t, protection)
			m := render(t, catalogues(t), example(t, "reset"), "de")
			send(t, server.URL(), m)

			got := received(t, server, "ada@example.com")
			if got.Subject != m.Subject || got.Text != m.Text || got.HTML != m.HTML {
				t.Errorf("received\n%s\n%s", got.Subject, got.Text)
			}
			if got.Encrypted != (protection != mailtest.Clear) {
				t.Errorf("encrypted: %t", got.Encrypted)
			}
			if got.Hello != "localhost" || got.From != "noreply@localhost" || !slices.Equal(got.Recipients, []string{"ada@example.com"}) {
				t.Errorf("greeted as %s, from %s, to %q", got.Hello, got.From, got.Recipients)
			}
			expectEnvelope(t, got, "ada@example.com")
		})
	}
}

func TestSMTPUTF8IsAskedOnlyForAnAddressThatNeedsIt(t *testing.T) {
	server := mailtest.Start(t)
	for to, want := range map[string]bool{"ada@example.com": false, "vũ@example.com": true, "bea@müller.example": false} {
		letter := example(t, "reset")
		letter.To, letter.Name = to, "Nguyễn Vũ"
		m := render(t, catalogues(t), letter, "en")
		send(t, server.URL(), m)
		if got := received(t, server, m.To.Address); got.UTF8 != want {
			t.Errorf("%s: SMTPUTF8 %t", to, got.UTF8)
		}
	}
}

// A server says no in many ways. What is wrong with the letter is permanent;
// what an operator or time can mend is not.
func TestARefusalIsPermanentOnlyIfTheLetterIsRefused(t *testing.T) {
	for _, step := range []struct {
		name      string
		trouble   func(*mailtest.Server)
		permanent bool
	}{
		{"down", (*mailtest.Server).Stop, false},
		{"greeting refused for now", func(s *mailtest.Server) { s.Refuse(mailtest.Greeting, 421) }, false},
		{"greeting refused", func(s *mailtest.Server) { s.Refuse(mailtest.Greeting, 554) }, false},
		{"hung up at the greeting", func(s *mailtest.Server) { s.HangUp(mailtest.Greeting) }, false},
		{"password refused for now", func(s *mailtest.Server) { s.Refuse(mailtest.Login, 454) }, false},
		{"password refused", func(s *mailtest.Server) { s.Refuse(mailtest.Login, 535) }, false},
		{"sender refused for now", func(s *mailtest.Server) { s.Refuse(mailtest.Sender, 451) }, false},
		{"sender refused", func(s *mailtest.Server) { s.Refuse(mailtest.Sender, 550) }, true},
		{"password wanted after all", func(s *mailtest.Server) { s.Refuse(mailtest.Sender, 530) }, false},
		{"recipient refused for now", func(s *mailtest.Server) { s.Refuse(mailtest.Recipient, 450) }, false},
		{"recipient refused", func(s *mailtest.Server) { s.Refuse(mailtest.Recipient, 550) }, true},
		{"hung up at the recipient", func(s *mailtest.Server) { s.HangUp(mailtest.Recipient) }, false},
		{"letter refused for now", func(s *mailtest.Server) { s.Refuse(mailtest.Content, 452) }, false},
		{"letter refused", func(s *mailtest.Server) { s.Refuse(mailtest.Content, 554) }, true},
		{"hung up in the middle of the letter", func(s *mailtest.Server) { s.HangUp(mailtest.Content) }, false},
	} {
		t.Run(step.name, func(t *testing.T) {
			server := mailtest.Start(t)
			step.trouble(server)
			err := sender(t, server.URL()).Send(t.Context(), render(t, catalogues(t), example(t, "reset"), "en"))
			if err == nil || mail.Permanent(err) != step.permanent {
				t.Errorf("permanent %t: %v", mail.Permanent(err), err)
			}
			if err != nil && strings.Contains(err.Error(), mailtest.Password) {
				t.Errorf("the error shows the password: %v", err)
			}
			if got := server.Messages(); len(got) != 0 {
				t.Errorf("%d letters received", len(got))
			}
		})
	}
}

func TestAServerThatHangsIsLeftWhenTimeIsUp(t *testing.T) {
	for name, stage := range map[string]mailtest.Stage{
		"greeting": mailtest.Greeting, "login": mailtest.Login, "sender": mailtest.Sender,
		"recipient": mailtest.Recipient, "letter": mailtest.Content,
	} {
		t.Run(name, func(t *testing.T) {
			server := mailtest.Start(t)
			reached := server.Hang(stage)
			ctx, leave := context.WithCancel(t.Context())
			go func() {
				<-reached
				leave()
			}()
			err := sender(t, server.URL()).Send(ctx, render(t, catalogues(t), example(t, "reset"), "en"))
			if !errors.Is(err, context.Canceled) || mail.Permanent(err) {
				t.Errorf("permanent %t: %v", mail.Permanent(err), err)
			}
		})
	}
}

func TestADeadlineIsKept(t *testing.T) {
	server := mailtest.Start(t)
	server.Hang(mailtest.Content)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	err := sender(t, server.URL()).Send(ctx, render(t, catalogues(t), example(t, "reset"), "en"))
	if !errors.Is(err, context.DeadlineExceeded) || mail.Permanent(err) {
		t.Errorf("permanent %t: %v", mail.Permanent(err), err)
	}
}

func TestTheSameLetterGoesOutWhenTheServerIsBack(t *testing.T) {
	server := mailtest.Start(t)
	smtp := sender(t, server.URL())
	m := render(t, catalogues(t), example(t, "reset"), "en")
	server.Stop()
	if err := smtp.Send(t.Context(), m); err == nil {
		t.Fatal("sent to nobody")
	}
	if err := server.Resume(); err != nil {
		t.Fatal(err)
	}
	if err := smtp.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if got := received(t, server, "ada@example.com").Header.Get("Message-Id"); got != "<example@localhost>" {
		t.Errorf("Message-ID %s", got)
	}
}

func TestNothingIsSentToAServerThatCannotProveItself(t *testing.T) {
	for name, setting := range map[string]func(t *testing.T) (*mailtest.Server, string){
		"unknown authority": func(t *testing.T) (*mailtest.Server, string) {
			server := mailtest.Start(t)
			return server, changed(t, server, func(u *url.URL) { u.RawQuery = "" })
		},
		"unknown authority, TLS from the start": func(t *testing.T) (*mailtest.Server, string) {
			server := mailtest.Start(t, mailtest.ImplicitTLS)
			return server, changed(t, server, func(u *url.URL) { u.RawQuery = "" })
		},
		"authority of another server": func(t *testing.T) (*mailtest.Server, string) {
			server, other := mailtest.Start(t), mailtest.Start(t)
			theirs := changed(t, other, func(*url.URL) {})
			return server, changed(t, server, func(u *url.URL) { u.RawQuery = theirs[strings.Index(theirs, "ca="):] })
		},
		"certificate for another name": func(t *testing.T) (*mailtest.Server, string) {
			server := mailtest.Start(t)
			return server, changed(t, server, func(u *url.URL) { u.Host = "localhost:" + u.Port() })
		},
		"no STARTTLS": func(t *testing.T) (*mailtest.Server, string) {
			server := mailtest.Start(t, mailtest.Clear)
			return server, changed(t, server, func(u *url.URL) { u.RawQuery = "" })
		},
	} {
		t.Run(name, func(t *testing.T) {
			server, setting := setting(t)
			loggedIn := server.Hang(mailtest.Login) // whoever comes so far shows the password
			defer server.Behave()
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			go func() {
				select {
				case <-loggedIn:
					cancel()
				case <-ctx.Done():
				}
			}()
			err := sender(t, setting).Send(ctx, render(t, catalogues(t), example(t, "reset"), "en"))
			if err == nil || ctx.Err() != nil || mail.Permanent(err) {
				t.Errorf("password shown: %t; permanent %t: %v", ctx.Err() != nil, mail.Permanent(err), err)
			}
		})
	}
}

func TestAWrongPasswordSendsNothing(t *testing.T) {
	server := mailtest.Start(t)
	setting := changed(t, server, func(u *url.URL) { u.User = url.UserPassword(mailtest.User, "hunter2") })
	err := sender(t, setting).Send(t.Context(), render(t, catalogues(t), example(t, "reset"), "en"))
	if err == nil || mail.Permanent(err) || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("permanent %t: %v", mail.Permanent(err), err)
	}
	if len(server.Messages()) != 0 {
		t.Error("it was sent all the same")
	}
}

func TestAnAuthorityThatCannotBeReadIsFoundAtTheStart(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{empty, filepath.Join(t.TempDir(), "missing.pem")} {
		server, err := mail.ParseServer("smtp://mail.example.com?ca=" + url.QueryEscape(file))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := mail.NewSMTP(server, "localhost"); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v", file, err)
		}
	}
}

func TestManyLettersAtOnce(t *testing.T) {
	server := mailtest.Start(t)
	smtp := sender(t, server.URL())
	m := render(t, catalogues(t), example(t, "reset"), "en")
	errs := make(chan error)
	const letters = 8
	for range letters {
		go func() { errs <- smtp.Send(t.Context(), m) }()
	}
	for range letters {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if got := len(server.Messages()); got != letters {
		t.Errorf("%d letters", got)
	}
}

// A public URL may name a network address; a greeting by it stands in brackets.
func TestAServerIsGreetedByTheHostOfThePublicURL(t *testing.T) {
	for host, want := range map[string]string{
		"login.example.com": "login.example.com", "müller.example": "xn--mller-kva.example",
		"192.0.2.1": "[192.0.2.1]", "2001:db8::1": "[IPv6:2001:db8::1]",
	} {
		server := mailtest.Start(t)
		parsed, err := mail.ParseServer(server.URL())
		if err != nil {
			t.Fatal(err)
		}
		smtp, err := mail.NewSMTP(parsed, host)
		if err != nil {
			t.Fatal(err)
		}
		if err := smtp.Send(t.Context(), render(t, catalogues(t), example(t, "reset"), "en")); err != nil {
			t.Fatal(err)
		}
		got := received(t, server, "ada@example.com")
		if got.Hello != want || got.Header.Get("Message-Id") != "<example@"+want+">" {
			t.Errorf("%s: greeted as %s, Message-ID %s", host, got.Hello, got.Header.Get("Message-Id"))
		}
	}
}

func sender(t *testing.T, setting string) mail.Sender {
	t.Helper()
	server, err := mail.ParseServer(setting)
	if err != nil {
		t.Fatal(err)
	}
	smtp, err := mail.NewSMTP(server, "localhost")
	if err != nil {
		t.Fatal(err)
	}
	return smtp
}

func send(t *testing.T, setting string, m mail.Message) {
	t.Helper()
	if err := sender(t, setting).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
}

func received(t *testing.T, server *mailtest.Server, to string) mailtest.Message {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	m, err := server.Wait(ctx, mailtest.To(to))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func changed(t *testing.T, server *mailtest.Server, change func(*url.URL)) string {
	t.Helper()
	u, err := url.Parse(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	change(u)
	return u.String()
}
