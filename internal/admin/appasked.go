package admin

import (
	"context"
	"errors"
	"strings"

	"github.com/twinlock/twinlock/internal/address"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/ui"
)

// asked is what a person will meet at an application, in the order in which
// they meet it.
type asked struct {
	Refused   bool
	Sentences []ui.Text
}

// askAbout answers what the person of this address will be asked at the
// application of the page.
func (h *Flow) askAbout(ctx context.Context, page *appPage, typed string) error {
	page.Person.Value = strings.TrimSpace(typed)
	if page.Person.Value == "" {
		return nil
	}
	who, err := address.Parse(page.Person.Value)
	if err != nil {
		page.Person.Error = ui.T("users.malformedAddress")
		return nil
	}
	u, err := h.Store.UserByAddress(ctx, who.Canonical)
	if errors.Is(err, store.ErrNotFound) {
		page.Person.Error = ui.T("adminapps.askedNobody")
		return nil
	} else if err != nil {
		return err
	}
	groups, err := h.Store.GroupsOf(ctx, u.ID)
	if err != nil {
		return err
	}
	policy, err := h.Live.PolicyFor(ctx, u.ID, groups)
	if err != nil {
		return err
	}
	answer := willBeAsked(page.App, u, groups, policy)
	page.Asked = &answer
	return nil
}

// willBeAsked tells it from the rules that are asked at login and at the door.
func willBeAsked(a auth.Application, u auth.User, groups []auth.Group, p auth.Policy) asked {
	refused := func(key string) asked { return asked{Refused: true, Sentences: []ui.Text{ui.T(key)}} }
	switch {
	case u.State != auth.Active:
		return refused("adminapps.askedDisabled")
	case !u.HasPassword:
		return refused("adminapps.askedInvited")
	}
	switch a.OpeningFor(u, groups, p) {
	case auth.NotAllowed:
		return refused("adminapps.askedNotAllowed")
	case auth.NotOffered:
		return refused("adminapps.askedNotOffered")
	case auth.WantsSetUp:
		if !p.OwesEnrolment(u) {
			return refused("adminapps.askedSetUp")
		}
	}
	met := asked{Sentences: []ui.Text{ui.T("adminapps.askedPassword")}}
	switch {
	case p.AsksCode(u):
		met.Sentences = append(met.Sentences, ui.T("adminapps.askedCode"))
	case p.OwesEnrolment(u):
		met.Sentences = append(met.Sentences, ui.T("adminapps.askedMustSetUp"))
	}
	return met
}
