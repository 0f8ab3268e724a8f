package admin

import (
	"net/http"
	"net/url"

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
	page.Events = events
	return h.Show(w, r, http.StatusOK, "admin/events", page)
}

func kindChoices(chosen string) ui.Choices {
	c := ui.Choices{Name: "kind", Legend: ui.T("events.kind"), Options: []ui.Option{{Label: ui.T("events.all"), Chosen: chosen == ""}}}
	for _, k := range auth.EventKinds {
		c.Options = append(c.Options, ui.Option{Value: string(k), Label: ui.Words(string(k)), Chosen: string(k) == chosen})
	}
	return c
}
