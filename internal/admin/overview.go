package admin

import (
	"context"
	"net/http"

	"github.com/twinlock/twinlock/internal/config"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/web"
)

// chartDays is how far back the overview looks.
const chartDays = 30

func (h *Flow) showOverview(w http.ResponseWriter, r *http.Request) error {
	ctx, now := r.Context(), web.Asking(r).Now
	health, err := h.Store.Health(ctx, now)
	if err != nil {
		return err
	}
	days, err := h.Store.LoginsPerDay(ctx, chartDays, now)
	if err != nil {
		return err
	}
	passkeys, err := h.passkeysElsewhere(ctx)
	if err != nil {
		return err
	}
	page := overviewPage{Health: health, Chart: chartOf(days), Notes: append(passkeys, h.notes(health)...)}
	return h.Show(w, r, http.StatusOK, "admin/overview", page)
}

// passkeysElsewhere warns where the host's name was changed after passkeys were
// made.
func (h *Flow) passkeysElsewhere(ctx context.Context) ([]ui.Note, error) {
	domain := h.Settings.PublicURL.Host()
	passkeys, people, err := h.Store.PasskeysElsewhere(ctx, domain)
	if err != nil || passkeys == 0 {
		return nil, err
	}
	return []ui.Note{passkeysElsewhereNote(passkeys, people, domain)}, nil
}

func passkeysElsewhereNote(passkeys, people int, domain string) ui.Note {
	return ui.Note{Tone: ui.Warning, Text: ui.N("health.passkeysElsewhere", passkeys, "People", people, "Domain", domain)}
}

// notes are what an administrator ought to look at, the gravest first.
func (h *Flow) notes(health store.Health) (notes []ui.Note) {
	if health.FactorsUnreadable > 0 {
		notes = append(notes, ui.Note{Tone: ui.Bad, Text: ui.N("health.unreadable", health.FactorsUnreadable),
			Action: &ui.Button{Label: ui.T("admin.events"), Href: "/admin/events?kind=factor.unreadable", Look: ui.Secondary}})
	}
	if health.LettersFailed > 0 {
		notes = append(notes, ui.Note{Tone: ui.Bad, Text: ui.N("health.lettersFailed", health.LettersFailed, "Why", health.LastFailure)})
	}
	if h.Settings.SMTP.Reveal() == "" {
		notes = append(notes, ui.Note{Tone: ui.Warning, Text: ui.T("health.noMail")})
	}
	if health.Administrators == 1 {
		notes = append(notes, ui.Note{Text: ui.T("health.oneAdministrator")})
	}
	if h.Settings.OnResetAdmins == config.ResetFactors {
		notes = append(notes, ui.Note{Text: ui.T("health.resetAdministrators")})
	}
	return notes
}

// chartOf draws logins and refusals.
func chartOf(days []store.Day) ui.Chart {
	drawn := make([]ui.Day, len(days))
	for i, d := range days {
		drawn[i] = ui.Day{Start: d.Start, Done: d.Logins, Refused: d.Refused}
	}
	c := ui.NewChart(drawn)
	c.ID, c.Title, c.None = "logins", ui.T("health.logins"), ui.T("health.noLogins")
	c.Done, c.Refused = ui.T("health.loginsDone"), ui.T("health.loginsRefused")
	return c
}
