package kit

import (
	"context"

	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
)

// Authenticator is a device of the person at a tab that holds passkeys: the
// browser's own, of software.
type Authenticator struct {
	tab *Tab
	id  webauthn.AuthenticatorID
}

// Authenticator gives the tab's person an empty one, as a phone or a computer has
// it: it answers by itself, and holds its owner to be who they are.
func (tab *Tab) Authenticator() *Authenticator {
	tab.t.Helper()
	return tab.authenticator(webauthn.VirtualAuthenticatorOptions{HasUserVerification: true, IsUserVerified: true})
}

// SyncingAuthenticator is Authenticator for one whose passkeys its owner's other
// devices have too.
func (tab *Tab) SyncingAuthenticator() *Authenticator {
	tab.t.Helper()
	return tab.authenticator(webauthn.VirtualAuthenticatorOptions{HasUserVerification: true, IsUserVerified: true,
		DefaultBackupEligibility: true, DefaultBackupState: true})
}

// AnybodysAuthenticator gives the tab's person one that whoever holds it may use:
// it knows no finger and no PIN. The browser makes no passkey with it.
func (tab *Tab) AnybodysAuthenticator() *Authenticator {
	tab.t.Helper()
	return tab.authenticator(webauthn.VirtualAuthenticatorOptions{})
}

func (tab *Tab) authenticator(kind webauthn.VirtualAuthenticatorOptions) *Authenticator {
	tab.t.Helper()
	kind.Protocol, kind.Transport = webauthn.AuthenticatorProtocolCtap2, webauthn.AuthenticatorTransportInternal
	kind.HasResidentKey, kind.AutomaticPresenceSimulation = true, true
	a := &Authenticator{tab: tab}
	tab.do("have an authenticator", webauthn.Enable(), chromedp.ActionFunc(func(ctx context.Context) (err error) {
		a.id, err = webauthn.AddVirtualAuthenticator(&kind).Do(ctx)
		return err
	}))
	return a
}

// Verifies says whether its owner shows that it is them.
func (a *Authenticator) Verifies(yes bool) {
	a.tab.t.Helper()
	a.tab.do("verify the owner", webauthn.SetUserVerified(a.id, yes))
}

// Answers says whether anybody is there to touch it. While nobody is, the browser
// goes on asking.
func (a *Authenticator) Answers(yes bool) {
	a.tab.t.Helper()
	a.tab.do("be touched", webauthn.SetAutomaticPresenceSimulation(a.id, yes))
}

// SignsWrong says whether its signatures are wrong from now on.
func (a *Authenticator) SignsWrong(yes bool) {
	a.tab.t.Helper()
	a.tab.do("sign wrong", webauthn.SetResponseOverrideBits(a.id).WithIsBogusSignature(yes))
}

// Passkeys are those that it holds.
func (a *Authenticator) Passkeys() (all []*webauthn.Credential) {
	a.tab.t.Helper()
	a.tab.do("list passkeys", chromedp.ActionFunc(func(ctx context.Context) (err error) {
		all, err = webauthn.GetCredentials(a.id).Do(ctx)
		return err
	}))
	return all
}

// Keep puts a passkey into it, a copy that has counted otherwise for one.
func (a *Authenticator) Keep(passkey *webauthn.Credential) {
	a.tab.t.Helper()
	a.tab.do("keep a passkey", webauthn.AddCredential(a.id, passkey))
}

// Gone takes it away.
func (a *Authenticator) Gone() {
	a.tab.t.Helper()
	a.tab.do("be without the authenticator", webauthn.RemoveVirtualAuthenticator(a.id))
}

// Forget makes it lose what it holds.
func (a *Authenticator) Forget() {
	a.tab.t.Helper()
	a.tab.do("forget passkeys", webauthn.ClearCredentials(a.id))
}
