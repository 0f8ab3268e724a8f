package recipe

import (
	"cmp"
	"embed"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"text/template"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/origin"
)

//go:embed proxies
var proxyFiles embed.FS

// proxyTemplates are read when somebody first wants them: a server that starts
// is asked for something else.
var proxyTemplates = sync.OnceValue(func() *template.Template {
	return template.Must(template.ParseFS(proxyFiles, "proxies/*"))
})

// Proxy is a reverse proxy, with what it is told of one application.
type Proxy struct {
	ID       string // as the address of its question and the commands have it
	Name     string
	File     string // what the same is called in the documentation
	Settings string
}

var proxies = []Proxy{
	{ID: "nginx", Name: "nginx", File: "nginx.conf"},
	{ID: "caddy", Name: "Caddy", File: "Caddyfile"},
	{ID: "traefik", Name: "Traefik", File: "traefik.yml"},
}

// Site is what a proxy has to know of ours.
type Site struct {
	PublicURL string
	Listen    string         // where we listen, in the spelling of the setting
	Trusted   []netip.Prefix // the proxies that are believed; with none, the documentation's is written
	TLS       bool           // we speak TLS ourselves, and no proxy stands before us
	Upstream  string         // where the application listens; "" writes the documentation's
}

// Proxies gives what each reverse proxy is told of an application behind it. It
// is the documentation with the application's names and ours in it.
func Proxies(a auth.Application, s Site) ([]Proxy, error) {
	in, err := s.fillingFor(a)
	if err != nil {
		return nil, err
	}
	all := make([]Proxy, len(proxies))
	for i, p := range proxies {
		var b strings.Builder
		if err := proxyTemplates().ExecuteTemplate(&b, p.File, in); err != nil {
			return nil, fmt.Errorf("settings of %s: %w", p.Name, err)
		}
		p.Settings = b.String()
		all[i] = p
	}
	return all, nil
}

// proxyFilling is what stands in the settings of a proxy.
type proxyFilling struct {
	Twinlock place
	Hosts    []place // of the application, its own first
	Before   bool    // the proxy stands before Twinlock, too
	TLS      bool    // Twinlock is asked by TLS
	Listen   string
	Upstream string
	Trusted  string
}

// place is an origin in the words of proxies.
type place struct{ origin.Origin }

// TLS tells whether the proxy has to encrypt.
func (p place) TLS() bool { return p.Scheme == "https" }

// Port is where the proxy listens.
func (p place) Port() string {
	_, port, found := strings.Cut(strings.TrimPrefix(p.Host, p.Name()), ":")
	switch {
	case found:
		return port
	case p.TLS():
		return "443"
	}
	return "80"
}

// Site is the origin in Caddy's words, which encrypts unless it is told not to.
func (p place) Site() string {
	if p.TLS() {
		return p.Host
	}
	return p.String()
}

func (s Site) fillingFor(a auth.Application) (in proxyFilling, err error) {
	ours, ok := origin.Parse(s.PublicURL)
	own, okOwn := origin.Parse(a.URL)
	if !ok || !okOwn {
		return in, ErrAddress
	}
	in = proxyFilling{Twinlock: place{ours}, Hosts: []place{{own}}, Before: !ours.Loopback() && !s.TLS, TLS: s.TLS, Listen: reachedAt(s.Listen),
		Upstream: cmp.Or(s.Upstream, "127.0.0.1:3000"), Trusted: s.TrustedLine()}
	for _, host := range a.Hosts {
		further, ok := origin.New(own.Scheme, host)
		if !ok {
			return in, ErrAddress
		}
		in.Hosts = append(in.Hosts, place{further})
	}
	return in, nil
}

// reachedAt is where a proxy on the same machine reaches whoever listens there.
func reachedAt(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if ip := net.ParseIP(host); err == nil && (host == "" || ip != nil && ip.IsUnspecified()) {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return listen
}

// Asks are the lines in which each proxy asks us.
type Asks struct{ Nginx, Caddy, Traefik string }

// Asks gives them as they stand in the settings.
func (s Site) Asks() Asks {
	at := "http://" + reachedAt(s.Listen)
	a := Asks{Caddy: "forward_auth " + reachedAt(s.Listen) + " {"}
	if s.TLS {
		at = "https://" + reachedAt(s.Listen)
		a.Caddy = "forward_auth " + at + " {"
	}
	a.Nginx, a.Traefik = "proxy_pass "+at+"/forward-auth/nginx;", `address: "`+at+`/forward-auth/traefik"`
	if s.TLS {
		a.Traefik = `address: "` + s.PublicURL + `/forward-auth/traefik"`
	}
	return a
}

// TrustedLine is the line of our own settings that believes the proxies, or the
// one that will have to be believed.
func (s Site) TrustedLine() string {
	if len(s.Trusted) > 0 {
		return TrustedProxies(s.Trusted)
	}
	return TrustedProxies([]netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")})
}

// TrustedProxies is the line of our own settings that believes these.
func TrustedProxies(all []netip.Prefix) string {
	written := make([]string, len(all))
	for i, p := range all {
		written[i] = `"` + p.String() + `"`
		if p.IsSingleIP() {
			written[i] = `"` + p.Addr().String() + `"`
		}
	}
	return "trusted_proxies = [" + strings.Join(written, ", ") + "]"
}
