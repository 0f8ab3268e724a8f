// Package sample shows every component on pages of its own, for the gallery of
// the developer's program, tests and pictures. Nothing of it is shipped.
package sample

import (
	"embed"
	"io/fs"
	"time"

	"github.com/twinlock/twinlock/internal/ui"
)

//go:embed pages
var pages embed.FS

// Pages are the sample's pages, as a flow named "sample".
func Pages() fs.FS { return pages }

// Examples are the sample's pages in their states.
func Examples() []ui.Example {
	return []ui.Example{
		{Page: "sample/form", Name: "empty", Shell: outside, Data: emptyForm()},
		{Page: "sample/form", Name: "refused", Shell: outside, Data: refusedForm()},
		{Page: "sample/form", Name: "one field", Shell: outside, Data: codeForm(ui.Text{})},
		{Page: "sample/form", Name: "one field, refused", Shell: outside, Data: codeForm(ui.Words("That code didn't work. Use the one showing now."))},
		{Page: "sample/codes", Name: "just made", Shell: inside(), Data: codes()},
		{Page: "sample/everything", Name: "all components", Shell: inside(), Data: everything()},
		{Page: "sample/everything", Name: "all components, wide and refused", Shell: administration(), Data: refused(everything())},
		{Page: "ui/error", Name: "not found, signed out", Shell: outside, Data: notFound},
		{Page: "ui/error", Name: "not found, signed in", Shell: inside(), Data: notFound},
	}
}

var outside = ui.Shell{Path: "/sample"}

func inside() ui.Shell {
	return ui.Shell{Path: "/sample", Menu: &ui.Menu{Name: "Ada Lovelace"}, Notice: ui.Words("Your name is saved.")}
}

func administration() ui.Shell {
	return ui.Shell{
		Path: "/sample",
		Site: "Example & Sons",
		Menu: &ui.Menu{Name: "Γεώργιος Παπαδόπουλος-Χατζηκωνσταντίνου", Administrator: true},
		Nav: &ui.Nav{Label: ui.T("layout.administration"), Links: []ui.NavLink{
			{Label: ui.Words("Plugins"), Href: "/sample", Current: true},
			{Label: ui.Words("Users"), Href: "/sample"},
			{Label: ui.Words("Groups"), Href: "/sample"},
			{Label: ui.Words("Applications"), Href: "/sample"},
			{Label: ui.Words("Events"), Href: "/sample"},
			{Label: ui.Words("Settings"), Href: "/sample"},
			{Label: ui.Words("Health"), Href: "/sample"},
		}},
	}
}

var notFound = ui.ErrorPage{
	Heading: ui.T("errors.notFoundHeading"),
	Text:    ui.T("errors.notFound"),
	Action:  ui.Button{Label: ui.T("errors.start"), Href: "/"},
}

// formPage is a short form.
type formPage struct {
	ui.Summary
	Title   ui.Text
	Fields  []ui.Field
	Buttons []ui.Button
	Links   []ui.NavLink
}

func emptyForm() formPage {
	return formPage{
		Title: ui.Words("Login"),
		Fields: []ui.Field{
			{Name: "email", Label: ui.T("form.email"), Kind: ui.KindEmail, Required: true, Autofocus: true, Autocomplete: "username"},
			{Name: "password", Label: ui.T("form.password"), Kind: ui.KindPassword, Required: true},
		},
		Buttons: []ui.Button{{Label: ui.Words("Login")}},
		Links:   []ui.NavLink{{Label: ui.Words("Forgot password"), Href: "/sample"}, {Label: ui.Words("Create new account"), Href: "/sample"}},
	}
}

func refusedForm() formPage {
	page := emptyForm()
	email, password := &page.Fields[0], &page.Fields[1]
	email.Value, email.Autofocus, email.Marked = "ada@example.org", false, true
	password.Marked = true
	page.Summary = ui.Summarize(ui.Words("That email and password don't match. Check both, or reset your password."), email, password)
	return page
}

