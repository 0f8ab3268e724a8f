package admin

import (
	"net/http"
	"slices"

	"github.com/twinlock/twinlock/internal/config"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/web"
)

func (h *Flow) showSettings(w http.ResponseWriter, r *http.Request) error {
	chosen, err := h.Registration(r.Context())
	if err != nil {
		return err
	}
	page := settingsPage{Settings: h.Settings.Show(), Mail: h.Settings.SMTP.Reveal() != ""}
	page.Registration = registrationChoices(chosen)
	page.Given = h.Settings.Given("registration")
	return h.Show(w, r, http.StatusOK, "admin/settings", page)
}

func registrationChoices(chosen config.Registration) ui.Choices {
	c := ui.Choices{Name: "registration", Legend: ui.T("settings.registration")}
	for _, r := range []config.Registration{config.Open, config.Invited, config.Closed} {
		c.Options = append(c.Options, ui.Option{Value: string(r), Label: ui.T("settings.registration-" + string(r)), Chosen: r == chosen})
	}
	return c
}

func (h *Flow) saveRegistration(w http.ResponseWriter, r *http.Request) error {
	v := web.Asking(r)
	form, err := web.ReadForm(r, "registration")
	if err != nil {
		return err
	}
	chosen := config.Registration(form["registration"])
	if h.Settings.Given("registration") || !slices.Contains([]config.Registration{config.Open, config.Invited, config.Closed}, chosen) {
		return web.BadRequest()
	}
	if err := h.Store.SetSetting(r.Context(), v.Actor(), "registration", string(chosen), v.Now); err != nil {
		return err
	}
	h.Notice(w, "settings.doneSaved")
	return web.Redirect(w, "/admin/settings")
}

// sendTestLetter mails the administrator, to see that mail works.
func (h *Flow) sendTestLetter(w http.ResponseWriter, r *http.Request) error {
	v := web.Asking(r)
	if _, err := web.ReadForm(r); err != nil {
		return err
	}
	by := v.Actor()
	by.User.Language = v.Texts.Tag() // of the page, where the person chose none
	if err := h.Store.SendTestLetter(r.Context(), by, v.Now); err != nil {
		return err
	}
	h.Notice(w, "settings.doneTestLetter")
	return web.Redirect(w, "/admin/settings")
}
