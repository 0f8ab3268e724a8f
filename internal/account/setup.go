package account

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/proof"
	"github.com/twinlock/twinlock/internal/recovery"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/totp"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/web"
)

// enroller is who sets two-factor authentication up: a person in a session, or
// one whose login owes it.
type enroller struct {
	auth.User
	Attempt auth.Attempt // of the login that owes it; zero inside a session
	Next    string       // one of our pages that sent them here; "" for none
	Home    string       // where it leads otherwise; "" for the settings
	Other   string       // the page that sets up another second factor in its place; "" for none
	Further *further     // the app comes to others; nil where it turns them on

	// row is what a begun set-up is sealed for: it opens for no other session
	// and no other login, not even of the same person.
	row string
}

// forced tells that a login waits for this.
func (e enroller) forced() bool { return e.Attempt.ID != "" }

// leadsTo is where a set-up inside a session leads.
func (e enroller) leadsTo() string {
	return cmp.Or(e.Next, e.Home, "/account")
}

// administers tells that a page of the administration waits, which lets nobody
// in without the set-up.
func (e enroller) administers() bool {
	page, _, _ := strings.Cut(e.Next, "?")
	return page == "/admin" || strings.HasPrefix(page, "/admin/")
}

// backTo is where whoever sets nothing up goes.
func (e enroller) backTo() string {
	if e.administers() {
		return "/account"
	}
	return e.leadsTo()
}

// actor is who does it. A login on its way has no session, and is nothing to
// whoever else may be signed in to this browser.
func (e enroller) actor(v *web.Visitor) auth.Actor {
	by := v.Actor()
	if e.forced() {
		by.User, by.Session = e.User, auth.Session{}
	}
	return by
}

// showTwoFactor shows the set-up while two-factor authentication is off, and
// how to disable it while it is on.
func (h *Flow) showTwoFactor(w http.ResponseWriter, r *http.Request) error {
	query, err := web.ReadQuery(r, "attempt", "next")
	if err != nil {
		return err
	}
	return h.asEnroller(w, r, query, func(e enroller) error {
		return h.showSetUp(w, r, e, http.StatusOK, ui.Text{})
	})
}

// asEnroller serves whoever may set two-factor authentication up now. Both
// ways lead through here: inside a session the password must be fresh; with
// the attempt of a login the set-up must be the very step that it owes.
func (h *Flow) asEnroller(w http.ResponseWriter, r *http.Request, form web.Form, serve func(enroller) error) error {
	v := web.Asking(r)
	switch {
	case form["attempt"] != "":
		return h.asOwing(w, r, form["attempt"], auth.TwoFactorPlugin, serve)
	case !v.SignedIn():
		return h.SendToLogin(w, r, auth.TwoFactorPlugin)
	case !v.Policy().TwoFactor:
		return web.NotFound()
	case v.User().HasAuthenticator():
		return h.alreadyOn(w, r)
	}
	if missing := auth.May(v.Actor(), auth.ChangeAccount, v.Policy(), v.Now); missing != auth.Yes {
		return h.AskAgain(w, r, missing)
	}
	e := enroller{User: v.User(), Next: web.ReturnTo(form["next"]), row: setUpRow(v.User(), "session", string(v.Presence.Session.ID))}
	e.Other = otherSetUp(e, v.Policy(), auth.TwoFactorPlugin)
	return serve(e)
}

// setUpPages are where second factors are set up.
var setUpPages = map[auth.PluginID]string{auth.TwoFactorPlugin: "/account/two-factor", auth.PasskeysPlugin: "/account/passkeys/new"}

// setUpHomes are where what is set up already is seen.
var setUpHomes = map[auth.PluginID]string{auth.TwoFactorPlugin: "/account/two-factor", auth.PasskeysPlugin: "/account/passkeys"}

// otherSetUp is the page that sets up the other second factor in the place of this
// one, where something waits for either, and both work.
func otherSetUp(e enroller, p auth.Policy, this auth.PluginID) string {
	query := url.Values{}
	switch {
	case !p.TwoFactor || !p.Passkeys || p.AsksCode(e.User):
		return ""
	case e.forced():
		query.Set("attempt", string(e.Attempt.ID))
	case e.Next != "":
		query.Set("next", e.Next)
	default:
		return ""
	}
	other := auth.PasskeysPlugin
	if this == other {
		other = auth.TwoFactorPlugin
	}
	return setUpPages[other] + "?" + query.Encode()
}

