package admin

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/twinlock/twinlock/internal/address"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/web"
	"github.com/twinlock/twinlock/internal/written"
)

// usersOnAPage is as many people as one page lists.
const usersOnAPage = 50

func (h *Flow) showUsers(w http.ResponseWriter, r *http.Request) error {
	page, err := h.usersPage(r)
	if err != nil {
		return err
	}
	return h.Show(w, r, http.StatusOK, "admin/users", page)
}

func (h *Flow) usersPage(r *http.Request) (usersPage, error) {
	query, err := web.ReadQuery(r, "search", "locked", "after", "before")
	if err != nil {
		return usersPage{}, err
	}
	search, now := strings.TrimSpace(query["search"]), web.Asking(r).Now
	filter := store.UserFilter{Search: search, Locked: query["locked"] != "", Limit: usersOnAPage + 1,
		After: auth.UserID(query["after"]), Before: auth.UserID(query["before"])}
	people, found, err := h.Store.Users(r.Context(), filter, now)
	if err != nil {
		return usersPage{}, err
	}
	_, locked, err := h.Store.Users(r.Context(), store.UserFilter{Locked: true, Limit: 1}, now)
	if err != nil {
		return usersPage{}, err
	}
	people, pagination := pageOf(people, filter)
	page := newUsersPage(people, found, search)
	page.Locked, page.OnlyLocked, page.Pagination = locked, filter.Locked, pagination
	return page, nil
}

// pageOf takes the one person away who only tells that the list goes on, and leads
// on from the others, and back.
func pageOf(people []store.ListedUser, f store.UserFilter) ([]store.ListedUser, *ui.Pagination) {
	more := len(people) > usersOnAPage
	earlier, later := f.After != "", more
	switch {
	case f.Before == "" && more:
		people = people[:usersOnAPage]
	case f.Before != "":
		earlier, later = more, true
		people = people[len(people)-min(len(people), usersOnAPage):]
	}
	if len(people) == 0 || !earlier && !later {
		return people, nil
	}
	query := url.Values{"search": {f.Search}}
	if f.Locked {
		query.Set("locked", "yes")
	}
	var p ui.Pagination
	if earlier {
		p.Previous = usersFrom(query, "before", people[0].ID)
	}
	if later {
		p.Next = usersFrom(query, "after", people[len(people)-1].ID)
	}
	return people, &p
}

func usersFrom(query url.Values, side string, id auth.UserID) string {
	query = maps.Clone(query)
	query.Set(side, string(id))
	return "/admin/users?" + query.Encode()
}

func (h *Flow) invite(w http.ResponseWriter, r *http.Request) error {
	v := web.Asking(r)
	form, err := web.ReadForm(r, "email", "name")
	if err != nil {
		return err
	}
	page, err := h.usersPage(r)
	if err != nil {
		return err
	}
	page.Email.Value, page.Name.Value = form["email"], form["name"]
	parsed, err := address.Parse(form["email"])
	if err != nil {
		page.Email.Error = ui.T("users.malformedAddress")
	}
	name, refused := web.ReadName(form["name"])
	page.Name.Error = refused
	if page.check() {
		return h.Show(w, r, http.StatusUnprocessableEntity, "admin/users", page)
	}
	u, err := h.Store.InviteUser(r.Context(), v.Actor(),
		store.NewUser{Address: parsed, Name: name}, h.InvitationLink, v.Now)
	switch {
	case errors.Is(err, store.ErrTaken):
		page.Email.Error = ui.T("users.taken")
	case errors.Is(err, store.ErrDisabled):
		page.Email.Error = ui.T("users.isDisabled")
	case errors.Is(err, store.ErrTooManyLetters):
		page.Email.Error = ui.T("users.tooManyLetters")
	case err != nil:
		return err
	}
	if page.check() {
		return h.Show(w, r, http.StatusUnprocessableEntity, "admin/users", page)
	}
	h.Notice(w, "users.doneInvited")
	return web.Redirect(w, "/admin/users/"+string(u.ID))
}

func (h *Flow) showUser(w http.ResponseWriter, r *http.Request) error {
	page, err := h.userPage(r)
	if err != nil {
		return err
	}
	return h.Show(w, r, http.StatusOK, "admin/user", page)
}

