package setup

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/twinlock/twinlock/internal/address"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/config"
	"github.com/twinlock/twinlock/internal/password"
	"github.com/twinlock/twinlock/internal/proof"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/web"
)

//go:embed pages
var files embed.FS

// Pages holds the flow's templates.
var Pages fs.FS = files

// Flow is the wizard. It is safe for concurrent use.
type Flow struct {
	*web.Floor
	Proof    *proof.Examiner
	Settings config.Config
	Judge    func(chosen string, owner address.Address, name string) password.Verdict
	Timeout  time.Duration // of the login that the wizard begins
}

// Routes are the flow's addresses.
func (h *Flow) Routes() []web.Route {
	return []web.Route{
		{Method: http.MethodGet, Path: "/setup", Need: web.Anybody, Serve: h.showWizard},
		{Method: http.MethodPost, Path: "/setup", Need: web.Anybody, Serve: h.postWizard},
	}
}

// Link makes a new one-time link to the wizard, on the public URL. The one
// before it stops working, but where other servers printed theirs: see
// [store.Store.OfferSetup].
func (h *Flow) Link(ctx context.Context) (string, error) {
	token := secret.New()
	if err := h.Store.OfferSetup(ctx, auth.Actor{Command: true}, token.Hash(), h.Now()); err != nil {
		return "", err
	}
	return h.PublicURL + web.MailedPath("/setup", token), nil
}

func (h *Flow) showWizard(w http.ResponseWriter, r *http.Request) error {
	query, err := web.ReadQuery(r, "token")
	if err != nil {
		return err
	}
	if open, err := h.mayUse(w, r, query["token"]); err != nil || !open {
		return err
	}
	return h.Show(w, r, http.StatusOK, "setup/wizard", h.newPage(web.Form{"token": query["token"], "two-factor": "on"}))
}

// mayUse answers by itself whoever has no right to the wizard.
func (h *Flow) mayUse(w http.ResponseWriter, r *http.Request, typed string) (bool, error) {
	done, err := h.Store.SetUp(r.Context())
	if err != nil {
		return false, err
	}
	if done {
		return false, web.NotFound()
	}
	token, _ := secret.Parse(typed)
	may, err := h.Store.MaySetUp(r.Context(), token.Hash())
	if err != nil || may {
		return may, err
	}
	return false, h.Show(w, r, http.StatusForbidden, "setup/closed", closedPage{})
}

func (h *Flow) postWizard(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), web.Asking(r)

	// Read.
	form, err := web.ReadForm(r, h.fields()...)
	if err != nil {
		return err
	}
	if open, err := h.mayUse(w, r, form["token"]); err != nil || !open {
		return err
	}

	// Decide.
	page := h.newPage(form)
	first, ok := h.firstAdministrator(&page, form)
	if !ok {
		return h.Show(w, r, http.StatusUnprocessableEntity, "setup/wizard", page)
	}
	first.Hash, err = h.Proof.Hash(ctx, form["password"])
	if status, why := web.NotNow(w, r, err, web.WaitText); status != 0 {
		page.Summary = ui.Summarize(why, page.fields()...)
		return h.Show(w, r, status, "setup/wizard", page)
	} else if err != nil {
		return err
	}
	first.Language, first.Browser = v.Texts.Tag(), h.Browser(w, r).Hash()

	// Write.
	token, _ := secret.Parse(form["token"])
	attempt, err := h.Store.FinishSetup(ctx, v.Actor(), token.Hash(), first, v.Now)
	switch {
	case errors.Is(err, store.ErrSpent):
		return web.NotFound() // somebody was faster
	case errors.Is(err, store.ErrTaken):
		page.Email.Error = ui.T("setup.taken")
		page.Summary = ui.Summarize(ui.Text{}, page.fields()...)
		return h.Show(w, r, http.StatusUnprocessableEntity, "setup/wizard", page)
	case err != nil:
		return err
	}

	// Answer.
	if _, err := h.FinishLoginHere(w, r, attempt); err != nil {
		return err
	}
	h.Notice(w, doneKey(first.TestLetter))
	return web.Redirect(w, "/apps")
}

// fields are those of the form, as the operator's settings leave them.
func (h *Flow) fields() []string {
	fields := []string{"token", "name", "email", "password"}
	if h.asksRegistration() {
		fields = append(fields, "registration")
	}
	if h.asksTwoFactor() {
		fields = append(fields, "two-factor")
	}
	return fields
}

// asksRegistration tells that the settings leave open who may create an account.
func (h *Flow) asksRegistration() bool { return !h.Settings.Given("registration") }

// asksTwoFactor tells that the administrator decides about plug-ins.
func (h *Flow) asksTwoFactor() bool { return h.Settings.Edition != config.Cloud }

func doneKey(testLetter bool) string {
	if testLetter {
		return "setup.doneTestLetter"
	}
	return "setup.doneOutbox"
}

// firstAdministrator reads what was typed. What is wrong is marked in the page.
func (h *Flow) firstAdministrator(page *wizardPage, form web.Form) (store.FirstAdministrator, bool) {
	name, refused := web.ReadName(form["name"])
	page.Name.Error = refused
	owner, err := address.Parse(form["email"])
	switch {
	case strings.TrimSpace(form["email"]) == "":
		page.Email.Error = ui.T("login.missingEmail")
	case err != nil:
		page.Email.Error = ui.T("login.malformedAddress")
	}
	if verdict := h.Judge(form["password"], owner, name); !verdict.Accepted() {
		page.Password.Error = web.PasswordText(verdict)
	}
	page.Summary = ui.Summarize(ui.Text{}, page.fields()...)
	first := store.FirstAdministrator{
		NewUser:    store.NewUser{Address: owner, Name: name, Administrator: true},
		TwoFactor:  form["two-factor"] != "",
		TestLetter: h.Settings.SMTP.Reveal() != "", Timeout: h.Timeout,
	}
	if chosen := config.Registration(form["registration"]); slices.Contains(registrations, chosen) {
		first.Registration = string(chosen)
	}
	return first, !page.HasFailed()
}

var registrations = []config.Registration{config.Open, config.Invited, config.Closed}
