package admin

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/twinlock/twinlock/internal/origin"
	"github.com/twinlock/twinlock/internal/recipe"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/web"
)

// finding is something about what arrived, and how to mend it.
type finding struct {
	ui.Note
	Mend []ui.Definition // where a line belongs, and the line
}

// found makes a finding. Its key in the catalogue goes on with -heading, and with -text
// for what stands below.
func found(tone ui.Tone, key string, pairs ...any) finding {
	return finding{Note: ui.Note{Tone: tone, Heading: ui.T(key+"-heading", pairs...), Text: ui.T(key+"-text", pairs...)}}
}

// with adds lines, each after where it belongs.
func (f finding) with(lines ...string) finding {
	for i := 0; i < len(lines); i += 2 {
		f.Mend = append(f.Mend, ui.Definition{Term: ui.Words(lines[i]), Value: ui.Words(lines[i+1]), Code: true, Copy: lines[i+1]})
	}
	return f
}

const (
	ourFile    = "twinlock.toml"
	inNginx    = "nginx"
	inCaddy    = "Caddy"
	inTraefik  = "Traefik"
	inApache   = "Apache"
	nginxSaysX = "proxy_set_header X-Forwarded-For $remote_addr;"
)

// findingsOfRequest judge a request to Twinlock itself, the gravest first.
func (h *Flow) findingsOfRequest(s seen) (all []finding) {
	all = append(all, h.findingsOfWay(s)...)
	all = append(all, h.findingsOfAddress(s)...)
	if !slices.ContainsFunc(all, func(f finding) bool { return f.Tone != ui.Info }) {
		key := "proxycheck.fits"
		if len(s.Headers) == 0 && !s.Trusted {
			key = "proxycheck.direct"
		}
		all = append([]finding{found(ui.Good, key, "Address", s.client().String())}, all...)
	}
	return all
}

// findingsOfWay judge whether we know where the browser is.
func (h *Flow) findingsOfWay(s seen) []finding {
	peer := s.Peer.String()
	switch {
	case !s.Trusted && len(s.Headers) > 0:
		return []finding{found(ui.Bad, "proxycheck.untrusted", "Address", peer).with(ourFile, h.trusting(s.Peer))}
	case !s.Trusted && !s.TLS && strings.HasPrefix(h.PublicURL, "https://"):
		return []finding{found(ui.Bad, "proxycheck.silent", "Address", peer).with(ourFile, h.trusting(s.Peer), inNginx, nginxSaysX)}
	case !s.Trusted && len(h.TrustedProxies) > 0 && !h.isOurOwnMachine():
		return []finding{found(ui.Info, "proxycheck.around", "Address", peer).with(ourFile, `listen = "127.0.0.1:8080"`)}
	case !s.Trusted:
		return nil
	case s.Written == 0:
		return []finding{found(ui.Bad, "proxycheck.nobody", "Address", peer).with(inNginx, nginxSaysX)}
	case h.breaksOff(s):
		return []finding{found(ui.Bad, "proxycheck.broken", "Said", s.Said("X-Forwarded-For")).with(inNginx, nginxSaysX)}
	case h.Trusts(s.client()) && !s.client().IsLoopback():
		return []finding{found(ui.Warning, "proxycheck.wide", "Address", s.client().String()).with(ourFile, recipe.TrustedProxies(hostsOf(s.Hops[:len(s.Hops)-1])))}
	}
	return nil
}

// public is the origin of the public URL, which the settings hold to be one.
func (h *Flow) public() origin.Origin {
	public, _ := origin.Parse(h.PublicURL)
	return public
}

// isOurOwnMachine tells that Twinlock is at an address of this machine alone.
func (h *Flow) isOurOwnMachine() bool {
	return h.public().Loopback()
}

// askedFor is the address that the browser went to, as far as anybody says so.
// It is false where only the proxy's own way to us is known.
func (h *Flow) askedFor(s seen) (address string, known bool) {
	public := h.public()
	scheme, host := s.Said("X-Forwarded-Proto"), s.Said("X-Forwarded-Host")
	if scheme == "" && s.TLS {
		scheme = "https"
	}
	known = host != "" || len(s.Headers) == 0 && !s.Trusted
	if host == "" {
		host = s.Host
	}
	switch {
	case scheme != "":
	case len(s.Headers) == 0 && !s.Trusted && !strings.HasPrefix(h.PublicURL, "https://"):
		scheme = "http"
	default:
		scheme = public.Scheme
	}
	if at, ok := origin.New(scheme, host); ok {
		return at.String(), known || at.Host == public.Host
	}
	return scheme + "://" + host, known
}