func codeForm(problem ui.Text) formPage {
	code := ui.Field{Name: "code", Label: ui.T("form.code"), Kind: ui.KindCode, Required: true, Autofocus: true, Error: problem,
		Hint: ui.Words("From your authenticator app, or a recovery code.")}
	return formPage{
		Title:   ui.Words("Login code confirmation"),
		Summary: ui.Summarize(problem, &code),
		Fields:  []ui.Field{code},
		Buttons: []ui.Button{{Label: ui.Words("Send code")}, {Label: ui.T("form.back"), Look: ui.Secondary, Href: "/sample"}},
	}
}

// codesPage is a list to copy, save and print.
type codesPage struct {
	Codes    []string
	Copy     ui.Copy
	Download ui.Download
	Saved    ui.Checkbox
	Buttons  []ui.Button
}

func codes() codesPage {
	return codesPage{
		Codes: []string{
			"K7QM-2XWP-9RTD-HB4F", "3NCV-8YLJ-6GKS-W5ZE", "P4RT-X9HD-2MQB-7FCN", "V6WK-3ZJE-8SLY-GD5T", "9BQX-H7FM-4CRN-KP2W",
			"E8YT-5DVG-W3JK-6ZSL", "M2HP-C4NB-R9XF-7QKT", "G5ZD-6WLS-3YVJ-E8RH", "7KTC-Q2FP-N4BM-X9WG", "L3SJ-9EYV-5DHK-Z6RT",
		},
		Copy:     ui.Copy{Label: ui.Words("Copy codes"), From: "codes"},
		Download: ui.Download{From: "codes", File: "codes.txt"},
		Saved:    ui.Checkbox{Name: "saved", Label: ui.Words("I have saved these codes"), Required: true},
		Buttons:  []ui.Button{{Label: ui.T("form.continue")}},
	}
}

// everythingPage has one of each.
type everythingPage struct {
	ui.Summary
	Width         string
	Note, Warning ui.Note
	Form          ui.Form
	Choices, List ui.Choices
	Tick          ui.Checkbox
	Buttons       []ui.Button
	Definitions   []ui.Definition
	Ring          ui.Ring
	Again         ui.Again
	Badge         ui.Badge
	Sessions      []session
	Users         []user
	Pagination    ui.Pagination
	Tiles         []string
	Confirm       ui.Confirm
	Empty         ui.Empty
}

type session struct {
	Device string
	Seen   time.Time
	End    ui.Button
}

type user struct {
	Name, Email string
	State       ui.Badge
}

