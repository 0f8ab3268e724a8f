package forwardauth

import (
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/origin"
	"github.com/twinlock/twinlock/internal/ui"
)

// refusedPage says why an application does not open, and what to do. It is
// shown with us, and by proxies at the application's own host, where only whole
// addresses lead to us.
type refusedPage struct {
	Heading, Text ui.Text
	Account       string // as whom the visitor is signed in; "" for nobody
	Buttons       []ui.Button
}

func newRefusedPage(ours, name string, u auth.User) refusedPage {
	return refusedPage{
		Heading: ui.T("forwardauth.refused", "Name", name), Text: ui.T("forwardauth.refusedText"), Account: u.Address,
		Buttons: []ui.Button{{Label: ui.T("forwardauth.toList"), Href: ours + "/apps"}},
	}
}

// newLackingPage is for a person who may, and for whom something is switched
// off that the application needs.
func newLackingPage(ours, name string, u auth.User) refusedPage {
	p := newRefusedPage(ours, name, u)
	p.Heading, p.Text = ui.T("apps.notOffered", "Name", name), ui.T("apps.notOfferedText")
	return p
}

// newSetUpPage leads to the set-up, and from there back to the application.
func newSetUpPage(ours, name, setUp string, back handOver) refusedPage {
	return refusedPage{
		Heading: ui.T("forwardauth.wantsSetUp", "Name", name), Text: ui.T("forwardauth.wantsSetUpText"),
		Buttons: []ui.Button{
			{Label: ui.T("forwardauth.setUp"), Icon: "shield", Href: ours + setUp + "?" + nextIs(back.path())},
			{Label: ui.T("forwardauth.toList"), Look: ui.Secondary, Href: ours + "/apps"},
		},
	}
}

func newMalformedPage(ours string) refusedPage {
	return refusedPage{
		Heading: ui.T("forwardauth.malformed"), Text: ui.T("forwardauth.malformedText"),
		Buttons: []ui.Button{{Label: ui.T("forwardauth.toList"), Href: ours + "/apps"}},
	}
}

// newNoCookiePage is for a browser, or a proxy, that keeps our cookie back.
func newNoCookiePage(ours string, to question) refusedPage {
	return refusedPage{
		Heading: ui.T("forwardauth.noCookie", "Host", to.Origin.Host), Text: ui.T("forwardauth.noCookieText"),
		Buttons: []ui.Button{
			{Label: ui.T("forwardauth.tryAgain"), Href: to.address()},
			{Label: ui.T("forwardauth.toList"), Look: ui.Secondary, Href: ours + "/apps"},
		},
	}
}

// newUnaskedPage is for a question that is none: what is wrong is for the
// operator to hear, and not for visitors.
func newUnaskedPage() refusedPage {
	return refusedPage{Heading: ui.T("forwardauth.unasked"), Text: ui.T("forwardauth.unaskedText")}
}

// Examples are the flow's pages in named states.
func Examples() []ui.Example {
	wiki := question{Origin: origin.Origin{Scheme: "https", Host: "wiki.example.org"}, Path: "/start"}
	ada := auth.User{Address: "ada@example.org"}
	alone := func(name string, page refusedPage) ui.Example {
		return ui.Example{Page: "forwardauth/refused", Name: name, Shell: ui.Shell{Alone: true}, Data: page}
	}
	with := ui.SignedIn([]ui.Example{
		{Page: "forwardauth/refused", Name: "not for this person, with us", Data: newRefusedPage("", "Wiki", ada)},
		{Page: "forwardauth/refused", Name: "needs two-factor authentication, with us", Data: newSetUpPage("", "Wiki", "/account/two-factor", handOver{To: wiki})},
	})
	return append(with,
		alone("not for this person", newRefusedPage("https://id.example.org", "Wiki", ada)),
		alone("something is switched off", newLackingPage("https://id.example.org", "Wiki", ada)),
		alone("needs two-factor authentication", newSetUpPage("https://id.example.org", "Γραφείο υποστήριξης με ένα αρκετά μακρύ όνομα", "/account/two-factor", handOver{To: wiki})),
		alone("an address that is none", newMalformedPage("https://id.example.org")),
		alone("no cookie", newNoCookiePage("https://id.example.org", wiki)),
		alone("a question that is none", newUnaskedPage()),
	)
}
