package apps

import (
	"embed"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/web"
)

//go:embed pages
var files embed.FS

// Pages holds the flow's templates.
var Pages fs.FS = files

// Flow is the application list. It is safe for concurrent use.
type Flow struct{ *web.Floor }

// Routes are the flow's addresses.
func (h *Flow) Routes() []web.Route {
	return []web.Route{
		{Method: http.MethodGet, Path: "/apps", Need: web.SignedIn, Serve: h.showList},
		{Method: http.MethodGet, Path: "/apps/{id}", Need: web.SignedIn, Serve: h.showDoor},
		{Method: http.MethodGet, Path: "/apps/{id}/logo", Need: web.SignedIn, Background: true, Serve: h.sendLogo},
	}
}

// searchFrom is the number of applications from which a list is searched
// rather than looked through.
const searchFrom = 12

func (h *Flow) showList(w http.ResponseWriter, r *http.Request) error {
	query, err := web.ReadQuery(r, "search")
	if err != nil {
		return err
	}
	v := web.Asking(r)
	all, err := h.Store.ApplicationsFor(r.Context(), v.User().ID)
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(a auth.Application) bool { return !v.Policy().Enables(a.Kind.Plugin()) })
	page := newListPage(all, query["search"], v.User().Administrator)
	logos, err := h.Store.LogoVersions(r.Context())
	if err != nil {
		return err
	}
	page.picture(logos)
	page.judge(func(a auth.Application) auth.Opening { return a.OpeningForAllowed(v.User(), v.Policy()) })
	return h.Show(w, r, http.StatusOK, "apps/list", page)
}

// card is one application on the list.
type card struct {
	auth.Application
	Initial string
	Host    string // where it leads, for people to see
	Logo    string // the picture's address; "" where the initial stands for it
	Closed  bool   // allowed, and yet something is missing: its door says what
}

// Href is where the card leads: to the application, or to its door.
func (c card) Href() string {
	if c.Closed {
		return doorOf(c.ID)
	}
	return c.URL
}

// listPage is the application list.
type listPage struct {
	Cards         []card
	Search        *ui.Field // nil while there are few
	Administrator bool
	None          bool   // there is nothing, whatever was searched
	Searched      string // "" for nothing
	All           int    // applications, found or not
}

func newListPage(all []auth.Application, search string, administrator bool) listPage {
	search = strings.TrimSpace(search)
	p := listPage{Administrator: administrator, None: len(all) == 0, Searched: search, All: len(all)}
	if len(all) >= searchFrom {
		p.Search = &ui.Field{Name: "search", Label: ui.T("apps.search"), Kind: ui.KindSearch, Value: search}
	}
	for _, a := range all {
		if found(a, search) {
			p.Cards = append(p.Cards, card{Application: a, Initial: initial(a.Name), Host: host(a.URL)})
		}
	}
	return p
}

// picture gives the cards of applications that have a logo its address.
func (p *listPage) picture(versions map[auth.ApplicationID]string) {
	for i, c := range p.Cards {
		if version := versions[c.ID]; version != "" {
			p.Cards[i].Logo = doorOf(c.ID) + "/logo?" + url.Values{"version": {version}}.Encode()
		}
	}
}

// judge marks the cards that do not open for this person.
func (p *listPage) judge(opening func(auth.Application) auth.Opening) {
	for i := range p.Cards {
		p.Cards[i].Closed = opening(p.Cards[i].Application) != auth.Opens
	}
}

// found tells whether an application has every word of a search in what its
// card says.
func found(a auth.Application, search string) bool {
	said := strings.ToLower(a.Name + " " + a.Description + " " + host(a.URL))
	for word := range strings.FieldsSeq(strings.ToLower(search)) {
		if !strings.Contains(said, word) {
			return false
		}
	}
	return true
}

// initial is the first letter or digit of a name.
func initial(name string) string {
	for _, r := range name {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return string(unicode.ToUpper(r))
		}
	}
	return "·"
}

func host(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}

// Examples are the flow's pages in named states.
func Examples() []ui.Example {
	few := []auth.Application{
		{Name: "Wiki", Description: "What we know, and who knows it", URL: "https://wiki.example.org/"},
		{Name: "Γραφείο υποστήριξης με ένα αρκετά μακρύ όνομα", URL: "https://support.example.org/"},
		{Name: "photos", Description: "Pictures of the summer party", URL: "http://localhost:3000/"},
	}
	var many []auth.Application
	for range searchFrom / len(few) {
		many = append(many, few...)
	}
	long := []auth.Application{
		{Name: strings.Repeat("Donaudampfschifffahrt", 5), Description: "Without a single space", URL: "https://" + strings.Repeat("long-", 9) + "name.example.org/"},
		{Name: "A name of many words that goes on and on until nobody can remember how it began", Description: strings.Repeat("And a description to match. ", 9), URL: "https://a.example.org/"},
	}
	guarded := newListPage(few, "", false)
	guarded.Cards[1].Closed = true
	return ui.SignedIn([]ui.Example{
		{Page: "apps/list", Name: "nothing yet", Data: newListPage(nil, "", false)},
		{Page: "apps/list", Name: "nothing yet, for an administrator", Data: newListPage(nil, "", true)},
		{Page: "apps/list", Name: "a few", Data: newListPage(few, "", false)},
		{Page: "apps/list", Name: "many", Data: newListPage(many, "", false)},
		{Page: "apps/list", Name: "some found", Data: newListPage(many, "wiki knows", false)},
		{Page: "apps/list", Name: "nothing found", Data: newListPage(many, "zzz", false)},
		{Page: "apps/list", Name: "long names", Data: newListPage(long, "", false)},
		{Page: "apps/list", Name: "one needs two-factor authentication", Data: guarded},
		{Page: "apps/door", Name: "needs two-factor authentication", Data: newDoorPage(few[0], auth.WantsSetUp, "/account/two-factor")},
		{Page: "apps/door", Name: "what it needs is not offered", Data: newDoorPage(few[1], auth.NotOffered, "")},
		{Page: "apps/door", Name: "not for this person", Data: newDoorPage(few[0], auth.NotAllowed, "")},
	})
}
