package app

import (
	"context"
	"strings"

	"github.com/twinlock/twinlock/internal/address"
	"github.com/twinlock/twinlock/internal/password"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/slots"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/written"
)

// InvitationLink is the link that an invitation carries.
func (a *App) InvitationLink() store.Mailed { return mailed(a.Config.InvitationLink, "/invitation") }

// SignupLink is the link that confirms the address of a sign-up.
func (a *App) SignupLink() store.Mailed { return mailed(a.Config.VerifyLink, "/register/confirm") }

// ResetLink is the link that a letter about a forgotten password carries.
func (a *App) ResetLink() store.Mailed { return mailed(a.Config.ResetLink, "/forgot-password/new") }

// JudgePassword holds a new password to the rules, for whoever will own it. Of a
// name that is longer than any may be, only the beginning counts: each of its
// words would have to be looked for.
func (a *App) JudgePassword(chosen string, owner address.Address, name string) password.Verdict {
	if letters := []rune(name); len(letters) > int(written.Name) {
		name = string(letters[:written.Name])
	}
	own := append(strings.FieldsFunc(owner.Spelling+" "+name, notInWord), a.Config.SiteName, a.host())
	c := a.Config
	rules := password.Rules{Minimum: c.PasswordMinimum, Maximum: c.PasswordMaximum, Score: c.PasswordScore}
	return rules.Judge(chosen, own)
}

// judgeIn is JudgePassword in slots; a *slots.BusyError where they are taken.
func (a *App) judgeIn(s *slots.Slots) func(ctx context.Context, chosen string, owner address.Address, name string) (password.Verdict, error) {
	return func(ctx context.Context, chosen string, owner address.Address, name string) (v password.Verdict, err error) {
		err = s.Do(ctx, func() { v = a.JudgePassword(chosen, owner, name) })
		return v, err
	}
}

// Hashed counts the passwords and recovery codes that were hashed so far.
func (a *App) Hashed() int64 { return a.slots.Begun() }

func (a *App) host() string {
	_, host, _ := strings.Cut(string(a.Config.PublicURL), "://")
	return host
}

func notInWord(r rune) bool { return strings.ContainsRune(" @.-_+", r) }

// HashPassword hashes a password that was judged, at the cost of the settings.
// It waits for no slot: commands hash one at a time.
func (a *App) HashPassword(chosen string) secret.Text {
	return secret.Text(a.cost.Hash(chosen))
}