func everything() everythingPage {
	seen := time.Date(2026, 11, 23, 14, 35, 0, 0, time.UTC)
	end := ui.Button{Label: ui.Words("End"), Look: ui.Secondary}
	return everythingPage{
		Note:    ui.Note{Heading: ui.Words("Good to know"), Text: ui.Words("A session ends after an hour without you.")},
		Warning: ui.Note{Tone: ui.Warning, Text: ui.Words("Three recovery codes are left. Make new ones soon."), Action: &ui.Button{Label: ui.Words("Generate new codes"), Look: ui.Quiet, Href: "/sample"}},
		Form: ui.Form{
			Action: "/sample",
			Hidden: []ui.Hidden{{Name: "page", Value: "1"}},
			Fields: []ui.Field{
				{Name: "name", Label: ui.T("form.name"), Value: "Ada <b>Lovelace</b>", Autocomplete: "name"},
				{Name: "current", Label: ui.T("form.currentPassword"), Kind: ui.KindPassword, Value: "never shown", Required: true},
				{Name: "new", Label: ui.T("form.newPassword"), Kind: ui.KindPassword, Autocomplete: "new-password", Required: true, Judge: "/sample/judge", Hint: ui.Words("At least 12 characters. A few words make a good one.")},
				{Name: "search", Label: ui.T("form.search"), Kind: ui.KindSearch},
				{Name: "note", Label: ui.Words("Note"), Kind: ui.KindLines},
			},
			Buttons: []ui.Button{{Label: ui.T("form.save")}, {Label: ui.T("form.cancel"), Look: ui.Secondary, Href: "/sample"}},
		},
		Choices: ui.Choices{Name: "enabled", Legend: ui.Words("Enabled for"), Options: []ui.Option{
			{Value: "everyone", Label: ui.Words("Everyone"), Chosen: true},
			{Value: "some", Label: ui.Words("Groups or single users"), Hint: ui.Words("Choose them below.")},
		}},
		List:    ui.Choices{Name: "language", Legend: ui.T("layout.language"), Options: []ui.Option{{Value: "en", Label: ui.Words("English"), Chosen: true}, {Value: "de", Label: ui.Words("Deutsch")}}},
		Tick:    ui.Checkbox{Name: "two-factor", Label: ui.Words("Two-factor authentication"), Hint: ui.Words("Ready to use, for everyone who wants it."), Checked: true},
		Buttons: []ui.Button{{Label: ui.Words("Activate"), Icon: "plug"}, {Label: ui.Words("Deactivate"), Look: ui.Danger}},
		Definitions: []ui.Definition{
			{Term: ui.Words("Type"), Value: ui.Words("TOTP")},
			{Term: ui.Words("Secret key"), Value: ui.Words("JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP"), Code: true, Copy: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"},
			{Term: ui.Words("Digits"), Value: ui.Words("6")},
			{Term: ui.Words("Since"), At: seen},
		},
		Again: ui.Again{Action: "/sample", Hidden: []ui.Hidden{{Name: "email", Value: "ada@example.org"}}, Label: ui.Words("Send again"), Rest: 30 * time.Second},
		Ring:  ui.Ring{Left: 17 * time.Second, Period: 30 * time.Second},
		Badge: ui.Badge{Tone: ui.Good, Text: ui.Words("Active")},
		Sessions: []session{
			{Device: "Firefox · Linux", Seen: seen, End: end},
			{Device: "Safari · iPhone", Seen: seen.Add(-26 * time.Hour), End: end},
		},
		Users: []user{
			{Name: "Ada Lovelace", Email: "ada@example.org", State: ui.Badge{Tone: ui.Good, Text: ui.Words("Active")}},
			{Name: "Dana", Email: "dana@example.org", State: ui.Badge{Tone: ui.Bad, Text: ui.Words("Disabled")}},
			{Name: "Fay", Email: "fay@example.org", State: ui.Badge{Tone: ui.Warning, Text: ui.Words("Invited")}},
			{Name: "Γεώργιος", Email: "georgios@example.org", State: ui.Badge{Text: ui.Words("Unverified")}},
		},
		Pagination: ui.Pagination{Page: 2, Pages: 7, Previous: "/sample", Next: "/sample"},
		Tiles:      []string{"Calendar", "Notes", "Wiki"},
		Confirm: ui.Confirm{
			ID:      "confirm",
			Heading: ui.Words("Deactivate two-factor authentication?"),
			Text:    ui.Words("Twelve people will log in with their password alone."),
			Form: ui.Form{
				Action:  "/sample",
				Fields:  []ui.Field{{Name: "code", Label: ui.T("form.code"), Kind: ui.KindCode, Required: true}},
				Buttons: []ui.Button{{Label: ui.Words("Deactivate"), Look: ui.Danger}},
			},
		},
		Empty: ui.Empty{Icon: "apps", Heading: ui.Words("No applications yet"), Text: ui.Words("Your administrator decides which ones you may open."), Action: &ui.Button{Label: ui.T("layout.account"), Look: ui.Secondary, Href: "/sample"}},
	}
}

// refused marks fields and choices of a page.
func refused(page everythingPage) everythingPage {
	page.Width = "wide"
	current, renewed := &page.Form.Fields[1], &page.Form.Fields[2]
	current.Error = ui.Words("This is not your current password.")
	renewed.Error = ui.Words("This password is on lists of leaked ones. Choose another.")
	page.Summary = ui.Summarize(ui.Text{}, current, renewed)
	page.Choices.Error = ui.Words("Choose who may use it.")
	return page
}
