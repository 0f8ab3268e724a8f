package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twinlock/twinlock/internal/config"
)

// writes makes a file in the operator's folder.
func (o *operator) writes(name, text string) {
	o.t.Helper()
	if err := os.WriteFile(filepath.Join(o.folder, name), []byte(text), 0o600); err != nil {
		o.t.Fatal(err)
	}
}

// setting reads what config show says of one setting.
func (o *operator) setting(name string, more ...string) config.Shown {
	o.t.Helper()
	var all []config.Shown
	o.reads(&all, append([]string{"config", "show"}, more...)...)
	for _, s := range all {
		if s.Name == name {
			return s
		}
	}
	o.t.Fatalf("config show does not show %s", name)
	return config.Shown{}
}

func TestAFlagWinsOverTheEnvironmentAndThatOverTheFile(t *testing.T) {
	o := newOperator(t)
	is := func(value, from string, more ...string) {
		t.Helper()
		if s := o.setting("session_idle", more...); s.Value != value || s.From != from {
			t.Errorf("session_idle is %s from %s, want %s from %s", s.Value, s.From, value, from)
		}
	}
	is("1h", "default")
	o.writes("twinlock.toml", "# settings\nsession_idle = \"50m\"\n")
	is("50m", "twinlock.toml:2", "--config", "twinlock.toml")
	o.env = append(o.env, "TWINLOCK_CONFIG=twinlock.toml")
	is("50m", "twinlock.toml:2")
	o.env = append(o.env, "TWINLOCK_SESSION_IDLE=40m")
	is("40m", "environment")
	is("30m", "flag", "--session-idle", "30m")
	if shown := o.does("config", "show"); !strings.Contains(shown, "session_idle") || !strings.Contains(shown, "40m") {
		t.Errorf("config show:\n%s", shown)
	}
	if said := o.does("config", "check"); said != "The settings are right.\n" {
		t.Errorf("config check said %q", said)
	}
}

// The same refusal meets the check, the start and every other command.
func TestAWrongSettingIsNamedWithItsPlaceAndWhatIsAccepted(t *testing.T) {
	for _, tt := range []struct {
		name, file, env string
		words           []string
	}{
		{"a wrong value in the file", "\nregistration = \"nobody\"\n", "", []string{"twinlock.toml:2", "registration", `"nobody"`, "accepted: open, invited, closed"}},
		{"an unknown name in the file", "sesion_idle = \"1h\"\n", "", []string{"twinlock.toml:1", "sesion_idle", "no such setting, did you mean session_idle?"}},
		{"what is no TOML", "session_idle = 1h\n", "", []string{"twinlock.toml:1", "accepted: NAME ="}},
		{"a wrong value in the environment", "", "TWINLOCK_THROTTLE_FREE=many", []string{"environment", "TWINLOCK_THROTTLE_FREE", "accepted: a whole number from 1 to 20"}},
		{"an unknown name in the environment", "", "TWINLOCK_PUBLIC_ULR=x", []string{"environment", "TWINLOCK_PUBLIC_ULR", "did you mean TWINLOCK_PUBLIC_URL?"}},
		{"the clock of test builds", "", "TWINLOCK_TEST_CLOCK=+1h", []string{"environment", "TWINLOCK_TEST_CLOCK", "no such setting"}},
		{"what does not go together", "session_idle = \"2h\"\nsession_overall = \"1h\"\n", "", []string{"twinlock.toml:1", "session_idle", "is above session_overall; accepted: up to 1h"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := newOperator(t)
			o.writes("twinlock.toml", tt.file)
			o.env = append(o.env, "TWINLOCK_CONFIG=twinlock.toml", tt.env)
			for _, args := range [][]string{{"config", "check"}, {"config", "show"}, {"serve"}, {"user", "list"}} {
				why := o.fails(failed, args...)
				for _, words := range tt.words {
					if !strings.Contains(why, words) {
						t.Errorf("%v: %q is missing in %q", args, words, why)
					}
				}
			}
			if _, err := os.Stat(o.data()); err == nil {
				t.Error("a refused start made the data folder")
			}
		})
	}
}

func TestAWrongFlagIsNamed(t *testing.T) {
	o := newOperator(t)
	if why := o.fails(failed, "config", "check", "--public-url", "http://id.example.org"); !strings.Contains(why, "flag: --public-url") || !strings.Contains(why, "accepted: https://") {
		t.Error(why)
	}
	o.fails(wrongUsage, "config", "check", "--public-ulr", "https://id.example.org")
	o.fails(failed, "config", "check", "--config", "missing.toml")
	o.fails(failed, "user", "list", "--config", "missing.toml")
}

func TestASecretComesFromAFileAndIsNotShown(t *testing.T) {
	const inURL, inFile = "moor-hen-1717", "coot-and-grebe-2323"
	o := newOperator(t)
	o.writes("smtp", "smtps://mailer:"+inFile+"@mail.example.org\n")
	for _, args := range [][]string{{"--smtp-url-file", "smtp"}, {"--smtp-url", "smtp://mailer:" + inURL + "@mail.example.org:587"}} {
		s := o.setting("smtp_url", args...)
		if s.From != "flag" || !strings.Contains(s.Value, "mail.example.org") {
			t.Errorf("%v: shown as %+v", args, s)
		}
		o.does(append([]string{"config", "check"}, args...)...)
		o.does(append([]string{"config", "show"}, args...)...)
	}
	o.env = append(o.env, "TWINLOCK_SMTP_URL_FILE=smtp")
	if s := o.setting("smtp_url"); s.From != "environment" || !strings.Contains(s.Value, "mail.example.org") {
		t.Errorf("from the environment: shown as %+v", s)
	}
	o.writes("twinlock.toml", "smtp_url_file = \"elsewhere\"\n")
	if why := o.fails(failed, "config", "check", "--config", "twinlock.toml"); strings.Contains(why, inFile) {
		t.Error(why)
	}
	o.fails(failed, "config", "check", "--smtp-url", "smtp://mailer:"+inURL+"@") // the refusal does not quote it
	o.serves()                                                                   // nor does a server
	o.does("user", "add", ada)                                                   // whose letter is not taken
	eventually(t, "a letter that is not taken", func() bool { return strings.Contains(o.said.String(), "letter not sent") })
	for _, secret := range []string{inURL, inFile} {
		if strings.Contains(o.said.String(), secret) {
			t.Errorf("%s was printed:\n%s", secret, o.said)
		}
	}
}

func TestAPasswordIsNowhereInClear(t *testing.T) {
	bothWays(t, func(t *testing.T, o *operator) {
		o.person(ada, "--admin")
		o.typesAndReads(&shownPerson{}, known, "user", "add", bob, "--password-stdin")
		o.failsTyping(known, failed, "user", "add", bob, "--password-stdin")
		o.does("user", "list")
		o.does("user", "show", ada, "--json")
		if strings.Contains(o.said.String(), known) {
			t.Errorf("it was printed:\n%s", o.said)
		}
		o.everyFile(func(path string, content []byte) {
			if strings.Contains(string(content), known) {
				t.Errorf("it stands in %s", path)
			}
		})
	})
}
