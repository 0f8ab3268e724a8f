package admin

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/config"
	"github.com/twinlock/twinlock/internal/origin"
	"github.com/twinlock/twinlock/internal/proof"
	"github.com/twinlock/twinlock/internal/recipe"
	"github.com/twinlock/twinlock/internal/redirect"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/throttle"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/web"
)

type overviewPage struct {
	Health store.Health
	Chart  ui.Chart
	Notes  []ui.Note
}

type pluginsPage struct {
	ui.Summary
	Plugins []pluginRegion
	Given   bool // by the operator's settings
}

// pluginRegion is one plug-in on its page.
type pluginRegion struct {
	ID      auth.PluginID
	Version string
	Active  bool
	Asked   int  // people who are asked for a code, or would be if it were active
	Apps    int  // applications that cannot be opened without it
	Nobody  bool // it is enabled for nobody

	Domain   string // that passkeys are made for; "" for other plug-ins
	Nameless bool   // and it is a number, for which none can be made

	Whom   ui.Choices
	Groups []ui.Checkbox
	People ui.Field
}

func newPluginRegion(p auth.Plugin, a auth.Activation, groups []auth.Group, people []string, asked int) pluginRegion {
	return pluginRegion{
		ID: p.ID, Version: p.Version, Active: a.Active, Asked: asked, Nobody: !a.IsForSomebody(),
		Whom:   whomChoices(ui.T("plugins.enabledFor"), string(p.ID), a.Everyone),
		Groups: groupTicks(groups, a.Groups, string(p.ID)),
		People: peopleField(people, string(p.ID)),
	}
}

// Named are the groups and people it is enabled for.
func (p *pluginRegion) Named() (names []ui.Text) {
	for _, g := range p.Groups {
		if g.Checked {
			names = append(names, g.Label)
		}
	}
	for _, address := range strings.Fields(p.People.Value) {
		names = append(names, ui.Words(address))
	}
	return names
}

// fill puts back what was typed.
func (p *pluginRegion) fill(form web.Form) {
	p.Whom = whomChoices(p.Whom.Legend, string(p.ID), form["whom"] == "everyone")
	for i := range p.Groups {
		p.Groups[i].Checked = form[p.Groups[i].Name] != ""
	}
	p.People.Value = form["people"]
}

func whomChoices(legend ui.Text, id string, everyone bool) ui.Choices {
	return ui.Choices{Name: "whom", ID: id + "-whom", Legend: legend, Options: []ui.Option{
		{Value: "everyone", Label: ui.T("plugins.everyone"), Chosen: everyone},
		{Value: "some", Label: ui.T("plugins.some"), Chosen: !everyone},
	}}
}

func groupTicks(groups []auth.Group, chosen []auth.GroupID, id string) (ticks []ui.Checkbox) {
	for _, g := range groups {
		tick := ui.Checkbox{Name: groupField(g), ID: id + "-" + groupField(g), Label: ui.Words(g.Name)}
		for _, c := range chosen {
			tick.Checked = tick.Checked || c == g.ID
		}
		ticks = append(ticks, tick)
	}
	return ticks
}

func peopleField(people []string, id string) ui.Field {
	return ui.Field{Name: "people", ID: id + "-people", Label: ui.T("plugins.people"), Hint: ui.T("plugins.peopleHint"),
		Kind: ui.KindLines, Rows: max(3, len(people)), Value: strings.Join(people, "\n")}
}

type usersPage struct {
	ui.Summary
	People      []store.ListedUser
	Found       int
	Locked      int  // people with a closed door, whatever is searched for
	OnlyLocked  bool // nobody else is listed
	Search      ui.Field
	Email, Name ui.Field
	Pagination  *ui.Pagination
}

func newUsersPage(people []store.ListedUser, found int, search string) usersPage {
	return usersPage{People: people, Found: found,
		Search: ui.Field{Name: "search", Label: ui.T("users.search"), Kind: ui.KindSearch, Value: search},
		Email:  ui.Field{Name: "email", Label: ui.T("form.email"), Kind: ui.KindEmail, Required: true, Autocomplete: "off"},
		Name:   ui.Field{Name: "name", Label: ui.T("form.name"), Autocomplete: "off"},
	}
}

// Many is as many as are counted where more were found; 0 where all were counted.
func (p usersPage) Many() int { return manyOf(p.Found) }

// ManyLocked is the same for people with a closed door.
func (p usersPage) ManyLocked() int { return manyOf(p.Locked) }

