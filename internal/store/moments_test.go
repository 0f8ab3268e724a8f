package store_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/address"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/keys"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

// play is a store of its own on which a moment is played, and what the test
// plays it with.
type play struct {
	*testing.T
	*store.Store
}

func (p play) ada() auth.User { return storetest.Person(p.T, p.Store, "ada@example.org") }

// signedIn is a person in a session.
func (p play) signedIn() auth.Actor { return inSession(p.T, p.Store, p.ada()) }

// withCode is one who has two-factor authentication on, and the next code.
func (p play) withCode() (auth.Actor, store.CodeClaim) {
	by := p.signedIn()
	a, _ := protect(p.T, p.Store, &by)
	return by, store.CodeClaim{Authenticator: a.ID, Step: a.LastStep + 1}
}

// withAnotherAuthenticator is withCode with two authenticator apps.
func (p play) withAnotherAuthenticator() (auth.Actor, store.CodeClaim) {
	p.Helper()
	by, code := p.withCode()
	token, err := p.AddAuthenticator(p.Context(), by, enrolmentOf(by.User), now)
	must(p.T, err)
	return goesOn(p.T, p.Store, by, token), code
}

// withPasskey is one who has a passkey.
func (p play) withPasskey() (auth.Actor, store.Passkey) {
	p.Helper()
	by := p.signedIn()
	k := addPasskey(p.T, p.Store, &by)
	return by, k
}

// link mails a link and keeps its token.
func (p play) link(mail func(store.Mailed) error) secret.Hash {
	p.Helper()
	var made secret.Token
	must(p.T, mail(store.Mailed{Life: time.Hour, Path: func(t secret.Token) string { made = t; return "/" }}))
	return made.Hash()
}

func (p play) letter() store.QueuedLetter {
	p.Helper()
	must(p.T, p.SendTestLetter(p.Context(), eli, now))
	due, err := p.DueLetters(p.Context(), 1, now)
	must(p.T, err)
	q, err := p.ClaimLetter(p.Context(), due[0], time.Minute, now)
	must(p.T, err)
	return q
}

// moment is a method that changes something: the event that tells of it, and
// how it is played. prepare makes what it needs, and gives the call itself.
// A moment that needs more than a store has its test elsewhere.
type moment struct {
	tells     auth.EventKind
	prepare   func(p play) func() error
	elsewhere string
}

