package account

import (
	"context"
	"errors"
	"html/template"
	"slices"
	"strings"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/proof"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/totp"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/web"
)

// settingsPage is the account settings.
type settingsPage struct {
	ui.Summary
	Profile   profile
	TwoFactor *twoFactorSection // nil while the plug-in is not enabled for this person
	Passkeys  *passkeysSection  // nil while the plug-in is not enabled for this person
	Codes     *codesSection     // recovery codes, where no app is on beside which they are told of

	Applications bool // the person may sign in to some by OpenID Connect
}

// twoFactorSection is the bottom of the account settings.
type twoFactorSection struct {
	Since    time.Time // zero while it is off
	Passkeys bool      // a login asks for a passkey all the same
	codesSection
}

// codesSection tells of recovery codes.
type codesSection struct {
	Codes int  // unused
	Few   bool // so few that new ones should be made
}

// passkeysSection tells of the passkeys that somebody has.
type passkeysSection struct {
	Count    int
	Accepted string // for the browser, as JSON; "" where it has never made one
}

// On tells whether the person enabled it.
func (s twoFactorSection) On() bool { return !s.Since.IsZero() }

func (h *Flow) twoFactorSection(v *web.Visitor, codes codesSection) *twoFactorSection {
	if !v.Policy().TwoFactor {
		return nil
	}
	return &twoFactorSection{Since: v.User().TwoFactorSince, Passkeys: v.Policy().AsksPasskey(v.User()), codesSection: codes}
}

func (h *Flow) codesSection(ctx context.Context, v *web.Visitor) (codesSection, error) {
	if !v.Policy().AsksCode(v.User()) {
		return codesSection{}, nil
	}
	set, err := h.Store.RecoverySet(ctx, v.User().ID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return codesSection{}, err
	}
	return codesSection{Codes: set.Left(), Few: set.Left() <= h.Rules.RecoveryCodesFew}, nil
}

// codeForm is a form whose one field takes a code, or which a passkey answers in
// its place.
type codeForm struct {
	ui.Summary
	Code    ui.Field
	Passkey ui.Passkey // zero: none is asked for
}

// newRecoveryForm is for whoever has no app whose codes count.
func newRecoveryForm() codeForm {
	return codeForm{Code: web.NewCodeField(false, ui.T("login.recoveryHint"))}
}

// newCodeForm is for whoever has an app, whose codes alone are taken where recovery
// does not say that one of its owner's recovery codes is, too.
func newCodeForm(hint ui.Text, recovery bool) codeForm {
	form := codeForm{Code: web.NewCodeField(true, hint)}
	form.Code.Letters = recovery
	return form
}

func (f *codeForm) refuse(why ui.Text) {
	f.Code.Error = why
	f.Summary = ui.Summarize(why, &f.Code)
}

// setUpPage is the configuration area: the key for the app, and the field for
// the code that the app then shows.
type setUpPage struct {
	codeForm
	Title    ui.Text
	Action   string         // where the code is sent
	Text     ui.Text        // what comes of it, where there are other apps
	Instead  ui.Text        // whose place it takes; zero where nobody's
	Replaces string         // its id
	Name     *ui.Field      // of one more app; nil where none is asked
	Attempt  auth.AttemptID // of the login that waits for this; "" inside a session
	Admits   bool           // the administration waits for this
	Account  string
	Next     string // one of our pages that waits for this; "" for none
	Back     string
	Other    string // the page that makes a passkey in its place; "" for none
	Sealed   string // the set-up, as the page sends it back
	Apps     []app
	Link     template.URL // opens the app
	QR       template.HTML
	Secret   string // in groups, for typing by hand
	Plain    ui.Copy
	Digits   int
	Period   int // seconds
	Ring     ui.Ring
	Kept     time.Duration // for so long the key stays
}

func (h *Flow) setUpPage(e enroller, key totp.Key, sealed string, now time.Time) (setUpPage, error) {
	page := newSetUpPage(key, e.Address, now)
	page.Attempt, page.Sealed, page.Kept = e.Attempt.ID, sealed, h.Rules.SetUpTimeout
	page.Next, page.Back, page.Admits = e.Next, e.backTo(), e.administers()
	page.Other = e.Other
	page.tell(e.Further)
	link, err := appLink(key, h.Site, e.Address)
	if err != nil {
		return page, err
	}
	page.Link = template.URL(link)
	picture, err := totp.QR(link)
	page.QR = template.HTML(picture)
	return page, err
}

