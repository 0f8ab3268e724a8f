package recipe

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/i18n"
	"github.com/twinlock/twinlock/internal/redirect"
)

var update = flag.Bool("update", false, "write docs/recipes.md anew")

var wiki = Values{App: "https://wiki.example.org/", Issuer: "https://id.example.org", ClientID: "g43u72lggngrfqu4muoyghh27y", Secret: "the-secret"}

func each(t *testing.T, check func(*testing.T, Recipe)) {
	t.Helper()
	if len(All()) == 0 {
		t.Fatal("there are no recipes")
	}
	for _, r := range All() {
		t.Run(r.ID, func(t *testing.T) { check(t, r) })
	}
}

func TestEveryRecipeIsWhole(t *testing.T) {
	languages, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	each(t, func(t *testing.T, r Recipe) {
		if r.Name == "" {
			t.Error("it has no name")
		}
		for _, l := range languages.Languages() {
			if (r.Where[l.Tag] == "") != (r.Snippet == "") || r.Notes[l.Tag] == "" {
				t.Errorf("it does not say in %s where the snippet belongs, or what else there is to know", l.Tag)
			}
		}
		if !strings.HasPrefix(r.Source, "https://") {
			t.Errorf("its source is %q", r.Source)
		}
		if r.Read.Before(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)) {
			t.Errorf("it was read on %s", r.Read)
		}
		switch r.Kind {
		case auth.SpeaksOpenID:
			isWholeOfOpenID(t, r)
		case auth.BehindProxy:
			if len(r.Redirects)+len(r.Logout)+len(r.Scopes) > 0 || r.Notice+string(r.Algorithm)+string(r.Proves)+r.Groups != "" {
				t.Error("it says of OpenID Connect what a proxy does not ask")
			}
			if _, _, err := net.SplitHostPort(r.Upstream); err != nil || r.Snippet != "" {
				t.Error("it does not say where the program listens, or has settings of a proxy of its own")
			}
		default:
			t.Errorf("its kind is %q", r.Kind)
		}
	})
}

func isWholeOfOpenID(t *testing.T, r Recipe) {
	t.Helper()
	if len(r.Redirects) == 0 || r.Snippet == "" || len(r.Public) > 0 || r.Upstream != "" {
		t.Error("it has no redirect URI or no snippet, or speaks of a proxy")
	}
	if r.Scopes.String() != r.Asks || !r.Scopes.Has(auth.ScopeOpenID) {
		t.Errorf("its scopes are %q, of which we know %q", r.Asks, r.Scopes)
	}
	if !slices.Contains([]Proof{ByHeader, ByForm, ByChallenge}, r.Proves) || r.Proves == ByChallenge && !r.PKCE {
		t.Errorf("it proves itself by %q", r.Proves)
	}
	if !slices.Contains([]auth.Algorithm{auth.ES256, auth.RS256}, r.Algorithm) {
		t.Errorf("its algorithm is %q", r.Algorithm)
	}
	if (r.Groups != "") != r.Scopes.Has(auth.ScopeGroups) {
		t.Errorf("it takes groups from %q and asks for %q", r.Groups, r.Asks)
	}
	if r.Groups != "" && r.Groups != "groups" {
		t.Errorf("there is no claim %q", r.Groups)
	}
}

// What a recipe makes is taken by the rules that hold for everybody, with a
// port and below a path too.
func TestWhatARecipeMakesMayBeRegistered(t *testing.T) {
	for _, app := range []string{"https://wiki.example.org", "https://WIKI.example.org:8443/wiki/", "http://localhost:3000/"} {
		v := wiki
		v.App = app
		each(t, func(t *testing.T, r Recipe) {
			filled, err := r.Filled(v)
			if err != nil {
				t.Fatal(err)
			}
			if redirects, logouts, notice := redirect.CheckClient(filled.Client()); r.Kind == auth.SpeaksOpenID && errors.Join(redirects, logouts, notice) != nil {
				t.Error(redirects, logouts, notice)
			}
			for _, rule := range filled.Rules() {
				if !rule.IsRule() {
					t.Errorf("%s is no rule", rule.Path)
				}
			}
		})
	}
}

var leftOver = regexp.MustCompile(`\{\{|<[A-Za-z _-]+>|<no value>|XXXX|example\.(com|org)[^/]*$`)

func TestAFilledSnippetHasNothingLeftToFill(t *testing.T) {
	v := Values{App: "https://wiki.test/", Issuer: "https://id.test", ClientID: wiki.ClientID, Secret: wiki.Secret}
	each(t, func(t *testing.T, r Recipe) {
		filled, err := r.Filled(v)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(filled.Snippet) {
			if found := leftOver.FindString(strings.TrimSpace(line)); found != "" {
				t.Errorf("%q is left in: %s", found, line)
			}
		}
		if r.Kind != auth.SpeaksOpenID {
			return
		}
		for _, value := range []string{v.Issuer, v.ClientID} {
			if !strings.Contains(filled.Snippet, value) {
				t.Errorf("%s is not in the snippet", value)
			}
		}
		if strings.Contains(filled.Snippet, v.Secret) == (r.Proves == ByChallenge) {
			t.Error("the secret is in the snippet of a client that keeps none, or missing from one that does")
		}
		if strings.Contains(filled.Snippet, "//oidc") || strings.Contains(filled.Snippet, "test//") {
			t.Error("two slashes follow one another")
		}
	})
}

