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
func (h *Flow) answerProxyTest(w http.ResponseWriter, r *http.Request, a asked, why unasked, answer web.ProxyAnswer, again bool) error {
	if active, err := h.isActive(r); err != nil || !active {
		return h.refuse(w, r, a, newUnaskedPage())
	}
	if a.Origin == (origin.Origin{}) { // a stranger's is not read before
		a.question, _ = a.read(r.Header)
	}
	_, answer.Cookie = h.ApplicationToken(r, answer.Test.At)
	if !answer.Cookie && !again { // does what the browser is given come back?
		h.NewApplicationToken(w, answer.Test.At)
		to, err := h.ProxyTestAddress(answer.Test, true)
		if err != nil {
			return err
		}
		send(w, a.dialect, to, true)
		return nil
	}
	answer.Asked, answer.Proxy, answer.Read, answer.Arrived = web.Asking(r).Now, a.Name, a.Origin, web.ArrivedWith(r)
	answer.OurOwn, answer.Unknown = why == ourOwn, why == noApplication
	to, err := h.ProxyAnswerPath(answer)
	if err != nil {
		return err
	}
	send(w, a.dialect, h.PublicURL+to, true)
	return nil
}

// mayBeTest tells a question that a test may stand behind: one about our own
// paths, or one that is none.
func mayBeTest(a asked, why unasked) bool {
	return why != "" || strings.HasPrefix(a.Path, ownPaths)
}