func manyOf(found int) int {
	if found > store.MostFound {
		return store.MostFound
	}
	return 0
}

// check marks what is wrong, and tells whether anything is.
func (p *usersPage) check() bool {
	p.Summary = ui.Summarize(ui.Text{}, &p.Email, &p.Name)
	return p.HasFailed()
}

type userPage struct {
	ui.Summary
	User      auth.User
	Enabled   bool // a second factor works for this person
	Factors   []factorRow
	CodesLeft int
	Groups    []ui.Checkbox
	Sessions  []auth.Session
	Doors     []store.ClosedDoor
	Events    []eventRow
	Self      bool
	Reason    ui.Field
}

// factorRow is one authenticator app or passkey of a person.
type factorRow struct {
	Name, Kind        ui.Text
	Created, LastUsed time.Time // zero: never
}

func factorRows(apps []store.ListedAuthenticator, passkeys []store.Passkey) (rows []factorRow) {
	for _, a := range apps {
		row := factorRow{Name: ui.Words(a.Name), Kind: ui.T("users.app"), Created: a.Created, LastUsed: a.LastUsed}
		if a.Name == "" {
			row.Name, row.Kind = row.Kind, ui.Text{}
		}
		rows = append(rows, row)
	}
	for _, p := range passkeys {
		row := factorRow{Name: ui.Words(p.Name), Kind: ui.T("users.passkey"), Created: p.Created, LastUsed: p.LastUsed}
		if p.Key.Synced {
			row.Kind = ui.T("users.passkeySynced")
		}
		rows = append(rows, row)
	}
	return rows
}

// confirmPage asks once more before something that cannot be undone.
type confirmPage struct {
	Title, Text, Button ui.Text
	Goes                []ui.Text // what goes with it, each by itself
	Action, Back        string
	Keeps               bool        // back is by the form, which shows what was typed
	Hidden              []ui.Hidden // what the form posts beside
}

// groupRow is one group with its form.
type groupRow struct {
	auth.Group
	Members      int
	Name, Window ui.Field
}

// IsMarked tells that the form has something to correct.
func (g groupRow) IsMarked() bool { return g.Name.IsMarked() || g.Window.IsMarked() }

type groupsPage struct {
	ui.Summary
	Groups []groupRow
	Name   ui.Field
}

func newGroupsPage(groups []auth.Group, members map[auth.GroupID]int) groupsPage {
	p := groupsPage{Name: ui.Field{Name: "name", Label: ui.T("groups.newName"), Required: true, Autocomplete: "off"}}
	for _, g := range groups {
		window := ""
		if g.OpenWindow >= 0 {
			window = strconv.Itoa(int(g.OpenWindow / time.Minute))
		}
		p.Groups = append(p.Groups, groupRow{Group: g, Members: members[g.ID],
			Name: ui.Field{Name: "name", ID: "name-" + string(g.ID), Label: ui.T("form.name"), Value: g.Name, Required: true},
			Window: ui.Field{Name: "window", ID: "window-" + string(g.ID), Label: ui.T("groups.window"),
				Hint: ui.T("groups.windowHint"), Kind: ui.KindNumber, Value: window}})
	}
	return p
}

// refuse puts back what was typed for one group, with what is wrong marked.
func (p *groupsPage) refuse(id auth.GroupID, form web.Form, name, window ui.Text) {
	for i := range p.Groups {
		if g := &p.Groups[i]; g.ID == id {
			g.Name.Value, g.Name.Error = form["name"], name
			g.Window.Value, g.Window.Error = form["window"], window
			p.Summary = ui.SummarizeAmong(ui.Text{}, &g.Name, &g.Window)
		}
	}
}

// appForm is the form of an application, new or old.
type appForm struct {
	ui.Summary
	Seen                   string // tells this application from what it may be meanwhile
	Name, Description, URL ui.Field
	Hosts                  *ui.Field // nil where no proxy stands before it
	Whom                   ui.Choices
	Groups                 []ui.Checkbox
	People                 ui.Field
}

