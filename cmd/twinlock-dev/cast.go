package main

import (
	"context"
	"fmt"
	"time"

	"github.com/twinlock/twinlock/internal/address"
	"github.com/twinlock/twinlock/internal/app"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/password"
	"github.com/twinlock/twinlock/internal/recovery"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/throttle"
	"github.com/twinlock/twinlock/internal/totp"
)

// everybodysPassword opens every account of the cast.
const everybodysPassword = "seven purple lanterns drift"

// person is one of the cast, whose state is their name's.
type person struct {
	Name, Email, State string
	key                totp.Key // zero without two-factor authentication
}

// Code is what the person's app shows.
func (p person) Code(now time.Time) string {
	if p.key.IsZero() {
		return ""
	}
	code, err := totp.At(p.key, now)
	if err != nil {
		return err.Error()
	}
	return code
}

// cast makes people in every state, and something for them to open.
func cast(ctx context.Context, a *app.App) ([]person, error) {
	people := []person{
		{Name: "Ada", Email: "ada@example.org", State: "password and code", key: totp.NewKey()},
		{Name: "Cem", Email: "cem@example.org", State: "password alone"},
		{Name: "Dana", Email: "dana@example.org", State: "disabled"},
		{Name: "Eli", Email: "eli@example.org", State: "administrator, password and code", key: totp.NewKey()},
		{Name: "Fay", Email: "fay@example.org", State: "invited, never came"},
		{Name: "Γεώργιος Παπαδόπουλος-Κωνσταντινίδης", Email: "georgios@example.org", State: "a long name in another script"},
		{Name: "Iva", Email: "iva@example.org", State: "signed up, address not confirmed"},
		{Name: "Jo", Email: "jo@example.org", State: "locked after a hundred failures"},
		{Name: "Kim", Email: "kim@example.org", State: "password and code, two recovery codes left", key: totp.NewKey()},
		{Name: "Hao", Email: "hao@example.org", State: "must use two-factor authentication, and has not set it up"},
	}
	by := auth.Actor{Command: true}
	forEveryone := func(a *auth.Activation) { a.Active, a.Everyone = true, true }
	if err := a.Store.ChangeActivation(ctx, by, auth.TwoFactorPlugin, store.NoLoss, a.Now(), forEveryone); err != nil {
		return nil, err
	}
	hash := a.HashPassword(everybodysPassword)
	for _, p := range people {
		if err := enter(ctx, a, by, p, hash); err != nil {
			return nil, fmt.Errorf("%s: %w", p.Name, err)
		}
	}
	_, err := a.Store.AddApplication(ctx, by, auth.Application{
		Name: "Wiki", Description: "What we know, and who knows it", URL: "https://wiki.example.org/", Everyone: true}, a.Now())
	return people, err
}

func enter(ctx context.Context, a *app.App, by auth.Actor, p person, hash secret.Text) error {
	parsed, err := address.Parse(p.Email)
	if err != nil {
		return err
	}
	if p.Name == "Iva" {
		return a.Store.BeginSignup(ctx, by, store.NewSignup{Address: parsed, Hash: hash, Browser: secret.New().Hash()}, a.SignupLink(), a.Now())
	}
	n := store.NewUser{Address: parsed, Name: p.Name, Hash: hash, Administrator: p.Name == "Eli"}
	if p.Name == "Fay" {
		n.Hash = ""
		_, err := a.Store.InviteUser(ctx, by, n, a.InvitationLink(), a.Now())
		return err
	}
	u, err := a.Store.AddUser(ctx, by, n, a.Now())
	switch {
	case err != nil:
		return err
	case p.Name == "Dana":
		return a.Store.DisableUser(ctx, by, u.ID, a.Now())
	case p.Name == "Hao":
		return a.Store.SetMustUseTwoFactor(ctx, by, u.ID, true, a.Now())
	case p.Name == "Jo":
		_, err := a.Store.PayAtDoor(ctx, store.Door{Bucket: throttle.Password(u.Canonical), Rule: throttle.Rule{CloseAfter: 1},
			Canonical: u.Canonical, Owner: u}, nil, by, a.Now())
		return err
	case p.Name == "Kim":
		return enrol(ctx, a, u, p.key, hash, 2)
	case !p.key.IsZero():
		return enrol(ctx, a, u, p.key, hash, 10)
	}
	return nil
}

// enrol sets two-factor authentication up as a login that owed it does.
func enrol(ctx context.Context, a *app.App, u auth.User, key totp.Key, hash secret.Text, codes int) error {
	attempt, _, err := a.Store.ProvePassword(ctx, auth.Actor{}, store.ProvedPassword{
		User: u, Hash: hash, Browser: secret.New().Hash(), Timeout: time.Minute}, a.Now())
	if err != nil {
		return err
	}
	_, err = a.Store.EnableTwoFactor(ctx, auth.Actor{User: u}, store.Enrolment{
		User: u.ID, Generation: u.Generation, Key: key, Codes: recovery.Hash(recovery.New(codes), recovery.Cost(password.Usual)), Attempt: attempt.ID}, a.Now())
	return err
}