func newSetUpPage(key totp.Key, account string, now time.Time) setUpPage {
	return setUpPage{
		Title: ui.T("twofactor.setUpTitle"), Action: "/account/two-factor",
		codeForm: newCodeForm(ui.T("twofactor.codeHint"), false), Account: account, Apps: apps, Secret: key.Grouped(),
		Plain:  ui.Copy{Label: ui.T("twofactor.copyKey"), What: key.Text()},
		Digits: totp.Digits, Period: int(totp.Period.Seconds()),
		Ring: ui.Ring{Left: totp.Left(now), Period: totp.Period}, Back: "/account",
	}
}

// appLink is the link that hands the key to an app. The template's own rule
// for links does not know its scheme, so it is looked at here.
func appLink(key totp.Key, site, account string) (string, error) {
	link := totp.Link(key, site, account)
	if !strings.HasPrefix(link, "otpauth://totp/") {
		return "", errors.New("the link for the authenticator app does not begin as it should")
	}
	return link, nil
}

// setUpText says why a code does not activate. A phone whose clock is wrong is
// told so: it would never show a right one.
func setUpText(c proof.SetUpCode) ui.Text {
	minutes := int(c.Drift.Abs().Round(time.Minute) / time.Minute)
	switch {
	case c.Verdict == proof.Missing:
		return ui.T("twofactor.missingCode")
	case c.Drift > 0:
		return ui.N("twofactor.clockAhead", max(1, minutes))
	case c.Drift < 0:
		return ui.N("twofactor.clockBehind", max(1, minutes))
	}
	return ui.T("twofactor.wrongCode")
}

// setUpWaitText says when to come back. No letter opens this door.
func setUpWaitText(wait *store.WaitError, v *web.Visitor) ui.Text {
	return ui.T("twofactor.wait", "Wait", v.Texts.Duration(wait.Until.Sub(v.Now)))
}

// app is an authenticator app and where to get it.
type app struct {
	Name   string
	Stores []appStore
}

type appStore struct{ Name, URL string }

// apps are a selection. Each takes everything that the QR code says.
var apps = []app{
	{"Aegis Authenticator", []appStore{
		{"F-Droid", "https://f-droid.org/packages/com.beemdevelopment.aegis/"},
		{"Google Play", "https://play.google.com/store/apps/details?id=com.beemdevelopment.aegis"},
	}},
	{"2FAS Auth", []appStore{
		{"Google Play", "https://play.google.com/store/apps/details?id=com.twofasapp"},
		{"App Store", "https://apps.apple.com/app/2fas-auth/id1217793794"},
	}},
	{"Ente Auth", []appStore{
		{"F-Droid", "https://f-droid.org/packages/io.ente.auth/"},
		{"Google Play", "https://play.google.com/store/apps/details?id=io.ente.auth"},
		{"App Store", "https://apps.apple.com/app/ente-auth/id6444121398"},
	}},
	{"Google Authenticator", []appStore{
		{"Google Play", "https://play.google.com/store/apps/details?id=com.google.android.apps.authenticator2"},
		{"App Store", "https://apps.apple.com/app/google-authenticator/id388497605"},
	}},
	{"Microsoft Authenticator", []appStore{
		{"Google Play", "https://play.google.com/store/apps/details?id=com.azure.authenticator"},
		{"App Store", "https://apps.apple.com/app/microsoft-authenticator/id983156458"},
	}},
}

// newCodesPage shows recovery codes that were just made, once.
type newCodesPage struct {
	Codes   []string
	Site    string
	Account string
	Made    time.Time
	Next    string // where Continue leads
	Saved   ui.Checkbox
}

func newCodesShown(site, account string, made time.Time, next string) newCodesPage {
	return newCodesPage{Site: site, Account: account, Made: made, Next: next, Saved: savedTick()}
}

// CopyAll copies the codes alone; Download saves them with what is printed.
func (newCodesPage) CopyAll() ui.Copy {
	return ui.Copy{Label: ui.T("recovery.copyAll"), From: "codes"}
}

// Download saves the sheet as it is printed.
func (newCodesPage) Download() ui.Download {
	return ui.Download{From: "sheet", File: "recovery-codes.txt"}
}