// asOwing serves a login that owes a second factor, and may set up the one of this
// plug-in.
func (h *Flow) asOwing(w http.ResponseWriter, r *http.Request, id string, plugin auth.PluginID, serve func(enroller) error) error {
	attempt, u, err := h.Attempt(r, id)
	if errors.Is(err, store.ErrNotFound) {
		return h.startAgain(w, r, setUpHomes[plugin])
	} else if err != nil {
		return err
	}
	policy, err := h.Live.PolicyOf(r.Context(), u.ID)
	if err != nil {
		return err
	}
	switch {
	case auth.Next(attempt, u, policy, web.Asking(r).Now) != auth.StepEnrol:
		return h.startAgain(w, r, setUpHomes[plugin])
	case !policy.Enables(plugin):
		return web.NotFound()
	}
	e := enroller{User: u, Attempt: attempt, row: setUpRow(u, "login", string(attempt.ID))}
	e.Other = otherSetUp(e, policy, plugin)
	return serve(e)
}

func setUpRow(u auth.User, kind, id string) string {
	return "set-up/" + string(u.ID) + "/" + kind + "/" + id
}

// startAgain answers an attempt that is over. Whoever finished it meanwhile is
// signed in, and sees that two-factor authentication is on.
func (h *Flow) startAgain(w http.ResponseWriter, r *http.Request, home string) error {
	if web.Asking(r).SignedIn() {
		return web.Redirect(w, home)
	}
	return web.Redirect(w, "/login?again=late")
}

func (h *Flow) alreadyOn(w http.ResponseWriter, r *http.Request) error {
	if r.Method == http.MethodGet {
		return h.showDisable(w, r)
	}
	return web.Redirect(w, "/account/two-factor")
}

// setUp is a set-up on its way. Its key is in no table before Activate: it
// travels in the page, which sends it back, and in a cookie, which keeps it
// over a reload. Both are sealed for the enroller.
type setUp struct {
	Key        []byte
	Generation int64 // of the account
	Began      time.Time
	SetBacks   int64 // of the clock, before it began
}

// showSetUp shows the set-up with the key that this browser is in the middle
// of, or with a fresh one. It writes nothing but a cookie.
func (h *Flow) showSetUp(w http.ResponseWriter, r *http.Request, e enroller, status int, problem ui.Text) error {
	now := web.Asking(r).Now
	sealed := h.SetUp(r)
	key, ok := h.openSetUp(e, sealed, web.Asking(r))
	if !ok {
		var err error
		key = totp.NewKey()
		if sealed, err = h.sealSetUp(e, key, web.Asking(r)); err != nil {
			return err
		}
		h.KeepSetUp(w, sealed)
	}
	page, err := h.setUpPage(e, key, sealed, now)
	if err != nil {
		return err
	}
	page.Summary = ui.SummarizeAmong(problem) // the new key comes before the field
	return h.Show(w, r, status, "account/set-up", page)
}

func (h *Flow) sealSetUp(e enroller, key totp.Key, v *web.Visitor) (string, error) {
	plain, err := json.Marshal(setUp{Key: key.Bytes(), Generation: e.Generation, Began: v.Now, SetBacks: v.SetBacks})
	if err != nil {
		return "", err
	}
	sealed, err := h.Ring.Seal(plain, e.row)
	return base64.RawURLEncoding.EncodeToString(sealed), err
}

// openSetUp gives the key of a set-up that this enroller began, not too long
// ago, for the account as it still is. Anything else is false: whoever asks
// gets a fresh key, and is told nothing of the other one.
func (h *Flow) openSetUp(e enroller, sealed string, v *web.Visitor) (totp.Key, bool) {
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil {
		return totp.Key{}, false
	}
	plain, _, err := h.Ring.Open(raw, e.row)
	if err != nil {
		return totp.Key{}, false
	}
	var s setUp
	if err := json.Unmarshal(plain, &s); err != nil || s.Generation != e.Generation {
		return totp.Key{}, false
	}
	if s.SetBacks != v.SetBacks || v.Now.Before(s.Began) || !v.Now.Before(s.Began.Add(h.Rules.SetUpTimeout)) {
		return totp.Key{}, false
	}
	key, err := totp.KeyFromBytes(s.Key)
	return key, err == nil
}

// postTwoFactor activates.
func (h *Flow) postTwoFactor(w http.ResponseWriter, r *http.Request) error {
	form, err := web.ReadForm(r, "attempt", "next", "set-up", "code")
	if err != nil {
		return err
	}
	return h.asEnroller(w, r, form, func(e enroller) error { return h.activate(w, r, e, form) })
}

// shownKey is a key on its way whose right code was shown.
type shownKey struct {
	totp.Key
	proof.SetUpCode
	page setUpPage
}

