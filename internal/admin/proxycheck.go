package admin

import (
	"net/http"
	"net/netip"
	"strings"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/origin"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/web"
)

// proxyCheckPage shows what proxies hand on.
type proxyCheckPage struct {
	Request  check  // of the very request that the page answers
	Question *check // of the test that has just come back; nil for none
	Late     bool   // what came back is too old, or somebody else's
	Inactive bool   // the plug-in forward-auth is
	Tests    []proxyTestLink
	Instead  []finding // what else may be seen, and how to mend it
}

// check is what arrived, and what is wrong with it.
type check struct {
	Findings []finding
	Facts    []ui.Definition
	Headers  []judgedHeader
}

// proxyTestLink leads through the proxy of an application.
type proxyTestLink struct{ Name, Origin, Href string }

// showProxyCheck shows what arrived with this request, and where a test has just
// come back, with the question of that application's proxy.
func (h *Flow) showProxyCheck(w http.ResponseWriter, r *http.Request) error {
	v := web.Asking(r)
	query, err := web.ReadQuery(r, "answer")
	if err != nil {
		return err
	}
	arrived := web.ArrivedWith(r)
	page := proxyCheckPage{Request: h.checkOf(arrived)}
	if query["answer"] != "" {
		answer, ok := h.ReadProxyAnswer(query["answer"], v.User().ID, v.Now)
		if page.Late = !ok; ok {
			c := h.checkOfQuestion(answer, arrived.Peer)
			page.Question = &c
		}
	}
	if page.Inactive, err = h.forwardAuthIsOff(r); err != nil {
		return err
	}
	if !page.Inactive {
		if page.Tests, err = h.proxyTests(r); err != nil {
			return err
		}
	}
	page.Instead = h.insteadOfAnAnswer(page.Tests)
	return h.Show(w, r, http.StatusOK, "admin/proxy-check", page)
}

func (h *Flow) forwardAuthIsOff(r *http.Request) (bool, error) {
	all, err := h.Live.Activations(r.Context())
	for _, a := range all {
		if a.Plugin == auth.ForwardAuthPlugin {
			return !a.Active, err
		}
	}
	return true, err
}

// proxyTests lead to every host of every application behind a proxy.
func (h *Flow) proxyTests(r *http.Request) (links []proxyTestLink, err error) {
	v := web.Asking(r)
	all, err := h.Store.Applications(r.Context())
	if err != nil {
		return nil, err
	}
	for _, a := range all {
		first, ok := origin.Parse(a.URL)
		if a.Kind != auth.BehindProxy || !ok {
			continue
		}
		for _, host := range append([]string{first.Host}, a.Hosts...) {
			at := origin.Origin{Scheme: first.Scheme, Host: host}
			href, err := h.ProxyTestAddress(web.ProxyTest{By: v.User().ID, At: at, Ends: v.Now.Add(web.ProxyTestLife)}, false)
			if err != nil {
				return nil, err
			}
			links = append(links, proxyTestLink{Name: a.Name, Origin: at.String(), Href: href})
		}
	}
	return links, nil
}

// judgedHeader is a header with what became of it.
type judgedHeader struct {
	web.ProxyHeader
	Believed bool
	Why      ui.Text
}

// seen is what arrived, read as far as it is believed.
type seen struct {
	web.Arrived
	Trusted bool         // whoever spoke to us
	Hops    []netip.Addr // the nearest first, the browser last
	Written int          // how many addresses X-Forwarded-For has
}

func (h *Flow) see(a web.Arrived) seen {
	s := seen{Arrived: a, Trusted: h.Trusts(a.Peer)}
	written := a.Said("X-Forwarded-For")
	for hop := range h.Hops(a.Peer, written) {
		s.Hops = append(s.Hops, hop)
	}
	if written != "" {
		s.Written = strings.Count(written, ",") + 1
	}
	return s
}

// client is where the browser is, as far as that is believed.
func (s seen) client() netip.Addr { return s.Hops[len(s.Hops)-1] }

