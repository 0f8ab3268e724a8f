package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/config"
	"github.com/twinlock/twinlock/internal/origin"
	"github.com/twinlock/twinlock/internal/recipe"
	"github.com/twinlock/twinlock/internal/store"
)

// proxyFlags say how an application stands behind a reverse proxy.
type proxyFlags struct {
	Host []string `help:"A further host that leads to it, behind a proxy." sep:"none" placeholder:"HOST"`
	ruleFlag
}

// settingsFlag names a reverse proxy whose settings are printed.
type settingsFlag struct {
	Proxy string `help:"Print what this reverse proxy is told of an application behind it: nginx, caddy or traefik." enum:",nginx,caddy,traefik" default:"" placeholder:"PROXY"`
}

// tellProxy prints what the reverse proxy before an application is told, or for
// none what there is to do.
func (s *surroundings) tellProxy(a auth.Application, f settingsFlag) error {
	site := recipe.Site{PublicURL: string(s.app.Config.PublicURL), Listen: string(s.app.Config.Listen), Trusted: s.app.Config.TrustedProxies,
		TLS: s.app.Config.TLSCert != ""}
	if f.Proxy == "" {
		_, err := fmt.Fprintf(s.out, "  in twinlock.toml: %s\n  before it: twinlock app show %s --proxy nginx, caddy or traefik\n", site.TrustedLine(), a.ID)
		return err
	}
	all, err := recipe.Proxies(a, site)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(p recipe.Proxy) bool { return p.ID == f.Proxy })
	_, err = fmt.Fprint(s.out, all[i].Settings)
	return err
}

type ruleFlag struct {
	Rule []string `help:"What a path and everything below it asks, behind a proxy; the first that fits decides: /assets=public, /=signed-in, /admin=group:Staff, /payroll=two-factor, /payroll=code:15m. A host may stand before the path." sep:"none" placeholder:"PATH=ACCESS"`
}

// rules reads the flags for an application.
func (f ruleFlag) rules(s *surroundings, a auth.Application) ([]auth.Rule, error) {
	var rules []auth.Rule
	for _, text := range f.Rule {
		rule, err := readRule(s, a, text)
		if err != nil {
			return nil, fmt.Errorf("rule %s: %w", text, err)
		}
		rules = append(rules, rule)
	}
	return rules, nil
}

func readRule(s *surroundings, a auth.Application, text string) (r auth.Rule, err error) {
	end := strings.LastIndexByte(text, '=')
	if end < 0 {
		return r, errors.New("is written PATH=ACCESS")
	}
	where, what := text[:end], text[end+1:]
	slash := strings.IndexByte(where, '/')
	if slash < 0 {
		return r, errors.New("names no path: the least is /")
	}
	r.Path = where[slash:]
	if host := where[:slash]; host != "" {
		own, _ := origin.Parse(a.URL)
		at, ok := origin.New(own.Scheme, host)
		if !ok {
			return r, fmt.Errorf("%s is no host", host)
		}
		r.Host = at.Host
	}
	access, detail, _ := strings.Cut(what, ":")
	r.Access = auth.Access(access)
	switch r.Access {
	case auth.InGroup:
		group, err := s.app.Store.GroupByName(s.ctx, detail)
		if err != nil {
			return r, fmt.Errorf("there is no group %q", detail)
		}
		r.Group = group.ID
	case auth.RecentCode:
		if r.Within, err = config.ParseDuration(detail); err != nil {
			return r, fmt.Errorf("%q %w", detail, err)
		}
	}
	if !r.IsRule() || detail != "" && r.Group == "" && r.Within == 0 {
		return r, errors.New("is none: a path has no dots, doubled slashes or escapes and no slash at its end; ACCESS is public, signed-in, group:NAME, two-factor or code:DURATION")
	}
	return r, nil
}

// addBehindProxy adds an application that a reverse proxy stands before.
func (c *appAdd) addBehindProxy(s *surroundings, a auth.Application) (auth.Application, error) {
	a.Kind, a.Hosts = auth.BehindProxy, c.Host
	rules, err := c.rules(s, a)
	if err != nil {
		return a, err
	}
	made, err := s.app.Store.AddGate(s.ctx, s.by, auth.Gate{Application: a, Rules: rules}, s.app.Now())
	return made.Application, inWords(err)
}

// inWords says what is wrong with a host, or with a rule's.
func inWords(err error) error {
	switch {
	case errors.Is(err, store.ErrTaken):
		return fmt.Errorf("%w: another application behind a proxy has it", err)
	case errors.Is(err, store.ErrOurHost):
		return fmt.Errorf("%w: Twinlock itself lives at this host, and an application there could act as whoever opens it, at whatever port; give it a host of its own", err)
	case errors.Is(err, store.ErrMalformedHost):
		return fmt.Errorf("%w: a host is a name such as wiki.example.org, or one with a port", err)
	case errors.Is(err, store.ErrForeignRule):
		return fmt.Errorf("%w: its hosts are that of its address, and those given by --host", err)
	}
	return err
}

type appRules struct {
	oneApp
	ruleFlag
	Clear bool `help:"Take all rules away."`
}

func (c *appRules) runOn(s *surroundings) error {
	a, err := c.find(s)
	if err != nil {
		return err
	}
	if a.Kind != auth.BehindProxy {
		return fmt.Errorf("%s does not stand behind a proxy: it has no rules", a.Name)
	}
	if len(c.Rule) > 0 || c.Clear {
		rules, err := c.rules(s, a)
		if err != nil {
			return err
		}
		if err := s.app.Store.SetApplicationRules(s.ctx, s.by, a.ID, rules, s.app.Now()); err != nil {
			return inWords(err)
		}
	}
	return c.show(s, a)
}

// shownRule is a rule as JSON shows one.
type shownRule struct {
	Host   string      `json:"host"` // "" for each of the application's
	Path   string      `json:"path"`
	Access auth.Access `json:"access"`
	Group  string      `json:"group"`  // of access group
	Within string      `json:"within"` // of access code
}

func (c *appRules) show(s *surroundings, a auth.Application) error {
	rules, err := s.app.Store.ApplicationRules(s.ctx, a.ID)
	if err != nil {
		return err
	}
	groups, err := s.app.Store.Groups(s.ctx)
	if err != nil {
		return err
	}
	names := map[auth.GroupID]string{}
	for _, g := range groups {
		names[g.ID] = g.Name
	}
	shown := make([]shownRule, len(rules))
	for i, r := range rules {
		shown[i] = shownRule{Host: r.Host, Path: r.Path, Access: r.Access, Group: names[r.Group]}
		if r.Access == auth.InGroup && shown[i].Group == "" {
			shown[i].Group = "(deleted: nobody)"
		}
		if r.Within > 0 {
			shown[i].Within = config.FormatDuration(r.Within)
		}
	}
	if c.JSON {
		return s.json(shown)
	}
	for _, r := range shown {
		detail := r.Group + r.Within
		if detail != "" {
			detail = ":" + detail
		}
		fmt.Fprintf(s.out, "%s%s=%s%s\n", r.Host, r.Path, r.Access, detail)
	}
	_, err = fmt.Fprintln(s.out, "everything else: signed-in")
	return err
}
