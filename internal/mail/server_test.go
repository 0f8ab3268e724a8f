package mail_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"

	"github.com/twinlock/twinlock/internal/mail"
)

func TestTheSettingNamesAServer(t *testing.T) {
	for raw, want := range map[string]string{
		"smtp://user:pass@mail.example.com:587":                "smtp://mail.example.com:587",
		"smtp://user:pass@mail.example.com":                    "smtp://mail.example.com:587",
		"smtp://mail.example.com:25":                           "smtp://mail.example.com:25",
		"smtp://mail.example.com/":                             "smtp://mail.example.com:587",
		"smtp://user%40mail.example:p%40ss@mail.example.com":   "smtp://mail.example.com:587",
		"smtps://user:pass@mail.example.com":                   "smtps://mail.example.com:465",
		"smtps://user:pass@mail.example.com:4650?ca=/a/ca.pem": "smtps://mail.example.com:4650",
		"smtp://127.0.0.1:1025?tls=none":                       "smtp://127.0.0.1:1025",
		"smtp://localhost:1025?tls=none":                       "smtp://localhost:1025",
		"smtp://[::1]:1025?tls=none":                           "smtp://[::1]:1025",
	} {
		server, err := mail.ParseServer(raw)
		if err != nil || server.String() != want {
			t.Errorf("%s: %s, %v; want %s", raw, server, err, want)
		}
	}
}

func TestASettingThatNamesNoServerSaysWhatIsAccepted(t *testing.T) {
	for raw, says := range map[string]string{
		"":                                        "begins neither",
		"mail.example.com:587":                    "begins neither",
		"mail.example.com":                        "begins neither",
		"https://user:secret@mail.example.com":    "begins neither",
		"smtp:mail.example.com":                   "names no host",
		"smtp://":                                 "names no host",
		"smtp://user:secret@:587":                 "names no host",
		"smtp://user:sec/ret@mail.example.com":    "not a URL",
		"smtp://user:sec#ret@mail.example.com":    "not a URL",
		"smtp://user:sec%ret@mail.example.com":    "not a URL",
		"smtp://user:secret@mail.example.com:x":   "not a URL",
		"smtp://user:secret@mail.example.com/box": "something between",
		"smtp://user:secret@mail.example.com#a":   "something between",
		"smtp://:secret@mail.example.com":         "a password and no user",
		"smtp://mail.example.com?tls=none":        "in the clear",
		"smtp://10.0.0.1?tls=none":                "in the clear",
		"smtp://localhost.example.com?tls=none":   "in the clear",
		"smtps://127.0.0.1?tls=none":              `"tls" after ?`,
		"smtp://mail.example.com?tls=off":         `"tls" after ?`,
		"smtp://mail.example.com?verify=no":       `"verify" after ?`,
		"smtp://mail.example.com?ca=":             `"ca" after ?`,
		"smtp://mail.example.com?ca=/a&ca=/b":     "given twice",
		"smtp://mail.example.com?ca=%zz":          "cannot be read",
		"smtp://127.0.0.1?tls=none&ca=/a":         "no use for ca",
	} {
		_, err := mail.ParseServer(raw)
		if err == nil {
			t.Errorf("%s is accepted", raw)
			continue
		}
		for _, words := range []string{says, "smtp://user:password@host:587", "smtps://user:password@host:465", "?tls=none", "?ca="} {
			if !strings.Contains(err.Error(), words) {
				t.Errorf("%s: %q is not in %v", raw, words, err)
			}
		}
		if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "sec") {
			t.Errorf("%s: the error shows the password: %v", raw, err)
		}
	}
}

func TestWhoeverSetsNoSenderGetsOneOfThePublicURL(t *testing.T) {
	for raw, want := range map[string]string{
		"http://localhost:8080":     `"Twinlock" <noreply@localhost>`,
		"https://login.example.com": `"Twinlock" <noreply@login.example.com>`,
		"https://müller.example":    `"Twinlock" <noreply@xn--mller-kva.example>`,
		"https://192.0.2.1:8443":    `"Twinlock" <noreply@[192.0.2.1]>`,
		"https://[2001:db8::1]":     `"Twinlock" <noreply@[IPv6:2001:db8::1]>`,
	} {
		publicURL, err := url.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		from := mail.DefaultFrom(publicURL)
		if got := from.String(); got != want {
			t.Errorf("%s: %s, want %s", raw, got, want)
		}
	}
}

func TestTheSenderIsOneAddress(t *testing.T) {
	for raw, want := range map[string]string{
		"login@example.com":                      "<login@example.com>",
		"Login <login@example.com>":              `"Login" <login@example.com>`,
		`"Müller, Login" <login@müller.example>`: "=?utf-8?b?TcO8bGxlciwgTG9naW4=?= <login@xn--mller-kva.example>",
	} {
		from, err := mail.ParseFrom(raw)
		if err != nil || from.String() != want {
			t.Errorf("%s: %s, %v; want %s", raw, from.String(), err, want)
		}
	}
	for _, raw := range []string{"", "login", "a@example.com, b@example.com", "a@example.com\r\nBcc: b@example.com", "Login <>"} {
		if from, err := mail.ParseFrom(raw); err == nil {
			t.Errorf("%q is %s", raw, from.String())
		}
	}
}

func TestAServerDoesNotPrintItsPassword(t *testing.T) {
	server, err := mail.ParseServer("smtps://user:hunter2@mail.example.com")
	if err != nil {
		t.Fatal(err)
	}
	var printed strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
		fmt.Fprintf(&printed, verb, server)
		fmt.Fprintf(&printed, verb, &server)
		fmt.Fprintf(&printed, verb, struct{ Server mail.Server }{server})
	}
	slog.New(slog.NewTextHandler(&printed, nil)).Info("send", "server", server)
	slog.New(slog.NewJSONHandler(&printed, nil)).Info("send", "server", server)
	//lint:ignore SA9005 that nothing comes out is what is tested
	if err := json.NewEncoder(&printed).Encode(server); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(printed.String(), "hunter2") || strings.Contains(printed.String(), fmt.Sprintf("%x", "hunter2")) {
		t.Errorf("printed %s", printed.String())
	}
}
