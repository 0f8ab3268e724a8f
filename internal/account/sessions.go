package account

import (
	"errors"
	"net/http"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/web"
)

// sessionRow is one of a person's sessions.
type sessionRow struct {
	ID       auth.SessionID
	Browser  string // in words; "" where it says nothing that is understood
	Network  string
	Began    time.Time
	LastSeen time.Time
	This     bool
	Lapsed   bool // it waits for its open window
}

type sessionsPage struct {
	Sessions []sessionRow
	Others   bool
}

func (h *Flow) showSessions(w http.ResponseWriter, r *http.Request) error {
	v := web.Asking(r)
	all, err := h.Store.Sessions(r.Context(), v.User().ID)
	if err != nil {
		return err
	}
	var page sessionsPage
	for _, s := range all {
		standing := auth.StandingOf(s, v.User(), v.Policy(), v.Now)
		this := s.ID == v.Presence.Session.ID
		if standing == auth.Over {
			continue
		}
		if this {
			s.LastSeen = v.Now
		}
		page.Others = page.Others || !this
		page.Sessions = append(page.Sessions, sessionRow{ID: s.ID, Browser: web.BrowserInWords(s.Device), Network: s.Network,
			Began: s.Began, LastSeen: s.LastSeen, This: this, Lapsed: !this && standing == auth.Lapsed})
	}
	return h.Show(w, r, http.StatusOK, "account/sessions", page)
}

// endSession ends one of the person's own sessions. Anybody else's is not
// found; the acting one is ended by logging out.
func (h *Flow) endSession(w http.ResponseWriter, r *http.Request) error {
	v := web.Asking(r)
	form, err := web.ReadForm(r, "session")
	if err != nil {
		return err
	}
	err = h.Store.EndSession(r.Context(), v.Actor(), v.User().ID, auth.SessionID(form["session"]),
		auth.EventSessionEnded, "ended by its owner", v.Now)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	h.Notice(w, "sessions.doneEnded")
	return web.Redirect(w, "/account/sessions")
}

func (h *Flow) endOthers(w http.ResponseWriter, r *http.Request) error {
	v := web.Asking(r)
	if _, err := web.ReadForm(r); err != nil {
		return err
	}
	ended, err := h.Store.EndSessions(r.Context(), v.Actor(), v.User().ID, v.Presence.Session.ID, "ended by its owner", v.Now)
	if err != nil {
		return err
	}
	h.NoticeCount(w, "sessions.doneOthers", int(ended))
	return web.Redirect(w, "/account/sessions")
}
