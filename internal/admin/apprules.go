package admin

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/config"
	"github.com/twinlock/twinlock/internal/origin"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/web"
)

// mostRules is as many as somebody can still look through.
const mostRules = 100

// rulesSection is the part of an application's page about what its addresses
// ask.
type rulesSection struct {
	Rows []ruleRow
	Seen string // tells these rules from any others
	ruleForm
	Changed bool // the rules are no longer those that a form was made for
}

// ruleRow is one rule in words.
type ruleRow struct {
	Where, Asks ui.Text
	Public      bool
	Unreached   bool // a rule before it leaves nothing for it
	First, Last bool
}

// ruleForm takes a new rule.
type ruleForm struct {
	Host   ui.Choices // without options where there is only one
	Path   ui.Field
	Access ui.Choices
	Group  ui.Choices
	Within ui.Field
}

func newRuleForm(hosts []string, groups []auth.Group) ruleForm {
	f := ruleForm{
		Host:   ui.Choices{Name: "host", ID: "rule-host", Legend: ui.T("apprules.host")},
		Path:   ui.Field{Name: "path", ID: "rule-path", Label: ui.T("apprules.path"), Hint: ui.T("apprules.pathHint"), Kind: ui.KindURL, Required: true, Autocomplete: "off"},
		Access: ui.Choices{Name: "access", ID: "rule-access", Legend: ui.T("apprules.access")},
		Group:  ui.Choices{Name: "group", ID: "rule-group", Legend: ui.T("apprules.group"), Options: []ui.Option{{Label: ui.T("apprules.noGroup")}}},
		Within: ui.Field{Name: "minutes", ID: "rule-minutes", Label: ui.T("apprules.minutes"), Kind: ui.KindNumber, Autocomplete: "off"},
	}
	if len(hosts) > 1 {
		f.Host.Options = []ui.Option{{Label: ui.T("apprules.everyHost")}}
		for _, host := range hosts {
			f.Host.Options = append(f.Host.Options, ui.Option{Value: host, Label: ui.Words(host)})
		}
	}
	for _, access := range []auth.Access{auth.Signed, auth.InGroup, auth.TwoFactor, auth.RecentCode, auth.Public} {
		f.Access.Options = append(f.Access.Options, ui.Option{Value: string(access),
			Label: ui.T("apprules.access-" + string(access)), Hint: ui.T("apprules.access-" + string(access) + "-text"), Chosen: access == auth.Signed})
	}
	for _, g := range groups {
		f.Group.Options = append(f.Group.Options, ui.Option{Value: string(g.ID), Label: ui.Words(g.Name)})
	}
	return f
}

// read takes a rule as it was typed, marks what is wrong with it, and tells
// whether the page could have sent it at all.
func (f *ruleForm) read(form web.Form) (r auth.Rule, ok bool) {
	r = auth.Rule{Host: form["host"], Path: strings.TrimSpace(form["path"]), Access: auth.Access(form["access"])}
	if r.Access == auth.InGroup {
		r.Group = auth.GroupID(form["group"])
	}
	f.Path.Value, f.Within.Value = r.Path, strings.TrimSpace(form["minutes"])
	ok = choose(&f.Access, form["access"]) && choose(&f.Group, form["group"]) && (choose(&f.Host, r.Host) || r.Host == "")
	if r.Access == auth.InGroup && r.Group == "" {
		f.Group.Error = ui.T("apprules.missingGroup")
	}
	if r.Access == auth.RecentCode {
		n, err := strconv.Atoi(f.Within.Value)
		if r.Within = time.Duration(n) * time.Minute; err != nil || n < 1 || n > 24*60 {
			f.Within.Error = ui.T("apprules.wrongMinutes")
		}
	}
	if !(auth.Rule{Path: r.Path, Access: auth.Signed}).IsRule() || len(r.Path) > 300 {
		f.Path.Error = ui.T("apprules.wrongPath")
	}
	return r, ok
}

// choose marks the chosen option, and tells whether there is it.
func choose(c *ui.Choices, value string) (found bool) {
	for i := range c.Options {
		c.Options[i].Chosen = c.Options[i].Value == value
		found = found || c.Options[i].Chosen
	}
	return found
}

// place tells before which rule a new one belongs: before the first that leaves
// nothing for it, or behind all. Where that one is for the very same path, it
// marks the field.
func (f *ruleForm) place(r auth.Rule, rules []auth.Rule) int {
	i := slices.IndexFunc(rules, r.IsCoveredBy)
	switch {
	case i < 0:
		return len(rules)
	case rules[i].IsCoveredBy(r):
		f.Path.Error = ui.T("apprules.taken", "Number", i+1)
	}
	return i
}

// problems are the fields that may be wrong, in their order.
func (f *ruleForm) problems() []*ui.Field {
	group := ui.Field{ID: f.Group.Identity(), Label: f.Group.Legend, Error: f.Group.Error}
	return []*ui.Field{&f.Path, &group, &f.Within}
}

