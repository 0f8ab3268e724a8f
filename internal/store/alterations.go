package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
)

// Alteration is what changes of an application. What is nil stays, and an error
// of what is not is given back.
type Alteration struct {
	// Gate changes the application itself, as ChangeApplication does. The rules
	// are there to be looked at.
	Gate func(*auth.Gate) error
	// Client changes how it speaks OpenID Connect, as ChangeClient does. It is
	// called twice.
	Client func(*auth.Client) error
	// Require says whether it demands two-factor authentication from now on.
	Require *bool
	// Refusing is told whom a demand that is new refuses.
	Refusing func([]auth.User) error
}

// Alter changes an application: all that was asked for, or nothing.
func (s *Store) Alter(ctx context.Context, by auth.Actor, id auth.ApplicationID, now time.Time, wanted Alteration) error {
	if wanted.Client != nil {
		if err := s.prepareClient(ctx, by, id, now, wanted.Client); err != nil {
			return err
		}
	}
	return s.transaction(ctx, func(t *tx) error {
		if err := t.lockPlugins(ctx); err != nil { // whoever deletes a person or a group waits, or is waited for
			return err
		}
		a, err := applicationByID(ctx, t, id, t.forUpdate())
		if err != nil {
			return err
		}
		if wanted.Gate != nil {
			if a, err = t.changeGate(ctx, by, a, now, wanted.Gate); err != nil {
				return err
			}
		}
		if wanted.Client != nil {
			if err := t.changeClient(ctx, by, a, now, wanted.Client); err != nil {
				return err
			}
		}
		if wanted.Require != nil {
			return t.require(ctx, by, a, *wanted.Require, now, wanted.Refusing)
		}
		return nil
	})
}

func (t *tx) changeGate(ctx context.Context, by auth.Actor, a auth.Application, now time.Time, change func(*auth.Gate) error) (auth.Application, error) {
	rules, err := rulesOfApplication(ctx, t, a.ID)
	if err != nil {
		return a, err
	}
	g := auth.Gate{Application: a, Rules: rules}
	if err := change(&g); err != nil {
		return a, err
	}
	return g.Application, t.setApplication(ctx, by, g.Application, now)
}

// OpenedAt gives the addresses that become public once a gate is asked for
// where an application is, and was not before. It gives a *HostError where that
// is nowhere.
func OpenedAt(g auth.Gate, a auth.Application) ([]auth.Address, error) {
	if g.Kind != auth.BehindProxy {
		return nil, nil
	}
	before, err := originsOf(g.Application)
	if err != nil {
		return nil, fmt.Errorf("application %s: %w", g.ID, err)
	}
	after, err := originsOf(a)
	if err != nil {
		return nil, err
	}
	var further []string
	for _, at := range after {
		if !slices.Contains(before, at) {
			further = append(further, at.Host)
		}
	}
	return auth.Gate{}.Opened(g.Rules, further), nil
}
