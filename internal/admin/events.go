package admin

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/web"
)

// eventsOnAPage is as many lines as one page lists.
const eventsOnAPage = 50

func (h *Flow) showEvents(w http.ResponseWriter, r *http.Request) error {
	query, err := web.ReadQuery(r, "kind", "person", "before")
	if err != nil {
		return err
	}
	events, err := h.Store.Events(r.Context(), store.EventFilter{
		Kind: auth.EventKind(query["kind"]), Subject: auth.UserID(query["person"]),
		Before: query["before"], Limit: eventsOnAPage + 1})
	if err != nil {
		return err
	}
	page := eventsPage{Kind: kindChoices(query["kind"]), Person: query["person"]}
	if len(events) > eventsOnAPage {
		events = events[:eventsOnAPage]
		page.Older = "/admin/events?" + url.Values{"kind": {query["kind"]}, "person": {query["person"]},
			"before": {events[eventsOnAPage-1].ID}}.Encode()
	}
	page.Events = eventRows(events)
	return h.Show(w, r, http.StatusOK, "admin/events", page)
}

// eventRow is one line of the record.
type eventRow struct {
	store.ListedEvent
	What ui.Text
}

func eventRows(events []store.ListedEvent) []eventRow {
	rows := make([]eventRow, len(events))
	for i, e := range events {
		rows[i] = eventRow{e, eventText(e.Kind)}
	}
	return rows
}

// eventText is what a kind of event is called on the screen. A kind that this
// version no longer records keeps its own words.
func eventText(kind auth.EventKind) ui.Text {
	if !slices.Contains(auth.EventKinds, kind) {
		return ui.Words(string(kind))
	}
	return ui.T("event." + strings.NewReplacer(".", "-", "_", "-").Replace(string(kind)))
}

func kindChoices(chosen string) ui.Choices {
	c := ui.Choices{Name: "kind", Legend: ui.T("events.kind"), Options: []ui.Option{{Label: ui.T("events.all"), Chosen: chosen == ""}}}
	for _, k := range auth.EventKinds {
		c.Options = append(c.Options, ui.Option{Value: string(k), Label: eventText(k), Chosen: string(k) == chosen})
	}
	return c
}