// moments are the methods of Store after which an administrator finds an event.
var moments = map[string]moment{
	"AcceptInvitation": {auth.EventInvitationAccepted, func(p play) func() error {
		link := p.link(func(m store.Mailed) error {
			_, err := p.InviteUser(p.Context(), eli, newcomer(p.T), m, now)
			return err
		})
		return func() error { return p.Store.AcceptInvitation(p.Context(), auth.Actor{}, link, "", "hash", now) }
	}, ""},
	"AddApplication": {auth.EventApplicationAdded, func(p play) func() error {
		return func() error {
			_, err := p.AddApplication(p.Context(), eli, auth.Application{Name: "Wiki", URL: "https://wiki.example.org"}, now)
			return err
		}
	}, ""},
	"AddGate": {auth.EventApplicationAdded, func(p play) func() error {
		return func() error {
			_, err := p.AddGate(p.Context(), eli, auth.Gate{Application: auth.Application{Name: "Wiki", URL: "https://wiki.example.org"}}, now)
			return err
		}
	}, ""},
	"AddAuthenticator": {auth.EventAuthenticatorAdded, func(p play) func() error {
		by, _ := p.withCode()
		return func() error { _, err := p.AddAuthenticator(p.Context(), by, enrolmentOf(by.User), now); return err }
	}, ""},
	"AddClient": {auth.EventApplicationAdded, func(p play) func() error {
		return func() error {
			_, _, err := p.AddClient(p.Context(), eli, auth.Application{Name: "Wiki", URL: "https://wiki.example.org"}, auth.Client{}, now)
			return err
		}
	}, ""},
	"AddGroup": {auth.EventGroupAdded, func(p play) func() error {
		return func() error { _, err := p.AddGroup(p.Context(), eli, "Staff", now); return err }
	}, ""},
	"AddPasskey": {auth.EventPasskeyAdded, func(p play) func() error {
		by := p.signedIn()
		return func() error { _, err := p.AddPasskey(p.Context(), by, passkeyOf(by.User), now); return err }
	}, ""},
	"AddSigningKey": {auth.EventSigningKeyMade, func(p play) func() error {
		k, err := keys.NewSigning(auth.ES256)
		must(p.T, err)
		return func() error { return p.AddSigningKey(p.Context(), eli, k, now, now) }
	}, ""},
	"AddUser": {auth.EventUserAdded, func(p play) func() error {
		return func() error { _, err := p.AddUser(p.Context(), eli, newcomer(p.T), now); return err }
	}, ""},
	"AddUsers": {auth.EventUserAdded, func(p play) func() error {
		return func() error {
			_, err := p.AddUsers(p.Context(), eli, []store.NewUser{newcomer(p.T)}, now)
			return err
		}
	}, ""},
	"AskNewAddress": {auth.EventAddressRequested, func(p play) func() error {
		by := p.signedIn()
		return func() error {
			return p.AskNewAddress(p.Context(), by, newcomer(p.T).Address, toNowhere, now)
		}
	}, ""},
	"BeginGrant": {auth.EventApplicationOpened, func(p play) func() error {
		g := beginGrant(p.T, p.Store, now)
		return func() error {
			_, err := p.BeginGrant(p.Context(), auth.Actor{}, g.Grant, "Wiki", nil, now)
			return err
		}
	}, ""},
	"Alter": {auth.EventApplicationRequires, func(p play) func() error {
		a, yes := addWiki(p.T, p.Store), true
		return func() error {
			return p.Alter(p.Context(), eli, a.ID, now, store.Alteration{Gate: func(g *auth.Gate) error { g.Everyone = true; return nil }, Require: &yes})
		}
	}, ""},
	"BeginSignup": {auth.EventSignupBegun, func(p play) func() error {
		return func() error {
			return p.BeginSignup(p.Context(), auth.Actor{}, store.NewSignup{Address: newcomer(p.T).Address, Hash: "hash", Browser: storetest.Browser.Hash()}, toNowhere, now)
		}
	}, ""},
	"ChangeApplication": {auth.EventApplicationChanged, func(p play) func() error {
		a := addWiki(p.T, p.Store)
		return func() error {
			return p.ChangeApplication(p.Context(), eli, a.ID, now, func(a *auth.Application) error { a.Everyone = true; return nil })
		}
	}, ""},
	"ChangeClient": {auth.EventApplicationChanged, func(p play) func() error {
		a, _, err := p.AddClient(p.Context(), eli, auth.Application{Name: "Wiki", URL: "https://wiki.example.org"}, auth.Client{}, now)
		must(p.T, err)
		return func() error {
			return p.ChangeClient(p.Context(), eli, a.ID, now, func(c *auth.Client) error { c.WithoutPKCE = true; return nil })
		}
	}, ""},
	"ChangeActivation": {auth.EventPluginActivated, func(p play) func() error {
		return func() error {
			return p.ChangeActivation(p.Context(), eli, auth.TwoFactorPlugin, store.NoLoss, now, func(a *auth.Activation) { a.Active = true })
		}
	}, ""},
	"ChangeAddress": {auth.EventAddressChanged, func(p play) func() error {
		by := p.signedIn()
		link := p.link(func(m store.Mailed) error { return p.AskNewAddress(p.Context(), by, newcomer(p.T).Address, m, now) })
		return func() error { _, err := p.ChangeAddress(p.Context(), by, link, now); return err }
	}, ""},
	"ChangePassword": {auth.EventPasswordChanged, func(p play) func() error {
		by := p.signedIn()
		return func() error {
			_, err := p.ChangePassword(p.Context(), by, store.NewPassword{Checked: "the hash", Hash: "another"}, now)
			return err
		}
	}, ""},
	"ClearFactors": {auth.EventTwoFactorCleared, func(p play) func() error {
		by, _ := p.withCode()
		return func() error { return p.ClearFactors(p.Context(), eli, by.User.ID, "lost", now) }
	}, ""},
	"Confirm": {auth.EventConfirmed, func(p play) func() error {
		by := p.signedIn()
		return func() error {
			_, err := p.Confirm(p.Context(), by, store.Confirmation{Password: true}, nil, now)
			return err
		}
	}, ""},
	"ConfirmSignup": {auth.EventSignupConfirmed, func(p play) func() error {
		link := signup(p.T, p.Store, storetest.Browser, "hash", now)
		c := pending(p.T, p.Store, link, now)
		return func() error { _, err := p.ConfirmSignup(p.Context(), auth.Actor{}, c, now); return err }
	}, ""},
	"DeleteApplication": {auth.EventApplicationDeleted, func(p play) func() error {
		a := addWiki(p.T, p.Store)
		return func() error { return p.DeleteApplication(p.Context(), eli, a, now) }
	}, ""},
	"DeleteGroup": {auth.EventGroupDeleted, func(p play) func() error {
		g := group(p.T, p.Store, "Staff")
		return func() error { return p.DeleteGroup(p.Context(), eli, g, store.NoLoss, now) }
	}, ""},
	"DeleteUser": {auth.EventUserDeleted, func(p play) func() error {
		u := p.ada()
		return func() error { return p.DeleteUser(p.Context(), eli, u.ID, now) }
	}, ""},
	"DisableTwoFactor": {auth.EventTwoFactorDisabled, func(p play) func() error {
		by, code := p.withCode()
		return func() error { _, err := p.DisableTwoFactor(p.Context(), by, code, nil, now); return err }
	}, ""},
	"DisableUser": {auth.EventUserDisabled, func(p play) func() error {
		u := p.ada()
		return func() error { return p.DisableUser(p.Context(), eli, u.ID, now) }
	}, ""},
	"DropAttempt": {auth.EventLoginDropped, func(p play) func() error {
		a := storetest.Attempt(p.T, p.Store, p.ada(), now)
		return func() error { return p.DropAttempt(p.Context(), auth.Actor{}, a, now) }
	}, ""},
	"EnableTwoFactor": {auth.EventTwoFactorEnabled, func(p play) func() error {
		by := p.signedIn()
		return func() error { _, err := p.EnableTwoFactor(p.Context(), by, enrolmentOf(by.User), now); return err }
	}, ""},
	"EnableUser": {auth.EventUserEnabled, func(p play) func() error {
		u := p.ada()
		must(p.T, p.DisableUser(p.Context(), eli, u.ID, now))
		return func() error { return p.EnableUser(p.Context(), eli, u.ID, now) }
	}, ""},
	"EndGrant": {auth.EventGrantMisused, func(p play) func() error {
		g := beginGrant(p.T, p.Store, now)
		return func() error {
			return p.EndGrant(p.Context(), auth.Actor{}, g.Grant, auth.EventGrantMisused, "twice", now)
		}
	}, ""},
	"EndSession": {auth.EventLogout, func(p play) func() error {
		by := p.signedIn()
		return func() error {
			return p.EndSession(p.Context(), by, by.User.ID, by.Session.ID, auth.EventLogout, "logout", now)
		}
	}, ""},
	"EndSessions": {auth.EventSessionEnded, func(p play) func() error {
		by := p.signedIn()
		return func() error { _, err := p.EndSessions(p.Context(), by, by.User.ID, "", "why", now); return err }
	}, ""},
	"FinishHandOver": {auth.EventApplicationOpened, func(p play) func() error {
		made, wiki, browser := storetest.Session(p.T, p.Store, p.ada(), now), addWiki(p.T, p.Store), secret.New()
		h := store.HandOver{Session: made.Session, Application: wiki.ID, Origin: at(p.T, wiki.URL), Browser: browser.Hash()}
		ticket, err := p.BeginHandOver(p.Context(), h, time.Minute, now)
		must(p.T, err)
		return func() error {
			_, err := p.FinishHandOver(p.Context(), auth.Actor{}, ticket.Hash(), browser.Hash(), h.Origin, now)
			return err
		}
	}, ""},
	"FinishLogin": {auth.EventLogin, func(p play) func() error {
		a := storetest.Attempt(p.T, p.Store, p.ada(), now)
		return func() error {
			_, _, err := p.FinishLogin(p.Context(), auth.Actor{}, a.ID, store.Finish{Policy: storetest.Policy}, now)
			return err
		}
	}, ""},
	"FinishSetup": {auth.EventSetupFinished, func(p play) func() error {
		link := secret.New().Hash()
		must(p.T, p.OfferSetup(p.Context(), command, link, now))
		first := store.FirstAdministrator{NewUser: newcomer(p.T), Timeout: time.Minute, Browser: storetest.Browser.Hash()}
		first.Administrator = true
		return func() error { _, err := p.FinishSetup(p.Context(), auth.Actor{}, link, first, now); return err }
	}, ""},
	"FollowSigningKey": {auth.EventSigningKeyMade, func(p play) func() error {
		k, err := keys.NewSigning(auth.ES256)
		must(p.T, err)
		return func() error { return p.FollowSigningKey(p.Context(), eli, k, "", now, now) }
	}, ""},
	"GiveLetterUp": {auth.EventLetterFailed, func(p play) func() error {
		q := p.letter()
		return func() error { return p.GiveLetterUp(p.Context(), q, "no such user", now) }
	}, ""},
	"InviteOnce": {auth.EventUserInvited, func(p play) func() error {
		return func() error { _, err := p.InviteOnce(p.Context(), eli, newcomer(p.T), toNowhere, now); return err }
	}, ""},
	"InviteUser": {auth.EventUserInvited, func(p play) func() error {
		return func() error { _, err := p.InviteUser(p.Context(), eli, newcomer(p.T), toNowhere, now); return err }
	}, ""},
	"JoinGroup": {auth.EventGroupChanged, func(p play) func() error {
		u, g := p.ada(), group(p.T, p.Store, "Staff")
		return func() error { return p.JoinGroup(p.Context(), eli, g, u.ID, now) }
	}, ""},
	"LeaveGroup": {auth.EventGroupChanged, func(p play) func() error {
		u := p.ada()
		g := group(p.T, p.Store, "Staff", u)
		return func() error { return p.LeaveGroup(p.Context(), eli, g, u.ID, store.NoLoss, now) }
	}, ""},
	"LogoutNoticeFailed": {auth.EventLogoutNoticeFailed, func(p play) func() error {
		g := beginGrant(p.T, p.Store, now)
		must(p.T, p.Exchange(p.Context(), g.Grant, store.Issue{Access: secret.New().Hash(), AccessExpires: now.Add(time.Minute)}, now))
		_, err := p.EndSessions(p.Context(), eli, g.User, "", "why", now)
		must(p.T, err)
		n, err := p.ClaimLogoutNotice(p.Context(), g.Application, now.Add(time.Minute), now)
		must(p.T, err)
		return func() error { return p.LogoutNoticeFailed(p.Context(), n, "no answer", time.Time{}, now) }
	}, ""},
	"MailNoReset": {auth.EventResetRequested, func(p play) func() error {
		return func() error { return p.MailNoReset(p.Context(), "ada@example.org", auth.Actor{}, now) }
	}, ""},
	"MailReset": {auth.EventResetRequested, func(p play) func() error {
		u := p.ada()
		return func() error { return p.MailReset(p.Context(), u, toNowhere, auth.Actor{}, now) }
	}, ""},
	"MailSignupAgain": {auth.EventSignupBegun, func(p play) func() error {
		return func() error {
			return p.MailSignupAgain(p.Context(), auth.Actor{}, "ada@example.org", storetest.Browser.Hash(), toNowhere, now)
		}
	}, ""},
	"MakeRecoveryCodes": {auth.EventRecoveryCodesMade, func(p play) func() error {
		by, code := p.withCode()
		return func() error { _, err := p.MakeRecoveryCodes(p.Context(), by, setOf(2), code, nil, now); return err }
	}, ""},
	"NewClientSecret": {auth.EventClientSecretMade, func(p play) func() error {
		a, _, err := p.AddClient(p.Context(), eli, auth.Application{Name: "Wiki", URL: "https://wiki.example.org"}, auth.Client{}, now)
		must(p.T, err)
		return func() error { _, err := p.NewClientSecret(p.Context(), eli, a.ID, now); return err }
	}, ""},
	"ObeySettings": {auth.EventPluginsGiven, func(p play) func() error {
		return func() error { return p.ObeySettings(p.Context(), store.Given{Decides: true}, now) }
	}, ""},
	"OfferSetup": {auth.EventSetupLinkMade, func(p play) func() error {
		return func() error { return p.OfferSetup(p.Context(), command, secret.New().Hash(), now) }
	}, ""},
	"OpenDoors": {auth.EventDoorOpened, func(p play) func() error {
		var box mailbox
		u := p.ada()
		closeDoor(p.T, p.Store, box.doorOf(u, u.Canonical), now)
		return func() error { return p.OpenDoors(p.Context(), eli, u.ID, now) }
	}, ""},
	"ProvePasskey": {auth.EventLoginBegun, func(p play) func() error {
		by, k := p.withPasskey()
		u := reread(p.T, p.Store, by.User.ID)
		return func() error {
			_, err := p.Store.ProvePasskey(p.Context(), auth.Actor{}, store.ProvedPasskey{
				User: u, Claim: verified(k.ID), Browser: storetest.Browser.Hash(), Timeout: 10 * time.Minute}, now)
			return err
		}
	}, ""},
	"ProvePassword": {auth.EventLoginBegun, func(p play) func() error {
		u := p.ada()
		return func() error {
			_, _, err := p.Store.ProvePassword(p.Context(), auth.Actor{}, store.ProvedPassword{
				User: u, Hash: "the hash", Purpose: auth.ByLogin, Browser: storetest.Browser.Hash(), Timeout: 10 * time.Minute}, now)
			return err
		}
	}, ""},
	"Record": {auth.EventLoginRefused, func(p play) func() error {
		return func() error { return p.Record(p.Context(), auth.Actor{}, auth.EventLoginRefused, "", "", now) }
	}, ""},
	"Refuse": {auth.EventLoginRefused, func(p play) func() error {
		return func() error {
			return p.Refuse(p.Context(), auth.Actor{}, store.Refused{Kind: auth.EventLoginRefused}, now)
		}
	}, ""},
	"RefuseCode": {auth.EventLoginEnded, func(p play) func() error {
		u := p.ada()
		a := storetest.Attempt(p.T, p.Store, u, now)
		return func() error { _, err := p.RefuseCode(p.Context(), auth.Actor{}, a, u, false, 1, now); return err }
	}, ""},
	"RefuseClient": {auth.EventClientRefused, func(p play) func() error {
		a := addWiki(p.T, p.Store)
		return func() error { return p.RefuseClient(p.Context(), auth.Actor{}, a, now) }
	}, ""},
	"RefuseReturn": {auth.EventReturnRefused, func(p play) func() error {
		by := p.signedIn()
		return func() error { _, err := p.RefuseReturn(p.Context(), by, by.Session, now); return err }
	}, ""},
	"ReplaceApplicationRules": {auth.EventApplicationChanged, func(p play) func() error {
		a := addWiki(p.T, p.Store)
		return func() error { return p.ReplaceApplicationRules(p.Context(), eli, a.ID, nil, nil, now) }
	}, ""},
	"RequireTwoFactor": {auth.EventApplicationRequires, func(p play) func() error {
		a := addWiki(p.T, p.Store)
		return func() error { return p.RequireTwoFactor(p.Context(), eli, a.ID, true, now) }
	}, ""},
	"RemoveAuthenticator": {auth.EventAuthenticatorRemoved, func(p play) func() error {
		by, k := p.withAnotherAuthenticator()
		return func() error { _, err := p.RemoveAuthenticator(p.Context(), by, k.Authenticator, now); return err }
	}, ""},
	"RefusePasskey": {auth.EventPasskeyRefused, func(p play) func() error {
		asked := store.CeremonyOf("asked", now.Add(time.Minute))
		return func() error {
			return p.RefusePasskey(p.Context(), auth.Actor{}, store.RefusedPasskey{Ceremony: asked}, now)
		}
	}, ""},
	"RemovePasskey": {auth.EventPasskeyRemoved, func(p play) func() error {
		by, k := p.withPasskey()
		return func() error { _, err := p.RemovePasskey(p.Context(), by, byCode(k), now); return err }
	}, ""},
	"RenameAuthenticator": {auth.EventAuthenticatorRenamed, func(p play) func() error {
		by, k := p.withCode()
		return func() error { return p.RenameAuthenticator(p.Context(), by, k.Authenticator, "Old phone", now) }
	}, ""},
	"RenamePasskey": {auth.EventPasskeyRenamed, func(p play) func() error {
		by, k := p.withPasskey()
		return func() error { return p.RenamePasskey(p.Context(), by, k.ID, "Old phone", now) }
	}, ""},
	"ReplaceAuthenticator": {auth.EventAuthenticatorReplaced, func(p play) func() error {
		by, k := p.withCode()
		return func() error {
			_, err := p.ReplaceAuthenticator(p.Context(), by, k.Authenticator, enrolmentOf(by.User), now)
			return err
		}
	}, ""},
	"ResetPassword": {auth.EventPasswordReset, func(p play) func() error {
		u := p.ada()
		link := p.link(func(m store.Mailed) error { return p.MailReset(p.Context(), u, m, auth.Actor{}, now) })
		return func() error {
			return p.ResetPassword(p.Context(), auth.Actor{}, store.Reset{Link: link, Hash: "another"}, now)
		}
	}, ""},
	"FinishMove": {auth.EventMoved, nil, "../transfer/move_test.go: TestAMovedDatabaseIsTheSame"},
	"Restore":    {auth.EventRestored, nil, "../transfer/transfer_test.go: TestABackupOfEitherEngineIsRestoredIntoEither"},
	"ReturnThroughWindow": {auth.EventReturned, func(p play) func() error {
		made := storetest.Session(p.T, p.Store, p.ada(), now)
		return func() error {
			_, err := p.ReturnThroughWindow(p.Context(), auth.Actor{}, made.Session, made.Token.Hash(), store.Payment{}, now)
			return err
		}
	}, ""},
	"RevokeToken": {auth.EventGrantRevoked, func(p play) func() error {
		g, token := beginGrant(p.T, p.Store, now), secret.New()
		must(p.T, p.Exchange(p.Context(), g.Grant, store.Issue{Refresh: token.Hash(), Scopes: g.Scopes}, now))
		return func() error { return p.RevokeToken(p.Context(), g.Application, token.Hash(), now) }
	}, ""},
	"SaveName": {auth.EventUserChanged, func(p play) func() error {
		by := p.signedIn()
		return func() error { return p.SaveName(p.Context(), by, "Ada", now) }
	}, ""},
	"SavePreferences": {auth.EventUserChanged, func(p play) func() error {
		by := p.signedIn()
		return func() error { return p.SavePreferences(p.Context(), by, "de", "dark", now) }
	}, ""},
	"SendTestLetter": {auth.EventTestLetter, func(p play) func() error {
		return func() error { return p.SendTestLetter(p.Context(), eli, now) }
	}, ""},
	"SetAdministrator": {auth.EventRoleChanged, func(p play) func() error {
		u := p.ada()
		return func() error { return p.SetAdministrator(p.Context(), eli, u.ID, true, now) }
	}, ""},
	"SetApplicationRules": {auth.EventApplicationChanged, func(p play) func() error {
		a := addWiki(p.T, p.Store)
		return func() error { return p.SetApplicationRules(p.Context(), eli, a.ID, nil, now) }
	}, ""},
	"SetBack": {auth.EventClockSetBack, func(p play) func() error {
		must(p.T, p.KeepClock(p.Context(), store.Clock{Furthest: now.Add(time.Hour)}))
		return func() error { return p.SetBack(p.Context(), now.Add(time.Hour), now) }
	}, ""},
	"SetGroup": {auth.EventGroupChanged, func(p play) func() error {
		g := group(p.T, p.Store, "Staff")
		return func() error { return p.SetGroup(p.Context(), eli, g, store.NoLoss, now) }
	}, ""},
	"SetGroupsOf": {auth.EventGroupChanged, func(p play) func() error {
		u, g := p.ada(), group(p.T, p.Store, "Staff")
		return func() error { return p.SetGroupsOf(p.Context(), eli, u.ID, []auth.GroupID{g.ID}, store.NoLoss, now) }
	}, ""},
	"SetLogo": {auth.EventApplicationChanged, func(p play) func() error {
		a := addWiki(p.T, p.Store)
		return func() error { return p.SetLogo(p.Context(), eli, a.ID, []byte("PNG"), now) }
	}, ""},
	"SetMustUseTwoFactor": {auth.EventMustUseTwoFactor, func(p play) func() error {
		u := p.ada()
		return func() error { return p.SetMustUseTwoFactor(p.Context(), eli, u.ID, true, now) }
	}, ""},
	"SetSetting": {auth.EventSettingChanged, func(p play) func() error {
		return func() error { return p.SetSetting(p.Context(), eli, "registration", "closed", now) }
	}, ""},
	"StartReset": {auth.EventResetRequested, func(p play) func() error {
		u := p.ada()
		return func() error { return p.StartReset(p.Context(), eli, u.ID, toNowhere, now) }
	}, ""},
	"Unlock": {auth.EventDoorOpened, func(p play) func() error {
		var box mailbox
		u := p.ada()
		closed := closeDoor(p.T, p.Store, box.doorOf(u, u.Canonical), now)
		return func() error { return p.Unlock(p.Context(), auth.Actor{}, box.links[0].Hash(), closed) }
	}, ""},
	"WithdrawConsent": {auth.EventConsentWithdrawn, func(p play) func() error {
		by, a := p.signedIn(), addWiki(p.T, p.Store)
		return func() error { return p.WithdrawConsent(p.Context(), by, a, now) }
	}, ""},
}

