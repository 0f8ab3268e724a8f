package oidc

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/redirect"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/web"
)

// authorize takes an application's request. It writes nothing but, for somebody
// who is signed in and owes nothing, the code.
func (h *Flow) authorize(w http.ResponseWriter, r *http.Request) error {
	p, ok := readQuery(r)
	if !ok {
		return unsound()
	}
	c, err := h.asked(r, p)
	if err != nil {
		return err
	}
	req, err := h.read(r, p, c, web.Asking(r).Now)
	var why *refusal
	if errors.As(err, &why) {
		return h.redirect(w, r, h.answer(req, refused(*why)), c.Name)
	} else if err != nil {
		return err
	}
	if locales := strings.Fields(p.get("ui_locales")); len(locales) > 0 {
		h.SuggestLanguage(w, r, locales[:min(len(locales), mostLocales)]...)
	}
	return h.goOn(w, r, req, turn{sendOn: h.redirect})
}

// mostLocales is how many languages of ui_locales are looked at.
const mostLocales = 10

// authorizeByForm takes a request that an application's page posted. A browser
// sends no cookies along with it, so it is asked to come back by itself.
func (h *Flow) authorizeByForm(w http.ResponseWriter, r *http.Request) error {
	p, ok := readBody(r)
	if !ok {
		return unsound()
	}
	return web.Redirect(w, authorizePath+"?"+url.Values(p).Encode())
}

// isSilent tells a request that wants nobody to see a page: no person made it.
func isSilent(r *http.Request) bool {
	return slices.Contains(strings.Fields(strings.Join(r.URL.Query()["prompt"], " ")), "none")
}

// comesAgain tells that whatever is posted comes again by an address.
func comesAgain(*http.Request) bool { return true }

// asked finds the application that a request names.
func (h *Flow) asked(r *http.Request, p parameters) (store.Registered, error) {
	if p.repeats("client_id", "redirect_uri") {
		return store.Registered{}, unsound()
	}
	return h.registered(r, auth.ApplicationID(p.get("client_id")), p.get("redirect_uri"))
}

// registered finds an application, and holds the address for an answer against
// those that are registered for it. As long as either is not certain, nothing may
// be sent anywhere: the person is told, here.
func (h *Flow) registered(r *http.Request, id auth.ApplicationID, answersTo string) (store.Registered, error) {
	c, err := h.Store.Registered(r.Context(), id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return c, &web.Refusal{Status: http.StatusBadRequest, Heading: ui.T("oidc.unknownClientHeading"), Text: ui.T("oidc.unknownClient")}
	case err != nil:
		return c, err
	case !redirect.Takes(c.Client, answersTo):
		return c, &web.Refusal{Status: http.StatusBadRequest, Heading: ui.T("oidc.wrongRedirectHeading"),
			Text: ui.T("oidc.wrongRedirect", "Name", c.Name)}
	}
	return c, nil
}

// unsound is the answer to what no application sends.
func unsound() error {
	return &web.Refusal{Status: http.StatusBadRequest, Heading: ui.T("oidc.unsoundHeading"), Text: ui.T("oidc.unsound")}
}

func refused(why refusal) url.Values {
	return url.Values{"error": {why.code}, "error_description": {why.why}}
}

// answer is the address that an answer goes to, with the answer in its query,
// after whatever the registered address has there already. It says who answers,
// so that no other server's answer is taken for ours (RFC 9207).
func (h *Flow) answer(req request, values url.Values) string {
	if req.State != "" {
		values.Set("state", req.State)
	}
	values.Set("iss", h.PublicURL)
	joint := "?"
	if u, err := url.Parse(req.Redirect); err == nil && (u.RawQuery != "" || u.ForceQuery) {
		joint = "&"
	}
	return req.Redirect + joint + values.Encode()
}

// redirect sends the browser straight to the application: the request came from
// there, by an address.
func (h *Flow) redirect(w http.ResponseWriter, _ *http.Request, to, _ string) error {
	return web.Redirect(w, to)
}
