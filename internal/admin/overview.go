package admin

import (
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
	page := overviewPage{Health: health, Chart: chartOf(days), Notes: h.notes(health)}
	return h.Show(w, r, http.StatusOK, "admin/overview", page)
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

// bar is one day of the chart, in units of its view box.
type bar struct {
	Day               store.Day
	X                 int
	Logins, Refused   int // heights
	RefusedY, LoginsY int
}

// chart draws the logins per day: a column each, refusals on top of logins.
type chart struct {
	Bars          []bar
	Width, Height int
	Most          int
	Total         int
}

const (
	barWidth    = 10
	barGap      = 4
	chartHeight = 120
)

func chartOf(days []store.Day) chart {
	c := chart{Height: chartHeight, Width: len(days) * (barWidth + barGap)}
	for _, d := range days {
		c.Most = max(c.Most, d.Logins+d.Refused)
		c.Total += d.Logins + d.Refused
	}
	for i, d := range days {
		b := bar{Day: d, X: i * (barWidth + barGap)}
		if c.Most > 0 {
			b.Logins, b.Refused = d.Logins*chartHeight/c.Most, d.Refused*chartHeight/c.Most
		}
		b.LoginsY = chartHeight - b.Logins
		b.RefusedY = b.LoginsY - b.Refused
		c.Bars = append(c.Bars, b)
	}
	return c
}
