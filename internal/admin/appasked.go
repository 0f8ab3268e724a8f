package admin

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

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
	Places    []ui.Definition // addresses behind a proxy that have a rule, in the order in which rules are read
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
	if err := h.askOfKind(ctx, &answer, page.App, u, groups, policy); err != nil {
		return err
	}
	page.Asked = &answer
	return nil
}

// askOfKind adds what only an application of this kind asks.
func (h *Flow) askOfKind(ctx context.Context, answer *asked, a auth.Application, u auth.User, groups []auth.Group, p auth.Policy) error {
	switch {
	case a.Kind == auth.SpeaksOpenID && !answer.Refused:
		client, err := h.Store.Client(ctx, a.ID)
		if err != nil {
			return err
		}
		given, err := h.Store.Consent(ctx, u.ID, a.ID)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		answer.Sentences = append(answer.Sentences, consentAsked(client, given))
	case a.Kind == auth.BehindProxy:
		rules, err := h.Store.ApplicationRules(ctx, a.ID)
		if err != nil {
			return err
		}
		all, err := h.Store.Groups(ctx)
		if err != nil {
			return err
		}
		answer.Places = placesAsked(auth.Gate{Application: a, Rules: rules}, u, groups, all, p)
	}
	return nil
}

// consentAsked tells whether a person is asked what an application may learn.
func consentAsked(c auth.Client, given auth.Consent) ui.Text {
	alwaysAsked := func(redirect string) bool { return c.NeedsConsent(given.Scopes, given.Scopes, redirect) }
	switch {
	case c.WithoutConsent:
		return ui.T("adminapps.askedConsentForAll")
	case slices.ContainsFunc(c.RedirectURIs, alwaysAsked):
		return ui.T("adminapps.askedConsentAlways")
	case len(given.Scopes) > 0:
		return ui.T("adminapps.askedConsentGiven", "Time", given.Given)
	}
	return ui.T("adminapps.askedConsent")
}

// placesAsked tells what a person who has just logged in is asked at each
// address that has a rule.
func placesAsked(g auth.Gate, u auth.User, groups, all []auth.Group, p auth.Policy) (places []ui.Definition) {
	for _, rule := range g.Rules {
		alone := auth.Gate{Application: g.Application, Rules: []auth.Rule{rule}}
		passage := auth.Refuses
		if demand, known := alone.Demands(rule.Host, rule.Path); known {
			passage = alone.Judge(demand, auth.SignedIn, auth.Session{}, u, groups, p, time.Time{})
		}
		places = append(places, ui.Definition{Term: ui.Words(rule.Host + rule.Path), Value: placeAsked(rule, passage, all)})
	}
	return places
}

func placeAsked(rule auth.Rule, passage auth.Passage, all []auth.Group) ui.Text {
	switch {
	case rule.Access == auth.Public:
		return ui.T("adminapps.askedPlaceNothing")
	case passage == auth.AsksSetUp:
		return ui.T("adminapps.askedPlaceSetUp")
	case passage == auth.AsksCode:
		return ui.T("adminapps.askedPlaceCode", "Time", rule.Within)
	case passage == auth.Lacks:
		return ui.T("adminapps.askedNotOffered")
	case rule.Access == auth.InGroup:
		i := slices.IndexFunc(all, func(g auth.Group) bool { return g.ID == rule.Group })
		switch {
		case i < 0:
			return ui.T("adminapps.askedPlaceNoGroup")
		case passage == auth.Passes:
			return ui.T("adminapps.askedPlaceGroup", "Group", all[i].Name)
		}
		return ui.T("adminapps.askedPlaceNotInGroup", "Group", all[i].Name)
	case passage == auth.Refuses:
		return ui.T("adminapps.askedPlaceRefused")
	}
	return ui.T("adminapps.askedPlaceLogin")
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
