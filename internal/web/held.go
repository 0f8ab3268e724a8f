package web

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/twinlock/twinlock/internal/proof"
	"github.com/twinlock/twinlock/internal/secret"
)

// held is a form that waits while the person proves something again. It
// travels in the page, sealed for this session, so that nothing typed is lost
// and nothing is kept on the server.
type held struct {
	Path   string
	Values url.Values
}

// Hold seals the form of a request, to go on with after a fresh proof; "" for
// a request without one.
func (f *Floor) Hold(r *http.Request) (string, error) {
	if r.Method != http.MethodPost {
		return "", nil
	}
	if err := r.ParseForm(); err != nil {
		return "", tooLargeOrBad(err)
	}
	plain, err := json.Marshal(held{Path: r.URL.Path, Values: r.PostForm})
	if err != nil {
		return "", err
	}
	sealed, err := f.Ring.Seal(plain, heldRow(r))
	return base64.RawURLEncoding.EncodeToString(sealed), err
}

func heldRow(r *http.Request) string {
	return "held form/" + string(Asking(r).Presence.Session.ID)
}

// Continue goes on with a held form, as the session that the fresh proof made.
// What cannot be opened was not sealed for this session, and is refused.
func (f *Floor) Continue(w http.ResponseWriter, r *http.Request, sealed string, token secret.Token) error {
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil {
		return BadRequest()
	}
	plain, _, err := f.Ring.Open(raw, heldRow(r))
	if err != nil {
		return BadRequest()
	}
	var form held
	if err := json.Unmarshal(plain, &form); err != nil {
		return BadRequest()
	}
	ctx, end := proof.Undisturbed(r.Context())
	defer end()
	again := r.Clone(ctx)
	again.URL = &url.URL{Path: form.Path}
	again.RequestURI = form.Path
	again.Form, again.PostForm = nil, nil
	again.Body = http.NoBody
	again.PostForm = form.Values
	again.Form = form.Values
	f.carry(again, token)
	f.dispatch(w, again)
	return nil
}

// carry makes the request one of the new token.
func (f *Floor) carry(r *http.Request, token secret.Token) {
	name := f.cookieName(sessionCookie)
	cookies := []string{name + "=" + token.Reveal()}
	for _, c := range r.Cookies() {
		if c.Name != name {
			cookies = append(cookies, c.Name+"="+c.Value)
		}
	}
	r.Header.Set("Cookie", strings.Join(cookies, "; "))
}
