package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/throttle"
)

// Passkey is one of a person's, as it is kept.
type Passkey struct {
	ID       auth.PasskeyID
	User     auth.UserID
	Key      auth.PasskeyKey
	Domain   string // that it was made for
	Name     string
	Created  time.Time
	LastUsed time.Time // zero: never
}

// spendPasskey spends a passkey's answer: its challenge, and the counter that it
// told, which has to be above the one that is kept, unless it counts nothing.
func (t *tx) spendPasskey(ctx context.Context, u auth.User, c CodeClaim, now time.Time) error {
	if err := t.claimCeremony(ctx, c.Ceremony, now); err != nil {
		return err
	}
	err := t.claim(ctx, `
		UPDATE passkeys SET sign_count = $1, synced = $2, last_used_at = $3
		 WHERE id = $4 AND user_id = $5 AND (sign_count < $1 OR sign_count = 0 AND $1 = 0)`,
		c.Count, c.Synced, millis(now), c.Passkey, u.ID)
	if err != nil {
		return fmt.Errorf("claim count %d of passkey %s: %w", c.Count, c.Passkey, err)
	}
	return nil
}

// Readable tells whether the key can be read. What cannot is listed and may be
// removed; nothing that it answers proves anything.
func (p Passkey) Readable() bool { return len(p.Key.Public) > 0 }

const passkeyColumns = `p.id, p.user_id, p.credential_id, p.sealed_key, p.domain, p.name, p.sign_count, p.synced, p.created_at, p.last_used_at`

// Passkeys are a person's, the oldest first, whatever domain they were made for.
func (s *Store) Passkeys(ctx context.Context, user auth.UserID) ([]Passkey, error) {
	return s.passkeys(ctx, s.read, user)
}

func (s *Store) passkeys(ctx context.Context, q querier, user auth.UserID) ([]Passkey, error) {
	all, err := list(ctx, q, func(r row) (Passkey, error) { return s.scanPasskey(r) }, `
		SELECT `+passkeyColumns+` FROM passkeys p
		 WHERE p.user_id = $1 ORDER BY p.created_at, p.id`, user)
	if err != nil {
		return nil, fmt.Errorf("passkeys of %s: %w", user, err)
	}
	return all, nil
}

// PasskeyBy finds the passkey that an authenticator knows by this name, whose it
// is, and what it knows them by; ErrNotFound where nobody has it.
func (s *Store) PasskeyBy(ctx context.Context, credential []byte) (p Passkey, owner auth.User, handle []byte, err error) {
	var hash string
	targets, done := userTargets(&owner, &hash)
	p, err = s.scanPasskey(s.read.QueryRowContext(ctx, `
		SELECT `+passkeyColumns+`, u.passkey_handle, `+userColumns+`
		  FROM passkeys p JOIN users u ON u.id = p.user_id
		 WHERE p.credential_id = $1`, credential), append([]any{&handle}, targets...)...)
	if err != nil {
		return p, owner, nil, fmt.Errorf("find a passkey: %w", notFound(err))
	}
	done()
	return p, owner, handle, nil
}

