package setup_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/mail"
	"github.com/twinlock/twinlock/internal/store"
)

const eli = "eli@example.org"

// announced is what a start prints.
func announced(t *testing.T, site *apptest.Site) string {
	t.Helper()
	var out strings.Builder
	if err := site.Announce(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// link is the one-time link of a new start, as an address to open.
func link(t *testing.T, site *apptest.Site) string {
	t.Helper()
	_, line, found := strings.Cut(announced(t, site), "Set up: ")
	if !found {
		t.Fatal("no line that begins with Set up:")
	}
	to, err := url.Parse(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	return to.RequestURI()
}

// wizard fills the form in, ready to be sent.
func wizard(page *apptest.Page) *apptest.Form {
	return page.Form("Finish").Fill("Name", "Eli").Fill("Email", eli).Fill("Password", apptest.Password)
}

func isSetUp(t *testing.T, site *apptest.Site) bool {
	t.Helper()
	done, err := site.Store.SetUp(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return done
}

func activations(t *testing.T, site *apptest.Site) (active, everyone bool) {
	t.Helper()
	all, err := site.Store.Activations(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if a.Plugin == auth.TwoFactorPlugin {
			return a.Active, a.Everyone
		}
	}
	t.Fatal("there is no two-factor plug-in")
	return false, false
}

func TestTheWizardMakesTheAdministratorAndSignsIn(t *testing.T) {
	site := apptest.New(t)
	browser := site.Browser()
	browser.Get("/").WantPath("/setup").WantStatus(http.StatusForbidden)

	page := wizard(browser.Get(link(t, site)).WantStatus(http.StatusOK)).Tick("Whoever was invited").Press()

	page.WantPath("/apps").WantStatus(http.StatusOK)
	if !strings.HasPrefix(page.Done(), "Twinlock is set up, and you are logged in.") {
		t.Errorf("role=status says %q", page.Done())
	}
	u, err := site.Store.UserByAddress(t.Context(), eli)
	if err != nil || !u.Administrator || u.Name != "Eli" {
		t.Errorf("the administrator is %+v (%v)", u, err)
	}
	if active, everyone := activations(t, site); !active || !everyone {
		t.Errorf("two-factor authentication: active %v, everyone %v; want both", active, everyone)
	}
	if registration, err := site.Store.Setting(t.Context(), "registration"); err != nil || registration != "invited" {
		t.Errorf("who may create an account: %q (%v), want invited", registration, err)
	}
	if out := announced(t, site); strings.Contains(out, "Set up:") {
		t.Errorf("a start after the set-up prints %q", out)
	}
}

func TestTwoFactorAuthenticationIsLeftOffWhereTheTickIsTakenAway(t *testing.T) {
	site := apptest.New(t)
	wizard(site.Browser().Get(link(t, site))).Untick("Two-factor authentication").Press().WantPath("/apps")
	if active, _ := activations(t, site); active {
		t.Error("two-factor authentication is active")
	}
}

func TestATestLetterIsSentWhereThereIsAMailServer(t *testing.T) {
	for settings, want := range map[string]int{"smtp_url=smtp://mail.example.org": 1, "smtp_url=": 0} {
		site := apptest.New(t, settings)
		page := wizard(site.Browser().Get(link(t, site))).Press().WantPath("/apps")
		letters := site.Mail.Kinds(t, eli)
		if len(letters) != want || want == 1 && letters[0] != mail.Test {
			t.Errorf("%s: letters %v, want %d", settings, letters, want)
		}
		if told := strings.Contains(page.Done(), "test letter"); told != (want == 1) {
			t.Errorf("%s: role=status says %q", settings, page.Done())
		}
		if told := strings.Contains(page.Done(), "folder outbox"); told != (want == 0) {
			t.Errorf("%s: role=status says %q", settings, page.Done())
		}
	}
}

func TestTheWizardIsClosedToWhoeverHasNotTheNewestLink(t *testing.T) {
	site := apptest.New(t)
	older := link(t, site)
	newest := link(t, site)
	altered := newest[:len(newest)-2] + "AA"
	filled := wizard(site.Browser().Get(newest)).Values
	for name, address := range map[string]string{
		"none": "/setup", "empty": "/setup?token=", "of an older start": older, "altered": altered,
	} {
		page := site.Browser().Get(address).WantStatus(http.StatusForbidden)
		if page.HasButton("Finish") || !page.Says("Set up:") {
			t.Errorf("%s: %s", name, page.Text())
		}
		values := url.Values{}
		for field := range filled {
			values.Set(field, filled.Get(field))
		}
		_, token, _ := strings.Cut(address, "token=")
		values.Set("token", token)
		site.Browser().Once("/setup", values).WantStatus(http.StatusForbidden)
	}
	if isSetUp(t, site) {
		t.Fatal("somebody administers")
	}
	wizard(site.Browser().Get(newest)).Press().WantPath("/apps")
}

func TestLookingAtTheWizardUsesNothing(t *testing.T) {
	site := apptest.New(t)
	to := link(t, site)
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodGet} {
		w := httptest.NewRecorder()
		site.Handler.ServeHTTP(w, httptest.NewRequest(method, to, nil))
		if w.Code != http.StatusOK {
			t.Errorf("%s: status %d", method, w.Code)
		}
	}
	wizard(site.Browser().Get(to)).Press().WantPath("/apps")
}

func TestOfTwoWizardsAtOnceOneWins(t *testing.T) {
	site := apptest.New(t)
	to := link(t, site)
	var forms []*apptest.Form
	for _, email := range []string{"eli@example.org", "eve@example.org", "ada@example.org", "bea@example.org"} {
		forms = append(forms, wizard(site.Browser().Get(to)).Fill("Email", email))
	}
	paths := make(chan string, len(forms))
	var group sync.WaitGroup
	for _, form := range forms {
		group.Go(func() { paths <- form.Press().Path })
	}
	group.Wait()
	close(paths)
	won := 0
	for path := range paths {
		if path == "/apps" {
			won++
		}
	}
	_, made, err := site.Store.Users(t.Context(), store.UserFilter{Limit: 10}, site.Now())
	if err != nil {
		t.Fatal(err)
	}
	if won != 1 || made != 1 {
		t.Errorf("%d were signed in and %d accounts made, want 1 of each", won, made)
	}
}

func TestTheWizardIsGoneOnceSomebodyAdministers(t *testing.T) {
	site := apptest.New(t)
	to := link(t, site)
	form := wizard(site.Browser().Get(to))
	site.Administrator("ada@example.org") // by command

	site.Browser().Get(to).WantStatus(http.StatusNotFound)
	site.Browser().Get("/setup").WantStatus(http.StatusNotFound)
	form.Press().WantStatus(http.StatusNotFound)
	if _, err := site.Store.UserByAddress(t.Context(), eli); err == nil {
		t.Error("a second administrator was made")
	}
	if out := announced(t, site); strings.Contains(out, "Set up:") {
		t.Errorf("a start prints %q", out)
	}
}

func TestOtherPagesWorkBeforeTheSetUp(t *testing.T) {
	site := apptest.New(t)
	for _, path := range []string{"/login", "/register", "/forgot-password"} {
		site.Browser().Get(path).WantPath(path).WantStatus(http.StatusOK)
	}
}

func TestARefusedWizardKeepsWhatWasTypedAndItsLink(t *testing.T) {
	site := apptest.New(t)
	site.Person("taken@example.org")
	page := site.Browser().Get(link(t, site))
	for name, change := range map[string]func(*apptest.Form){
		"no address":            func(f *apptest.Form) { f.Fill("Email", " ") },
		"two addresses":         func(f *apptest.Form) { f.Fill("Email", "eli@example.org,eve@example.org") },
		"an address with a Bcc": func(f *apptest.Form) { f.Fill("Email", "eli@example.org\r\nBcc: eve@example.org") },
		"an address in use":     func(f *apptest.Form) { f.Fill("Email", "Taken@EXAMPLE.org") },
		"a short password":      func(f *apptest.Form) { f.Fill("Password", "short") },
		"a leaked password":     func(f *apptest.Form) { f.Fill("Password", "password1234") },
		"one's own name": func(f *apptest.Form) {
			f.Fill("Name", "Eleonora Winterbottom").Fill("Password", "eleonora-winterbottom")
		},
		"a name with a line": func(f *apptest.Form) { f.Fill("Name", "Eli\r\nBcc: eve@example.org") },
	} {
		form := wizard(page)
		change(form)
		refused := form.Press().WantStatus(http.StatusUnprocessableEntity)
		if refused.Alert() == "" {
			t.Errorf("%s: nothing in role=alert", name)
		}
		again := refused.Form("Finish").Values
		if got, want := again.Get("name"), strings.ReplaceAll(form.Values.Get("name"), "\r\n", "\n"); got != want {
			t.Errorf("%s: the name %q became %q", name, want, got)
		}
		if again.Get("password") != "" || again.Get("two-factor") == "" {
			t.Errorf("%s: the form came back as %v", name, again)
		}
	}
	if isSetUp(t, site) {
		t.Fatal("somebody administers")
	}
	wizard(page).Press().WantPath("/apps")
}

func TestTheWizardTakesNoOtherFields(t *testing.T) {
	site := apptest.New(t)
	page := site.Browser().Get(link(t, site))
	for name, change := range map[string]func(url.Values){
		"a role":          func(v url.Values) { v.Set("role", "admin") },
		"two addresses":   func(v url.Values) { v.Add("email", "eve@example.org") },
		"an array":        func(v url.Values) { v.Set("email[]", "eve@example.org") },
		"an unknown tick": func(v url.Values) { v.Set("verified", "true") },
	} {
		form := wizard(page)
		change(form.Values)
		if got := form.Press().Status; got != http.StatusBadRequest {
			t.Errorf("%s: status %d, want 400", name, got)
		}
	}
	if isSetUp(t, site) {
		t.Error("somebody administers")
	}
}

func TestWhatTheOperatorDecidedIsNotAsked(t *testing.T) {
	site := apptest.New(t, "edition=cloud", "registration=closed")
	page := site.Browser().Get(link(t, site)).WantStatus(http.StatusOK)
	if page.Says("Who may create an account") || page.Says("Two-factor authentication") {
		t.Errorf("the page says %s", page.Text())
	}
	for _, field := range []string{"registration", "two-factor"} {
		form := wizard(page)
		form.Values.Set(field, "open")
		form.Press().WantStatus(http.StatusBadRequest)
	}
	wizard(page).Press().WantPath("/apps")
	if active, _ := activations(t, site); active {
		t.Error("the wizard activated a plug-in of the cloud edition")
	}
	site.Browser().Get("/register").WantStatus(http.StatusForbidden)
}

func TestTheSetUpLinkStandsOnThePublicURL(t *testing.T) {
	site := apptest.New(t, "public_url=https://id.example.org")
	if out := announced(t, site); !strings.Contains(out, "\nSet up: https://id.example.org/setup?token=") {
		t.Errorf("a start prints %q", out)
	}
}