func savedTick() ui.Checkbox {
	return ui.Checkbox{Name: "saved", Value: "yes", Label: ui.T("recovery.saved"), Required: true}
}

// notSavedPage asks for the tick that was missing.
type notSavedPage struct {
	ui.Summary
	Next  string
	Saved ui.Checkbox
}

func newNotSavedPage(next string) notSavedPage {
	p := notSavedPage{Next: next, Saved: savedTick()}
	p.Saved.Error = ui.T("recovery.notSaved")
	p.Summary = ui.Summary{Text: p.Saved.Error, Marked: []ui.Mark{{ID: p.Saved.Identity(), Text: p.Saved.Label}}, Focused: true}
	return p
}

// recoveryCodesPage tells of the codes that a person has, and makes new ones.
type recoveryCodesPage struct {
	codeForm
	Made time.Time // zero: there are none
	All  int
	Left int
	Few  bool
	Used []time.Time // oldest first
}

func newRecoveryCodesPage(set store.RecoverySet, few int, app bool) recoveryCodesPage {
	page := recoveryCodesPage{codeForm: newRecoveryForm(), Made: set.Made, All: len(set.Used), Left: set.Left()}
	if app {
		page.codeForm = newCodeForm(ui.T("login.codeHint"), true)
	}
	page.Few = page.Left <= few
	for _, at := range set.Used {
		if !at.IsZero() {
			page.Used = append(page.Used, at)
		}
	}
	slices.SortFunc(page.Used, time.Time.Compare)
	return page
}

// disablePage says that two-factor authentication is on, and turns it off.
type disablePage struct {
	codeForm
	Since  time.Time
	Must   bool    // the next login asks for a new set-up
	Text   ui.Text // what then opens the account
	Digits int
	Period int // seconds
}

func newDisablePage(u auth.User, p auth.Policy) disablePage {
	page := disablePage{codeForm: newCodeForm(ui.T("login.codeHint"), true), Since: u.TwoFactorSince, Must: u.MustUseTwoFactor,
		Text: ui.T("twofactor.disableText"), Digits: totp.Digits, Period: int(totp.Period.Seconds())}
	if p.AsksPasskey(u) {
		page.Text, page.Must = ui.T("authenticators.disableKeepsPasskeys"), false
	}
	return page
}

