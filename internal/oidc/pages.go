package oidc

import (
	"html/template"
	"net/url"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/ui"
)

// hostOf is whom an address belongs to, for people to see: its host, or the
// scheme that a program on this machine made its own.
func hostOf(address string) string {
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return ""
	case u.Host == "":
		return u.Scheme
	}
	return u.Host
}

// consentPage says what an application would learn, and asks.
type consentPage struct {
	Name    string
	Host    string // where the answer goes
	Account string
	Learns  []ui.Text
	Waiting string // the request, sealed
	Person  string // who is asked
}

func newConsentPage(req request, name, account, sealed, person string) consentPage {
	return consentPage{Name: name, Host: hostOf(req.Redirect), Account: account, Learns: inWords(req.Scopes),
		Waiting: sealed, Person: person}
}

// inWords says what scopes let an application learn, or do.
func inWords(scopes auth.Scopes) (said []ui.Text) {
	for _, s := range scopes {
		said = append(said, ui.T("oidc.scope-"+string(s)))
	}
	return said
}

// closedPage says why an application does not open for this person.
type closedPage struct {
	Name          string
	Heading, Text ui.Text
	SetUp         string       // where to enable what is missing; "" where that is not it
	Out           template.URL // back to the application, which is told
}

func newClosedPage(a auth.Application, why auth.Opening, setUp, sealed, out string) closedPage {
	p := closedPage{Name: a.Name, Out: template.URL(out)}
	switch why {
	case auth.WantsSetUp:
		p.Heading, p.Text = ui.T("apps.wantsSetUp", "Name", a.Name), ui.T("oidc.wantsSetUpText", "Name", a.Name)
		p.SetUp = setUp + "?" + url.Values{"next": {continueAt(sealed)}}.Encode()
	case auth.NotOffered:
		p.Heading, p.Text = ui.T("apps.notOffered", "Name", a.Name), ui.T("apps.notOfferedText")
	default:
		p.Heading, p.Text = ui.T("oidc.notAllowed", "Name", a.Name), ui.T("oidc.notAllowedText")
	}
	return p
}

// Examples are the flow's pages in named states.
func Examples() []ui.Example {
	wiki := auth.Application{ID: "a", Name: "Wiki"}
	const out = "https://wiki.example.org/signed-in?error=access_denied"
	req := request{Redirect: "https://wiki.example.org/signed-in", Scopes: auth.AllScopes}
	few := request{Redirect: "http://127.0.0.1:4000/signed-in", Scopes: auth.Scopes{auth.ScopeOpenID}}
	return ui.SignedIn([]ui.Example{
		{Page: "oidc/consent", Name: "everything", Data: newConsentPage(req, "Wiki", "ada@example.org", "w", "p")},
		{Page: "oidc/consent", Name: "a program on this machine", Data: newConsentPage(few, "Notes", "ada@example.org", "w", "p")},
		{Page: "oidc/closed", Name: "needs two-factor authentication", Data: newClosedPage(wiki, auth.WantsSetUp, "/account/two-factor", "w", out)},
		{Page: "oidc/closed", Name: "what it needs is not offered", Data: newClosedPage(wiki, auth.NotOffered, "", "w", out)},
		{Page: "oidc/logout", Name: "an application asks", Data: logoutPage{Name: "Wiki", Leaving: "l"}},
		{Page: "oidc/logout", Name: "somebody asks, and to go on to an unknown address", Data: logoutPage{Leaving: "l", Astray: true}},
		{Page: "oidc/closed", Name: "not for this person", Data: newClosedPage(wiki, auth.NotAllowed, "", "w", out)},
	})
}