func (h *Flow) userPage(r *http.Request) (page userPage, err error) {
	ctx, id := r.Context(), auth.UserID(r.PathValue("id"))
	if page.User, err = h.Store.User(ctx, id); err != nil {
		return page, err
	}
	set, err := h.Store.RecoverySet(ctx, id)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return page, err
	}
	page.CodesLeft = set.Left()
	if page.Factors, err = h.factorsOf(ctx, id); err != nil {
		return page, err
	}
	if page.Groups, err = h.memberships(r, id); err != nil {
		return page, err
	}
	if page.Doors, err = h.Store.ClosedDoors(ctx, id); err != nil {
		return page, err
	}
	events, err := h.Store.Events(ctx, store.EventFilter{Subject: id, Limit: 10})
	if err != nil {
		return page, err
	}
	page.Events = eventRows(events)
	policy, err := h.Live.PolicyOf(ctx, id)
	if err != nil {
		return page, err
	}
	page.Enabled = policy.OffersSecondFactor()
	if page.Sessions, err = h.sessionsOf(r, page.User, policy); err != nil {
		return page, err
	}
	page.Self = web.Asking(r).User().ID == id
	page.Reason = ui.Field{Name: "reason", Label: ui.T("users.reason"), Hint: ui.T("users.reasonHint"), Required: true}
	return page, nil
}

func (h *Flow) factorsOf(ctx context.Context, id auth.UserID) ([]factorRow, error) {
	apps, err := h.Store.ListedAuthenticators(ctx, id)
	if err != nil {
		return nil, err
	}
	passkeys, err := h.Store.Passkeys(ctx, id)
	return factorRows(apps, passkeys), err
}

// sessionsOf are a person's sessions that are not over, each with its browser in
// words.
func (h *Flow) sessionsOf(r *http.Request, u auth.User, p auth.Policy) ([]auth.Session, error) {
	all, err := h.Store.Sessions(r.Context(), u.ID)
	for i := range all {
		all[i].Device = web.BrowserInWords(all[i].Device)
	}
	return slices.DeleteFunc(all, func(s auth.Session) bool {
		return auth.StandingOf(s, u, p, web.Asking(r).Now) == auth.Over
	}), err
}

// memberships are all groups, ticked where the person is in.
func (h *Flow) memberships(r *http.Request, id auth.UserID) (ticks []ui.Checkbox, err error) {
	all, err := h.Store.Groups(r.Context())
	if err != nil {
		return nil, err
	}
	in, err := h.Store.GroupsOf(r.Context(), id)
	if err != nil {
		return nil, err
	}
	member := map[auth.GroupID]bool{}
	for _, g := range in {
		member[g.ID] = true
	}
	for _, g := range all {
		ticks = append(ticks, ui.Checkbox{Name: groupField(g), Label: ui.Words(g.Name), Checked: member[g.ID]})
	}
	return ticks, nil
}

// changeUser does the one thing that the address names.
func (h *Flow) changeUser(w http.ResponseWriter, r *http.Request) error {
	ctx, v, id := r.Context(), web.Asking(r), auth.UserID(r.PathValue("id"))
	by, now := v.Actor(), v.Now
	var err error
	done := ""
	switch r.PathValue("change") {
	case "disable":
		done, err = "users.doneDisabled", h.bare(r, func() error { return h.Store.DisableUser(ctx, by, id, now) })
	case "enable":
		done, err = "users.doneEnabled", h.bare(r, func() error { return h.Store.EnableUser(ctx, by, id, now) })
	case "end-sessions":
		done, err = "users.doneSessions", h.bare(r, func() error {
			_, err := h.Store.EndSessions(ctx, by, id, h.spared(v, id), "ended by an administrator", now)
			return err
		})
	case "unlock":
		done, err = "users.doneUnlocked", h.bare(r, func() error { return h.Store.OpenDoors(ctx, by, id, now) })
	case "must":
		done, err = "users.doneMust", h.bare(r, func() error { return h.Store.SetMustUseTwoFactor(ctx, by, id, true, now) })
	case "may":
		done, err = "users.doneMust", h.bare(r, func() error { return h.Store.SetMustUseTwoFactor(ctx, by, id, false, now) })
	case "administrator":
		done, err = "users.doneRole", h.bare(r, func() error { return h.Store.SetAdministrator(ctx, by, id, true, now) })
	case "user":
		done, err = "users.doneRole", h.bare(r, func() error { return h.Store.SetAdministrator(ctx, by, id, false, now) })
	case "reset-password":
		done, err = "users.doneReset", h.bare(r, func() error { return h.startReset(r, id) })
	case "invite":
		done, err = "users.doneInvited", h.bare(r, func() error { return h.inviteAgain(r, id) })
	case "groups":
		return h.saveGroups(w, r, id)
	case "clear-factors":
		return h.clearFactors(w, r, id)
	case "delete":
		return h.deleteUser(w, r, id)
	default:
		return web.NotFound()
	}
	switch {
	case errors.Is(err, store.ErrLastAdministrator):
		return h.refuseUser(w, r, ui.T("users.lastAdministrator"))
	case errors.Is(err, store.ErrTooManyLetters):
		return h.refuseUser(w, r, ui.T("users.tooManyLetters"))
	case errors.Is(err, store.ErrDisabled):
		return h.refuseUser(w, r, ui.T("users.isDisabled"))
	case errors.Is(err, store.ErrTaken):
		return h.refuseUser(w, r, ui.T("users.accepted"))
	case err != nil:
		return err
	}
	h.Notice(w, done)
	return web.Redirect(w, "/admin/users/"+string(id))
}