// Examples are the flow's pages in named states.
func Examples() []ui.Example {
	example := newProfile(auth.User{Address: "ada@example.org", Name: "Ada"}, 12)
	since := time.Date(2026, 11, 2, 9, 30, 0, 0, time.UTC)
	refused := newProfile(auth.User{Address: "georgios.with.a.very.long.address.indeed@subdomain.example.org", Name: strings.Repeat("Papadopoulos", 6)}, 12)
	refused.CurrentPassword.Error = ui.T("confirm.wrongPassword")
	summary := ui.SummarizeAmong(ui.Text{}, &refused.CurrentPassword)
	held := newProfile(auth.User{Address: "ada@example.org", Name: "Ada"}, 12)
	markNewAddress("ada@example.net", ui.T("account.newAddressWait", "Wait", "8 s"))(&held)
	return slices.Concat(twoFactorExamples(since), passkeyExamples(since), ui.SignedIn([]ui.Example{
		{Page: "account/settings", Name: "two-factor authentication not enabled for this person", Data: settingsPage{Profile: example}},
		{Page: "account/settings", Name: "two-factor authentication off", Data: settingsPage{Profile: example, TwoFactor: &twoFactorSection{}}},
		{Page: "account/settings", Name: "two-factor authentication on", Data: settingsPage{Profile: example, TwoFactor: &twoFactorSection{Since: since, codesSection: codesSection{Codes: 9}}, Applications: true}},
		{Page: "account/settings", Name: "few recovery codes left", Data: settingsPage{Profile: example, TwoFactor: &twoFactorSection{Since: since, codesSection: codesSection{Codes: 2, Few: true}}}},
		{Page: "account/settings", Name: "passkeys beside an app", Data: settingsPage{Profile: example, TwoFactor: &twoFactorSection{Since: since, codesSection: codesSection{Codes: 9}}, Passkeys: &passkeysSection{Count: 2}}},
		{Page: "account/settings", Name: "passkeys alone", Data: settingsPage{Profile: example, TwoFactor: &twoFactorSection{Passkeys: true}, Passkeys: &passkeysSection{Count: 1}, Codes: &codesSection{Codes: 10}}},
		{Page: "account/settings", Name: "no passkey yet", Data: settingsPage{Profile: example, Passkeys: &passkeysSection{}}},
		{Page: "account/settings", Name: "session about to end", Shell: ui.Shell{Window: exampleWindow(time.Minute, time.Hour)}, Data: settingsPage{Profile: example}},
		{Page: "account/settings", Name: "session expired", Shell: ui.Shell{Window: exampleWindow(0, time.Hour)}, Data: settingsPage{Profile: example}},
		{Page: "account/settings", Name: "session expired for good", Shell: ui.Shell{Window: exampleWindow(0, 0)}, Data: settingsPage{Profile: example}},
		{Page: "account/settings", Name: "saved, and refused", Shell: ui.Shell{Notice: ui.T("account.doneName"), Menu: &ui.Menu{Name: refused.Address}}, Data: settingsPage{Profile: refused, Summary: summary}},
		{Page: "account/settings", Name: "too many new addresses", Data: settingsPage{Profile: held, Summary: ui.SummarizeAmong(ui.Text{}, &held.NewAddress)}},
		{Page: "account/applications", Name: "none", Data: applicationsPage{}},
		{Page: "account/applications", Name: "two", Data: newApplicationsPage([]store.SignedInApplication{
			{Application: auth.Application{ID: "a", Name: "Wiki", URL: "https://wiki.example.org/"}, Scopes: auth.AllScopes, Given: since, Last: since, Offline: true},
			{Application: auth.Application{ID: "b", Name: "Notes", URL: "https://notes.example.org/"}, Last: since},
		})},
		{Page: "account/address", Name: "from the mail", Data: addressPage{Token: "t", Old: "ada@example.org", New: "ada@example.net"}},
		{Page: "account/sessions", Name: "two browsers", Data: sessionsPage{Others: true, Sessions: []sessionRow{
			{ID: "a", Browser: "Firefox · Linux", Network: "192.0.2.7", Began: since, LastSeen: since, This: true},
			{ID: "b", Browser: "Safari · iPhone", Network: "192.0.2.9", Began: since, LastSeen: since, Lapsed: true},
		}}},
	}))
}

// exampleWindow is of a session that warns from the beginning.
func exampleWindow(idle, total time.Duration) *ui.Window {
	return &ui.Window{Secret: "s", Account: "ada@example.org", Person: "p", IdleLeft: idle, TotalLeft: total}
}