// What is pasted into a shell or a file of settings holds nothing that would
// act there.
func TestAnAddressThatWouldActInAShellIsNotFilledIn(t *testing.T) {
	r, ok := Find("gitea")
	if !ok {
		t.Fatal("there is no recipe for Gitea")
	}
	for _, app := range []string{
		"", "wiki", "ftp://wiki.example.org/", "https:///x", "https://ada@wiki.example.org/", "https://wiki.example.org/$(reboot)",
		"https://wiki.example.org/'x", "https://wiki.example.org/a;b", "https://wiki.example.org/a&b", "javascript:alert(1)",
	} {
		if _, err := r.Filled(Values{App: app, Issuer: wiki.Issuer}); err == nil {
			t.Errorf("%q is filled in", app)
		}
	}
	filled, err := r.Filled(Values{App: " https://wiki.example.org/?a=$(reboot)#b ", Issuer: wiki.Issuer})
	if err != nil || filled.Redirects[0] != "https://wiki.example.org/user/oauth2/twinlock/callback" {
		t.Errorf("%v, %v", filled.Redirects, err)
	}
	if strings.Contains(r.Redirects[0], "wiki.example.org") {
		t.Error("filling one recipe filled what everybody gets")
	}
}

func TestTheRecipesPageIsInStep(t *testing.T) {
	const path = "../../docs/recipes.md"
	want := []byte(page())
	if *update {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, want) {
		t.Errorf("%s is not what the recipes say; run: go test ./internal/recipe -update", path)
	}
}

func page() string {
	var b strings.Builder
	b.WriteString(`# Programs that were read up

What each of these programs needs so that its people sign in here. *Administration* → *Applications* → *Which program is
it?* fills the form from it, and afterwards shows the settings with your own values in them, ready to copy. *Tried* means
run against Twinlock, in the version named; *untried* means written from the source that is linked; both on the day
named. Something is wrong or missing? A program is one file in ` + "`internal/recipe/programs`" + `.

This page is made from those files by ` + "`go test ./internal/recipe -update`" + `.
`)
	for _, r := range All() {
		filled, err := r.Filled(Values{App: "https://app.example.org", Issuer: "https://id.example.org", ClientID: "CLIENT-ID", Secret: "CLIENT-SECRET"})
		if err != nil {
			return err.Error()
		}
		fmt.Fprintf(&b, "\n## %s\n\n| | |\n|---|---|\n", r.Name)
		row := func(what, is string) {
			if is != "" {
				fmt.Fprintf(&b, "| %s | %s |\n", what, is)
			}
		}
		row("Signs in by", map[auth.Kind]string{auth.SpeaksOpenID: "OpenID Connect", auth.BehindProxy: "a reverse proxy"}[r.Kind])
		row("Redirect URIs", code(filled.Redirects))
		row("After a logout", code(filled.Logout))
		row("Logout notice", code([]string{filled.Notice}))
		row("Scopes", code([]string{r.Asks}))
		row("Proves itself by", code([]string{string(r.Proves)}))
		if r.Kind == auth.SpeaksOpenID {
			row("PKCE", map[bool]string{true: "yes", false: "no"}[r.PKCE])
		}
		row("Signature", code([]string{string(r.Algorithm)}))
		row("Groups from", code([]string{r.Groups}))
		row("Asks nothing", code(r.Public))
		row("Listens at", code([]string{r.Upstream}))
		row("Belongs into", r.Where["en"])
		row("State", state(r))
		if r.Kind == auth.BehindProxy {
			b.WriteString("\nWhat to put before it stands in [Applications behind a reverse proxy](proxies/README.md).\n")
		} else {
			fmt.Fprintf(&b, "\n```\n%s```\n", filled.Snippet)
		}
		fmt.Fprintf(&b, "\n%s\n", r.Notes["en"])
	}
	return b.String()
}

func code(words []string) string {
	quoted := make([]string, 0, len(words))
	for _, w := range words {
		if w != "" {
			quoted = append(quoted, "`"+w+"`")
		}
	}
	return strings.Join(quoted, ", ")
}

func state(r Recipe) string {
	said := fmt.Sprintf("[read](%s) on %s, ", r.Source, r.Read.Format(time.DateOnly))
	if r.Tried == "" {
		return said + "untried"
	}
	return said + "tried with " + r.Tried
}
