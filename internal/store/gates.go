package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/origin"
)

var (
	// ErrMalformedHost is returned for an application behind a proxy whose
	// address or further host is none that a browser can ask.
	ErrMalformedHost = errors.New("malformed host")
	// ErrOurHost is returned for one at our own host, whatever the port: browsers
	// would send it what opens our own pages.
	ErrOurHost = errors.New("our own host")
	// ErrMalformedRule is returned for a rule that does not say what it must.
	ErrMalformedRule = errors.New("malformed rule")
	// ErrForeignRule is returned where a rule would stand for a host that does
	// not lead to its application: what it asks would never be asked.
	ErrForeignRule = errors.New("a rule stands for a host that does not lead to the application")
)

// AddGate makes an application behind a proxy together with its rules. It
// refuses what AddApplication and SetApplicationRules do.
func (s *Store) AddGate(ctx context.Context, by auth.Actor, g auth.Gate, now time.Time) (made auth.Gate, err error) {
	if err := areRules(g.Rules); err != nil {
		return g, err
	}
	g.Kind = auth.BehindProxy
	err = s.transaction(ctx, func(t *tx) (err error) {
		made = g
		if made.Application, err = t.addApplication(ctx, by, g.Application, now); err != nil {
			return err
		}
		return t.writeRules(ctx, made.ID, made.Rules)
	})
	return made, err
}

// GateAt finds the application behind a proxy that is asked for at an origin,
// with its rules; ErrNotFound where there is none.
func (s *Store) GateAt(ctx context.Context, at origin.Origin) (auth.Gate, error) {
	a, err := scanApplication(s.read.QueryRowContext(ctx, `
		SELECT `+applicationColumns+` FROM applications a JOIN application_origins o ON o.application_id = a.id
		 WHERE o.origin = $1`, at.String()))
	if err != nil {
		return auth.Gate{}, fmt.Errorf("application at %s: %w", at, notFound(err))
	}
	return s.gateOf(ctx, a)
}

// Gates gives every application behind a proxy, with its rules, by the origins
// at which it is asked for.
func (s *Store) Gates(ctx context.Context) (map[origin.Origin]auth.Gate, error) {
	all, err := list(ctx, s.read, scanApplication, `
		SELECT `+applicationColumns+` FROM applications a WHERE a.kind = $1`, auth.BehindProxy)
	if err != nil {
		return nil, fmt.Errorf("list gates: %w", err)
	}
	gates := map[origin.Origin]auth.Gate{}
	for _, a := range all {
		gate, err := s.gateOf(ctx, a)
		if err != nil {
			return nil, err
		}
		own, err := originsOf(gate.Application)
		if err != nil {
			return nil, fmt.Errorf("application %s: %w", a.ID, err)
		}
		for _, at := range own {
			gates[at] = gate
		}
	}
	return gates, nil
}

func (s *Store) gateOf(ctx context.Context, a auth.Application) (auth.Gate, error) {
	if err := readAllowed(ctx, s.read, &a); err != nil {
		return auth.Gate{}, err
	}
	rules, err := s.ApplicationRules(ctx, a.ID)
	return auth.Gate{Application: a, Rules: rules}, err
}

// ApplicationRules gives what an application's addresses ask, in order.
func (s *Store) ApplicationRules(ctx context.Context, id auth.ApplicationID) ([]auth.Rule, error) {
	return rulesOfApplication(ctx, s.read, id)
}

func rulesOfApplication(ctx context.Context, q querier, id auth.ApplicationID) ([]auth.Rule, error) {
	rules, err := list(ctx, q, scanRule, `
		SELECT host, path, access, group_id, code_within FROM application_rules WHERE application_id = $1 ORDER BY position`, id)
	if err != nil {
		return nil, fmt.Errorf("rules of application %s: %w", id, err)
	}
	return rules, nil
}

func scanRule(r row) (rule auth.Rule, err error) {
	var within int64
	err = r.Scan(&rule.Host, &rule.Path, &rule.Access, &rule.Group, &within)
	rule.Within = time.Duration(within) * time.Millisecond
	return rule, err
}

// SetApplicationRules puts these rules in the place of all that there were.
// One that does not say what it must is ErrMalformedRule, and one for a host
// that is none of the application's ErrForeignRule; nothing changes then.
func (s *Store) SetApplicationRules(ctx context.Context, by auth.Actor, id auth.ApplicationID, rules []auth.Rule, now time.Time) error {
	if err := areRules(rules); err != nil {
		return fmt.Errorf("rules of application %s: %w", id, err)
	}
	return s.transaction(ctx, func(t *tx) error {
		name, err := t.lockApplication(ctx, id)
		if err != nil {
			return err
		}
		return t.setRules(ctx, by, id, name, rules, now)
	})
}

// ReplaceApplicationRules is SetApplicationRules for somebody who has seen the
// rules that there were; where they are no longer these, it is ErrSpent.
func (s *Store) ReplaceApplicationRules(ctx context.Context, by auth.Actor, id auth.ApplicationID, seen, rules []auth.Rule, now time.Time) error {
	if err := areRules(rules); err != nil {
		return fmt.Errorf("rules of application %s: %w", id, err)
	}
	return s.transaction(ctx, func(t *tx) error {
		name, err := t.lockApplication(ctx, id)
		if err != nil {
			return err
		}
		kept, err := rulesOfApplication(ctx, t, id)
		if err != nil {
			return err
		}
		if !slices.Equal(kept, seen) {
			return fmt.Errorf("rules of application %s: %w", id, ErrSpent)
		}
		return t.setRules(ctx, by, id, name, rules, now)
	})
}