func newAppForm(a auth.Application, groups []auth.Group, people []string) appForm {
	whom := whomChoices(ui.T("adminapps.whom"), "app", a.Everyone)
	whom.Hint = ui.T("adminapps.whomHint")
	f := appForm{
		Seen:        shownOf(a),
		Name:        ui.Field{Name: "name", Label: ui.T("form.name"), Value: a.Name, Required: true},
		Description: ui.Field{Name: "description", Label: ui.T("adminapps.description"), Value: a.Description},
		URL:         ui.Field{Name: "url", Label: ui.T("adminapps.address"), Hint: ui.T("adminapps.addressHint"), Kind: ui.KindURL, Value: a.URL, Required: true},
		Whom:        whom,
		Groups:      groupTicks(groups, a.Groups, "app"),
		People:      peopleField(people, "app"),
	}
	if a.Kind == auth.BehindProxy {
		f.Hosts = &ui.Field{Name: "hosts", Label: ui.T("adminapps.hosts"), Hint: ui.T("adminapps.hostsHint"),
			Kind: ui.KindLines, Rows: max(2, len(a.Hosts)), Value: strings.Join(a.Hosts, "\n")}
	}
	return f
}

// shownOf tells what the form of an application shows of it.
func shownOf(a auth.Application) string {
	return asShown([]any{a.Name, a.Description, a.URL, a.Hosts, a.Everyone, slices.Sorted(slices.Values(a.Groups)), slices.Sorted(slices.Values(a.Users))})
}

// check marks what is wrong with an application as it was typed.
func (p *appForm) check(a auth.Application) {
	if a.Name == "" && p.Name.Error.IsZero() {
		p.Name.Error = ui.T("adminapps.missingName")
	}
	if !isWebAddress(a.URL) {
		p.URL.Error = ui.T("adminapps.wrongAddress")
	}
	p.summarize()
}

func (p *appForm) summarize() {
	fields := []*ui.Field{&p.Name, &p.Description, &p.URL}
	if p.Hosts != nil {
		fields = append(fields, p.Hosts)
	}
	p.Summary = ui.Summarize(ui.Text{}, append(fields, &p.People)...)
}

// refuseAddress marks the address or the further host that the store does not
// take for an application behind a proxy, and tells whether that is what was
// wrong. before is the application without what was typed.
func (p *appForm) refuseAddress(err error, before auth.Application) bool {
	var refused *store.HostError
	if !errors.As(err, &refused) {
		return false
	}
	if p.isAddress(refused, before) {
		p.URL.Error = ui.T(wrongAddresses[refused.Why])
	} else {
		p.Hosts.Error = ui.T(wrongHosts[refused.Why], "Host", refused.Host)
	}
	p.summarize()
	return true
}

// isAddress tells a refusal of the address from one of a further host.
func (p *appForm) isAddress(refused *store.HostError, before auth.Application) bool {
	own := refused.Own
	if refused.Why == store.ErrForeignRule {
		at, _ := origin.Parse(before.URL)
		own = refused.Host == at.Host // the host that was taken away
	}
	return own || p.Hosts == nil
}

// What is wrong with an address, and with a further host.
var (
	wrongAddresses = map[error]string{store.ErrTaken: "adminapps.takenAddress", store.ErrOurHost: "adminapps.ourAddress",
		store.ErrMalformedHost: "adminapps.wrongAddress", store.ErrForeignRule: "adminapps.ruledAddress"}
	wrongHosts = map[error]string{store.ErrTaken: "adminapps.takenHost", store.ErrOurHost: "adminapps.ourHost",
		store.ErrMalformedHost: "adminapps.wrongHost", store.ErrForeignRule: "adminapps.ruledHost"}
)

// appsPage lists the applications, and takes a new one.
type appsPage struct {
	appForm
	Apps      []auth.Application
	Recipes   ui.Choices
	Recipe    *recipe.Recipe // nil where no program was chosen
	Kind      ui.Choices
	Redirects ui.Field
	Public    ui.Checkbox
}

func newAppsPage(apps []auth.Application, form appForm) appsPage {
	p := appsPage{Apps: apps, appForm: form, Recipes: recipeChoices("", ui.T("adminapps.recipeOther"), "")}
	p.fill(auth.Link, nil)
	return p
}

// follow makes the form that of a program; nil is none.
func (p *appsPage) follow(program *recipe.Recipe) {
	if program == nil {
		return
	}
	p.Recipe, p.Recipes = program, recipeChoices("", ui.T("adminapps.recipeOther"), program.ID)
	p.Kind = kindsOfApplication(program.Kind)
	if p.Name.Value == "" && p.Name.Error.IsZero() {
		p.Name.Value = program.Name
	}
}

