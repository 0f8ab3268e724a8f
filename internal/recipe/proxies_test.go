package recipe

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twinlock/twinlock/internal/auth"
)

func proxiesOf(t *testing.T, a auth.Application, s Site) map[string]string {
	t.Helper()
	all, err := Proxies(a, s)
	if err != nil {
		t.Fatal(err)
	}
	settings := map[string]string{}
	for _, p := range all {
		settings[p.File] = p.Settings
	}
	return settings
}

var (
	documentedApp  = auth.Application{URL: "https://wiki.example.org/"}
	documentedSite = Site{PublicURL: "https://id.example.org", Listen: "127.0.0.1:8080"}
)

// What is documented is tried with every run of the tests. Whoever copies from
// an application's page gets the same, with other names.
func TestTheSettingsOfProxiesAreThoseOfTheDocumentation(t *testing.T) {
	other := proxiesOf(t, auth.Application{URL: "https://notes.example.net/start"},
		Site{PublicURL: "https://login.example.net", Listen: "10.0.0.7:8081", Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.5/32")}})
	names := strings.NewReplacer("wiki.example.org", "notes.example.net", "id.example.org", "login.example.net", "127.0.0.1:8080", "10.0.0.7:8081",
		`["127.0.0.1"]`, `["10.0.0.5"]`)
	for file, settings := range proxiesOf(t, documentedApp, documentedSite) {
		path := filepath.Join("..", "..", "docs", "proxies", file)
		if *update {
			if err := os.WriteFile(path, []byte(settings), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		documented, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if settings != string(documented) {
			t.Errorf("%s is not what the page of an application shows: run this test with -update", file)
		}
		if other[file] != names.Replace(string(documented)) {
			t.Errorf("%s with other names is\n%s", file, other[file])
		}
	}
}

func TestTheSettingsOfProxiesFollowTheAddresses(t *testing.T) {
	site := Site{PublicURL: "https://id.example.org:8443", Listen: ":8080"}
	ported := proxiesOf(t, auth.Application{URL: "https://wiki.example.org:9443", Hosts: []string{"docs.example.org"}}, site)
	here := proxiesOf(t, auth.Application{URL: "http://localhost:3001"}, Site{PublicURL: "http://localhost:8080", Listen: "127.0.0.1:8080"})
	for name, tt := range map[string]struct {
		settings   string
		has, lacks []string
	}{
		"nginx, other ports": {ported["nginx.conf"], []string{
			"listen 8443 ssl;\n    server_name id.example.org;", "listen 9443 ssl;\n    server_name wiki.example.org;",
			"listen 443 ssl;\n    server_name docs.example.org;", "X-Original-URL https://wiki.example.org:9443$request_uri;",
			"X-Original-URL https://docs.example.org$request_uri;", "http://127.0.0.1:8080/forward-auth/nginx;"}, nil},
		"Caddy, other ports":   {ported["Caddyfile"], []string{"id.example.org:8443 {", "wiki.example.org:9443, docs.example.org {", "forward_auth 127.0.0.1:8080 {"}, nil},
		"Traefik, other ports": {ported["traefik.yml"], []string{"Host(`wiki.example.org`) || Host(`docs.example.org`)", "Host(`id.example.org`)"}, nil},
		"nginx, on this machine": {here["nginx.conf"], []string{"listen 3001;\n    server_name localhost;\n", "X-Original-URL http://localhost:3001$request_uri;"},
			[]string{"ssl_certificate ", "Twinlock and before", "return 404;"}},
		"Caddy, on this machine":   {here["Caddyfile"], []string{"http://localhost:3001 {"}, []string{"@questions"}},
		"Traefik, on this machine": {here["traefik.yml"], []string{"entryPoints: [web]", "Host(`localhost`)"}, []string{"tls: {}", "service: twinlock"}},
	} {
		for _, words := range tt.has {
			if !strings.Contains(tt.settings, words) {
				t.Errorf("%s: %q is missing in\n%s", name, words, tt.settings)
			}
		}
		for _, words := range tt.lacks {
			if strings.Contains(tt.settings, words) {
				t.Errorf("%s: %q stands in\n%s", name, words, tt.settings)
			}
		}
	}
}

// Nothing but names of hosts gets into the settings.
func TestNoAddressWritesIntoTheSettingsOfAProxy(t *testing.T) {
	for _, address := range []string{"https://wiki.example.org;return/", "https://a{b}/", "https://a`b/", "https://a\nb/", "https://a$b/", "wiki.example.org#x/", ""} {
		if all, err := Proxies(auth.Application{URL: address}, documentedSite); err == nil {
			t.Errorf("%q: %s", address, all[0].Settings)
		}
		if _, err := Proxies(auth.Application{URL: "https://wiki.example.org", Hosts: []string{address}}, documentedSite); err == nil {
			t.Errorf("%q as a further host", address)
		}
	}
}

// What takes away whatever a visitor says of themselves is written once. A
// second text of it would stay behind when the first is mended.
func TestNoRecipeProtectsInWordsOfItsOwn(t *testing.T) {
	documented := ""
	for _, file := range []string{"Caddyfile", "nginx.conf", "traefik.yml"} {
		text, err := os.ReadFile(filepath.Join("..", "..", "docs", "proxies", file))
		if err != nil {
			t.Fatal(err)
		}
		documented += string(text)
	}
	each(t, func(t *testing.T, r Recipe) {
		for line := range strings.Lines(r.Snippet) {
			line = strings.TrimSpace(line)
			if (strings.Contains(line, "twinlock-app") || strings.Contains(line, "request_header -")) && !strings.Contains(documented, line+"\n") {
				t.Errorf("%s is not in docs/proxies", line)
			}
		}
	})
}

func TestTheSettingsOfProxiesLeadWhereTheProgramListens(t *testing.T) {
	site := documentedSite
	site.Upstream = "127.0.0.1:3001"
	for file, settings := range proxiesOf(t, documentedApp, site) {
		if !strings.Contains(settings, "127.0.0.1:3001") || strings.Contains(settings, "127.0.0.1:3000") {
			t.Errorf("%s leads elsewhere:\n%s", file, settings)
		}
	}
}

// Whoever speaks TLS has its port: a proxy could not listen there too, and would
// be refused in plain http.
func TestTheSettingsOfProxiesAskTwinlockAsItSpeaks(t *testing.T) {
	own := proxiesOf(t, documentedApp, Site{PublicURL: "https://id.example.org:8443", Listen: ":8443", TLS: true})
	for file, has := range map[string][]string{
		"nginx.conf":  {"proxy_pass https://127.0.0.1:8443/forward-auth/nginx;", "proxy_ssl_name id.example.org;", "proxy_ssl_server_name on;", "proxy_ssl_verify on;"},
		"Caddyfile":   {"forward_auth https://127.0.0.1:8443 {", "tls_server_name id.example.org"},
		"traefik.yml": {`address: "https://id.example.org:8443/forward-auth/traefik"`},
	} {
		for _, words := range has {
			if !strings.Contains(own[file], words) {
				t.Errorf("%s: %q is missing in\n%s", file, words, own[file])
			}
		}
		for _, words := range []string{"http://127.0.0.1:8443", "listen 8443", "id.example.org:8443 {", "Host(`id.example.org`)"} {
			if strings.Contains(own[file], words) {
				t.Errorf("%s: %q stands in\n%s", file, words, own[file])
			}
		}
	}
}
