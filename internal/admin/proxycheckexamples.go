package admin

import (
	"net/netip"
	"time"

	"github.com/twinlock/twinlock/internal/config"
	"github.com/twinlock/twinlock/internal/origin"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/web"
)

// exampleProxyChecks are the page in each state that it knows.
func exampleProxyChecks(at time.Time) (all []ui.Example) {
	h := &Flow{Settings: config.Config{Listen: "127.0.0.1:8080"}, Floor: &web.Floor{PublicURL: "https://id.example.org", TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/24")}}}
	tests := []proxyTestLink{
		{Name: "Wiki", Origin: "https://wiki.example.org", Href: "/"},
		{Name: "Office", Origin: "https://a-rather-long-name-of-a-host.subdomain.example.org:8443", Href: "/"},
	}
	fits := map[string]string{"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Host": "id.example.org", "X-Forwarded-Proto": "https"}
	good := exampleArrived("10.0.0.1", "id.example.org", fits)
	page := func(name string, p proxyCheckPage) {
		p.Instead = h.insteadOfAnAnswer(p.Tests)
		all = append(all, ui.Example{Page: "admin/proxy-check", Name: name, Data: p})
	}
	request := func(name, peer, host string, headers map[string]string) {
		page(name, proxyCheckPage{Request: h.checkOf(exampleArrived(peer, host, headers)), Tests: tests})
	}
	question := func(name string, a web.ProxyAnswer) {
		c := h.checkOfQuestion(a, good.Peer)
		page(name, proxyCheckPage{Request: h.checkOf(good), Question: &c, Tests: tests})
	}

	page("nothing to mend, and no application yet", proxyCheckPage{Request: h.checkOf(good)})
	page("the plug-in is inactive", proxyCheckPage{Request: h.checkOf(exampleArrived("10.0.0.1", "id.example.org", fits)), Inactive: true})
	page("a test that is over", proxyCheckPage{Request: h.checkOf(good), Tests: tests, Late: true})
	request("the proxy is not trusted", "172.18.0.1", "id.example.org", fits)
	request("the proxy says nothing", "172.18.0.1", "127.0.0.1:8080", nil)
	request("the proxy does not say who asks", "10.0.0.1", "127.0.0.1:8080", map[string]string{"X-Real-Ip": "192.0.2.7"})
	request("no address in the chain", "10.0.0.1", "id.example.org", map[string]string{"X-Forwarded-For": "192.0.2.7, unknown"})
	request("too much is trusted", "10.0.0.1", "id.example.org", map[string]string{"X-Forwarded-For": "10.0.0.77"})
	request("without encryption", "10.0.0.1", "id.example.org", map[string]string{"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "http"})
	request("at another address, with claims", "10.0.0.1", "id.example.org", map[string]string{
		"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Host": "login.example.net", "Remote_user": "root"})

	wiki := origin.Origin{Scheme: "https", Host: "wiki.example.org"}
	asked := web.ProxyAnswer{Test: web.ProxyTest{At: wiki}, Asked: at, Proxy: "nginx", Read: wiki, Whole: true, Cookie: true,
		Arrived: exampleArrived("10.0.0.1", "127.0.0.1:8080", map[string]string{
			"X-Forwarded-For": "192.0.2.7", "X-Original-Url": "https://wiki.example.org/.twinlock/check/…/as%20it%20is?kept=%26"})}
	question("a question that arrives", asked)
	changed := asked
	changed.Whole, changed.Cookie = false, false
	question("a question that is changed, and no cookie", changed)
	elsewhere := asked
	elsewhere.Read.Scheme = "http"
	question("a question about another address", elsewhere)
	ours := asked
	ours.OurOwn = true
	question("a question about our own host", ours)
	gone := asked
	gone.Unknown = true
	question("a question about an application that is gone", gone)
	unread := web.ProxyAnswer{Test: web.ProxyTest{At: wiki}, Asked: at, Proxy: "caddy", Cookie: true,
		Arrived: exampleArrived("172.18.0.1", "127.0.0.1:8080", map[string]string{"X-Original-Url": "https://wiki.example.org/"})}
	question("a question that names nothing, from a stranger", unread)
	c := h.checkOfQuestion(unread, unread.Arrived.Peer)
	page("a question by the proxy of this page, which is not trusted", proxyCheckPage{
		Request: h.checkOf(exampleArrived("172.18.0.1", "id.example.org", fits)), Question: &c, Tests: tests})
	return all
}

func exampleArrived(peer, host string, headers map[string]string) web.Arrived {
	return web.NewArrived(netip.MustParseAddr(peer), host, headers)
}