// fill puts back what was typed of a new application's kind.
func (p *appsPage) fill(kind auth.Kind, form web.Form) {
	p.Kind = kindsOfApplication(kind)
	openID := newOpenIDForm(auth.Client{Public: form["public"] != ""})
	p.Redirects, p.Public = openID.Redirects, openID.Public
	p.Redirects.Value, p.Redirects.Required = form["redirect-uris"], false
}

// knows tells a kind that the page offers.
func (p *appsPage) knows(kind auth.Kind) bool {
	return slices.ContainsFunc(p.Kind.Options, func(o ui.Option) bool { return o.Value == string(kind) })
}

// check marks what is wrong with a new application beyond its form, and gives
// its program's recipe, filled, where one was chosen.
func (p *appsPage) check(issuer string, a auth.Application, c auth.Client) (filled recipe.Recipe) {
	speaks := p.Kind.Options[0].Chosen
	switch {
	case p.Recipe != nil && p.URL.Error.IsZero():
		filled, p.URL.Error = filledFor(*p.Recipe, recipe.Values{App: a.URL, Issuer: issuer})
	case p.Recipe != nil:
	case speaks:
		redirects, _, _ := redirect.CheckClient(c)
		p.Redirects.Error = wrongRedirect(redirects)
	}
	p.Summary = ui.Summarize(ui.Text{}, &p.Name, &p.URL, &p.Redirects, &p.People)
	return filled
}

// kindsOfApplication are the kinds that this program knows, the first of them
// OpenID Connect.
func kindsOfApplication(chosen auth.Kind) ui.Choices {
	c := ui.Choices{Name: "kind", Legend: ui.T("adminapps.kind")}
	for _, k := range []auth.Kind{auth.SpeaksOpenID, auth.BehindProxy, auth.Link} {
		if _, known := auth.PluginByID(k.Plugin()); k.Plugin() == "" || known {
			c.Options = append(c.Options, ui.Option{Value: string(k), Label: ui.T("adminapps.kind-" + string(k)),
				Hint: ui.T("adminapps.kind-" + string(k) + "-text"), Chosen: k == chosen})
		}
	}
	return c
}

// appPage is one application: its form, and what else there is about it.
type appPage struct {
	appForm
	App         auth.Application
	OpenID      *openIDSection // nil where it does not speak it
	MayRequire  bool           // the administrator's own two-factor authentication is on
	Refused     int            // people who may open it and are asked for no code, while it demands one
	Logo        ui.Field
	LogoVersion string // "" for none
	Person      ui.Field
	Asked       *asked // nil while nobody was named
	SignIns     ui.Chart
	Recipes     *ui.Choices // nil for a kind that has none
	Recipe      *recipeSection
	RecipeWrong ui.Text       // why the chosen one cannot be filled
	Proxy       *proxySection // nil where no proxy stands before it
	Rules       *rulesSection // nil there, too
}

func newAppPage(a auth.Application, form appForm) appPage {
	return appPage{App: a, appForm: form, SignIns: signInChart(nil),
		Logo: ui.Field{Name: "logo", Label: ui.T("adminapps.logo"), Hint: ui.T("adminapps.logoHint"), Kind: ui.KindFile,
			Accept: "image/png,image/jpeg,image/gif,image/webp", Required: true},
		Person: ui.Field{Name: "person", Label: ui.T("form.email"), Kind: ui.KindEmail, Required: true, Autocomplete: "off"}}
}

func signInChart(days []store.Day) ui.Chart {
	drawn := make([]ui.Day, len(days))
	for i, d := range days {
		drawn[i] = ui.Day{Start: d.Start, Done: d.Logins}
	}
	c := ui.NewChart(drawn)
	c.ID, c.Title, c.Done, c.None = "sign-ins", ui.T("adminapps.signIns"), ui.T("adminapps.signInsDone"), ui.T("adminapps.signInsNone")
	return c
}

// requirePage warns whom an application would refuse.
type requirePage struct {
	ui.Summary
	Seen   string // tells what it shows from what may be so meanwhile
	App    auth.Application
	People []auth.User
	All    int
	More   int // not named
}

func newRequirePage(a auth.Application, people []auth.User) requirePage {
	shown := people[:min(len(people), losers)]
	return requirePage{Seen: requirementAsShown(a.RequireTwoFactor, people), App: a, People: shown, All: len(people), More: len(people) - len(shown)}
}

// requirementAsShown tells whether it is required, and these people from any
// others, those whom the page only counts too.
func requirementAsShown(required bool, people []auth.User) string {
	ids := make([]auth.UserID, len(people))
	for i, u := range people {
		ids[i] = u.ID
	}
	return asShown([]any{required, ids})
}