// setRules writes the rules of an application that is locked.
func (t *tx) setRules(ctx context.Context, by auth.Actor, id auth.ApplicationID, name string, rules []auth.Rule, now time.Time) error {
	if err := t.writeRules(ctx, id, rules); err != nil {
		return err
	}
	return t.record(ctx, by, auth.EventApplicationChanged, "", fmt.Sprintf("%s: %d rules", name, len(rules)), now)
}

// lockApplication keeps others from changing an application, and gives its name;
// ErrNotFound where there is none.
func (t *tx) lockApplication(ctx context.Context, id auth.ApplicationID) (name string, err error) {
	if err = t.QueryRowContext(ctx, `SELECT name FROM applications WHERE id = $1`+t.forUpdate(), id).Scan(&name); err != nil {
		return "", fmt.Errorf("application %s: %w", id, notFound(err))
	}
	return name, nil
}

func areRules(rules []auth.Rule) error {
	for i, rule := range rules {
		if !rule.IsRule() {
			return fmt.Errorf("rule %d: %w", i+1, ErrMalformedRule)
		}
	}
	return nil
}

func (t *tx) writeRules(ctx context.Context, id auth.ApplicationID, rules []auth.Rule) error {
	t.applications = true
	if _, err := t.exec(ctx, `DELETE FROM application_rules WHERE application_id = $1`, id); err != nil {
		return fmt.Errorf("rules of application %s: %w", id, err)
	}
	for i, r := range rules {
		if _, err := t.exec(ctx, `
			INSERT INTO application_rules (application_id, position, host, path, access, group_id, code_within)
			VALUES ($1, $2, $3, $4, $5, $6, $7)`, id, i, r.Host, r.Path, r.Access, r.Group, r.Within.Milliseconds()); err != nil {
			return fmt.Errorf("rule %d of application %s: %w", i+1, id, err)
		}
	}
	return t.requireOwnHosts(ctx, id)
}

// HostError refuses a host of an application behind a proxy.
type HostError struct {
	Host string // or what was typed in its place
	Own  bool   // it is that of the address, not a further one; of ErrForeignRule nothing is told
	Why  error  // ErrMalformedHost, ErrOurHost, ErrTaken or ErrForeignRule
}

func (e *HostError) Error() string { return e.Host + ": " + e.Why.Error() }

func (e *HostError) Unwrap() error { return e.Why }

// requireOwnHosts refuses to leave a rule at a host that does not lead to the
// application, or no longer does: whatever it kept closed would be open.
func (t *tx) requireOwnHosts(ctx context.Context, id auth.ApplicationID) error {
	var host string
	err := t.QueryRowContext(ctx, `
		SELECT r.host FROM application_rules r
		 WHERE r.application_id = $1 AND r.host <> '' AND NOT EXISTS (
		       SELECT 1 FROM application_origins o
		        WHERE o.application_id = r.application_id AND o.origin IN ('https://' || r.host, 'http://' || r.host))
		 ORDER BY r.position LIMIT 1`, id).Scan(&host)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return fmt.Errorf("hosts of the rules of application %s: %w", id, err)
	}
	return &HostError{Host: host, Why: ErrForeignRule}
}

// originsOf gives where an application is asked for: at its address, and at its
// further hosts by the same scheme. A host that is given twice, in whatever
// spelling, is one.
func originsOf(a auth.Application) ([]origin.Origin, error) {
	first, ok := origin.Parse(a.URL)
	if !ok {
		return nil, &HostError{a.URL, true, ErrMalformedHost}
	}
	all := []origin.Origin{first}
	for _, host := range a.Hosts {
		further, ok := origin.New(first.Scheme, host)
		if !ok {
			return nil, &HostError{host, false, ErrMalformedHost}
		}
		if !slices.Contains(all, further) {
			all = append(all, further)
		}
	}
	return all, nil
}

// writeOrigins keeps where an application behind a proxy is asked for. An
// origin that is another's is ErrTaken; one at our own host is
// ErrOurHost, unless it was the application's before our host was ours.
func (t *tx) writeOrigins(ctx context.Context, a auth.Application) error {
	t.applications = true
	before, err := list(ctx, t, scanID[textOfOrigin], `DELETE FROM application_origins WHERE application_id = $1 RETURNING origin`, a.ID)
	if err != nil {
		return fmt.Errorf("hosts of application %s: %w", a.ID, err)
	}
	if a.Kind != auth.BehindProxy {
		return nil
	}
	all, err := originsOf(a)
	if err != nil {
		return err
	}
	for i, at := range all {
		if at.SharesCookiesWith(t.store.rules.Ours) && !slices.Contains(before, textOfOrigin(at.String())) {
			return &HostError{at.Host, i == 0, ErrOurHost}
		}
		n, err := t.exec(ctx, `
			INSERT INTO application_origins (origin, application_id, position) VALUES ($1, $2, $3)
			ON CONFLICT (origin) DO NOTHING`, at.String(), a.ID, i)
		if err != nil {
			return fmt.Errorf("hosts of application %s: %w", a.ID, err)
		}
		if n == 0 {
			return &HostError{at.Host, i == 0, ErrTaken}
		}
	}
	return nil
}

// readHosts reads an application's further hosts.
func readHosts(ctx context.Context, q querier, a *auth.Application) error {
	all, err := list(ctx, q, scanID[textOfOrigin], `
		SELECT origin FROM application_origins WHERE application_id = $1 AND position > 0 ORDER BY position`, a.ID)
	if err != nil {
		return fmt.Errorf("hosts of application %s: %w", a.ID, err)
	}
	a.Hosts = nil
	for _, o := range all {
		_, host, _ := strings.Cut(string(o), "://")
		a.Hosts = append(a.Hosts, host)
	}
	return nil
}

type textOfOrigin string