func newRulesSection(rules []auth.Rule, hosts []string, groups []auth.Group) *rulesSection {
	s := &rulesSection{Seen: asShown(rules), ruleForm: newRuleForm(hosts, groups)}
	for i, r := range rules {
		row := ruleRow{Where: ui.Words(r.Host + r.Path), Asks: asksOf(r, groups), Public: r.Access == auth.Public, First: i == 0, Last: i == len(rules)-1}
		if r.Host == "" && len(hosts) > 1 {
			row.Where = ui.T("apprules.everywhere", "Path", r.Path)
		}
		row.Unreached = slices.ContainsFunc(rules[:i], r.IsCoveredBy)
		s.Rows = append(s.Rows, row)
	}
	return s
}

func asksOf(r auth.Rule, groups []auth.Group) ui.Text {
	switch r.Access {
	case auth.InGroup:
		i := slices.IndexFunc(groups, func(g auth.Group) bool { return g.ID == r.Group })
		if i < 0 {
			return ui.T("apprules.asksNobody")
		}
		return ui.T("apprules.asksGroup", "Name", groups[i].Name)
	case auth.RecentCode:
		return ui.T("apprules.asksCode", "Time", r.Within)
	}
	return ui.T("apprules.access-" + string(r.Access))
}

// rulesOf is nil for an application before which no proxy stands.
func (h *Flow) rulesOf(r *http.Request, a auth.Application) (*rulesSection, error) {
	if a.Kind != auth.BehindProxy {
		return nil, nil
	}
	rules, err := h.Store.ApplicationRules(r.Context(), a.ID)
	if err != nil {
		return nil, err
	}
	groups, err := h.Store.Groups(r.Context())
	return newRulesSection(rules, hostsAt(a), groups), err
}

// hostsAt are the hosts at which an application is asked for, its own first.
func hostsAt(a auth.Application) []string {
	own, _ := origin.Parse(a.URL)
	return append([]string{own.Host}, a.Hosts...)
}

// addRule adds a rule where it has an effect, after a warning where it makes
// something public.
func (h *Flow) addRule(w http.ResponseWriter, r *http.Request) error {
	// Read.
	form, err := web.ReadForm(r, "host", "path", "access", "group", "minutes", "seen", "really", "back")
	if err != nil {
		return err
	}
	gate, section, err := h.gateToChange(r)
	if err != nil {
		return err
	}
	rule, ok := section.read(form)
	if !ok {
		return web.BadRequest()
	}

	// Decide.
	if form["seen"] != section.Seen {
		return h.refuseRules(w, r, gate, section)
	}
	if form["back"] != "" {
		return h.showRules(w, r, http.StatusOK, gate, section)
	}
	at := section.place(rule, gate.Rules)
	if len(gate.Rules) >= mostRules {
		section.Path.Error = ui.N("apprules.many", mostRules)
	}
	if slices.ContainsFunc(section.problems(), func(f *ui.Field) bool { return !f.Error.IsZero() }) {
		return h.showRules(w, r, http.StatusUnprocessableEntity, gate, section)
	}
	return h.replaceRules(w, r, gate, slices.Insert(slices.Clone(gate.Rules), at, rule), form, "apprules.doneAdded")
}

// changeRules moves or deletes one.
func (h *Flow) changeRules(w http.ResponseWriter, r *http.Request) error {
	// Read.
	form, err := web.ReadForm(r, "up", "down", "delete", "seen", "really")
	if err != nil {
		return err
	}
	gate, section, err := h.gateToChange(r)
	if err != nil {
		return err
	}

	// Decide.
	if form["seen"] != section.Seen {
		return h.refuseRules(w, r, gate, section)
	}
	rules, done, ok := changed(gate.Rules, form)
	if !ok {
		return web.BadRequest()
	}
	return h.replaceRules(w, r, gate, rules, form, done)
}

// changed gives the rules with one moved or taken away, as a form says; false
// for one that no page sends.
func changed(rules []auth.Rule, form web.Form) (after []auth.Rule, done string, ok bool) {
	after = slices.Clone(rules)
	at := func(name string) (int, bool) {
		i, err := strconv.Atoi(form[name])
		return i, err == nil && i >= 0 && i < len(rules)
	}
	if i, ok := at("up"); ok && i > 0 {
		after[i-1], after[i] = after[i], after[i-1]
		return after, "apprules.doneMoved", true
	}
	if i, ok := at("down"); ok && i < len(rules)-1 {
		after[i+1], after[i] = after[i], after[i+1]
		return after, "apprules.doneMoved", true
	}
	if i, ok := at("delete"); ok {
		return slices.Delete(after, i, i+1), "apprules.doneDeleted", true
	}
	return nil, "", false
}