// breaksOff tells a chain that ends at something that is no address.
func (h *Flow) breaksOff(s seen) bool { return len(s.Hops)-1 < s.Written && h.Trusts(s.client()) }

// facts are what is worth knowing where nothing is wrong, too.
func (h *Flow) facts(s seen) []ui.Definition {
	believed := "proxycheck.notTrusted"
	if s.Trusted {
		believed = "proxycheck.trusted"
	}
	way := make([]string, len(s.Hops))
	for i, hop := range s.Hops {
		way[len(way)-1-i] = hop.String()
	}
	return []ui.Definition{
		{Term: ui.T("proxycheck.speaks"), Value: ui.T(believed, "Address", s.Peer.String())},
		{Term: ui.T("proxycheck.way"), Value: ui.Words(strings.Join(way, " → "))},
		{Term: ui.T("proxycheck.yours"), Value: ui.Words(s.client().String())},
	}
}

// checkOf looks at a request to Twinlock itself.
func (h *Flow) checkOf(a web.Arrived) check {
	s := h.see(a)
	asked, _ := h.askedFor(s)
	c := check{Findings: h.findingsOfRequest(s), Facts: append([]ui.Definition{
		{Term: ui.T("proxycheck.asked"), Value: ui.Words(asked)},
		{Term: ui.T("proxycheck.public"), Value: ui.Words(h.PublicURL)},
	}, h.facts(s)...)}
	for _, header := range a.Headers {
		j := judgedHeader{ProxyHeader: header, Why: ui.T("proxycheck.unread")}
		switch header.Name {
		case "X-Forwarded-For":
			j.Believed, j.Why = s.Trusted, believedIf(s.Trusted, ui.T("proxycheck.believedFor"))
		case "X-Forwarded-Host", "X-Forwarded-Proto":
			j.Why = ui.T("proxycheck.unneeded")
		}
		if header.TellsWho() {
			j.Why = ui.T("proxycheck.claim")
		}
		c.Headers = append(c.Headers, j)
	}
	return c
}

// checkOfQuestion looks at what a proxy asked. The peer is who brought the page's
// own request.
func (h *Flow) checkOfQuestion(a web.ProxyAnswer, peer netip.Addr) check {
	s := h.see(a.Arrived)
	about := ui.T("proxycheck.nothingRead")
	if a.Read != (origin.Origin{}) {
		about = ui.Words(a.Read.String())
	}
	c := check{Findings: h.findingsOfQuestion(a, s, peer), Facts: append([]ui.Definition{
		{Term: ui.T("proxycheck.opened"), Value: ui.Words(a.Test.At.String())},
		{Term: ui.T("proxycheck.about"), Value: about},
		{Term: ui.T("proxycheck.words"), Value: ui.Words("/forward-auth/" + a.Proxy), Code: true},
	}, h.facts(s)...)}
	c.Facts = append(c.Facts, ui.Definition{Term: ui.T("proxycheck.when"), At: a.Asked})
	for _, header := range a.Arrived.Headers {
		j := judgedHeader{ProxyHeader: header, Why: ui.T("proxycheck.unread")}
		switch {
		case header.TellsWho():
			j.Why = ui.T("proxycheck.claim")
		case header.Name == "X-Forwarded-For":
			j.Believed, j.Why = s.Trusted, believedIf(s.Trusted, ui.T("proxycheck.believedFor"))
		case namesAddress(a.Proxy, header.Name):
			j.Believed, j.Why = s.Trusted, believedIf(s.Trusted, ui.T("proxycheck.believedAddress"))
		}
		c.Headers = append(c.Headers, j)
	}
	return c
}

func believedIf(trusted bool, why ui.Text) ui.Text {
	if trusted {
		return why
	}
	return ui.T("proxycheck.fromStranger")
}

// namesAddress tells the headers in which a proxy names the address that it asks
// about.
func namesAddress(proxy, header string) bool {
	if proxy == "nginx" {
		return header == "X-Original-Url"
	}
	return header == "X-Forwarded-Proto" || header == "X-Forwarded-Host" || header == "X-Forwarded-Uri"
}
