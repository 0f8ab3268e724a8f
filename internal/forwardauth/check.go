package forwardauth

import (
	"net/http"
	"strings"

	"github.com/twinlock/twinlock/internal/origin"
	"github.com/twinlock/twinlock/internal/web"
)

// answerProxyTest brings an administrator who walks through a proxy to see what
// it asks back to the page that shows it. Nothing passes and nothing is kept,
// and so it is answered whatever is wrong with the question.
func (h *Flow) answerProxyTest(w http.ResponseWriter, r *http.Request, a asked, test web.ProxyTest, again, whole bool) error {
	if active, err := h.isActive(r); err != nil || !active {
		return h.refuse(w, r, a, newUnaskedPage())
	}
	if a.Origin == (origin.Origin{}) { // a stranger's is not read before
		a.question, _ = a.read(r.Header)
	}
	_, cookie := h.ApplicationToken(r, test.At)
	if !cookie && !again { // does what the browser is given come back?
		h.NewApplicationToken(w, test.At)
		to, err := h.ProxyTestAddress(test, true)
		if err != nil {
			return err
		}
		return send(w, a, to, true)
	}
	to, err := h.ProxyAnswerPath(web.ProxyAnswer{
		Test: test, Asked: web.Asking(r).Now, Proxy: a.Name, Read: a.Origin, Whole: whole, Cookie: cookie, Arrived: web.ArrivedWith(r)})
	if err != nil {
		return err
	}
	return send(w, a, h.PublicURL+to, true)
}

// mayBeTest tells a question that a test may stand behind: one about our own
// paths, or one that is none.
func mayBeTest(a asked, why unasked) bool {
	return why != "" || strings.HasPrefix(a.Path, ownPaths)
}
