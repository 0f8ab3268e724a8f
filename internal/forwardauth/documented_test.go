package forwardauth_test

import (
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// traefikFile is as much of Traefik's dynamic configuration as ours uses; any
// other key is one that nobody looked at.
type traefikFile struct {
	HTTP struct {
		Routers map[string]struct {
			EntryPoints []string `yaml:"entryPoints"`
			Rule        string
			Service     string
			Middlewares []string
			TLS         *struct{} `yaml:"tls"`
		}
		Middlewares map[string]struct {
			Headers *struct {
				CustomRequestHeaders map[string]string `yaml:"customRequestHeaders"`
			}
			ForwardAuth *struct {
				Address             string
				TrustForwardHeader  *bool    `yaml:"trustForwardHeader"`
				AuthResponseHeaders []string `yaml:"authResponseHeaders"`
			} `yaml:"forwardAuth"`
		}
		Services map[string]struct {
			LoadBalancer struct {
				Servers []struct{ URL string }
			} `yaml:"loadBalancer"`
		}
	}
}

func documentedTraefik(t *testing.T) (f traefikFile) {
	t.Helper()
	file, err := os.Open(filepath.Join("..", "..", "docs", "proxies", "traefik.yml"))
	must(t, err)
	defer file.Close()
	read := yaml.NewDecoder(file)
	read.KnownFields(true)
	must(t, read.Decode(&f))
	return f
}

// Traefik itself runs in no test: its settings are held against themselves, and
// against what we answer.
func TestTheSettingsOfTraefikHoldTogether(t *testing.T) {
	http := documentedTraefik(t).HTTP
	for name, router := range http.Routers {
		if _, ok := http.Services[router.Service]; !ok {
			t.Errorf("%s leads to a service %s that there is not", name, router.Service)
		}
		for _, middleware := range router.Middlewares {
			if _, ok := http.Middlewares[middleware]; !ok {
				t.Errorf("%s goes through %s, which there is not", name, middleware)
			}
		}
		if router.TLS == nil || !strings.HasPrefix(router.Rule, "Host(`") {
			t.Errorf("%s: %+v", name, router)
		}
	}
	asked := http.Routers["application"].Middlewares
	if len(asked) != 2 || http.Middlewares[asked[0]].Headers == nil || http.Middlewares[asked[1]].ForwardAuth == nil {
		t.Errorf("the application's router goes through %v: first every claim goes, then we are asked", asked)
	}
	if len(http.Routers["twinlock"].Middlewares) > 0 {
		t.Error("our own pages are asked about")
	}
}

func TestTraefikAsksWhereWeAnswerAndHandsOnWhatWeSay(t *testing.T) {
	middlewares := documentedTraefik(t).HTTP.Middlewares
	ask := middlewares["twinlock"].ForwardAuth
	if ask.TrustForwardHeader == nil || *ask.TrustForwardHeader {
		t.Error("what a visitor says of the address they ask for would be believed")
	}
	address, err := url.Parse(ask.Address)
	must(t, err)
	proxy, ok := strings.CutPrefix(address.Path, "/forward-auth/")
	if !ok || proxy != "traefik" {
		t.Fatalf("it asks at %s", ask.Address)
	}
	d := newDoor(t)
	answer := signedIn(t, d, "ada@example.org").asks(proxy, wikiURL+"/", navigation)
	wantStatus(t, answer, http.StatusOK)
	var said []string
	for _, name := range identity {
		if _, told := answer.Header[name]; told {
			said = append(said, name)
		}
	}
	if !slices.Equal(ask.AuthResponseHeaders, said) {
		t.Errorf("it hands on %v, and we say %v", ask.AuthResponseHeaders, said)
	}
	taken := middlewares["nobody"].Headers.CustomRequestHeaders
	for name, value := range taken {
		if value != "" {
			t.Errorf("%s is set to %q in place of being taken away", name, value)
		}
	}
	for _, name := range spellings(identity) {
		if _, ok := taken[name]; !ok {
			t.Errorf("a visitor's own %s reaches the application", name)
		}
	}
}

// spellings are names with each hyphen as it is and as an underscore, which many
// applications take for the same.
func spellings(names []string) []string {
	all := map[string]bool{}
	for _, name := range names {
		all[name], all[strings.ReplaceAll(name, "-", "_")] = true, true
	}
	return slices.Sorted(maps.Keys(all))
}