// bare is a change whose form has no fields.
func (h *Flow) bare(r *http.Request, change func() error) error {
	if _, err := web.ReadForm(r); err != nil {
		return err
	}
	return change()
}

// spared is the administrator's own session, where the person is the
// administrator.
func (h *Flow) spared(v *web.Visitor, id auth.UserID) auth.SessionID {
	if v.User().ID == id {
		return v.Presence.Session.ID
	}
	return ""
}

// refuseUser shows the page again with what stands in the way.
func (h *Flow) refuseUser(w http.ResponseWriter, r *http.Request, why ui.Text) error {
	page, err := h.userPage(r)
	if err != nil {
		return err
	}
	page.Summary = ui.Summarize(why)
	return h.Show(w, r, http.StatusUnprocessableEntity, "admin/user", page)
}

func (h *Flow) startReset(r *http.Request, id auth.UserID) error {
	v := web.Asking(r)
	return h.Store.StartReset(r.Context(), v.Actor(), id, h.ResetLink, v.Now)
}

func (h *Flow) inviteAgain(r *http.Request, id auth.UserID) error {
	v := web.Asking(r)
	u, err := h.Store.User(r.Context(), id)
	if err != nil {
		return err
	}
	_, err = h.Store.InviteUser(r.Context(), v.Actor(),
		store.NewUser{Address: address.Address{Spelling: u.Address, Canonical: u.Canonical}}, h.InvitationLink, v.Now)
	return err
}

// saveGroups puts a person into the ticked groups and no others.
func (h *Flow) saveGroups(w http.ResponseWriter, r *http.Request, id auth.UserID) error {
	ctx, v := r.Context(), web.Asking(r)
	groups, err := h.Store.Groups(ctx)
	if err != nil {
		return err
	}
	form, err := web.ReadForm(r, append(groupFields(groups), lossFields...)...)
	if err != nil {
		return err
	}
	u, err := h.Store.User(ctx, id)
	if err != nil {
		return err
	}
	back := "/admin/users/" + string(id)
	page := lossPage{Title: ui.T("users.groupsTitle", "Name", u.Called()), Button: ui.T("form.save"), Action: r.URL.Path, Back: back}
	done, err := h.mayLose(w, r, form, page, func(a store.Accepts) error {
		return h.Store.SetGroupsOf(ctx, v.Actor(), id, ticked(groups, form), a, v.Now)
	})
	if err != nil || !done {
		return err
	}
	h.Notice(w, "users.doneGroups")
	return web.Redirect(w, back)
}

// clearFactors removes a person's second factors. The reason is asked for,
// because the person is told it.
func (h *Flow) clearFactors(w http.ResponseWriter, r *http.Request, id auth.UserID) error {
	v := web.Asking(r)
	form, err := web.ReadForm(r, "reason")
	if err != nil {
		return err
	}
	reason, refused := web.ReadWritten(form["reason"], written.Reason)
	if refused.IsZero() && reason == "" {
		refused = ui.T("users.missingReason")
	}
	if !refused.IsZero() {
		page, err := h.userPage(r)
		if err != nil {
			return err
		}
		page.Reason.Value, page.Reason.Error = form["reason"], refused
		page.Summary = ui.SummarizeAmong(ui.Text{}, &page.Reason)
		return h.Show(w, r, http.StatusUnprocessableEntity, "admin/user", page)
	}
	err = h.Store.ClearFactors(r.Context(), v.Actor(), id, reason, v.Now)
	if errors.Is(err, store.ErrNoFactor) {
		return h.refuseUser(w, r, ui.T("users.noFactor"))
	} else if err != nil {
		return err
	}
	h.Notice(w, "users.doneCleared")
	return web.Redirect(w, "/admin/users/"+string(id))
}

// deleteUser asks once more before an account is gone for good.
func (h *Flow) deleteUser(w http.ResponseWriter, r *http.Request, id auth.UserID) error {
	v := web.Asking(r)
	form, err := web.ReadForm(r, "really")
	if err != nil {
		return err
	}
	u, err := h.Store.User(r.Context(), id)
	if err != nil {
		return err
	}
	if form["really"] == "" {
		return h.Show(w, r, http.StatusOK, "admin/confirm", confirmPage{
			Title: ui.T("users.deleteTitle", "Name", u.Called()), Text: ui.T("users.deleteText"),
			Button: ui.T("users.delete"), Action: r.URL.Path, Back: "/admin/users/" + string(id)})
	}
	err = h.Store.DeleteUser(r.Context(), v.Actor(), id, v.Now)
	if errors.Is(err, store.ErrLastAdministrator) {
		return h.refuseUser(w, r, ui.T("users.lastAdministrator"))
	} else if err != nil {
		return err
	}
	h.Notice(w, "users.doneDeleted")
	return web.Redirect(w, "/admin/users")
}