type eventsPage struct {
	Events []eventRow
	Kind   ui.Choices
	Person string
	Older  string
}

type settingsPage struct {
	Registration ui.Choices
	Given        bool
	Mail         bool
	Settings     []config.Shown
}

// Examples are the flow's pages in named states.
func Examples() []ui.Example {
	at := time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC)
	groups := []auth.Group{{ID: "g1", Name: "Staff", OpenWindow: -1}, {ID: "g2", Name: "Board", OpenWindow: time.Hour}}
	plugin := auth.Plugins[0]
	active := auth.Activation{Plugin: plugin.ID, Active: true, Groups: []auth.GroupID{"g1"}}
	people := examplePeople(at)
	unknown := newPluginRegion(plugin, active, groups, []string{"nobody@example.org"}, 3)
	unknown.People.Error = ui.T("admin.noSuchPerson", "Address", "nobody@example.org")
	refused := pluginsPage{Plugins: []pluginRegion{unknown}, Summary: ui.SummarizeAmong(ui.Text{}, &unknown.People)}
	events := exampleEvents(at)
	app := auth.Application{ID: "w", Name: "Wiki", Description: "What we know", URL: "https://wiki.example.org/", Everyone: true}
	wrongApp := newAppForm(auth.Application{URL: "wiki"}, groups, nil)
	wrongApp.check(auth.Application{URL: "wiki"})
	health := store.Health{People: 1204, WithTwoFactor: 873, Administrators: 1, Sessions: 310, LettersFailed: 2, LastFailure: "550 no such user", FactorsUnreadable: 1}
	var flow Flow
	examples := []ui.Example{
		{Page: "admin/overview", Name: "with something to look at", Data: overviewPage{Health: health, Chart: chartOf(exampleDays(at)), Notes: flow.notes(health)}},
		{Page: "admin/overview", Name: "passkeys of another host name", Data: overviewPage{Health: health, Chart: chartOf(exampleDays(at)), Notes: []ui.Note{passkeysElsewhereNote(12, 9, "id.example.org")}}},
		{Page: "admin/overview", Name: "the first day", Data: overviewPage{Health: store.Health{People: 1, Administrators: 1}, Chart: chartOf([]store.Day{{Start: at, Logins: 1}})}},
		{Page: "admin/overview", Name: "more than a year", Data: overviewPage{Health: health, Chart: chartOf(exampleDaysOf(400, at))}},
		{Page: "admin/overview", Name: "nothing yet", Data: overviewPage{Health: store.Health{People: 1, Administrators: 1}, Chart: chartOf(nil)}},
		{Page: "admin/plugins", Name: "inactive", Data: pluginsPage{Plugins: []pluginRegion{newPluginRegion(plugin, auth.Activation{Plugin: plugin.ID}, nil, nil, 0)}}},
		{Page: "admin/plugins", Name: "enrolments and applications wait for it", Data: waitingPlugins()},
		{Page: "admin/plugins", Name: "active for a group", Data: pluginsPage{Plugins: []pluginRegion{newPluginRegion(plugin, active, groups, []string{"ada@example.org"}, 3)}}},
		{Page: "admin/plugins", Name: "refused", Data: refused},
		{Page: "admin/plugins", Name: "given by the operator", Data: pluginsPage{Given: true, Plugins: []pluginRegion{newPluginRegion(plugin, active, groups, []string{"ada@example.org"}, 3)}}},
		{Page: "admin/loss", Name: "deactivating", Data: exampleLoss(3)},
		{Page: "admin/loss", Name: "many people", Data: exampleLoss(57)},
		{Page: "admin/loss", Name: "by a passkey or a recovery code", Data: exampleLossByPasskey()},
		{Page: "admin/users", Name: "some people", Data: newUsersPage(people, len(people), "")},
		{Page: "admin/users", Name: "somebody is locked", Data: lockedUsersPage(people, at)},
		{Page: "admin/users", Name: "one page of three", Data: middleOfUsers(people)},
		{Page: "admin/users", Name: "nobody found", Data: newUsersPage(nil, 0, "zzz")},
		{Page: "admin/user", Name: "somebody with two-factor authentication", Data: userPage{User: people[0].User, Enabled: true, CodesLeft: 7,
			Factors: factorRows([]store.ListedAuthenticator{{Created: at.AddDate(0, -2, 0), LastUsed: at}, {Name: "Old phone", Created: at.AddDate(-1, 0, 0)}},
				[]store.Passkey{{Name: "iCloud Keychain", Key: auth.PasskeyKey{Synced: true}, Created: at, LastUsed: at}, {Name: "YubiKey 5 in the drawer at home, behind the envelopes", Created: at}}),
			Groups: groupTicks(groups, []auth.GroupID{"g1"}, "user"), Events: eventRows(events),
			Sessions: []auth.Session{{Device: "Firefox · Linux", Network: "192.0.2.7", LastSeen: at}}, Reason: ui.Field{Name: "reason", Label: ui.T("users.reason"), Hint: ui.T("users.reasonHint"), Required: true}}},
		{Page: "admin/user", Name: "locked", Data: userPage{User: people[0].User, Enabled: true, CodesLeft: 7, Doors: []store.ClosedDoor{
			{Kind: throttle.Passwords, Since: at}, {Kind: throttle.DevicePasswords, Since: at}, {Kind: throttle.Codes, Since: at}},
			Reason: ui.Field{Name: "reason", Label: ui.T("users.reason"), Hint: ui.T("users.reasonHint"), Required: true}}},
		{Page: "admin/user", Name: "invited, never came", Data: userPage{User: people[2].User}},
		{Page: "admin/groups", Name: "two groups", Data: newGroupsPage(groups, map[auth.GroupID]int{"g1": 12})},
		{Page: "admin/groups", Name: "none", Data: newGroupsPage(nil, nil)},
		{Page: "admin/apps", Name: "one application", Data: newAppsPage([]auth.Application{app, {Name: "Closed", URL: "https://closed.example.org/"}}, newAppForm(auth.Application{}, groups, nil))},
		{Page: "admin/apps", Name: "a program was chosen", Data: exampleProgram("grafana", groups)},
		{Page: "admin/apps", Name: "a program behind a proxy was chosen", Data: exampleProgram("uptime-kuma", groups)},
		{Page: "admin/apps", Name: "none yet", Data: newAppsPage(nil, newAppForm(auth.Application{}, nil, nil))},
		{Page: "admin/apps", Name: "refused", Data: newAppsPage(nil, wrongApp)},
		{Page: "admin/app", Name: "speaks OpenID Connect", Data: exampleOpenIDApp(app, groups)},
		{Page: "admin/app-secret", Name: "shown once", Data: newSecretPage("https://id.example.org", app, secret.New())},
		{Page: "admin/app-secret", Name: "in the settings of a program", Data: exampleProgramSecret(app)},
		{Page: "admin/app-secret", Name: "a public client", Data: newSecretPage("https://id.example.org", app, secret.Token{})},
		{Page: "admin/app", Name: "one", Data: exampleApp(app, groups, at)},
		{Page: "admin/app", Name: "demands two-factor authentication, and somebody is refused", Data: exampleGuardedApp(app, groups)},
		{Page: "admin/app", Name: "behind a proxy, with rules", Data: exampleGate(app, groups)},
		{Page: "admin/app", Name: "behind a proxy, a rule refused", Data: exampleRefusedRule(app, groups)},
		{Page: "admin/confirm", Name: "making something public", Data: publicPage(app, []auth.Address{{Host: "wiki.example.org", Path: "/"}}, "", "/", nil, nil)},
		{Page: "admin/require", Name: "some would be refused", Data: exampleRequirement(app, people[1].User, people[3].User)},
		{Page: "admin/require", Name: "nobody would be refused", Data: newRequirePage(app, nil)},
		{Page: "admin/require", Name: "no longer as it was seen", Data: exampleStaleRequirement(app, people[1].User)},
		{Page: "admin/require", Name: "lifting", Data: newRequirePage(guarded(app), nil)},
		{Page: "admin/confirm", Name: "closing applications", Data: closingPage(auth.OpenIDConnectPlugin, 4)},
		{Page: "admin/confirm", Name: "deleting", Data: confirmPage{Title: ui.T("groups.deleteTitle", "Name", "Staff"), Text: ui.T("groups.deleteText"), Button: ui.T("groups.delete"), Action: "/", Back: "/"}},
		{Page: "admin/confirm", Name: "deleting an application", Data: exampleDeletion()},
		{Page: "admin/confirm", Name: "deleting a link", Data: exampleDeletionOfALink()},
		{Page: "admin/events", Name: "some", Data: eventsPage{Events: eventRows(events), Kind: kindChoices(""), Older: "/admin/events?before=x"}},
		{Page: "admin/events", Name: "none", Data: eventsPage{Kind: kindChoices("login")}},
		{Page: "admin/settings", Name: "chosen here", Data: settingsPage{Registration: registrationChoices(config.Open), Settings: config.Config{}.Show()}},
		{Page: "admin/settings", Name: "given by the operator", Data: settingsPage{Registration: registrationChoices(config.Closed), Given: true, Mail: true}},
	}
	examples = append(examples, invitationExamples(at)...)
	examples = append(examples, exampleProxyChecks(at)...)
	for i := range examples {
		examples[i].Shell.Menu = &ui.Menu{Name: "Eli", Administrator: true}
		examples[i].Shell.Nav = web.AdministrationNav(areaOf(examples[i].Page))
	}
	return examples
}

