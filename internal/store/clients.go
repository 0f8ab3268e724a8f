package store

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/throttle"
)

// Registered is an application that speaks OpenID Connect, with what it is
// registered with.
type Registered struct {
	auth.Application
	Client auth.Client
	Secret secret.Hash // zero where the client is public
}

// The purposes of a client's addresses.
const (
	forAnswers = "login"  // redirect_uri
	forLogout  = "logout" // post_logout_redirect_uri
)

// Registered finds an application by its client_id; ErrNotFound where there is
// none, or where it does not speak OpenID Connect.
func (s *Store) Registered(ctx context.Context, id auth.ApplicationID) (r Registered, err error) {
	if r.Client, r.Secret, err = client(ctx, s.read, id); err != nil {
		return r, err
	}
	r.Application, err = s.Application(ctx, id)
	return r, err
}

// Client finds what an application is registered with; ErrNotFound as for
// Registered.
func (s *Store) Client(ctx context.Context, id auth.ApplicationID) (auth.Client, error) {
	c, _, err := client(ctx, s.read, id)
	return c, err
}

func client(ctx context.Context, q querier, id auth.ApplicationID) (c auth.Client, hash secret.Hash, err error) {
	var scopes string
	err = q.QueryRowContext(ctx, `
		SELECT application_id, secret_hash, public, without_pkce, without_consent, algorithm, scopes, logout_notice
		  FROM clients WHERE application_id = $1`, id).Scan(
		&c.Application, &hash, &c.Public, &c.WithoutPKCE, &c.WithoutConsent, &c.Algorithm, &scopes, &c.LogoutNotice)
	if err != nil {
		return c, hash, fmt.Errorf("client %s: %w", id, notFound(err))
	}
	c.Scopes = auth.ParseScopes(scopes)
	for purpose, addresses := range map[string]*[]string{forAnswers: &c.RedirectURIs, forLogout: &c.LogoutURIs} {
		if *addresses, err = list(ctx, q, scanID[string], `
			SELECT address FROM client_addresses WHERE application_id = $1 AND purpose = $2 ORDER BY address`, id, purpose); err != nil {
			return c, hash, fmt.Errorf("addresses of client %s: %w", id, err)
		}
	}
	return c, hash, nil
}