// noAct are the methods that write and are no act of anybody's, each with why.
var noAct = map[string]string{
	"InBulk":            "it sets how SQLite works; what is written is another moment",
	"Close":             "a node strikes itself off",
	"Serve":             "a node is there while it serves",
	"MoveIn":            "FinishMove tells of the whole",
	"BeginHandOver":     "a ticket; that it is taken is the act, in FinishHandOver",
	"ClaimLogoutNotice": "who tells; its row tells how often it was tried",
	"ClaimLetter":       "who sends a letter; its row tells how often it was tried",
	"DropSigningKey":    "nothing that it signed is still good",
	"Exchange":          "what was given is recorded by BeginGrant, and counted by the day",
	"GiveLetterBack":    "who sends a letter; its row tells how often it was tried",
	"KeepClock":         "the program's clock goes on",
	"LetterFailed":      "it is tried again; its row tells why, and giving it up is recorded",
	"LetterSent":        "what the letter tells is recorded where it happened",
	"LogoutNoticeTaken": "the ending that it tells is recorded where it happened",
	"MailUnlock":        "that the door closed, of which it tells, is recorded by Refuse",
	"PayAtDoor":         "a try is counted before it is looked at; what comes of it is recorded",
	"Pay":               "a try is counted before it is looked at; what comes of it is recorded",
	"PayRequest":        "a request is counted before it is looked at; what comes of it is recorded, and that its network has to wait",
	"ProveCode":         "a step of a login, which ends recorded: finished, dropped or refused",
	"Purge":             "what is over is removed after the times of the settings",
	"Refresh":           "what was given is recorded by BeginGrant, as long as it lasts",
	"Refund":            "a count of tries",
	"Seen":              "when sessions were last used",
	"UpgradeHash":       "the same password, kept better",
}

