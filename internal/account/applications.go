package account

import (
	"errors"
	"net/http"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/web"
)

// applicationRow is an application that the person signed in to.
type applicationRow struct {
	ID      auth.ApplicationID
	Name    string
	May     []ui.Text // what the person agreed to; none where an administrator did for everybody
	Given   time.Time
	Last    time.Time
	Offline bool
}

type applicationsPage struct{ Applications []applicationRow }

func newApplicationsPage(all []store.SignedInApplication) applicationsPage {
	var page applicationsPage
	for _, a := range all {
		row := applicationRow{ID: a.ID, Name: a.Name, Given: a.Given, Last: a.Last, Offline: a.Offline}
		for _, s := range a.Scopes {
			row.May = append(row.May, ui.T("oidc.scope-"+string(s)))
		}
		page.Applications = append(page.Applications, row)
	}
	return page
}

func (h *Flow) showApplications(w http.ResponseWriter, r *http.Request) error {
	v := web.Asking(r)
	all, err := h.Store.SignedInApplications(r.Context(), v.User().ID, v.Now)
	if err != nil {
		return err
	}
	return h.Show(w, r, http.StatusOK, "account/applications", newApplicationsPage(all))
}

// withdraw takes back what the person let an application learn, and ends what
// it holds.
func (h *Flow) withdraw(w http.ResponseWriter, r *http.Request) error {
	v := web.Asking(r)
	form, err := web.ReadForm(r, "application")
	if err != nil {
		return err
	}
	a, err := h.Store.Application(r.Context(), auth.ApplicationID(form["application"]))
	if err == nil {
		err = h.Store.WithdrawConsent(r.Context(), v.Actor(), a, v.Now)
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) { // deleted meanwhile, and its access with it
		return err
	}
	h.Notice(w, "signedinapps.doneWithdrawn")
	return web.Redirect(w, "/account/applications")
}
