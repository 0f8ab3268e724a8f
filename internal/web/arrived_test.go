package web

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// What the settings of a proxy take from a visitor is what is told apart where
// it arrives all the same: one list, in the words of each proxy.
func TestTheProxiesTakeAwayWhateverTellsWhoSomebodyIs(t *testing.T) {
	read := func(file, line string) (names []string) {
		t.Helper()
		settings, err := os.ReadFile(filepath.Join("..", "..", "docs", "proxies", file))
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range regexp.MustCompile(line).FindAllStringSubmatch(string(settings), -1) {
			names = append(names, found[1])
		}
		return names
	}
	for file, line := range map[string]string{
		"nginx.conf":  `(?m)^        proxy_set_header ((?:Remote-|X-Forwarded-(?:User|Email|Name|Groups|Preferred)|X-Remote-|X-Webauth-)\S*) `,
		"traefik.yml": `(?m)^          (\S+): ""$`,
	} {
		var taken []string
		for _, name := range read(file, line) {
			taken = append(taken, http.CanonicalHeaderKey(strings.ReplaceAll(name, "_", "-")))
		}
		slices.Sort(taken)
		if taken = slices.Compact(taken); !slices.Equal(taken, identityHeaders) {
			t.Errorf("%s takes away\n%s, and who somebody is tell\n%s", file, taken, identityHeaders)
		}
	}
	taken := read("Caddyfile", `request_header -(\S+)\*`)
	for _, name := range identityHeaders {
		for _, spelled := range []string{name, http.CanonicalHeaderKey(strings.ReplaceAll(name, "-", "_"))} {
			if !slices.ContainsFunc(taken, func(beginning string) bool { return strings.HasPrefix(spelled, beginning) }) {
				t.Errorf("Caddyfile leaves %s", spelled)
			}
		}
	}
	for _, beginning := range taken {
		if !slices.ContainsFunc(identityHeaders, func(name string) bool {
			return strings.HasPrefix(strings.ReplaceAll(name, "-", "_"), strings.ReplaceAll(http.CanonicalHeaderKey(strings.ReplaceAll(beginning, "_", "-")), "-", "_"))
		}) {
			t.Errorf("Caddyfile takes %s* away, by which nobody is told", beginning)
		}
	}
}
