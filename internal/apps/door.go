package apps

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/web"
)

// showDoor is one application's door: it leads on, or says why not and what to
// do. An application that there is not, and one that is not for this person,
// look the same.
func (h *Flow) showDoor(w http.ResponseWriter, r *http.Request) error {
	v := web.Asking(r)
	a, err := h.Store.Application(r.Context(), auth.ApplicationID(r.PathValue("id")))
	if errors.Is(err, store.ErrNotFound) {
		return h.Show(w, r, http.StatusForbidden, "apps/door", newDoorPage(auth.Application{}, auth.NotAllowed, ""))
	} else if err != nil {
		return err
	}
	opening := a.OpeningFor(v.User(), v.Groups(), v.Policy())
	if opening == auth.Opens {
		return h.LeaveTo(w, r, a.URL, a.Name)
	}
	return h.Show(w, r, http.StatusForbidden, "apps/door", newDoorPage(a, opening, web.SetUpPage(v.Policy())))
}

// doorOf is the address of an application's door.
func doorOf(id auth.ApplicationID) string { return "/apps/" + url.PathEscape(string(id)) }

// doorPage says why an application does not open for this person.
type doorPage struct {
	Name          ui.Text
	Heading, Text ui.Text
	SetUp         string // where to enable what is missing; "" where that is not it
}

func newDoorPage(a auth.Application, why auth.Opening, setUp string) doorPage {
	p := doorPage{Name: ui.Words(a.Name)}
	switch why {
	case auth.WantsSetUp:
		p.Heading, p.Text = ui.T("apps.wantsSetUp", "Name", a.Name), ui.T("apps.wantsSetUpText")
		p.SetUp = setUp + "?" + url.Values{"next": {doorOf(a.ID)}}.Encode()
	case auth.NotOffered:
		p.Heading, p.Text = ui.T("apps.notOffered", "Name", a.Name), ui.T("apps.notOfferedText")
	default:
		p.Name = ui.T("apps.notAllowedTitle")
		p.Heading, p.Text = ui.T("apps.notAllowed"), ui.T("apps.notAllowedText")
	}
	return p
}