func newcomer(t *testing.T) store.NewUser {
	t.Helper()
	a, err := address.Parse("bob@example.org")
	must(t, err)
	return store.NewUser{Address: a, Hash: ""}
}

func TestNoActIsWithoutItsEvent(t *testing.T) {
	for name, m := range moments {
		if m.prepare == nil {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := storetest.Open(t, storetest.Migrated["SQLite"](t), keys.New())
			act := m.prepare(play{t, s})
			before := len(recorded(t, s, m.tells))
			must(t, act())
			if got := len(recorded(t, s, m.tells)); got != before+1 {
				t.Errorf("%d events %s after %d before, want one more", got, m.tells, before)
			}
		})
	}
}

// Whoever adds a method that writes says here what tells of it.
func TestEveryMethodThatWritesIsAMomentOrSaysWhyNot(t *testing.T) {
	writes := methodsThatWrite(t)
	if len(writes) < 50 {
		t.Fatalf("only %d methods write: the sources were not read", len(writes))
	}
	for name := range writes {
		_, isMoment := moments[name]
		_, isNone := noAct[name]
		switch {
		case isMoment && isNone:
			t.Errorf("Store.%s is in moments and in noAct", name)
		case !isMoment && !isNone:
			t.Errorf("Store.%s writes: put it into moments with the event that tells of it, or into noAct with why there is none", name)
		}
	}
	for name := range moments {
		if !writes[name] {
			t.Errorf("moments: Store has no method %s that writes", name)
		}
	}
	for name := range noAct {
		if !writes[name] {
			t.Errorf("noAct: Store has no method %s that writes", name)
		}
	}
}

