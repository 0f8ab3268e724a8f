// Package recipe knows what programs need to sign people in through Twinlock:
// a file for each in programs, read up in the program's own papers or source.
package recipe

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
	"text/template"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/twinlock/twinlock/internal/auth"
)

//go:embed programs
var programs embed.FS

// Recipe is what one program needs. Where it holds an address, {{.App}} stands
// for the program's own, without a slash at the end, {{.Host}} for the host in
// it, and {{.Issuer}} for ours.
type Recipe struct {
	ID   string `toml:"-"` // the name of its file
	Name string
	Kind auth.Kind

	// Of OpenID Connect.
	Redirects []string       // where the program wants answers
	Logout    []string       // where it may lead people after a logout
	Notice    string         // where it hears that a session ended; "" where it does not
	Scopes    auth.Scopes    `toml:"-"` // that the snippet asks for
	Asks      string         `toml:"scopes"`
	Proves    Proof          // how it proves who it is
	PKCE      bool           `toml:"pkce"` // it sends a code challenge
	Algorithm auth.Algorithm // that it is sure to know
	Groups    string         // the claim from which it takes groups; "" for none

	// Of a reverse proxy.
	Upstream string   // where the program listens
	Public   []string // addresses, and all below them, that must ask nothing

	// Of OpenID Connect: what a proxy is told is the same for every program,
	// see Proxies.
	Where   Words  // the place that the snippet belongs into
	Snippet string // what is put there

	Notes Words // what else there is to know; may be empty

	Source string    // where it was read up
	Read   time.Time // when
	Tried  string    // the version that it was tried with; "" for untried
}

// Words say something in each language, by its tag.
type Words map[string]string

// Proof is how a client proves who it is at the token endpoint.
type Proof string

const (
	ByHeader    Proof = "client_secret_basic"
	ByForm      Proof = "client_secret_post"
	ByChallenge Proof = "none" // a public client: by PKCE alone
)

// all are read once, when somebody first wants one: they are part of the
// program, and a test reads them too.
var all = sync.OnceValue(read)

// All gives every recipe, by name.
func All() []Recipe { return slices.Clone(all()) }

// Find gives the recipe of this identifier; false where there is none.
func Find(id string) (Recipe, bool) {
	known := all()
	i := slices.IndexFunc(known, func(r Recipe) bool { return r.ID == id })
	if i < 0 {
		return Recipe{}, false
	}
	return known[i], true
}

func read() []Recipe {
	files, err := fs.Glob(programs, "programs/*.toml")
	if err != nil {
		panic(err)
	}
	var recipes []Recipe
	for _, file := range files {
		r := Recipe{ID: strings.TrimSuffix(path.Base(file), ".toml")}
		meta, err := toml.DecodeFS(programs, file, &r)
		if unknown := meta.Undecoded(); err == nil && len(unknown) > 0 {
			err = fmt.Errorf("%s: unknown key %s", file, unknown[0])
		}
		if err != nil {
			panic(err)
		}
		r.Scopes = auth.ParseScopes(r.Asks)
		r.Read = time.Date(r.Read.Year(), r.Read.Month(), r.Read.Day(), 0, 0, 0, 0, time.UTC)
		recipes = append(recipes, r)
	}
	slices.SortFunc(recipes, func(a, b Recipe) int { return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) })
	return recipes
}

// Values fill a recipe for one application.
type Values struct {
	App      string // its address
	Issuer   string
	ClientID string
	Secret   string
}

// ErrAddress is the answer to an address that is not one of a web site, or has
// a sign in it that means something to a shell or in a file of settings.
var ErrAddress = errors.New("not an address that can be written into settings")

// Filled gives the recipe with the values put in.
func (r Recipe) Filled(v Values) (Recipe, error) {
	app, host, err := siteOf(v.App)
	if err != nil {
		return r, err
	}
	in := filling{App: app, Host: host, Issuer: v.Issuer, ClientID: v.ClientID, Secret: v.Secret}
	r.Redirects, r.Logout = in.each(r.Redirects), in.each(r.Logout)
	r.Notice, r.Snippet = in.fill(r.Notice), in.fill(r.Snippet)
	return r, in.err
}

// siteOf gives an address without its query and the slash at its end, and the
// host in it.
func siteOf(address string) (site, host string, err error) {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil {
		return "", "", ErrAddress
	}
	site = u.Scheme + "://" + strings.ToLower(u.Host) + strings.TrimRight(u.EscapedPath(), "/")
	if strings.ContainsFunc(site, meansSomething) {
		return "", "", ErrAddress
	}
	return site, strings.ToLower(u.Host), nil
}

func meansSomething(c rune) bool {
	isPlain := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("-._~:/%[]", c)
	return !isPlain
}

// filling fills one text after the other, up to the first that cannot be.
type filling struct {
	App, Host, Issuer, ClientID, Secret string

	err error
}

func (f *filling) each(texts []string) (filled []string) {
	for _, text := range texts {
		filled = append(filled, f.fill(text))
	}
	return filled
}

func (f *filling) fill(text string) string {
	t, err := template.New("").Parse(text)
	var b strings.Builder
	if err == nil {
		err = t.Execute(&b, f)
	}
	f.err = errors.Join(f.err, err)
	return b.String()
}

// Client is how the program speaks OpenID Connect with us, once the recipe is
// filled.
func (r Recipe) Client() auth.Client {
	return auth.Client{Public: r.Proves == ByChallenge, WithoutPKCE: !r.PKCE, Algorithm: r.Algorithm,
		RedirectURIs: r.Redirects, LogoutURIs: r.Logout, LogoutNotice: r.Notice}
}

// Rules are what the program's addresses ask, behind a proxy.
func (r Recipe) Rules() (rules []auth.Rule) {
	for _, p := range r.Public {
		rules = append(rules, auth.Rule{Path: p, Access: auth.Public})
	}
	return rules
}