func exampleDeletion() confirmPage {
	page := deletePage(auth.Application{Kind: auth.SpeaksOpenID, Name: "Wiki"}, store.Belongings{SignedIn: 12, Consents: 1, SignIns: 4321, Logo: true, Secret: true})
	page.Action, page.Back = "/", "/"
	return page
}

func exampleDeletionOfALink() confirmPage {
	page := deletePage(auth.Application{Kind: auth.Link, Name: "Wiki"}, store.Belongings{})
	page.Action, page.Back = "/", "/"
	return page
}

func waitingPlugins() (page pluginsPage) {
	for _, p := range auth.Plugins {
		a := auth.Activation{Plugin: p.ID, Active: p.ID == auth.ForwardAuthPlugin, Everyone: p.ID == auth.OpenIDConnectPlugin}
		region := newPluginRegion(p, a, nil, nil, 3)
		region.Apps, region.Domain = 4, "id.example.org"
		page.Plugins = append(page.Plugins, region)
	}
	return page
}

// areaOf is the address that a page of this name lies below.
func areaOf(page string) string {
	for _, lies := range []struct{ page, below string }{
		{"admin/user", "/admin/users"}, {"admin/app", "/admin/apps"}, {"admin/require", "/admin/apps"},
		{"admin/loss", "/admin/plugins"}, {"admin/overview", "/admin"}, {"admin/confirm", "/admin/groups"},
	} {
		if strings.HasPrefix(page, lies.page) {
			return lies.below
		}
	}
	return "/" + page
}

