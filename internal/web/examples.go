package web

import (
	"errors"
	"html/template"
	"time"

	"github.com/twinlock/twinlock/internal/ui"
)

// Examples are the pages that say why there is no other.
func Examples() []ui.Example {
	askAgain := &ui.Button{Label: ui.T("forgot.askAgain"), Href: "/forgot-password"}
	return append([]ui.Example{
		errorExample("not found", NotFound()),
		errorExample("form of another site", foreignForm("https://login.example.org")),
		errorExample("too busy", Busy(5*time.Second)),
		errorExample("dead link", DeadLink(askAgain)),
	}, ui.SignedIn([]ui.Example{
		errorExample("not allowed", Forbidden()),
		errorExample("our fault", errors.New("the disk is full")),
		{Page: "ui/leave", Name: "on the way to an application", Data: ui.LeavePage{Name: "Wiki", Host: "wiki.example.org", To: "https://wiki.example.org/signed-in?code=x"}},
		{Page: "ui/leave", Name: "on the way to a program on this machine", Data: ui.LeavePage{Host: "org.example.app", To: template.URL("org.example.app:/signed-in")}},
	})...)
}

func errorExample(name string, err error) ui.Example {
	return ui.Example{Page: "ui/error", Name: name, Shell: ui.Shell{Failed: true}, Data: errorPage(refusalFor(err), "npanboabny3v")}
}
