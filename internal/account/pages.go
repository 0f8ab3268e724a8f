package account

import (
	"context"
	"errors"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/web"
)

// settingsPage is the account settings.
type settingsPage struct {
	ui.Summary
	Profile   profile
	TwoFactor *twoFactorSection // nil while the plug-in is not enabled for this person
}

// twoFactorSection is the bottom of the account settings.
type twoFactorSection struct {
	Since time.Time // zero while it is off
	Codes int       // unused recovery codes
	Few   bool      // so few that new ones should be made
}

// On tells whether the person enabled it.
func (s twoFactorSection) On() bool { return !s.Since.IsZero() }

func (h *Flow) twoFactorSection(ctx context.Context, v *web.Visitor) (*twoFactorSection, error) {
	if !v.Policy().TwoFactor {
		return nil, nil
	}
	section := twoFactorSection{Since: v.User().TwoFactorSince}
	if !section.On() {
		return &section, nil
	}
	set, err := h.Store.RecoverySet(ctx, v.User().ID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	section.Codes = set.Left()
	section.Few = section.Codes <= h.Rules.RecoveryCodesFew
	return &section, nil
}

// Examples are the flow's pages in named states.
func Examples() []ui.Example {
	example := newProfile(auth.User{Address: "ada@example.org", Name: "Ada"}, 12)
	since := time.Date(2026, 11, 2, 9, 30, 0, 0, time.UTC)
	return []ui.Example{
		{Page: "account/settings", Name: "two-factor authentication not enabled for this person", Data: settingsPage{Profile: example}},
		{Page: "account/settings", Name: "two-factor authentication off", Data: settingsPage{Profile: example, TwoFactor: &twoFactorSection{}}},
		{Page: "account/settings", Name: "two-factor authentication on", Data: settingsPage{Profile: example, TwoFactor: &twoFactorSection{Since: since, Codes: 9}}},
		{Page: "account/settings", Name: "few recovery codes left", Data: settingsPage{Profile: example, TwoFactor: &twoFactorSection{Since: since, Codes: 2, Few: true}}},
		{Page: "account/address", Name: "from the mail", Data: addressPage{Token: "t", Old: "ada@example.org", New: "ada@example.net"}},
		{Page: "account/sessions", Name: "two browsers", Data: sessionsPage{Others: true, Sessions: []sessionRow{
			{ID: "a", Browser: "Firefox · Linux", Network: "192.0.2.7", Began: since, LastSeen: since, This: true},
			{ID: "b", Browser: "Safari · iPhone", Network: "192.0.2.9", Began: since, LastSeen: since, Lapsed: true},
		}}},
	}
}