func guarded(a auth.Application) auth.Application {
	a.RequireTwoFactor = true
	return a
}

func exampleApp(a auth.Application, groups []auth.Group, at time.Time) appPage {
	page := newAppPage(a, newAppForm(a, groups, []string{"ada@example.org"}))
	page.MayRequire, page.LogoVersion = true, "example"
	page.SignIns = signInChart(exampleDays(at))
	page.Person.Value = "ada@example.org"
	page.Asked = &asked{Sentences: []ui.Text{ui.T("adminapps.askedPassword"), ui.T("adminapps.askedCode")}}
	return page
}

func exampleProgram(id string, groups []auth.Group) appsPage {
	page := newAppsPage(nil, newAppForm(auth.Application{}, groups, nil))
	program, _ := recipe.Find(id)
	page.follow(&program)
	return page
}

func exampleProgramSecret(a auth.Application) secretPage {
	page := newSecretPage("https://id.example.org", a, secret.New())
	program, _ := recipe.Find("paperless-ngx")
	page.tell(program, "https://id.example.org")
	return page
}

func exampleOpenIDApp(a auth.Application, groups []auth.Group) appPage {
	page := newAppPage(a, newAppForm(a, groups, nil))
	page.MayRequire = true
	page.OpenID = &openIDSection{Values: valuesFor("https://id.example.org", "g43u72lggngrfqu4muoyghh27y"), Secret: true,
		openIDForm: newOpenIDForm(auth.Client{Algorithm: auth.ES256, Scopes: auth.AllScopes, RedirectURIs: []string{"https://wiki.example.org/oauth/callback"}})}
	page.App.Kind = auth.SpeaksOpenID
	program, _ := recipe.Find("nextcloud")
	(&Flow{Floor: &web.Floor{PublicURL: "https://id.example.org"}}).tellRecipe(&page, &program)
	return page
}

func exampleRequirement(a auth.Application, named ...auth.User) requirePage {
	page := newRequirePage(a, named)
	page.All, page.More = 14, 14-len(named)
	return page
}

