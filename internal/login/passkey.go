package login

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/web"
)

// postPasskey signs in whom a passkey names and holds to be who they are: it
// stands for password and code. Whatever is wrong with the answer, and whether or
// not anybody has the passkey, the page says the same to people after the same
// work; to the browser it names a passkey that nobody has, so that it is not
// offered again.
func (h *Flow) postPasskey(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), web.Asking(r)

	// Read.
	form, err := web.ReadForm(r, "ceremony", "passkey", "next")
	if err != nil {
		return err
	}
	if offered, err := h.OffersPasskeys(ctx); err != nil {
		return err
	} else if !offered {
		return web.NotFound()
	}
	ceremony, ok, err := h.AnsweredPasskey(r, auth.SigningIn, form["ceremony"], "")
	if err != nil {
		return err
	} else if !ok {
		return h.refusePasskey(w, r, http.StatusUnprocessableEntity, form, ui.T("passkey.over"), nil)
	}

	// Decide.
	shown, err := h.Proof.SignIn(ctx, h.From(r), ceremony.Asked(), form["passkey"])
	if status, why := web.NotNow(w, r, err, web.WaitText); status != 0 {
		return h.refusePasskey(w, r, status, form, why, nil)
	} else if err != nil {
		return err
	}
	policy, err := h.Live.PolicyOf(ctx, shown.Owner.ID)
	if err != nil {
		return err
	}

	// Write.
	if !shown.Right() || shown.Owner.State != auth.Active || !policy.AsksPasskey(shown.Owner) {
		err := h.Proof.RefusePasskey(ctx, h.From(r), shown)
		if errors.Is(err, store.ErrSpent) { // sent twice
			return h.refusePasskey(w, r, http.StatusUnprocessableEntity, form, ui.T("passkey.over"), nil)
		} else if err != nil {
			return err
		}
		return h.refusePasskey(w, r, http.StatusUnprocessableEntity, form, ui.T("passkey.refused"), shown.Unknown)
	}
	attempt, err := h.Store.ProvePasskey(ctx, v.Actor(), store.ProvedPasskey{
		User: shown.Owner, Claim: shown.Claim, Return: web.ReturnTo(form["next"]),
		Browser: h.Browser(w, r).Hash(), Held: v.Presence.Session.ID, Timeout: h.Rules.Timeout,
	}, v.Now)
	if errors.Is(err, store.ErrSpent) { // sent twice, or changed meanwhile
		if err := h.Proof.LostPasskey(ctx, h.From(r), shown); err != nil {
			return err
		}
		return h.refusePasskey(w, r, http.StatusUnprocessableEntity, form, ui.T("passkey.over"), nil)
	} else if err != nil {
		return err
	}

	// Answer.
	return h.goNext(w, r, attempt, shown.Owner)
}

// refusePasskey shows the login again. A passkey that nobody has is named to the
// browser, which need not offer it again.
func (h *Flow) refusePasskey(w http.ResponseWriter, r *http.Request, status int, form web.Form, why ui.Text, unknown []byte) error {
	page, err := h.passwordPage(w, r, web.Form{"next": form["next"]})
	if err != nil {
		return err
	}
	page.Summary = ui.Summarize(why)
	if unknown != nil {
		named, err := json.Marshal(map[string]string{
			"rpId": h.Passkeys.Domain(), "credentialId": base64.RawURLEncoding.EncodeToString(unknown),
		})
		if err != nil {
			return err
		}
		page.Passkey.Unknown = string(named)
	}
	return h.Show(w, r, status, "login/password", page)
}

// begunPasskey is what a page's script gets in the place of a ceremony that is
// about to be over.
type begunPasskey struct {
	Options  json.RawMessage `json:"options"`
	Ceremony string          `json:"ceremony"`
}

// beginPasskey begins a page's ceremony anew, so that a page which stays open can
// still take a passkey: of anybody, or with an attempt, of whom it is.
func (h *Flow) beginPasskey(w http.ResponseWriter, r *http.Request) error {
	form, err := web.ReadForm(r, "attempt")
	if err != nil {
		return err
	}
	if !h.SameOrigin(r) {
		return &web.Refusal{Status: http.StatusForbidden}
	}
	begun, err := h.beginAnew(w, r, form["attempt"])
	if err != nil {
		return err
	}
	if begun.IsZero() {
		return web.NotFound()
	}
	return web.JSON(w, http.StatusOK, begunPasskey{Options: json.RawMessage(begun.Options), Ceremony: begun.Ceremony})
}

func (h *Flow) beginAnew(w http.ResponseWriter, r *http.Request, attempt string) (ui.Passkey, error) {
	if attempt == "" {
		return h.beginSignIn(w, r)
	}
	a, u, err := h.Attempt(r, attempt)
	if errors.Is(err, store.ErrNotFound) {
		return ui.Passkey{}, nil
	} else if err != nil {
		return ui.Passkey{}, err
	}
	step, err := h.Owes(r, a, u)
	if err != nil || step != auth.StepCode {
		return ui.Passkey{}, err
	}
	policy, err := h.Live.PolicyOf(r.Context(), u.ID)
	if err != nil {
		return ui.Passkey{}, err
	}
	return h.BeginProof(w, r, auth.ProvingCode, u, policy, string(a.ID))
}

// beginSignIn asks for anybody's passkey; for none where they work for nobody.
func (h *Flow) beginSignIn(w http.ResponseWriter, r *http.Request) (ui.Passkey, error) {
	if offered, err := h.OffersPasskeys(r.Context()); err != nil || !offered {
		return ui.Passkey{}, err
	}
	return h.BeginPasskey(w, r, auth.SigningIn, nil, "")
}

// tellUnreadable records for the administrator that somebody is asked for a
// passkey and none of theirs can be read: only a recovery code lets them in. That
// an app's key cannot be read is found when its code is typed.
func (h *Flow) tellUnreadable(r *http.Request, u auth.User, p auth.Policy) error {
	if h.Passkeys == nil || !p.AsksPasskey(u) || p.AsksAuthenticator(u) {
		return nil
	}
	all, err := h.Store.Passkeys(r.Context(), u.ID)
	if err != nil {
		return err
	}
	unreadable := false
	for _, k := range all {
		if k.Works(h.Passkeys.Domain()) {
			return nil
		}
		unreadable = unreadable || !k.Readable()
	}
	if !unreadable {
		return nil // they were made for another host name, as the overview says
	}
	v := web.Asking(r)
	return h.Store.Record(r.Context(), v.Actor(), auth.EventFactorUnreadable, u.ID, "passkeys", v.Now)
}