// replaceRules writes other rules in the place of a gate's own, once whoever
// opens something to everybody has said that they mean it.
func (h *Flow) replaceRules(w http.ResponseWriter, r *http.Request, gate auth.Gate, rules []auth.Rule, form web.Form, done string) error {
	v := web.Asking(r)
	if opened := gate.Opened(rules, hostsAt(gate.Application)); len(opened) > 0 && form["really"] == "" {
		return h.Show(w, r, http.StatusOK, "admin/confirm", publicPage(gate.Application, opened, "#rules-heading", r.URL.Path, form,
			[]string{"host", "path", "access", "group", "minutes", "up", "down", "delete", "seen"}))
	}

	// Write.
	err := h.Store.ReplaceApplicationRules(r.Context(), v.Actor(), gate.ID, gate.Rules, rules, v.Now)
	if errors.Is(err, store.ErrSpent) {
		gate, section, err := h.gateToChange(r)
		if err != nil {
			return err
		}
		return h.refuseRules(w, r, gate, section)
	} else if err != nil {
		return err
	}

	// Answer.
	h.Notice(w, done)
	return web.Redirect(w, "/admin/apps/"+string(gate.ID))
}

// publicPage asks whether some addresses are to be open to everybody. It posts
// the fields of a form again, and leads back to the part of the application's
// page where that stands, with what was typed there where anything was.
func publicPage(a auth.Application, opened []auth.Address, part, action string, form web.Form, fields []string) confirmPage {
	addresses := make([]string, len(opened))
	for i, at := range opened {
		addresses[i] = at.Host + at.Path
	}
	_, typed := form["host"]
	if _, address := form["url"]; address {
		typed = true
	}
	p := confirmPage{Title: ui.T("apprules.publicTitle"), Text: ui.T("apprules.publicText", "Name", a.Name, "Addresses", strings.Join(addresses, ", ")),
		Button: ui.T("apprules.publicButton"), Action: action, Back: "/admin/apps/" + string(a.ID) + part}
	if typed {
		p.Keeps, p.Back = true, action+part
	}
	for _, name := range fields {
		if value, there := form[name]; there {
			p.Hidden = append(p.Hidden, ui.Hidden{Name: name, Value: value})
		}
	}
	return p
}

// gateToChange is the application that a route names, with its rules; it is not
// found where no proxy stands before it.
func (h *Flow) gateToChange(r *http.Request) (auth.Gate, *rulesSection, error) {
	a, err := h.application(r)
	if err != nil {
		return auth.Gate{}, nil, err
	}
	if a.Kind != auth.BehindProxy {
		return auth.Gate{}, nil, web.NotFound()
	}
	rules, err := h.Store.ApplicationRules(r.Context(), a.ID)
	if err != nil {
		return auth.Gate{}, nil, err
	}
	groups, err := h.Store.Groups(r.Context())
	return auth.Gate{Application: a, Rules: rules}, newRulesSection(rules, hostsAt(a), groups), err
}

// refuseRules says that somebody else was faster.
func (h *Flow) refuseRules(w http.ResponseWriter, r *http.Request, gate auth.Gate, section *rulesSection) error {
	section.Changed = true
	return h.showRules(w, r, http.StatusConflict, gate, section)
}

// showRules shows the page of an application with the rules as they were typed.
func (h *Flow) showRules(w http.ResponseWriter, r *http.Request, status int, gate auth.Gate, section *rulesSection) error {
	page, err := h.appPage(r, gate.Application)
	if err != nil {
		return err
	}
	page.Rules = section
	if section.Changed {
		page.Summary = ui.Summarize(ui.T("apprules.changed"))
	} else {
		page.Summary = ui.SummarizeAmong(ui.Text{}, section.problems()...)
	}
	return h.Show(w, r, status, "admin/app", page)
}

func exampleGate(a auth.Application, groups []auth.Group) appPage {
	a.Kind = auth.BehindProxy
	page := newAppPage(a, newAppForm(a, groups, nil))
	page.Rules = newRulesSection([]auth.Rule{
		{Host: "documents.example.org:8443", Path: "/handbook/of/the/house", Access: auth.Public},
		{Path: "/admin", Access: auth.InGroup, Group: "g1"},
		{Path: "/admin/keys", Access: auth.TwoFactor},
		{Path: "/payroll", Access: auth.RecentCode, Within: 15 * time.Minute},
		{Path: "/archive", Access: auth.InGroup, Group: "gone"},
	}, []string{"wiki.example.org", "documents.example.org:8443"}, groups)
	page.Proxy, _ = (&Flow{Floor: &web.Floor{PublicURL: "https://id.example.org"}, Settings: config.Config{Listen: "127.0.0.1:8080"}}).proxyOf(page.App, "")
	return page
}

func exampleRefusedRule(a auth.Application, groups []auth.Group) appPage {
	a.Kind = auth.BehindProxy
	page := newAppPage(a, newAppForm(a, groups, nil))
	page.Rules = newRulesSection(nil, hostsAt(a), groups)
	page.Rules.read(web.Form{"path": "admin/", "access": "group"})
	page.Summary = ui.SummarizeAmong(ui.Text{}, page.Rules.problems()...)
	return page
}