func exampleStaleRequirement(a auth.Application, u auth.User) requirePage {
	page := newRequirePage(a, []auth.User{u})
	page.Summary = ui.Summarize(ui.T("adminapps.requireChanged"))
	return page
}

func exampleGuardedApp(a auth.Application, groups []auth.Group) appPage {
	page := newAppPage(guarded(a), newAppForm(a, groups, nil))
	page.Refused = 14
	page.Person.Value = "georgios.with.a.very.long.address.indeed@subdomain.example.org"
	page.Asked = &asked{Refused: true, Sentences: []ui.Text{ui.T("adminapps.askedSetUp")}}
	gate := auth.Gate{Application: page.App, Rules: []auth.Rule{
		{Path: "/assets", Access: auth.Public}, {Host: "handbook.subdomain.example.org", Path: "/a/long/way/down", Access: auth.Signed},
		{Path: "/admin", Access: auth.InGroup, Group: groups[0].ID}, {Path: "/payroll", Access: auth.RecentCode, Within: 15 * time.Minute}}}
	person := auth.User{ID: "g", State: auth.Active, HasPassword: true}
	page.Asked.Places = placesAsked(gate, person, nil, groups, auth.Policy{TwoFactor: true})
	return page
}

func lockedUsersPage(people []store.ListedUser, at time.Time) usersPage {
	p := newUsersPage(slices.Clone(people[:2]), 2, "")
	p.People[0].Locked, p.Locked, p.OnlyLocked = at, 1, true
	return p
}

func middleOfUsers(people []store.ListedUser) usersPage {
	p := newUsersPage(people, store.MostFound+1, "example.org")
	p.Pagination = &ui.Pagination{Previous: "/admin/users?search=example.org&before=a", Next: "/admin/users?search=example.org&after=g"}
	return p
}

func examplePeople(at time.Time) []store.ListedUser {
	return []store.ListedUser{
		{User: auth.User{ID: "a", Address: "ada@example.org", Name: "Ada Lovelace", State: auth.Active, HasPassword: true, TwoFactorSince: at, LastLogin: at, Created: at}, CodesLeft: 7, Sessions: 1},
		{User: auth.User{ID: "e", Address: "eli@example.org", State: auth.Active, HasPassword: true, Administrator: true, MustUseTwoFactor: true, Created: at}},
		{User: auth.User{ID: "f", Address: "fay@example.org", Name: "Fay", State: auth.Active, Created: at}},
		{User: auth.User{ID: "g", Address: "georgios.with.a.very.long.address.indeed@subdomain.example.org", Name: "Γεώργιος Παπαδόπουλος-Κωνσταντινίδης", State: auth.Disabled, HasPassword: true, Created: at}},
	}
}

func exampleLoss(losing int) lossPage {
	people := make([]auth.User, losing)
	for i := range people {
		people[i] = auth.User{Address: "person" + strconv.Itoa(i+1) + "@example.org"}
	}
	people[0] = auth.User{Address: "ada@example.org", Name: "Ada Lovelace"}
	page := lossPage{Title: ui.T("plugins.two-factor-off"), Button: ui.T("plugins.deactivate"), Action: "/admin/plugins/two-factor", Back: "/admin/plugins"}
	page.tell(people, web.Form{"active": "no"})
	page.ask(true, ui.Passkey{})
	return page
}

func exampleLossByPasskey() lossPage {
	page := exampleLoss(3)
	page.ask(false, ui.Passkey{Options: "{}", Ceremony: "c"})
	page.refuseCode(proof.NotTaken, time.Time{})
	return page
}

func exampleEvents(at time.Time) []store.ListedEvent {
	return []store.ListedEvent{
		{Event: auth.Event{At: at, Kind: auth.EventLogin, Actor: "a", Subject: "a", Network: "192.0.2.7"}, ActorAddress: "ada@example.org", SubjectAddress: "ada@example.org"},
		{Event: auth.Event{At: at, Kind: auth.EventUserDisabled, Actor: "command", Subject: "g", Detail: "by command"}, SubjectAddress: "georgios@example.org"},
	}
}

func exampleDays(at time.Time) []store.Day { return exampleDaysOf(chartDays, at) }

func exampleDaysOf(number int, at time.Time) (days []store.Day) {
	for i := range number {
		days = append(days, store.Day{Start: at.AddDate(0, 0, i-number), Logins: 20 + i*7%31, Refused: i % 5})
	}
	return days
}
