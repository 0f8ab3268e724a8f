package app

import (
	"strings"

	"github.com/twinlock/twinlock/internal/address"
	"github.com/twinlock/twinlock/internal/password"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
)

// InvitationLink is the link that an invitation carries.
func (a *App) InvitationLink() store.Mailed { return mailed(a.Config.InvitationLink, "/invitation") }

// ResetLink is the link that a letter about a forgotten password carries.
func (a *App) ResetLink() store.Mailed { return mailed(a.Config.ResetLink, "/forgot-password/new") }

// JudgePassword holds a new password to the rules, for whoever will own it.
func (a *App) JudgePassword(chosen string, owner address.Address, name string) password.Verdict {
	own := append(strings.FieldsFunc(owner.Spelling+" "+name, notInWord), a.Config.SiteName, a.host())
	c := a.Config
	rules := password.Rules{Minimum: c.PasswordMinimum, Maximum: c.PasswordMaximum, Score: c.PasswordScore}
	return rules.Judge(chosen, own)
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