// twoFactorExamples show a key that no account has.
func twoFactorExamples(since time.Time) []ui.Example {
	now := time.Date(2026, 11, 23, 12, 0, 12, 0, time.UTC)
	ada := auth.User{ID: "ada", Address: "ada@example.org", TwoFactorSince: since}
	setUp := exampleSetUp(now)
	wrong, ahead, over, forced, admits := setUp, setUp, setUp, setUp, setUp
	wrong.refuse(setUpText(proof.SetUpCode{Verdict: proof.Wrong}))
	ahead.refuse(setUpText(proof.SetUpCode{Verdict: proof.Wrong, Drift: 5 * time.Minute}))
	over.Summary = ui.SummarizeAmong(ui.T("twofactor.setUpOver"))
	forced.Attempt, admits.Admits = "a", true
	must, refused := ada, newDisablePage(ada, auth.Policy{TwoFactor: true})
	must.MustUseTwoFactor = true
	refused.refuse(web.CodeText(proof.Wrong, now))
	asked := ui.Passkey{Options: "{}", Ceremony: "c"}
	byPasskey, notTaken := newDisablePage(ada, auth.Policy{TwoFactor: true}), newRecoveryCodesPage(store.RecoverySet{Made: since, Used: make([]time.Time, 10)}, 3, false)
	byPasskey.Passkey, notTaken.Passkey = asked, asked
	refusalOf(proof.NotTaken, now)(&notTaken.codeForm)
	codes := newCodesShown("Twinlock", ada.Address, now, "/account")
	codes.Codes = []string{"AB3D-EF4H-JK5N-PQ6S", "TU7X-YA8C-DE9G-HJ3M", "NP4R-ST5W-XY6B-CD7F", "GH8K-MN9Q-RS3U-WX4A", "BC5E-FG6J-KM7P-QR8T",
		"UW9Y-AB3D-EF4H-JK5N", "PQ6S-TU7X-YA8C-DE9G", "HJ3M-NP4R-ST5W-XY6B", "CD7F-GH8K-MN9Q-RS3U", "WX4A-BC5E-FG6J-KM7P"}
	some := store.RecoverySet{Made: since, Used: make([]time.Time, 10)}
	some.Used[3], some.Used[7] = since.AddDate(0, 0, 9), since.AddDate(0, 0, 4)
	few := store.RecoverySet{Made: since, Used: []time.Time{{}, {}, since.AddDate(0, 0, 4)}}
	apps := exampleAuthenticators(since)
	renamed := newAuthenticatorsPage(apps)
	renamed.Summary = refuseName(web.Form{"id": "b"}, ui.T("authenticators.missingName"))(renamed.entries())
	return append(ui.SignedIn([]ui.Example{
		{Page: "account/set-up", Name: "begun", Data: setUp},
		{Page: "account/set-up", Name: "wrong code", Data: wrong},
		{Page: "account/set-up", Name: "the phone's clock is ahead", Data: ahead},
		{Page: "account/set-up", Name: "took too long", Data: over},
		{Page: "account/set-up", Name: "the administration waits for it", Data: admits},
		{Page: "account/new-codes", Name: "shown once", Data: codes},
		{Page: "account/not-saved", Name: "tick missing", Data: newNotSavedPage("/account")},
		{Page: "account/recovery-codes", Name: "two used", Data: newRecoveryCodesPage(some, 3, true)},
		{Page: "account/recovery-codes", Name: "few left", Data: newRecoveryCodesPage(few, 3, true)},
		{Page: "account/disable", Name: "asked", Data: newDisablePage(ada, auth.Policy{TwoFactor: true})},
		{Page: "account/disable", Name: "wrong code", Data: refused},
		{Page: "account/set-up", Name: "one more app", Data: exampleFurther(setUp, further{Name: ui.Field{Name: "name", Label: ui.T("authenticators.name"), Value: "Tablet", Required: true}})},
		{Page: "account/set-up", Name: "a new phone", Data: exampleFurther(setUp, further{Old: apps[0]})},
		{Page: "account/authenticators", Name: "only one", Data: newAuthenticatorsPage(apps[:1])},
		{Page: "account/authenticators", Name: "three, one renamed", Data: renamed},
		{Page: "account/authenticators", Name: "as many as possible", Data: newAuthenticatorsPage(append(slices.Clone(apps), called(apps[0], "d"), called(apps[0], "e")))},
		{Page: "account/which-app", Name: "three", Data: newWhichPage(apps)},
		{Page: "account/disable", Name: "passkeys stay", Data: newDisablePage(auth.User{TwoFactorSince: since, PasskeysSince: since}, auth.Policy{TwoFactor: true, Passkeys: true})},
		{Page: "account/disable", Name: "or a passkey", Data: byPasskey},
		{Page: "account/recovery-codes", Name: "passkey not taken", Data: notTaken},
		{Page: "account/disable", Name: "must use it", Data: newDisablePage(must, auth.Policy{TwoFactor: true})},
	}), ui.Example{Page: "account/set-up", Name: "a login waits for it", Data: forced})
}

func exampleSetUp(now time.Time) setUpPage {
	key, _ := totp.KeyFromBytes([]byte("a key for the page's"))
	page := newSetUpPage(key, "ada@example.org", now)
	link, _ := appLink(key, "Twinlock", page.Account)
	picture, _ := totp.QR(link)
	page.Link, page.QR, page.Kept = template.URL(link), template.HTML(picture), 15*time.Minute
	return page
}

// exampleAuthenticators have names as people give them.
func exampleAuthenticators(since time.Time) []store.ListedAuthenticator {
	return []store.ListedAuthenticator{
		{ID: "a", Created: since, LastUsed: since.AddDate(0, 0, 20)},
		{ID: "b", Name: "Tablet in the kitchen", Created: since.AddDate(0, 0, 3), LastUsed: since.AddDate(0, 0, 19)},
		{ID: "c", Name: strings.Repeat("Diensttelefon", 4) + " (alt)", Created: since.AddDate(0, 0, 5), LastUsed: since.AddDate(0, 0, 5)},
	}
}

