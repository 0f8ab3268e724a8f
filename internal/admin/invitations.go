package admin

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/transfer"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/web"
)

const (
	inviteesShown = 200            // more is for the command line
	countedSince  = 24 * time.Hour // as long as a letter is tried
	reloads       = "5; url=/admin/invitations?again=yes"
)

// showInvitations tells how far the letters are and who has not accepted. While
// letters wait for their first try the page loads itself again: those that failed
// wait longer than anybody looks.
func (h *Flow) showInvitations(w http.ResponseWriter, r *http.Request) error {
	query, err := web.ReadQuery(r, "still")
	if err != nil {
		return err
	}
	now := web.Asking(r).Now
	page := invitationsPage{Still: query["still"] != "", Now: now}
	if page.Letters, err = h.Store.Letters(r.Context(), auth.LetterInvitation, now.Add(-countedSince)); err != nil {
		return err
	}
	if page.People, page.Found, err = h.Store.Invitees(r.Context(), inviteesShown); err != nil {
		return err
	}
	if page.Reloads() {
		w.Header().Set("Refresh", reloads)
	}
	return h.Show(w, r, http.StatusOK, "admin/invitations", page)
}

// loadsAgain tells the page that loads itself from the one that the person opens.
func loadsAgain(r *http.Request) bool { return r.URL.Query().Has("again") }

func (h *Flow) showInvitationList(w http.ResponseWriter, r *http.Request) error {
	return h.Show(w, r, http.StatusOK, "admin/invitation-list", newInvitationListPage(""))
}

// inviteList first tells what would happen, and does it when the same list comes
// again with the order to.
func (h *Flow) inviteList(w http.ResponseWriter, r *http.Request) error {
	v := web.Asking(r)

	// Read.
	form, err := web.ReadForm(r, "list", "checked", "send")
	if err != nil {
		return err
	}
	groups, err := h.Store.Groups(r.Context())
	if err != nil {
		return err
	}

	// Decide.
	page := newInvitationListPage(form["list"])
	if err := h.foresee(r, &page, groups, v.Now); err != nil {
		return err
	}
	if page.HasFailed() {
		return h.Show(w, r, http.StatusUnprocessableEntity, "admin/invitation-list", page)
	}
	if form["send"] == "" || form["checked"] != page.Checked || page.Will() == 0 {
		return h.Show(w, r, http.StatusOK, "admin/invitation-list", page)
	}

	// Write.
	from := transfer.NewReader(strings.NewReader(form["list"]), groups)
	came := newInvitationListPage(form["list"])
	err = transfer.InvitePeople(r.Context(), h.Store, v.Actor(), from, h.InvitationLink, came.tell, func(transfer.Fault) {}, func() time.Time { return v.Now })
	if err != nil {
		return err
	}

	// Answer.
	if len(came.TooMany) > 0 {
		return h.Show(w, r, http.StatusOK, "admin/invitation-list", came)
	}
	h.NoticeCount(w, "invitations.done", came.Sent)
	return web.Redirect(w, "/admin/invitations")
}

// foresee goes through a list without changing anything.
func (h *Flow) foresee(r *http.Request, page *invitationListPage, groups []auth.Group, now time.Time) error {
	from := transfer.NewReader(strings.NewReader(page.List.Value), groups)
	for {
		p, fault, err := from.Next()
		switch {
		case errors.Is(err, io.EOF):
			return page.finish()
		case err != nil:
			return err
		case fault != nil:
			page.Wrong = append(page.Wrong, wrongLine{fault.Line, ui.T("invitations.wrong-"+string(fault.Why), "Detail", fault.Detail)})
			continue
		}
		was, err := h.Store.InvitationOf(r.Context(), p.Address.Canonical, now)
		if err != nil {
			return err
		}
		page.count(was)
	}
}

type invitationsPage struct {
	Letters store.LetterCount
	People  []store.Invitee
	Found   int
	Still   bool // the person does not want the page to load itself again
	Now     time.Time
}

// Waits tells that letters wait for their first try.
func (p invitationsPage) Waits() bool { return p.Letters.Queued > p.Letters.Tried }

// Reloads tells that the page loads itself again.
func (p invitationsPage) Reloads() bool { return p.Waits() && !p.Still }