// shownCode holds the typed code to the key of the page that it came with,
// whatever other pages of this browser show. Any but a right one is refused: then
// ok is false and the answer is given.
func (h *Flow) shownCode(w http.ResponseWriter, r *http.Request, e enroller, form web.Form) (k shownKey, ok bool, err error) {
	v := web.Asking(r)

	// Read.
	k.Key, ok = h.openSetUp(e, form["set-up"], v)
	if !ok {
		return k, false, h.showSetUp(w, r, e, http.StatusUnprocessableEntity, ui.T("twofactor.setUpOver"))
	}
	if k.page, err = h.setUpPage(e, k.Key, form["set-up"], v.Now); err != nil {
		return k, false, err
	}

	// Decide.
	k.SetUpCode, err = h.Proof.SetUpCode(r.Context(), h.From(r), e.User, k.Key, form["code"])
	status, why := web.NotNow(w, r, err, setUpWaitText)
	switch {
	case status != 0:
		return k, false, h.refuseSetUp(w, r, k.page, status, why)
	case err != nil:
		return k, false, err
	case k.Verdict != proof.Right:
		return k, false, h.refuseSetUp(w, r, k.page, http.StatusUnprocessableEntity, setUpText(k.SetUpCode))
	}
	return k, true, nil
}

func (h *Flow) refuseSetUp(w http.ResponseWriter, r *http.Request, page setUpPage, status int, why ui.Text) error {
	page.refuse(why)
	return h.Show(w, r, status, "account/set-up", page)
}

// activate turns the authenticator app on with the key whose code was shown.
func (h *Flow) activate(w http.ResponseWriter, r *http.Request, e enroller, form web.Form) error {
	ctx, v := r.Context(), web.Asking(r)
	k, ok, err := h.shownCode(w, r, e, form)
	if err != nil || !ok {
		return err
	}

	// Write.
	codes, set, err := h.firstCodes(r, e.User)
	if err != nil {
		err = errors.Join(err, h.Proof.TakeBack(ctx, k.Paid))
	}
	if status, why := web.NotNow(w, r, err, setUpWaitText); status != 0 {
		return h.refuseSetUp(w, r, k.page, status, why)
	} else if err != nil {
		return err
	}
	token, err := h.Store.EnableTwoFactor(ctx, e.actor(v), store.Enrolment{
		User: e.ID, Generation: e.Generation, Key: k.Key, Step: k.Step, Codes: set,
		Attempt: e.Attempt.ID, Paid: k.Paid,
	}, v.Now)
	if errors.Is(err, store.ErrSpent) {
		return h.startAgain(w, r, setUpHomes[auth.TwoFactorPlugin])
	} else if err != nil {
		return err
	}

	// Answer.
	h.KeepSetUp(w, "")
	return h.goOn(w, r, e, token, "twofactor.doneEnabled", codes)
}

// goOn lets whoever set a second factor up go on to where it leads, by way of the
// recovery codes that came with it.
func (h *Flow) goOn(w http.ResponseWriter, r *http.Request, e enroller, token secret.Token, done string, codes []recovery.Code) (err error) {
	next := e.leadsTo()
	if e.forced() {
		next = whereTo(e.Attempt.Return)
		_, err = h.FinishLogin(w, r, e.Attempt.ID)
	} else {
		err = h.GoOn(w, r, token)
	}
	switch {
	case err != nil && len(codes) == 0:
		return err
	case err != nil: // codes that are kept are shown, or nobody ever sees them
		h.LogOf(r).Error("going on after a set-up", "error", err)
		next = "/login"
	case len(codes) == 0:
		h.Notice(w, done)
		return web.Redirect(w, next)
	}
	return h.showCodes(w, r, ui.T(done), codes, next)
}

// firstCodes makes the recovery codes that come with a first second factor. Who has
// one keeps those that they have, and none are made.
func (h *Flow) firstCodes(r *http.Request, u auth.User) (codes []recovery.Code, set recovery.Set, err error) {
	_, err = h.Store.RecoverySet(r.Context(), u.ID)
	switch {
	case err == nil && u.TwoFactor():
		return nil, recovery.Set{}, nil
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return nil, recovery.Set{}, err
	}
	return h.freshCodes(r)
}

// freshCodes makes recovery codes, and hashes them where passwords are hashed.
func (h *Flow) freshCodes(r *http.Request) (codes []recovery.Code, set recovery.Set, err error) {
	codes = recovery.New(h.Rules.RecoveryCodes)
	set, err = h.Proof.HashCodes(r.Context(), codes)
	return codes, set, err
}

// whereTo is where a login was going, or the application list.
func whereTo(address string) string {
	if address == "" {
		return "/apps"
	}
	return address
}