func TestMomentsThatAreTestedElsewhereAre(t *testing.T) {
	for name, m := range moments {
		if m.prepare != nil {
			continue
		}
		file, test, _ := strings.Cut(m.elsewhere, ": ")
		source, err := os.ReadFile(file)
		if err != nil || !strings.Contains(string(source), "\nfunc "+test+"(t *testing.T)") || !strings.Contains(string(source), eventName(t, m.tells)) {
			t.Errorf("%s: %s is no test that looks for %s; %v", name, m.elsewhere, m.tells, err)
		}
	}
}

// eventName is how sources call an event.
func eventName(t *testing.T, kind auth.EventKind) string {
	t.Helper()
	source, err := os.ReadFile("../auth/event.go")
	must(t, err)
	for line := range strings.Lines(string(source)) {
		if words := strings.Fields(line); len(words) > 3 && words[3] == `"`+string(kind)+`"` {
			return "auth." + words[0]
		}
	}
	t.Fatalf("no event %s", kind)
	return ""
}

// methodsThatWrite are the exported methods of Store that begin a writing
// transaction, by themselves or by another method.
func methodsThatWrite(t *testing.T) map[string]bool {
	t.Helper()
	files, err := filepath.Glob("*.go")
	must(t, err)
	calls := map[string][]string{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		must(t, err)
		for _, declared := range parsed.Decls {
			if f, ok := declared.(*ast.FuncDecl); ok && receiver(f) == "Store" {
				calls[f.Name.Name] = callsIn(f)
			}
		}
	}
	writes := map[string]bool{"transaction": true}
	for grown := true; grown; {
		grown = false
		for name, called := range calls {
			if !writes[name] && slices.ContainsFunc(called, func(other string) bool { return writes[other] }) {
				writes[name], grown = true, true
			}
		}
	}
	for name := range writes {
		if !ast.IsExported(name) {
			delete(writes, name)
		}
	}
	return writes
}

