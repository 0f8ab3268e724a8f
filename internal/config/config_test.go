package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
)

// file writes text as twinlock.toml into a folder of its own.
func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "twinlock.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func load(t *testing.T, flags map[string]string, environ []string, text string) Config {
	t.Helper()
	c, err := Load(flags, environ, file(t, text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDefaultsAreUsable(t *testing.T) {
	c, err := Load(nil, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name       string
		have, want any
	}{
		{"listen", c.Listen, Listener("127.0.0.1:8080")},
		{"public_url", c.PublicURL, Origin("http://localhost:8080")},
		{"database_url", c.DatabaseURL.Reveal(), "sqlite:data/twinlock.db"},
		{"mail_from", c.MailFrom, Mailbox("no-reply@localhost")},
		{"session_idle", c.SessionIdle, time.Hour},
		{"session_overall", c.SessionOverall, 24 * time.Hour},
		{"open_window", c.OpenWindow, 24 * time.Hour},
		{"events_kept", c.EventsKept, 400 * 24 * time.Hour},
		{"sessions_per_user", c.SessionsPerPerson, 48},
		{"on_password_reset", c.OnReset, ResetFactors},
		{"registration", c.Registration, Open},
		{"edition", c.Edition, OnPremise},
		{"smtp_url", c.SMTP.Reveal(), ""},
	} {
		if tt.have != tt.want {
			t.Errorf("%s = %v, want %v", tt.name, tt.have, tt.want)
		}
	}
}

func TestEverySettingHasANameAndASentence(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range Settings {
		if s.Name == "" || seen[s.Name] || s.Section == "" || s.Accepts == "" {
			t.Errorf("setting %q: no name of its own, no section, or nothing accepted", s.Name)
		}
		if !strings.HasSuffix(s.Help, ".") {
			t.Errorf("%s: %q is no sentence", s.Name, s.Help)
		}
		seen[s.Name] = true
	}
}

func TestFlagsWinOverEnvironmentOverFile(t *testing.T) {
	const name, inFile = "site_name", "site_name = \"from file\"\n"
	flag := map[string]string{name: "from flag"}
	environment := []string{"TWINLOCK_SITE_NAME=from environment", "PATH=/bin"}
	for _, tt := range []struct {
		title       string
		flags       map[string]string
		environ     []string
		text        string
		want, place string
	}{
		{"nothing", nil, nil, "", "Twinlock", "default"},
		{"file", nil, nil, inFile, "from file", "twinlock.toml:1"},
		{"environment and file", nil, environment, inFile, "from environment", "environment"},
		{"flag and file", flag, nil, inFile, "from flag", "flag"},
		{"all three", flag, environment, inFile, "from flag", "flag"},
		{"an empty variable", nil, []string{"TWINLOCK_SITE_NAME="}, inFile, "from file", "twinlock.toml:1"},
	} {
		t.Run(tt.title, func(t *testing.T) {
			c := load(t, tt.flags, tt.environ, tt.text)
			if c.SiteName != tt.want {
				t.Errorf("site_name = %q, want %q", c.SiteName, tt.want)
			}
			if from := shown(c, name).From; from != tt.place {
				t.Errorf("from %q, want %q", from, tt.place)
			}
			if c.Given(name) != (tt.place != "default") {
				t.Errorf("Given = %v with %s", c.Given(name), tt.place)
			}
		})
	}
}

func shown(c Config, name string) Shown {
	for _, s := range c.Show() {
		if s.Name == name {
			return s
		}
	}
	return Shown{}
}

func TestTheFileMayBeNamedInTheEnvironment(t *testing.T) {
	path := file(t, "site_name = \"Reading room\"\n")
	c, err := Load(nil, []string{"TWINLOCK_CONFIG=" + path}, "")
	if err != nil {
		t.Fatal(err)
	}
	if c.SiteName != "Reading room" {
		t.Errorf("site_name = %q", c.SiteName)
	}
}

func TestWhatIsAccepted(t *testing.T) {
	for _, tt := range []struct{ name, written, want string }{
		{"listen", ":8443", ":8443"},
		{"listen", "[::1]:8080", "[::1]:8080"},
		{"public_url", "https://ID.Example.org/", "https://id.example.org"},
		{"public_url", "https://id.example.org:443", "https://id.example.org"},
		{"public_url", "https://id.example.org:8443", "https://id.example.org:8443"},
		{"public_url", "https://münchen.example", "https://xn--mnchen-3ya.example"},
		{"public_url", "http://127.0.0.1:8080", "http://127.0.0.1:8080"},
		{"public_url", "http://[::1]:8080", "http://[::1]:8080"},
		{"public_url", "http://login.localhost", "http://login.localhost"},
		{"session_idle", "90s", "1m30s"},
		{"session_idle", "1h30m", "1h30m"},
		{"events_kept", "30d", "30d"},
		{"open_window", "0", "0"},
		{"trusted_proxies", "127.0.0.1, 10.0.0.0/8,::1", "127.0.0.1/32, 10.0.0.0/8, ::1/128"},
		{"trusted_proxies", "::ffff:10.0.0.1", "10.0.0.1/32"},
		{"trusted_proxies", "", ""},
		{"registration_domains", "Example.org, example.net", "example.org, example.net"},
		{"mail_from", "Twinlock <no-reply@example.org>", "Twinlock <no-reply@example.org>"},
		{"on_password_reset", "keep", "keep"},
		{"database_url", "sqlite:/var/lib/twinlock.db", "sqlite:/var/lib/twinlock.db"},
		{"sessions_per_user", "7", "7"},
	} {
		t.Run(tt.name+" "+tt.written, func(t *testing.T) {
			c := load(t, map[string]string{tt.name: tt.written}, nil, "")
			if have := shown(c, tt.name).Value; have != tt.want {
				t.Errorf("%q became %q, want %q", tt.written, have, tt.want)
			}
		})
	}
}

func TestListsInTheFileMayBeArrays(t *testing.T) {
	c := load(t, nil, nil, `
edition = "cloud"
plugins = ["two-factor:group=staff", "two-factor:user=ada@example.org"]
trusted_proxies = "127.0.0.1, ::1"
`)
	if len(c.Plugins) != 2 || c.Plugins[0] != (Grant{Plugin: "two-factor", Group: "staff"}) ||
		c.Plugins[1] != (Grant{Plugin: "two-factor", User: "ada@example.org"}) {
		t.Errorf("plugins = %+v", c.Plugins)
	}
	if !c.TrustedProxies.Contains(netip.MustParseAddr("::ffff:127.0.0.1")) || c.TrustedProxies.Contains(netip.MustParseAddr("127.0.0.2")) {
		t.Errorf("trusted_proxies = %v", c.TrustedProxies)
	}
}

func TestSettingsFollowOthers(t *testing.T) {
	c := load(t, nil, nil, `
listen = "127.0.0.1:9000"
data = "/srv/twinlock"
session_overall = "1h"
session_idle = "10s"
`)
	for _, tt := range []struct{ name, want string }{
		{"public_url", "http://localhost:9000"},
		{"database_url", "sqlite:/srv/twinlock/twinlock.db"},
		{"open_window", "1h"},
		{"idle_notice", "5s"},
	} {
		if have := shown(c, tt.name).Value; have != tt.want {
			t.Errorf("%s = %q, want %q", tt.name, have, tt.want)
		}
	}
}

func TestTheAddressFollowsWhereAndHowTheServerListens(t *testing.T) {
	const tls = "tls_cert = \"c\"\ntls_key = \"k\"\n"
	for text, want := range map[string]Origin{
		"listen = \":80\"\n":         "http://localhost",
		"listen = \":8443\"\n" + tls: "https://localhost:8443",
		"listen = \":443\"\n" + tls:  "https://localhost",
	} {
		if have := load(t, nil, nil, text).PublicURL; have != want {
			t.Errorf("%q: public_url = %s, want %s", text, have, want)
		}
	}
}

func TestWhatIsRefusedAndInWhichWords(t *testing.T) {
	const (
		durations = ", written like 90s, 15m, 24h, 30d or 1h30m"
		origins   = "; accepted: https:// and a host, such as https://id.example.org, without path or query; http:// only with localhost or another loopback host"
		listeners = "; accepted: an address and a port, such as 127.0.0.1:8080, [::1]:8080 or :8080"
		grants    = "; accepted: two-factor, passkeys, openid-connect, forward-auth; for some only: two-factor:group=NAME, two-factor:user=EMAIL"
		networks  = "; accepted: addresses and networks, such as 127.0.0.1, 10.0.0.0/8"
		inTOML    = `; accepted: NAME = "VALUE", NAME = NUMBER or NAME = ["VALUE", "VALUE"], one a line`
		all       = "; accepted: what docs/settings.md lists"
	)
	flag := func(name, value string) map[string]string { return map[string]string{name: value} }
	for _, tt := range []struct {
		title   string
		flags   map[string]string
		environ []string
		text    string
		want    string
	}{
		{"unknown flag", flag("sesion_idle", "1h"), nil, "",
			"flag: --sesion-idle: no such setting, did you mean --session-idle?" + all},
		{"unknown variable", nil, []string{"TWINLOCK_PUBLIC_ULR=x"}, "",
			"environment: TWINLOCK_PUBLIC_ULR: no such setting, did you mean TWINLOCK_PUBLIC_URL?" + all},
		{"unknown variable like nothing", nil, []string{"TWINLOCK_Q=x"}, "",
			"environment: TWINLOCK_Q: no such setting" + all},
		{"variable in small letters", nil, []string{"TWINLOCK_listen=:80"}, "",
			"environment: TWINLOCK_listen: no such setting, did you mean TWINLOCK_LISTEN?" + all},
		{"unknown key", nil, nil, "listen = \":80\"\n\npublic_uri = \"x\"\n",
			"twinlock.toml:3: public_uri: no such setting, did you mean public_url?" + all},
		{"unknown key over two lines", nil, nil, "\"a\\nb\" = 1\n",
			`twinlock.toml:1: "a\nb": no such setting` + all},
		{"a table", nil, nil, "[smtp]\nurl = \"smtp://localhost\"\n",
			"twinlock.toml:1: smtp: no such setting" + all},
		{"a table under the name of a setting", nil, nil, "[listen]\nport = 1\n",
			"twinlock.toml:1: listen: is neither a text nor a whole number" + listeners},
		{"no file for what is no secret", nil, nil, "listen_file = \"x\"\n",
			"twinlock.toml:1: listen_file: no such setting" + all},
		{"no TOML", nil, nil, "\nlisten: 8080\n",
			"twinlock.toml:2: TOML: not written as TOML" + inTOML},
		{"twice", nil, nil, "listen = \":80\"\nlisten = \":81\"\n",
			"twinlock.toml:2: listen: not written as TOML" + inTOML},
		{"a broken line with a secret", nil, nil, "smtp_url = \"smtp://u:hunter2@h\n",
			"twinlock.toml:1: smtp_url: not written as TOML" + inTOML},

		{"a duration without unit", flag("session_idle", "60"), nil, "",
			`flag: --session-idle: "60" is not a duration; accepted: 1s to 30d` + durations},
		{"a duration below nothing", nil, []string{"TWINLOCK_FRESH=-5m"}, "",
			`environment: TWINLOCK_FRESH: "-5m" is not a duration; accepted: 1m to 24h` + durations},
		{"a duration too long", nil, nil, "login_timeout = \"2h\"\n",
			`twinlock.toml:1: login_timeout: "2h" is outside what is allowed; accepted: 1m to 1h` + durations},
		{"a number as duration", nil, nil, "open_window = 5\n",
			`twinlock.toml:1: open_window: "5" is not a duration; accepted: 0, or 1s to 90d` + durations},
		{"no number", flag("sessions_per_user", "many"), nil, "",
			`flag: --sessions-per-user: "many" is not a whole number; accepted: a whole number from 1 to 1000`},
		{"a broken number", nil, nil, "sessions_per_user = 4.5\n",
			"twinlock.toml:1: sessions_per_user: is neither a text nor a whole number; accepted: a whole number from 1 to 1000"},
		{"too small a number", flag("password_minimum", "7"), nil, "",
			`flag: --password-minimum: "7" is outside what is allowed; accepted: a whole number from 8 to 64`},
		{"a word of no choice", flag("registration", "everyone"), nil, "",
			`flag: --registration: "everyone" is none of these; accepted: open, invited, closed`},
		{"an empty name", flag("site_name", ""), nil, "",
			`flag: --site-name: "" is outside what is allowed; accepted: a text of 1 to 60 characters`},
		{"a name over two lines", nil, nil, "site_name = \"a\\nb\"\n",
			`twinlock.toml:1: site_name: "a\nb" holds a control character; accepted: a text of 1 to 60 characters`},
		{"an array for one value", nil, nil, "site_name = [\"a\", \"b\"]\n",
			`twinlock.toml:1: site_name: "a,b" is a list, where one value is wanted; accepted: a text of 1 to 60 characters`},
		{"an array of tables", nil, nil, "trusted_proxies = [{a = 1}]\n",
			"twinlock.toml:1: trusted_proxies: holds something that is not a text" + networks},

		{"no port", flag("listen", "localhost"), nil, "",
			`flag: --listen: "localhost" is not an address and a port` + listeners},
		{"port 0", flag("listen", "localhost:0"), nil, "",
			`flag: --listen: "localhost:0" has no port from 1 to 65535` + listeners},
		{"nowhere to listen", flag("listen", ""), nil, "",
			"flag: listen: is empty" + listeners},
		{"metrics where everybody comes by any address", map[string]string{"listen": ":9090", "metrics_listen": "127.0.0.1:9090"}, nil, "",
			"flag: metrics_listen: is listen, where everybody comes; accepted: another port"},
		{"metrics for everybody", map[string]string{"listen": "localhost:9090", "metrics_listen": "localhost:9090"}, nil, "",
			"flag: metrics_listen: is listen, where everybody comes; accepted: another port"},
		{"no data", flag("data", ""), nil, "",
			"flag: data: is empty; accepted: the path of a folder"},

		{"http on a public host", flag("public_url", "http://id.example.org"), nil, "",
			`flag: --public-url: "http://id.example.org" is http on a host that is not loopback, where passwords could be read on the way` + origins},
		{"a host that only looks like loopback", flag("public_url", "http://127.0.0.1.example.org"), nil, "",
			`flag: --public-url: "http://127.0.0.1.example.org" is http on a host that is not loopback, where passwords could be read on the way` + origins},
		{"a path", flag("public_url", "https://example.org/login"), nil, "",
			`flag: --public-url: "https://example.org/login" has a path` + origins},
		{"a query", flag("public_url", "https://example.org?"), nil, "",
			`flag: --public-url: "https://example.org?" has a query or a fragment` + origins},
		{"a user", flag("public_url", "https://a@example.org"), nil, "",
			`flag: --public-url: "https://a@example.org" holds a user` + origins},
		{"another scheme", flag("public_url", "ftp://example.org"), nil, "",
			`flag: --public-url: "ftp://example.org" is not an https address` + origins},
		{"no scheme", flag("public_url", "example.org"), nil, "",
			`flag: --public-url: "example.org" is not a web address` + origins},
		{"no host", flag("public_url", "https://exa mple.org"), nil, "",
			`flag: --public-url: "https://exa mple.org" is not a web address` + origins},
		{"a host of no domain", flag("public_url", "https://-a-.example"), nil, "",
			`flag: --public-url: "https://-a-.example" has no valid host` + origins},

		{"everybody a proxy", flag("trusted_proxies", "10.0.0.0/8,0.0.0.0/0"), nil, "",
			`flag: --trusted-proxies: "0.0.0.0/0" would be everywhere` + networks},
		{"bits beyond the length", flag("trusted_proxies", "10.0.0.1/8"), nil, "",
			`flag: --trusted-proxies: "10.0.0.1/8" has bits beyond its length; 10.0.0.0/8 is the network` + networks},
		{"a host as proxy", flag("trusted_proxies", "proxy"), nil, "",
			`flag: --trusted-proxies: "proxy" is neither an address nor a network` + networks},
		{"an address as domain", flag("registration_domains", "a@b.org"), nil, "",
			`flag: --registration-domains: "a@b.org" is not a domain; accepted: mail domains, such as example.org, example.net`},
		{"no sender", flag("mail_from", "nobody"), nil, "",
			`flag: --mail-from: "nobody" is not an e-mail address; accepted: an e-mail address, such as no-reply@example.org or Twinlock <no-reply@example.org>`},

		{"a mail server of another kind", flag("smtp_url", "https://u:hunter2@mail.example.org"), nil, "",
			"flag: --smtp-url: the value is not the address of a mail server; accepted: smtp://USER:PASSWORD@HOST:587, or smtps:// for TLS from the first byte"},
		{"a database of another kind", nil, nil, "database_url = \"mysql://u:hunter2@h/d\"\n",
			"twinlock.toml:1: database_url: the value is not a database address; accepted: sqlite:PATH or postgres://USER:PASSWORD@HOST/NAME"},
		{"an SQLite database without file", flag("database_url", "sqlite:"), nil, "",
			"flag: --database-url: the value names no file; accepted: sqlite:PATH or postgres://USER:PASSWORD@HOST/NAME"},

		{"an unknown plug-in", map[string]string{"edition": "cloud", "plugins": "two-factors"}, nil, "",
			`flag: --plugins: "two-factors" names no plug-in of this program` + grants},
		{"a plug-in for nobody", map[string]string{"edition": "cloud", "plugins": "two-factor:group="}, nil, "",
			`flag: --plugins: "two-factor:group=" names nobody` + grants},
		{"a plug-in for something else", map[string]string{"edition": "cloud", "plugins": "two-factor:role=x"}, nil, "",
			`flag: --plugins: "two-factor:role=x" is neither for a group nor for a user` + grants},
		{"plug-ins on premise", flag("plugins", "two-factor"), nil, "",
			`flag: plugins: is read with edition = "cloud" only; in the on-premise edition the administrator activates plug-ins on the Plugins page`},

		{"a certificate without its key", flag("tls_cert", "/etc/twinlock/cert.pem"), nil, "",
			"default: tls_key: is missing beside tls_cert; accepted: the path of its private key"},
		{"a key without its certificate", nil, nil, "tls_key = \"/etc/twinlock/key.pem\"\n",
			"default: tls_cert: is missing beside tls_key; accepted: the path of its certificate"},
		{"TLS under an http address", map[string]string{"tls_cert": "c", "tls_key": "k", "public_url": "http://localhost:8080"}, nil, "",
			"flag: public_url: is http, and with tls_cert browsers reach this server by https alone; accepted: https:// and the host of the certificate"},

		{"an open window above the overall limit", nil, []string{"TWINLOCK_SESSION_OVERALL=8h"}, "open_window = \"9h\"\n",
			"twinlock.toml:1: open_window: is above session_overall, after which everybody proves everything anew; accepted: up to 8h"},
		{"idle above the overall limit", nil, nil, "session_idle = \"2d\"\n",
			"twinlock.toml:1: session_idle: is above session_overall; accepted: up to 24h"},
		{"notice before the session begins", nil, nil, "idle_notice = \"1h\"\n",
			"twinlock.toml:1: idle_notice: is not below session_idle; accepted: less than 1h"},
		{"first wait above the longest", flag("throttle_longest_wait", "1s"), nil, "throttle_first_wait = \"2s\"\n",
			"twinlock.toml:1: throttle_first_wait: is above throttle_longest_wait; accepted: up to 1s"},
		{"door closed before it is slow", nil, nil, "throttle_free = 20\nthrottle_closed = 20\n",
			"twinlock.toml:2: throttle_closed: is not above throttle_free; accepted: more than 20"},
		{"a hash that is little work", nil, nil, "hash_memory = 12\n",
			"twinlock.toml:1: hash_memory: makes hash_memory times hash_passes 24; accepted: such that it is from 35 to 1024"},
		{"a hash that is more work than is read again", nil, nil, "hash_memory = 64\nhash_passes = 17\n",
			"twinlock.toml:1: hash_memory: makes hash_memory times hash_passes 1088; accepted: such that it is from 35 to 1024"},
		{"passes alone that are more work than is read again", nil, nil, "hash_passes = 54\n",
			"twinlock.toml:1: hash_passes: makes hash_memory times hash_passes 1026; accepted: such that it is from 35 to 1024"},
		{"every set of codes too few", nil, nil, "recovery_codes = 4\nrecovery_codes_few = 4\n",
			"twinlock.toml:2: recovery_codes_few: is not below recovery_codes, so every new set would be too few; accepted: less than 4"},

		{"several at once", flag("listen", "x"), []string{"TWINLOCK_NO=1"}, "edition = \"both\"\n",
			"environment: TWINLOCK_NO: no such setting" + all +
				`; twinlock.toml:1: edition: "both" is none of these; accepted: on-premise, cloud` +
				`; flag: --listen: "x" is not an address and a port` + listeners},
	} {
		t.Run(tt.title, func(t *testing.T) {
			_, err := Load(tt.flags, tt.environ, file(t, tt.text))
			var refused Refusals
			if !errors.As(err, &refused) {
				t.Fatalf("no refusal but %v", err)
			}
			if err.Error() != tt.want {
				t.Errorf("refused with\n%s\nwant\n%s", err, tt.want)
			}
			if strings.ContainsAny(err.Error(), "\n\r") {
				t.Error("the refusal is longer than a line")
			}
		})
	}
}

func TestVariablesThatKubernetesSetsAreNotOurs(t *testing.T) {
	_, err := Load(nil, []string{
		"TWINLOCK_PORT=tcp://10.0.0.1:80", "TWINLOCK_PORT_80_TCP_ADDR=10.0.0.1", "TWINLOCK_SERVICE_HOST=10.0.0.1", "TWINLOCK_SERVICE_PORT_HTTP=80",
	}, "")
	if err != nil {
		t.Error(err)
	}
}

func TestASecretIsReadFromAFile(t *testing.T) {
	const address = "smtp://u:hunter2@mail.example.org:587"
	path := filepath.Join(t.TempDir(), "smtp")
	if err := os.WriteFile(path, []byte(address+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for title, c := range map[string]Config{
		"flag":        load(t, map[string]string{"smtp_url_file": path}, nil, ""),
		"environment": load(t, nil, []string{"TWINLOCK_SMTP_URL_FILE=" + path}, ""),
		"file":        load(t, nil, nil, fmt.Sprintf("smtp_url_file = %q\n", path)),
		"flag over a value in the environment": load(t, map[string]string{"smtp_url_file": path},
			[]string{"TWINLOCK_SMTP_URL=smtp://other"}, ""),
	} {
		if c.SMTP.Reveal() != address {
			t.Errorf("%s: smtp_url = %q", title, c.SMTP.Reveal())
		}
	}
}

func TestASecretFileThatCannotServeIsRefused(t *testing.T) {
	folder := t.TempDir()
	empty := filepath.Join(folder, "empty")
	if err := os.WriteFile(empty, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	huge := filepath.Join(folder, "huge")
	if err := os.WriteFile(huge, make([]byte, largestSecret+1), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ title, path, want string }{
		{"missing", filepath.Join(folder, "none"), "cannot be read: no such file or directory"},
		{"a folder", folder, "is not a file"},
		{"empty", empty, "is empty"},
		{"huge", huge, "is larger than 65536 bytes"},
	} {
		_, err := Load(map[string]string{"smtp_url_file": tt.path}, nil, "")
		want := fmt.Sprintf("flag: --smtp-url-file: %q %s; accepted: the path of a file with smtp://USER:PASSWORD@HOST:587, or smtps:// for TLS from the first byte", tt.path, tt.want)
		if err == nil || err.Error() != want {
			t.Errorf("%s: refused with\n%v\nwant\n%s", tt.title, err, want)
		}
	}
}

func TestASecretAndItsFileTogetherAreRefused(t *testing.T) {
	_, err := Load(nil, []string{"TWINLOCK_SMTP_URL=smtp://a", "TWINLOCK_SMTP_URL_FILE=/a"}, "")
	const want = "environment: TWINLOCK_SMTP_URL_FILE: is given together with TWINLOCK_SMTP_URL; accepted: one of the two"
	if err == nil || err.Error() != want {
		t.Errorf("refused with %v, want %s", err, want)
	}
}

func TestAFileThatIsNotThereIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none.toml")
	_, err := Load(nil, nil, path)
	if err == nil || err.Error() != path+": --config: cannot be read: no such file or directory" {
		t.Errorf("refused with %v", err)
	}
}

// However the settings are printed, their secrets stay inside.
func TestSecretsDoNotPrintThemselves(t *testing.T) {
	c := load(t, map[string]string{
		"smtp_url":     "smtp://apikey:hunter2@mail.example.org:587?pass=hunter3",
		"database_url": "postgres://gate:hunter2@db.example.org/twinlock?password=hunter3",
	}, nil, "")
	encoded, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var logged strings.Builder
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("settings", "all", c, "mail", c.SMTP)
	slog.New(slog.NewTextHandler(&logged, nil)).Info("settings", "all", c, "mail", c.SMTP)
	for how, text := range map[string]string{
		"%v": fmt.Sprintf("%v", c), "%+v": fmt.Sprintf("%+v", c), "%#v": fmt.Sprintf("%#v", c),
		"JSON": string(encoded), "log": logged.String(), "Show": fmt.Sprint(c.Show()),
	} {
		for _, secret := range []string{"hunter2", "hunter3", "apikey"} {
			if strings.Contains(text, secret) {
				t.Errorf("%s prints %s: %s", how, secret, text)
			}
		}
		if !strings.Contains(text, "mail.example.org:587") {
			t.Errorf("%s does not tell the mail server", how)
		}
	}
}

func TestCommandsCarryTheSettingsAsFlags(t *testing.T) {
	var commands struct {
		Serve struct{ Flags } `cmd:""`
		User  struct {
			List struct{ DataFlags } `cmd:""`
		} `cmd:""`
	}
	parser, err := kong.New(&commands)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse([]string{"serve", "--public-url", "https://a.example", "--session-idle=3m", "--trusted-proxies="}); err != nil {
		t.Fatal(err)
	}
	// What the environment says must lose against the flag, and win against the file.
	path := file(t, "site_name = \"file\"\nfresh = \"5m\"\ntrusted_proxies = [\"::1\"]\n")
	commands.Serve.Config = path
	c, err := commands.Serve.Load([]string{"TWINLOCK_SESSION_IDLE=9m", "TWINLOCK_SITE_NAME=environment"})
	if err != nil {
		t.Fatal(err)
	}
	if c.PublicURL != "https://a.example" || c.SessionIdle != 3*time.Minute || c.SiteName != "environment" || c.Fresh != 5*time.Minute || len(c.TrustedProxies) != 0 {
		t.Errorf("read %+v", c)
	}
	if _, err := parser.Parse([]string{"user", "list", "--data", "/srv"}); err != nil {
		t.Fatal(err)
	}
	if c, err := commands.User.List.Load(nil); err != nil || c.Data != "/srv" {
		t.Errorf("data = %q, %v", c.Data, err)
	}
}

func TestDurationsAreReadAsTheyAreWritten(t *testing.T) {
	for _, tt := range []struct {
		text string
		want time.Duration
		ok   bool
	}{
		{"0", 0, true},
		{"90s", 90 * time.Second, true},
		{"15m", 15 * time.Minute, true},
		{"24h", 24 * time.Hour, true},
		{"30d", 720 * time.Hour, true},
		{"1d12h", 36 * time.Hour, true},
		{"1h30m", 90 * time.Minute, true},
		{"", 0, false},
		{"90", 0, false},
		{"1.5h", 0, false},
		{"-1h", 0, false},
		{"+1h", 0, false},
		{"30m1h", 0, false},
		{"1h1h", 0, false},
		{"1 h", 0, false},
		{"h", 0, false},
		{"1w", 0, false},
		{"100ms", 0, false},
		{"4294967295d", 0, false},
		{"9999999999999999999s", 0, false},
	} {
		d, err := ParseDuration(tt.text)
		if d != tt.want || (err == nil) != tt.ok {
			t.Errorf("ParseDuration(%q) = %v, %v; want %v", tt.text, d, err, tt.want)
		}
	}
}

// Whatever a file holds, it is read or refused in one line; and what was read
// shows itself in words that read the same again.
func FuzzFile(f *testing.F) {
	for _, text := range []string{
		"", "listen = \":80\"", "[listen]\nport = 1", "plugins = [\"two-factor\"]\nedition = \"cloud\"",
		"a.b.c = 1\n[[a.d]]\ne = 2", "public_url = \"https://xn--a.example:1\"", "fresh = 07:32:00", "smtp_url = '''\nsmtp://a'''",
		"mail_from = \"A <a@b>\"\nregistration_domains = [\"ä.example\", 1]", "\"\" = 1", "listen = {a = [1, {b = 2}]}",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		entries, refused := parseFile("twinlock.toml", text)
		c := defaults()
		refused = append(refused, c.take(entries)...)
		if len(refused) == 0 {
			refused = c.settle()
		}
		if len(refused) > 0 {
			if strings.ContainsAny(refused.Error(), "\n\r") {
				t.Errorf("more than a line: %s", refused)
			}
			return
		}
		again := map[string]string{}
		for _, s := range c.Show() {
			row, _ := settingNamed(s.Name)
			if !row.Secret && c.Given(s.Name) {
				again[s.Name] = s.Value
			}
		}
		second, err := Load(again, nil, "")
		if err != nil {
			t.Fatalf("%v does not read again: %v", again, err)
		}
		for name, value := range again {
			if have := shown(second, name).Value; have != value {
				t.Errorf("%s = %q reads again as %q", name, value, have)
			}
		}
	})
}

// Passkeys belong to names, and a number is none.
func TestWhichHostsHaveAName(t *testing.T) {
	for origin, want := range map[Origin]bool{
		"http://localhost:8080": true, "https://login.example.org": true, "https://xn--bcher-kva.example": true,
		"http://127.0.0.1:8080": false, "http://[::1]:8080": false, "https://192.0.2.7": false, "https://[2001:db8::1]": false, "": false,
	} {
		if got := origin.HasName(); got != want {
			t.Errorf("%q has a name: %v", origin, got)
		}
	}
}