// AddClient makes an application that speaks OpenID Connect, and gives its
// secret, which is kept as a hash and cannot be shown again; none for a public
// client. An empty algorithm is ES256, and no scopes are all.
func (s *Store) AddClient(ctx context.Context, by auth.Actor, a auth.Application, c auth.Client, now time.Time) (made auth.Application, clientSecret secret.Token, err error) {
	a.Kind = auth.SpeaksOpenID
	if c.Algorithm == "" {
		c.Algorithm = auth.ES256
	}
	if len(c.Scopes) == 0 {
		c.Scopes = auth.AllScopes
	}
	if !c.Public {
		clientSecret = secret.New()
	}
	if err := s.prepareSigningKey(ctx, by, c.Algorithm, now); err != nil {
		return a, secret.Token{}, err
	}
	err = s.transaction(ctx, func(t *tx) error {
		if made, err = t.addApplication(ctx, by, a, now); err != nil {
			return err
		}
		c.Application = made.ID
		if _, err := t.exec(ctx, `
			INSERT INTO clients (application_id, secret_hash, public, without_pkce, without_consent, algorithm, scopes, logout_notice)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, c.Application, clientSecret.Hash(), c.Public, c.WithoutPKCE,
			c.WithoutConsent, c.Algorithm, c.Scopes.String(), c.LogoutNotice); err != nil {
			return fmt.Errorf("add client: %w", err)
		}
		return t.writeAddresses(ctx, c)
	})
	return made, clientSecret, err
}

// ChangeClient changes what an application is registered with: change gets it as
// it is in the same transaction, so that two changes of different parts keep each
// other, and is asked once before. It gives the error of change, and then changes
// nothing. Whether it can keep a secret is settled when it is made. ErrNotFound as
// for Registered.
func (s *Store) ChangeClient(ctx context.Context, by auth.Actor, id auth.ApplicationID, now time.Time, change func(*auth.Client) error) error {
	return s.Alter(ctx, by, id, now, Alteration{Client: change})
}

// prepareClient makes the key that a changed client needs, outside of the
// change: one of RSA takes its time.
func (s *Store) prepareClient(ctx context.Context, by auth.Actor, id auth.ApplicationID, now time.Time, change func(*auth.Client) error) error {
	c, err := s.Client(ctx, id)
	if err != nil {
		return err
	}
	if err := change(&c); err != nil {
		return err
	}
	return s.prepareSigningKey(ctx, by, c.Algorithm, now)
}

// changeClient changes the client of an application that is locked.
func (t *tx) changeClient(ctx context.Context, by auth.Actor, a auth.Application, now time.Time, change func(*auth.Client) error) error {
	c, _, err := client(ctx, t, a.ID)
	if err != nil {
		return err
	}
	if err := change(&c); err != nil {
		return err
	}
	if err := t.setClient(ctx, c); err != nil {
		return err
	}
	return t.record(ctx, by, auth.EventApplicationChanged, "", a.Name+": OpenID Connect", now)
}

func (t *tx) setClient(ctx context.Context, c auth.Client) error {
	if _, err := t.exec(ctx, `
		UPDATE clients SET without_pkce = $1, without_consent = $2, algorithm = $3, scopes = $4, logout_notice = $5
		 WHERE application_id = $6`,
		c.WithoutPKCE, c.WithoutConsent, c.Algorithm, c.Scopes.String(), c.LogoutNotice, c.Application); err != nil {
		return fmt.Errorf("change client %s: %w", c.Application, err)
	}
	return t.writeAddresses(ctx, c)
}

func (t *tx) writeAddresses(ctx context.Context, c auth.Client) error {
	if _, err := t.exec(ctx, `DELETE FROM client_addresses WHERE application_id = $1`, c.Application); err != nil {
		return fmt.Errorf("addresses of client %s: %w", c.Application, err)
	}
	for _, of := range []struct {
		purpose   string
		addresses []string
	}{{forAnswers, c.RedirectURIs}, {forLogout, c.LogoutURIs}} {
		for _, address := range slices.Sorted(slices.Values(of.addresses)) { // locked in one order
			if _, err := t.exec(ctx, `
				INSERT INTO client_addresses (application_id, purpose, address) VALUES ($1, $2, $3)
				ON CONFLICT DO NOTHING`, c.Application, of.purpose, address); err != nil {
				return fmt.Errorf("addresses of client %s: %w", c.Application, err)
			}
		}
	}
	return nil
}

// NewClientSecret makes an application's secret anew. The old one is void at
// once, and with it whatever refresh tokens the application holds can no longer
// be used by whoever had it. A public client is ErrNotFound.
func (s *Store) NewClientSecret(ctx context.Context, by auth.Actor, id auth.ApplicationID, now time.Time) (secret.Token, error) {
	made := secret.New()
	err := s.transaction(ctx, func(t *tx) error {
		n, err := t.exec(ctx, `UPDATE clients SET secret_hash = $1 WHERE application_id = $2 AND NOT public`, made.Hash(), id)
		if err != nil {
			return fmt.Errorf("new secret of client %s: %w", id, err)
		}
		if n == 0 {
			return ErrNotFound
		}
		return t.record(ctx, by, auth.EventClientSecretMade, "", string(id), now)
	})
	return made, err
}

// clientSecrets counts by the hour and makes nobody wait: 256 random bits are not
// guessed, and a stranger who knows a client_id must not keep its application out.
var clientSecrets = throttle.Rule{Window: time.Hour}

// refusals counts the wrong secrets of each application since they were last
// written down. It holds no more than there are applications: only their ids
// come here.
type refusals struct {
	sync.Mutex
	of map[auth.ApplicationID]refusal
}

type refusal struct {
	waiting int // not yet written
	kept    int // of the hour, when they were last written
	written time.Time
}

// refusalsWait is how long wrong secrets wait to be written together: whoever
// sends them must not make the disk work for each.
const refusalsWait = time.Minute

// add counts one more, and gives how many are to be written now; none where
// they wait.
func (r *refusals) add(id auth.ApplicationID, now time.Time) int {
	r.Lock()
	defer r.Unlock()
	if r.of == nil {
		r.of = map[auth.ApplicationID]refusal{}
	}
	c := r.of[id]
	c.waiting++
	since := now.Sub(c.written)
	if 0 <= since && since < refusalsWait && !isPowerOfTen(c.kept+c.waiting) {
		r.of[id] = c
		return 0
	}
	n := c.waiting
	r.of[id] = refusal{kept: c.kept + n, written: now} // whoever comes meanwhile waits
	return n
}

// wrote keeps what the database counts of the hour.
func (r *refusals) wrote(id auth.ApplicationID, kept int) {
	r.Lock()
	defer r.Unlock()
	c := r.of[id]
	c.kept = kept
	r.of[id] = c
}

// RefuseClient counts a wrong secret of an application. The first of an hour is
// an event, and so is each tenfold of it: the operator sees how bad it is, and
// nobody can fill the record. What lies between is written once a minute.
func (s *Store) RefuseClient(ctx context.Context, by auth.Actor, a auth.Application, now time.Time) error {
	wrong := s.refused.add(a.ID, now)
	if wrong == 0 {
		return nil
	}
	var kept int
	err := s.transaction(ctx, func(t *tx) error {
		bucket := throttle.ClientSecret(string(a.ID))
		count, err := t.lockCount(ctx, bucket, now)
		if err != nil {
			return err
		}
		reached := 0
		for range wrong {
			if count = clientSecrets.Add(count, now); isPowerOfTen(count.Failures) {
				reached = count.Failures
			}
		}
		kept = count.Failures
		if err := t.keepCount(ctx, bucket, count, ""); err != nil || reached == 0 {
			return err
		}
		return t.record(ctx, by, auth.EventClientRefused, "", fmt.Sprintf("%s: %d within an hour", a.Name, reached), now)
	})
	if err == nil {
		s.refused.wrote(a.ID, kept)
	}
	return err
}

func isPowerOfTen(n int) bool {
	for n > 9 && n%10 == 0 {
		n /= 10
	}
	return n == 1
}