func callsIn(f *ast.FuncDecl) (called []string) {
	ast.Inspect(f, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			if method, ok := call.Fun.(*ast.SelectorExpr); ok {
				called = append(called, method.Sel.Name)
			}
		}
		return true
	})
	return called
}

func receiver(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return ""
	}
	if star, ok := f.Recv.List[0].Type.(*ast.StarExpr); ok {
		if name, ok := star.X.(*ast.Ident); ok {
			return name.Name
		}
	}
	return ""
}

func TestASessionThatMakesRoomIsRecorded(t *testing.T) {
	s := storetest.Open(t, storetest.Migrated["SQLite"](t), keys.New())
	u := storetest.Person(t, s, "ada@example.org")
	for i := range storetest.Rules.SessionsAtOnce + 1 {
		storetest.Session(t, s, u, now.Add(time.Duration(i)*time.Second))
	}
	events := recorded(t, s, auth.EventSessionEnded)
	if len(events) != 1 || events[0].Subject != u.ID || events[0].Detail != "too many" {
		t.Errorf("events %+v", events)
	}
}

func TestPreferencesThatStayAsTheyWereAreNoEvent(t *testing.T) {
	s := storetest.Open(t, storetest.Migrated["SQLite"](t), keys.New())
	by := inSession(t, s, storetest.Person(t, s, "ada@example.org"))
	for range 2 {
		must(t, s.SavePreferences(t.Context(), by, "de", "dark", now))
	}
	if got := recorded(t, s, auth.EventUserChanged); len(got) != 1 {
		t.Errorf("%d events, want 1", len(got))
	}
}
