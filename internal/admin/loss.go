package admin

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/proof"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/web"
)

// losers are how many people the page names; of more it tells the number.
const losers = 20

// lossPage tells how many people, and who, would no longer be asked for a
// code, and asks the administrator for one of their own.
type lossPage struct {
	ui.Summary
	Title, Button ui.Text
	Action, Back  string
	Losing        int
	People        []auth.User // the first of them, by address
	More          int         // not named
	Hidden        []ui.Hidden
	Code          *ui.Field // nil where the administrator has none to give
	Passkey       ui.Passkey
}

// tell fills in who would lose it, and what the form said before.
func (p *lossPage) tell(people []auth.User, form web.Form) {
	p.Losing, p.People = len(people), people[:min(len(people), losers)]
	p.More = p.Losing - len(p.People)
	p.Hidden = []ui.Hidden{{Name: "losing", Value: asShown(store.LossOf(people))}}
	for name, value := range form {
		if !slices.Contains(lossFields, name) && value != "" {
			p.Hidden = append(p.Hidden, ui.Hidden{Name: name, Value: value})
		}
	}
	slices.SortFunc(p.Hidden, func(a, b ui.Hidden) int { return strings.Compare(a.Name, b.Name) })
}

// ask asks an administrator for a code of their own: of an app, or of whoever has none
// that counts a recovery code.
func (p *lossPage) ask(app bool, asked ui.Passkey) {
	hint := ui.T("loss.codeHint")
	if !app {
		hint = ui.T("login.recoveryHint")
	}
	code := web.NewCodeField(app, hint)
	code.Autofocus = asked.IsZero()
	p.Code, p.Passkey = &code, asked
}

// refuseCode says at its field why a code was not taken, and above the form why a
// passkey was not.
func (p *lossPage) refuseCode(v proof.Verdict, now time.Time) {
	why := web.CodeTextAt(*p.Code, v, now)
	if v.IsOfPasskey() {
		p.Summary = ui.SummarizeAmong(why, p.Code)
		return
	}
	p.refuse(why)
}

func (p *lossPage) refuse(why ui.Text) {
	p.Code.Error = why
	p.Summary = ui.Summarize(why, p.Code)
}

// lossFields are what the page adds to the fields of the form that led to it.
var lossFields = []string{"losing", "code", "ceremony", "passkey"}

// look tells who would lose the code by a change, without making it.
func look(change func(store.Accepts) error) ([]auth.User, error) {
	err := change(store.OnlyLook)
	var loss *store.LossError
	if errors.As(err, &loss) {
		return loss.People, nil
	}
	return nil, err
}

// mayLose makes a change that may take the code away from people. Where it
// does, it first shows page: how many and who, and asks the administrator for
// a code where one can be asked for. It answers the request itself until a form
// agrees to the loss of exactly these people, with that code; done tells that it was changed.
func (h *Flow) mayLose(w http.ResponseWriter, r *http.Request, form web.Form, page lossPage, change func(store.Accepts) error) (done bool, err error) {
	people, err := look(change)
	if err != nil {
		return false, err
	}
	if err := h.tell(w, r, &page, people, form); err != nil {
		return false, err
	}
	if page.Losing > 0 {
		if form["losing"] != asShown(store.LossOf(people)) {
			return false, h.Show(w, r, http.StatusOK, "admin/loss", page)
		}
		if proved, err := h.proveOwnCode(w, r, form, page); err != nil || !proved {
			return false, err
		}
	}
	err = change(store.LossOf(people))
	var others *store.LossError
	if errors.As(err, &others) {
		if err := h.tell(w, r, &page, others.People, form); err != nil {
			return false, err
		}
		return false, h.Show(w, r, http.StatusOK, "admin/loss", page)
	}
	return err == nil, err
}

// tell fills in the page for whoever asks for it: they prove themselves by what
// they have.
func (h *Flow) tell(w http.ResponseWriter, r *http.Request, page *lossPage, people []auth.User, form web.Form) error {
	v := web.Asking(r)
	u, p := v.User(), v.Policy()
	page.tell(people, form)
	if !p.AsksCode(u) {
		return nil
	}
	asked, err := h.BeginProof(w, r, auth.AgreeingToLoss, u, p, string(v.Presence.Session.ID))
	page.ask(p.AsksAuthenticator(u), asked)
	return err
}

// proveOwnCode spends a code or a passkey of the administrator's own, or shows the page
// again with what is wrong.
func (h *Flow) proveOwnCode(w http.ResponseWriter, r *http.Request, form web.Form, page lossPage) (proved bool, err error) {
	if page.Code == nil {
		return true, nil
	}
	ctx, v := r.Context(), web.Asking(r)
	checked, err := h.Factor(r, h.Proof, v.User(), v.Policy(), form, auth.AgreeingToLoss, string(v.Presence.Session.ID))
	status, why := web.NotNow(w, r, err, web.WaitText)
	switch {
	case status != 0:
		page.refuse(why)
		return false, h.Show(w, r, status, "admin/loss", page)
	case err != nil:
		return false, err
	}
	if checked.Verdict == proof.Right {
		token, err := h.Store.Confirm(ctx, v.Actor(), store.Confirmation{Code: checked.Claim}, checked.Paid, v.Now)
		switch {
		case errors.Is(err, store.ErrSpent):
			checked.Verdict = checked.WhenSpent() // another request was faster
		case err != nil:
			return false, err
		default:
			h.KeepSession(w, token)
			return true, nil
		}
	}
	if err := h.Proof.RefuseCode(ctx, h.From(r), v.User(), checked); err != nil {
		return false, err
	}
	page.refuseCode(checked.Verdict, v.Now)
	return false, h.Show(w, r, http.StatusUnprocessableEntity, "admin/loss", page)
}
