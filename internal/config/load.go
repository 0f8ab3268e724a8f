package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/twinlock/twinlock/internal/auth"
)

// Load reads the settings from flags (public_url = value, as written), the
// environment ("TWINLOCK_PUBLIC_URL=value", others are ignored) and the TOML
// file at path; nothing of one is needed, and an empty path means the file
// that TWINLOCK_CONFIG names, or none.
//
// The error is a [Refusals] with everything that is wrong, and the Config is
// then not to be used.
func Load(flags map[string]string, environ []string, path string) (Config, error) {
	variables, chosen := readEnvironment(environ)
	if path == "" {
		path = chosen
	}
	fromFlags, refused := readFlags(flags)
	fromEnvironment, more := checkNames(variables)
	refused = append(refused, more...)
	fromFile, more := readFile(path)
	refused = append(refused, more...)

	c := defaults()
	for _, source := range [][]entry{fromFile, fromEnvironment, fromFlags} {
		refused = append(refused, c.take(source)...)
	}
	if len(refused) == 0 {
		refused = c.settle()
	}
	if len(refused) > 0 {
		return Config{}, refused
	}
	return c, nil
}

func defaults() Config {
	c := Config{places: map[string]string{}}
	for _, s := range Settings {
		if s.Default == "" || strings.Contains(s.Default, "DATA") {
			continue
		}
		if err := s.read(&c, []string{s.Default}); err != nil {
			panic("config: the default of " + s.Name + " " + err.Error())
		}
	}
	return c
}

func readFlags(flags map[string]string) (entries []entry, refused Refusals) {
	for name, value := range flags {
		e := entry{name: name, place: "flag", key: "--" + strings.ReplaceAll(name, "_", "-")}
		s, ok := settingOrFile(name)
		if !ok {
			refused = append(refused, unknown(e.place, e.key, name, func(s Setting) string { return "--" + s.Flag() }))
			continue
		}
		e.words = s.split(value)
		entries = append(entries, e)
	}
	return sorted(entries), refused
}

// MigrateTo is the variable that `twinlock migrate` reads by itself. It is no
// setting, and no mistake where a shell still has it.
const MigrateTo = prefix + "MIGRATE_TO"

// readEnvironment gives the variables that are meant for us, and the path in
// TWINLOCK_CONFIG. An empty variable counts as unset, since compose files and
// units cannot leave one out.
func readEnvironment(environ []string) (variables map[string]string, path string) {
	variables = map[string]string{}
	for _, pair := range environ {
		name, value, _ := strings.Cut(pair, "=")
		switch {
		case !strings.HasPrefix(name, prefix) || value == "" || name == MigrateTo || fromKubernetes(name) || forTests(name):
		case name == prefix+"CONFIG":
			path = value
		default:
			variables[name] = value
		}
	}
	return variables, path
}

// fromKubernetes tells the variables that Kubernetes sets by itself in every
// container beside a service called "twinlock".
func fromKubernetes(name string) bool {
	rest := strings.TrimPrefix(name, prefix)
	return rest == "PORT" || strings.HasPrefix(rest, "PORT_") || strings.HasPrefix(rest, "SERVICE_")
}

func checkNames(variables map[string]string) (entries []entry, refused Refusals) {
	for variable, value := range variables {
		name := strings.ToLower(strings.TrimPrefix(variable, prefix))
		s, ok := settingOrFile(name)
		if !ok || variable != strings.ToUpper(variable) {
			refused = append(refused, unknown("environment", variable, name, Setting.Variable))
			continue
		}
		entries = append(entries, entry{name, s.split(value), "environment", variable})
	}
	return sorted(entries), refused
}

func sorted(entries []entry) []entry {
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	return entries
}

// split takes a value apart at its commas where the setting is a list.
func (s Setting) split(value string) []string {
	if !s.list {
		return []string{value}
	}
	words := []string{}
	for word := range strings.SplitSeq(value, ",") {
		if word = strings.TrimSpace(word); word != "" {
			words = append(words, word)
		}
	}
	return words
}

// take lays the entries of one source over what c already holds.
func (c *Config) take(entries []entry) (refused Refusals) {
	seen := map[string]string{}
	for _, e := range entries {
		s, _ := settingOrFile(e.name)
		if other, twice := seen[s.Name]; twice {
			refused = append(refused, Refusal{e.place, e.key, "is given together with " + other + "; accepted: one of the two"})
			continue
		}
		seen[s.Name] = e.key
		words, err := e.words, error(nil)
		if e.name != s.Name {
			if words, err = readSecret(e.words); err != nil {
				refused = append(refused, Refusal{e.place, e.key, err.Error() + "; accepted: the path of a file with " + s.Accepts})
				continue
			}
		}
		if s.list && len(words) == 1 {
			words = s.split(words[0])
		}
		if err := s.read(c, words); err != nil {
			refused = append(refused, s.refuse(e.place, e.key, words, err))
			continue
		}
		c.places[s.Name] = e.place
	}
	return refused
}

const largestSecret = 64 << 10