func exampleFurther(page setUpPage, f further) setUpPage {
	page.tell(&f)
	return page
}

// passkeyExamples are the pages of somebody's passkeys.
func passkeyExamples(since time.Time) []ui.Example {
	key := auth.PasskeyKey{Public: []byte("k"), Synced: true}
	all := []store.Passkey{
		{ID: "a", Name: "iCloud Keychain", Domain: "login.example.org", Key: key, Created: since, LastUsed: since.AddDate(0, 0, 20)},
		{ID: "b", Name: strings.Repeat("Sicherheitsschlüssel", 2) + " im Büro", Domain: "login.example.org", Key: auth.PasskeyKey{Public: []byte("k")}, Created: since},
		{ID: "c", Name: "Phone", Domain: "old.example.org", Key: key, Created: since.AddDate(0, -2, 0), LastUsed: since},
	}
	list := newPasskeysPage(all, "login.example.org", 20)
	none, full, refused, added := newPasskeysPage(nil, "login.example.org", 20), newPasskeysPage(all, "login.example.org", 2),
		newPasskeysPage(all, "login.example.org", 20), newPasskeysPage(all[:1], "login.example.org", 20)
	added.Passkeys[0].Open = true
	refused.Summary = refuseName(web.Form{"id": "b"}, ui.T("authenticators.missingName"))(refused.entries())
	ada := auth.User{Address: "ada@example.org"}
	page := newPasskeyPage{Title: ui.T("passkey.add"), Text: ui.T("passkey.intro"), Effect: effectOn(ada),
		Back: ui.Button{Label: ui.T("form.back"), Href: "/account", Look: ui.Secondary}, Passkey: ui.Passkey{Options: "{}", Ceremony: "c"}}
	offer, notMade, forced, waits := page, page, page, page
	offer.Title, offer.Text, offer.Effect = ui.T("passkey.offerTitle"), ui.T("passkey.offerText"), effectOn(auth.User{TwoFactorSince: since})
	offer.Back.Label = ui.T("passkey.notNow")
	notMade.Summary, notMade.Effect = ui.SummarizeAmong(ui.T("passkey.notMade")), ui.Text{}
	forced.Account, forced.Attempt, forced.Other = ada.Address, "a", "/account/two-factor"
	waits.Admits, waits.Other = true, "/account/two-factor"
	remove := removePage{codeForm: newRecoveryForm(), ID: "a", Name: "iCloud Keychain"}
	last, kept := remove, remove
	last.Last, last.Passkey, kept.Kept = true, ui.Passkey{Options: "{}", Ceremony: "c"}, keptTexts[auth.LastForDemand]
	byCode := last
	byCode.Passkey, byCode.Name = ui.Passkey{}, strings.Repeat("Sicherheitsschlüssel", 3)
	refusalOf(proof.Wrong, since)(&byCode.codeForm)
	return append(ui.SignedIn([]ui.Example{
		{Page: "account/passkeys", Name: "three", Data: list},
		{Page: "account/passkeys", Name: "none", Data: none},
		{Page: "account/passkeys", Name: "as many as possible", Data: full},
		{Page: "account/passkeys", Name: "name missing", Data: refused},
		{Page: "account/passkeys", Name: "just added", Shell: ui.Shell{Notice: ui.T("passkey.doneAdded")}, Data: added},
		{Page: "account/new-passkey", Name: "first", Data: page},
		{Page: "account/new-passkey", Name: "offered after a login", Data: offer},
		{Page: "account/new-passkey", Name: "not made", Data: notMade},
		{Page: "account/new-passkey", Name: "the administration waits for it", Data: waits},
		{Page: "account/remove-passkey", Name: "one of several", Data: remove},
		{Page: "account/remove-passkey", Name: "last", Data: last},
		{Page: "account/remove-passkey", Name: "last, wrong recovery code", Data: byCode},
		{Page: "account/remove-passkey", Name: "kept", Data: kept},
	}), ui.Example{Page: "account/new-passkey", Name: "a login waits for it", Data: forced})
}

// called is another of the same kind.
func called(a store.ListedAuthenticator, id string) store.ListedAuthenticator {
	a.ID = id
	return a
}
