package admin

import (
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/recipe"
	"github.com/twinlock/twinlock/internal/ui"
)

// proxySection is the part of an application's page about what to put before it.
type proxySection struct {
	Trusting bool            // some proxies are believed already
	Trusted  []ui.Definition // where the line belongs that believes the proxy, and the line
	Settings []proxySettings
}

// proxySettings are what one reverse proxy is told.
type proxySettings struct {
	Name    string
	Snippet ui.Snippet
}

// site is what proxies have to know of us.
func (h *Flow) site() recipe.Site {
	return recipe.Site{PublicURL: h.PublicURL, Listen: string(h.Settings.Listen), Trusted: h.TrustedProxies, TLS: h.Settings.TLSCert != ""}
}

// proxyOf is nil for an application before which no proxy stands. Where it
// listens is known of some programs; "" is for the others.
func (h *Flow) proxyOf(a auth.Application, upstream string) (*proxySection, error) {
	if a.Kind != auth.BehindProxy {
		return nil, nil
	}
	site := h.site()
	site.Upstream = upstream
	all, err := recipe.Proxies(a, site)
	if err != nil {
		return nil, err
	}
	line := site.TrustedLine()
	s := &proxySection{Trusting: len(site.Trusted) > 0, Trusted: []ui.Definition{{Term: ui.Words(ourFile), Value: ui.Words(line), Code: true, Copy: line}}}
	for _, p := range all {
		s.Settings = append(s.Settings, proxySettings{Name: p.Name,
			Snippet: ui.Snippet{ID: "proxy-" + p.ID, Label: ui.T("adminapps.snippet", "Name", p.Name), Code: p.Settings}})
	}
	return s, nil
}
