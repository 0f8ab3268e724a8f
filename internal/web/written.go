package web

import (
	"errors"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/written"
)

// ReadWritten gives a text that somebody wrote, or why it is refused; nothing
// typed is "".
func ReadWritten(typed string, limit written.Limit) (text string, refused ui.Text) {
	text, err := limit.Read(typed)
	var long *written.TooLongError
	switch {
	case errors.As(err, &long):
		return "", ui.N("form.tooLong", int(long.Limit))
	case errors.Is(err, written.ErrSigns):
		return "", ui.T("form.signs")
	case err != nil:
		return "", ui.T("form.blank")
	}
	return text, ui.Text{}
}

// ReadName is ReadWritten for what a person is called, who may have no name.
func ReadName(typed string) (name string, refused ui.Text) { return ReadWritten(typed, written.Name) }

// ReadGroupName is ReadWritten for what a group is called.
func ReadGroupName(typed string) (name string, refused ui.Text) {
	name, refused = ReadWritten(typed, written.Name)
	switch {
	case !refused.IsZero():
	case name == "":
		refused = ui.T("groups.missingName")
	case !auth.IsGroupName(name):
		refused = ui.T("groups.wrongName")
	}
	return name, refused
}

// ReadFactorName is ReadWritten for what somebody calls a passkey or an
// authenticator app of theirs, which tells them apart.
func ReadFactorName(typed string) (name string, refused ui.Text) {
	name, refused = ReadWritten(typed, written.FactorName)
	if refused.IsZero() && name == "" {
		refused = ui.T("authenticators.missingName")
	}
	return name, refused
}
