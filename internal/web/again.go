package web

import (
	"time"

	"github.com/twinlock/twinlock/internal/ui"
)

// letterRest is how long a person waits for a letter before asking once more.
const letterRest = 30 * time.Second

// NewAgain is the button that sends a letter once more.
func NewAgain(action, typed string) ui.Again {
	return ui.Again{Action: action, Hidden: []ui.Hidden{{Name: "email", Value: typed}},
		Label: ui.T("forgot.resend"), Rest: letterRest}
}