// PasskeyHandle is what authenticators know somebody by; nil where they never
// made a passkey.
func (s *Store) PasskeyHandle(ctx context.Context, user auth.UserID) (handle []byte, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT passkey_handle FROM users WHERE id = $1`, user).Scan(&handle)
	if err != nil {
		return nil, fmt.Errorf("passkey handle of %s: %w", user, notFound(err))
	}
	return handle, nil
}

// scanPasskey reads passkeyColumns, and what else the row has.
func (s *Store) scanPasskey(r row, others ...any) (p Passkey, err error) {
	var sealed []byte
	var count, created, used int64
	err = r.Scan(append([]any{&p.ID, &p.User, &p.Key.Credential, &sealed, &p.Domain, &p.Name,
		&count, &p.Key.Synced, &created, &used}, others...)...)
	if err != nil {
		return p, err
	}
	p.Created, p.LastUsed = fromMillis(created), fromMillis(used)
	p.Key.Count = uint32(count)
	s.openPasskey(&p, sealed)
	return p, nil
}

// sealedPasskey is what nobody who can only write the database may choose: which
// key opens whose account.
type sealedPasskey struct {
	User       auth.UserID `json:"user"`
	Credential []byte      `json:"credential"`
	Public     []byte      `json:"key"`
	Format     string      `json:"format"`
	Transports []string    `json:"transports"`
	AAGUID     [16]byte    `json:"aaguid"`
	Eligible   bool        `json:"eligible"`
}

func passkeyRow(id auth.PasskeyID, user auth.UserID) string {
	return "passkeys/" + string(id) + "/" + string(user)
}

func (t *tx) sealPasskey(p Passkey) ([]byte, error) {
	plain, err := json.Marshal(sealedPasskey{
		User: p.User, Credential: p.Key.Credential, Public: p.Key.Public, Format: p.Key.Format,
		Transports: p.Key.Transports, AAGUID: p.Key.AAGUID, Eligible: p.Key.Eligible,
	})
	if err != nil {
		return nil, err
	}
	return t.store.ring.Seal(plain, passkeyRow(p.ID, p.User))
}

// openPasskey fills in what is sealed, or leaves the passkey unreadable.
func (s *Store) openPasskey(p *Passkey, sealed []byte) {
	plain, _, err := s.ring.Open(sealed, passkeyRow(p.ID, p.User))
	if err != nil {
		return
	}
	var k sealedPasskey
	if json.Unmarshal(plain, &k) != nil || k.User != p.User || !bytes.Equal(k.Credential, p.Key.Credential) {
		return
	}
	p.Key.Public, p.Key.Format, p.Key.Transports = k.Public, k.Format, k.Transports
	p.Key.AAGUID, p.Key.Eligible = k.AAGUID, k.Eligible
}

// insertPasskey keeps a new one, sealed. One that an authenticator already knows
// by this name is ErrTaken.
func (t *tx) insertPasskey(ctx context.Context, p Passkey) error {
	sealed, err := t.sealPasskey(p)
	if err != nil {
		return fmt.Errorf("seal a passkey: %w", err)
	}
	n, err := t.exec(ctx, `
		INSERT INTO passkeys (id, user_id, credential_id, sealed_key, domain, name, sign_count, synced, created_at, last_used_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0) ON CONFLICT (credential_id) DO NOTHING`,
		p.ID, p.User, p.Key.Credential, sealed, p.Domain, p.Name, int64(p.Key.Count), p.Key.Synced, millis(p.Created))
	switch {
	case err != nil:
		return fmt.Errorf("insert a passkey: %w", err)
	case n == 0:
		return fmt.Errorf("insert a passkey: %w", ErrTaken)
	}
	return nil
}

// ProvedPasskey is a passkey that held its owner to be who they are, in the place
// of password and code.
type ProvedPasskey struct {
	User    auth.User
	Claim   CodeClaim
	Return  string
	Browser secret.Hash
	Held    auth.SessionID // the session that this browser holds, whatever it is worth; "" for none
	Timeout time.Duration  // how long the attempt may take
}

// errUnverified is a mistake of ours: such a passkey proves no password.
var errUnverified = errors.New("a passkey that did not hold its owner to be who they are signs nobody in")

// ProvePasskey begins an attempt that has nothing more to prove, unless the answer
// was spent, or the passkey or the account changed since they were read (ErrSpent).
// It clears no counter of failures: it says nothing of who guesses the password.
// Another person's session in this browser ends, as with a right password.
func (s *Store) ProvePasskey(ctx context.Context, by auth.Actor, p ProvedPasskey, now time.Time) (auth.Attempt, error) {
	if !p.Claim.Verified {
		return auth.Attempt{}, errUnverified
	}
	a := auth.Attempt{
		ID: auth.AttemptID(secret.NewID()), User: p.User.ID, Purpose: auth.ByLogin,
		Generation: p.User.Generation, Return: p.Return, Began: now, Expires: now.Add(p.Timeout),
		PasswordAt: now, PasswordBy: auth.PasswordByPasskey, CodeAt: now, CodeBy: p.Claim.By(),
	}
	err := s.transaction(ctx, func(t *tx) error {
		if err := t.claim(ctx, `
			UPDATE users SET generation = generation
			 WHERE id = $1 AND generation = $2 AND state = 'active' AND passkeys_since > 0`,
			p.User.ID, p.User.Generation); err != nil {
			return fmt.Errorf("prove a passkey of %s: %w", p.User.ID, err)
		}
		if err := t.claimCode(ctx, by, p.User, p.Claim, now); err != nil {
			return err
		}
		if err := t.endHeld(ctx, by, p.Held, p.User.ID, now); err != nil {
			return err
		}
		if err := t.insertAttempt(ctx, a, p.Browser); err != nil {
			return err
		}
		return t.record(ctx, by, auth.EventLoginBegun, p.User.ID, "login by passkey", now)
	})
	return a, err
}

// RefusedPasskey is an answer that proved nothing.
type RefusedPasskey struct {
	Owner       auth.User      // whose login it is, or whose passkey; zero: nobody's
	Passkey     auth.PasskeyID // of theirs; "" where they have no such
	Name        string         // of it
	Ceremony    Ceremony       // that it answered
	CountedBack bool           // it was right, but for its counter

	BesidePassword bool // somebody typed the owner's right password before
}

// copiedLetters is how many letters about one passkey its owner gets.
var copiedLetters = throttle.Rule{Free: 1, CloseAfter: 1, Window: time.Hour}

// RefusePasskey records an answer that proved nothing, and spends its challenge.
// ErrSpent where that is spent or over: an answer that came before is neither told
// nor recorded once more. The owner of a passkey whose counter went back hears that
// it may have been copied; it is theirs to remove. Of others beside their right password
// they hear as of wrong codes.
func (s *Store) RefusePasskey(ctx context.Context, by auth.Actor, r RefusedPasskey, now time.Time) error {
	return s.transaction(ctx, func(t *tx) error {
		if err := t.claimCeremony(ctx, r.Ceremony, now); err != nil {
			return err
		}
		if !r.CountedBack {
			return t.passkeyRefused(ctx, by, r, now)
		}
		if err := t.tellCopied(ctx, by, r, now); err != nil {
			return err
		}
		return t.record(ctx, by, auth.EventPasskeyCounterBack, r.Owner.ID, r.Name, now)
	})
}

func (t *tx) passkeyRefused(ctx context.Context, by auth.Actor, r RefusedPasskey, now time.Time) error {
	if r.BesidePassword {
		if err := t.tellWrongFactors(ctx, by, r.Owner, 1, now); err != nil {
			return err
		}
	}
	return t.record(ctx, by, auth.EventPasskeyRefused, r.Owner.ID, r.Name, now)
}

func (t *tx) tellCopied(ctx context.Context, by auth.Actor, r RefusedPasskey, now time.Time) error {
	may, err := t.mayQueueBy(ctx, throttle.PasskeyCopied(string(r.Passkey)), copiedLetters, now)
	if err != nil || !may {
		return err
	}
	letter := noticeTo(r.Owner, auth.LetterPasskeyCopied, by, now)
	letter.Values.Factor = r.Name
	return t.queue(ctx, letter, now)
}