// findingsOfAddress judge whether the public URL is where people come.
func (h *Flow) findingsOfAddress(s seen) []finding {
	public := h.public()
	asked, known := h.askedFor(s)
	came, sound := origin.Parse(asked)
	switch {
	case asked == public.String():
		return nil
	case !known:
		return []finding{found(ui.Info, "proxycheck.unnamed", "Host", s.Host).with(
			inNginx, "proxy_set_header Host $http_host;", inApache, "ProxyPreserveHost On")}
	case sound && came.Scheme == "http" && came.Host == public.Host:
		return []finding{found(ui.Bad, "proxycheck.plain", "Public", h.PublicURL).with(
			inNginx, "return 301 https://$host$request_uri;", inApache, "Redirect permanent / "+h.PublicURL+"/")}
	}
	return []finding{found(ui.Bad, "proxycheck.elsewhere", "Asked", asked, "Public", h.PublicURL).with(ourFile, `public_url = "`+asked+`"`)}
}

// findingsOfQuestion judge what an application's proxy asked. Whoever sees the
// link of a test can ask with it: only a peer that also brought the page's own
// request is offered as one to trust.
func (h *Flow) findingsOfQuestion(a web.ProxyAnswer, s seen, peer netip.Addr) (all []finding) {
	at := a.Test.At.String()
	switch {
	case !s.Trusted && s.Peer != peer:
		all = append(all, found(ui.Bad, "proxycheck.questionStranger", "Address", s.Peer.String()))
	case !s.Trusted:
		all = append(all, found(ui.Bad, "proxycheck.questionUntrusted", "Address", s.Peer.String()).with(ourFile, h.trusting(s.Peer)))
	}
	nginxNames := "proxy_set_header X-Original-URL " + at + "$request_uri;"
	switch {
	case a.Read == (origin.Origin{}):
		all = append(all, found(ui.Bad, "proxycheck.questionUnnamed", "Words", a.Proxy).with(
			inNginx, nginxNames, inCaddy, "uri /forward-auth/caddy", inTraefik, h.site().Asks().Traefik))
	case a.Read != a.Test.At:
		f := found(ui.Bad, "proxycheck.questionElsewhere", "Opened", at, "Asked", a.Read.String())
		if a.Proxy == "nginx" {
			f = f.with(inNginx, nginxNames)
		}
		all = append(all, f)
	case a.OurOwn:
		all = append(all, found(ui.Bad, "proxycheck.questionOurs", "Opened", at))
	case a.Unknown:
		all = append(all, found(ui.Bad, "proxycheck.questionUnknown", "Opened", at))
	case !a.Whole:
		f := found(ui.Bad, "proxycheck.questionChanged")
		if a.Proxy == "nginx" {
			f = f.with(inNginx, nginxNames)
		}
		all = append(all, f)
	}
	if !a.Cookie {
		f := found(ui.Bad, "proxycheck.questionCookie", "Host", a.Test.At.Host)
		if a.Proxy == "nginx" {
			f = f.with("nginx, location /", "auth_request_set $twinlock_cookie $upstream_http_set_cookie;",
				"nginx, location @twinlock_login", "add_header Set-Cookie $twinlock_cookie always;")
		}
		all = append(all, f)
	}
	if s.Trusted {
		all = append(all, h.findingsOfWay(s)...)
	}
	if !slices.ContainsFunc(all, func(f finding) bool { return f.Tone != ui.Info }) {
		all = append([]finding{found(ui.Good, "proxycheck.questionFits", "Opened", at)}, all...)
	}
	return all
}

// insteadOfAnAnswer is what a test may end with where it does not come back, each
// with the lines of docs/proxies that mend it.
// What nginx names is the host of one server: there is a line for each that can
// be tested.
func (h *Flow) insteadOfAnAnswer(tests []proxyTestLink) []finding {
	const caddyWords = "uri /forward-auth/caddy"
	asks := h.site().Asks()
	instead := func(key string, lines ...string) finding {
		return finding{Note: ui.Note{Text: ui.T(key)}}.with(lines...)
	}
	var named []string
	for _, test := range tests {
		named = append(named, inNginx+", "+test.Origin, "proxy_set_header X-Original-URL "+test.Origin+"$request_uri;")
	}
	return []finding{
		instead("proxycheck.insteadUnavailable", append(named, inCaddy, caddyWords, inTraefik, asks.Traefik)...),
		instead("proxycheck.instead401", inNginx, "error_page 401 = @twinlock_login;", inCaddy, caddyWords, inTraefik, asks.Traefik),
		instead("proxycheck.instead500", inNginx, asks.Nginx, inCaddy, asks.Caddy, inTraefik, asks.Traefik),
		instead("proxycheck.insteadApplication", inNginx, "auth_request     /.twinlock/question;", inCaddy, asks.Caddy,
			inTraefik, "middlewares: [nobody, twinlock]"),
	}
}

// trusting is the setting that believes one more.
func (h *Flow) trusting(peer netip.Addr) string {
	return recipe.TrustedProxies(append(slices.Clone(h.TrustedProxies), hostsOf([]netip.Addr{peer})...))
}

func hostsOf(all []netip.Addr) (hosts []netip.Prefix) {
	for _, a := range all {
		if p := netip.PrefixFrom(a, a.BitLen()); !slices.Contains(hosts, p) {
			hosts = append(hosts, p)
		}
	}
	return hosts
}