// Works tells that somebody's link still works.
func (p invitationsPage) Works(i store.Invitee) bool { return p.Now.Before(i.Until) }

// More is how many people are not shown.
func (p invitationsPage) More() int { return p.Found - len(p.People) }

// wrongLine is a line of a list that would not be taken.
type wrongLine struct {
	Line int
	Why  ui.Text
}

// invitationListPage takes a list and tells what would happen, and what came of
// it where that is not the same.
type invitationListPage struct {
	ui.Summary
	List    ui.Field
	Checked string // names the list that was gone through, "" before
	New     int
	Again   int // invited before, by a link that no longer works
	Before  int // by one that still works
	Known   int
	Wrong   []wrongLine
	Sent    int      // letters that are on their way
	TooMany []string // who had as many letters as they get in an hour, and was not invited
}

func newInvitationListPage(list string) invitationListPage {
	return invitationListPage{List: ui.Field{Name: "list", Label: ui.T("invitations.addresses"), Hint: ui.T("invitations.addressesHint"),
		Kind: ui.KindLines, Rows: 12, Required: true, Value: list}}
}

func (p *invitationListPage) count(was store.Invitation) {
	switch was {
	case store.NotInvited:
		p.New++
	case store.InvitationLapsed:
		p.Again++
	case store.InvitationOpen:
		p.Before++
	case store.HasAccount:
		p.Known++
	}
}

// tell counts what came of a line.
func (p *invitationListPage) tell(i transfer.Invited) {
	switch {
	case i.Many:
		p.TooMany = append(p.TooMany, i.Address.Spelling)
	case i.Was == store.NotInvited, i.Was == store.InvitationLapsed:
		p.Sent++
	}
}

// finish names the list, or marks that there is nothing in it.
func (p *invitationListPage) finish() error {
	if p.Will()+p.Before+p.Known+len(p.Wrong) == 0 {
		p.List.Error = ui.T("invitations.nothing")
		p.Summary = ui.Summarize(ui.Text{}, &p.List)
		return nil
	}
	p.Checked = asShown(p.List.Value)
	return nil
}

// Will is how many people would be invited.
func (p invitationListPage) Will() int { return p.New + p.Again }

func invitationExamples(at time.Time) []ui.Example {
	people := []store.Invitee{
		{User: auth.User{ID: "f", Address: "fay@example.org", Name: "Fay", Created: at}, Invited: at, Until: at.Add(24 * time.Hour)},
		{User: auth.User{ID: "g", Address: "georgios.with.a.very.long.address.indeed@subdomain.example.org", Created: at}, Invited: at.AddDate(0, 0, -3), Until: at.AddDate(0, 0, -2)},
		{User: auth.User{ID: "h", Address: "hao@example.org", Created: at}},
	}
	checked := newInvitationListPage("ada@example.org, Ada\nbob\n")
	checked.New, checked.Again, checked.Before, checked.Known, checked.Checked = 27, 1, 3, 2, "x"
	for i, why := range []transfer.Why{transfer.NoAddress, transfer.Twice, transfer.WrongName, transfer.UnknownGroup, transfer.NoUTF8, transfer.LongLine, transfer.Unreadable, transfer.ImportOnly} {
		checked.Wrong = append(checked.Wrong, wrongLine{i + 2, ui.T("invitations.wrong-"+string(why), "Detail", "bob")})
	}
	came := newInvitationListPage("ada@example.org, Ada\nbob@example.org\n")
	came.Sent, came.TooMany = 1, []string{"bob@example.org"}
	empty := newInvitationListPage("")
	_ = empty.finish()
	return []ui.Example{
		{Page: "admin/invitations", Name: "letters on their way", Data: invitationsPage{Letters: store.LetterCount{Queued: 12, Sent: 17, Failed: 1}, People: people, Found: 203, Now: at}},
		{Page: "admin/invitations", Name: "nobody waits", Data: invitationsPage{Now: at}},
		{Page: "admin/invitation-list", Name: "empty", Data: newInvitationListPage("")},
		{Page: "admin/invitation-list", Name: "gone through", Data: checked},
		{Page: "admin/invitation-list", Name: "not everybody was invited", Data: came},
		{Page: "admin/invitation-list", Name: "refused", Data: empty},
	}
}