// readSecret gives the content of the file at the path, without the line end
// that editors add.
func readSecret(path []string) ([]string, error) {
	if len(path) != 1 || path[0] == "" {
		return nil, errors.New("names no file")
	}
	text, err := readAtMost(path[0], largestSecret)
	if err != nil {
		return nil, fmt.Errorf("%q %w", path[0], err)
	}
	secret := strings.TrimRight(string(text), "\r\n")
	if secret == "" {
		return nil, fmt.Errorf("%q is empty", path[0])
	}
	return []string{secret}, nil
}

// settle fills in what follows from other settings, and refuses what does not
// go together.
func (c *Config) settle() Refusals {
	c.follow()
	var refused Refusals
	refuse := func(name, problem string) {
		place := c.places[name]
		if place == "" {
			place = "default"
		}
		refused = append(refused, Refusal{place, name, problem})
	}
	if c.Listen == "" {
		refuse("listen", "is empty; accepted: "+Listener.accepts(""))
	}
	if c.MetricsListen != "" && c.MetricsListen.meets(c.Listen) {
		refuse("metrics_listen", "is listen, where everybody comes; accepted: another port")
	}
	if c.Data == "" {
		refuse("data", "is empty; accepted: the path of a folder")
	}
	c.refuseTLS(refuse)
	if c.SessionIdle > c.SessionOverall {
		refuse("session_idle", "is above session_overall; accepted: up to "+FormatDuration(c.SessionOverall))
	}
	if c.IdleNotice >= c.SessionIdle {
		refuse("idle_notice", "is not below session_idle; accepted: less than "+FormatDuration(c.SessionIdle))
	}
	if c.OpenWindow > c.SessionOverall {
		refuse("open_window", "is above session_overall, after which everybody proves everything anew; accepted: up to "+FormatDuration(c.SessionOverall))
	}
	if c.ThrottleFirstWait > c.ThrottleLongestWait {
		refuse("throttle_first_wait", "is above throttle_longest_wait; accepted: up to "+FormatDuration(c.ThrottleLongestWait))
	}
	if c.ThrottleClosed <= c.ThrottleFree {
		refuse("throttle_closed", "is not above throttle_free; accepted: more than "+strconv.Itoa(c.ThrottleFree))
	}
	if work := c.HashMemory * c.HashPasses; work < leastHashWork || work > mostHashWork {
		name := "hash_memory"
		if !c.Given(name) {
			name = "hash_passes"
		}
		refuse(name, fmt.Sprintf("makes hash_memory times hash_passes %d; accepted: such that it is from %d to %d", work, leastHashWork, mostHashWork))
	}
	if c.RecoveryCodesFew >= c.RecoveryCodes {
		refuse("recovery_codes_few", "is not below recovery_codes, so every new set would be too few; accepted: less than "+strconv.Itoa(c.RecoveryCodes))
	}
	if len(c.Plugins) > 0 && c.Edition != Cloud {
		refuse("plugins", "is read with edition = \"cloud\" only; in the on-premise edition the administrator activates plug-ins on the Plugins page")
	}
	if !c.PublicURL.HasName() && slices.ContainsFunc(c.Plugins, func(g Grant) bool { return g.Plugin == string(auth.PasskeysPlugin) }) {
		refuse("plugins", "names passkeys, which belong to a host's name, and public_url has a number; accepted: a name in public_url")
	}
	return refused
}

// refuseTLS holds the two files of TLS together, and to the address that people
// type.
func (c *Config) refuseTLS(refuse func(name, problem string)) {
	switch {
	case c.TLSCert != "" && c.TLSKey == "":
		refuse("tls_key", "is missing beside tls_cert; accepted: the path of its private key")
	case c.TLSKey != "" && c.TLSCert == "":
		refuse("tls_cert", "is missing beside tls_key; accepted: the path of its certificate")
	case c.TLSCert != "" && !c.PublicURL.Secure():
		refuse("public_url", "is http, and with tls_cert browsers reach this server by https alone; accepted: https:// and the host of the certificate")
	}
}

// leastHashWork, in MiB times passes, is the smallest product among the costs of
// OWASP's Password Storage Cheat Sheet: 7 MiB in five passes.
const leastHashWork = 35

// mostHashWork is the most that a stored hash may ask of a server: one of more is not
// read, and nobody who has it could log in.
const mostHashWork = 1024

// follow fills in what was not given and depends on what was.
func (c *Config) follow() {
	if !c.Given("public_url") && c.Listen != "" {
		_ = c.PublicURL.read(c.scheme() + "://localhost:" + c.Listen.port()) // without the scheme's own port
	}
	if !c.Given("database_url") {
		c.DatabaseURL.text = "sqlite:" + filepath.Join(c.Data, "twinlock.db")
	}
	if !c.Given("mail_from") {
		c.MailFrom = Mailbox("no-reply@" + c.PublicURL.Host())
	}
	if !c.Given("session_idle") {
		c.SessionIdle = min(c.SessionIdle, c.SessionOverall)
	}
	if !c.Given("idle_notice") {
		c.IdleNotice = min(c.IdleNotice, c.SessionIdle/2)
	}
	if !c.Given("open_window") {
		c.OpenWindow = min(c.OpenWindow, c.SessionOverall)
	}
}

// scheme is how a browser on this machine speaks to the server.
func (c *Config) scheme() string {
	if c.TLSCert != "" {
		return "https"
	}
	return "http"
}
