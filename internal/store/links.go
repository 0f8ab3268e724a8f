package store

import (
	"context"
	"fmt"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/throttle"
)

// LinkPurpose is the one thing a mailed link is good for.
type LinkPurpose string

const (
	LinkReset      LinkPurpose = "reset"
	LinkInvitation LinkPurpose = "invitation"
	LinkAddress    LinkPurpose = "address"
	LinkUnlock     LinkPurpose = "unlock"
)

// Link is a mailed link as it is kept: its token only as a hash.
type Link struct {
	Purpose    LinkPurpose
	User       auth.UserID
	Address    string // where it was sent, as typed
	Canonical  string
	Generation int64
	Created    time.Time
	Expires    time.Time
}

const linkColumns = `purpose, user_id, address, canonical, generation, created_at, expires_at`

func scanLink(r row) (l Link, err error) {
	var created, expires int64
	err = r.Scan(&l.Purpose, &l.User, &l.Address, &l.Canonical, &l.Generation, &created, &expires)
	l.Created, l.Expires = fromMillis(created), fromMillis(expires)
	return l, notFound(err)
}

// makeLink keeps a new link and voids the older ones of its purpose: only
// the newest works.
func (t *tx) makeLink(ctx context.Context, l Link, now time.Time) (secret.Token, error) {
	if err := t.voidLinks(ctx, l.User, l.Purpose, now); err != nil {
		return secret.Token{}, err
	}
	return t.insertLink(ctx, l, now)
}

// insertLink keeps a new link beside those that are there.
func (t *tx) insertLink(ctx context.Context, l Link, now time.Time) (secret.Token, error) {
	token := secret.New()
	_, err := t.exec(ctx, `
		INSERT INTO links (token_hash, purpose, user_id, address, canonical, generation, created_at, expires_at, used_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0)`,
		token.Hash(), l.Purpose, l.User, l.Address, l.Canonical, l.Generation, millis(now), millis(l.Expires))
	if err != nil {
		return secret.Token{}, fmt.Errorf("make a link (%s): %w", l.Purpose, err)
	}
	return token, nil
}

// voidLinks ends every unused link of a purpose.
func (t *tx) voidLinks(ctx context.Context, user auth.UserID, purpose LinkPurpose, now time.Time) error {
	_, err := t.exec(ctx, `UPDATE links SET used_at = $1 WHERE user_id = $2 AND purpose = $3 AND used_at = 0`,
		millis(now), user, purpose)
	if err != nil {
		return fmt.Errorf("void links (%s): %w", purpose, err)
	}
	return nil
}

// liveLink is the condition under which a link works: of this purpose,
// unused, in time, not made by a clock that was far ahead, and of the account
// as it still is.
const liveLink = `
	token_hash = $1 AND purpose = $2 AND used_at = 0 AND expires_at > $3 AND created_at <= $4
	AND EXISTS (SELECT 1 FROM users u WHERE u.id = links.user_id
	             AND u.generation = links.generation AND u.state = 'active')`

// Link looks at a link without using it; ErrSpent where it does not work.
func (s *Store) Link(ctx context.Context, token secret.Hash, purpose LinkPurpose, now time.Time) (Link, error) {
	l, err := scanLink(s.read.QueryRowContext(ctx,
		`SELECT `+linkColumns+` FROM links WHERE `+liveLink, token, purpose, millis(now), s.latestBeginning(now)))
	if err == ErrNotFound {
		return l, ErrSpent
	}
	return l, err
}

// useLink spends a link and locks the account that it belongs to; ErrSpent where
// it does not work any more.
func (t *tx) useLink(ctx context.Context, token secret.Hash, purpose LinkPurpose, now time.Time) (Link, auth.User, error) {
	u, err := t.lockOwner(ctx, `SELECT user_id FROM links WHERE token_hash = $1`, token)
	if err != nil {
		return Link{}, u, err
	}
	l, err := scanLink(t.QueryRowContext(ctx,
		`UPDATE links SET used_at = $3 WHERE `+liveLink+` RETURNING `+linkColumns,
		token, purpose, millis(now), t.store.latestBeginning(now)))
	if err == ErrNotFound {
		return l, u, ErrSpent
	} else if err != nil {
		return l, u, fmt.Errorf("use a link (%s): %w", purpose, err)
	}
	return l, u, nil
}

// Mailed is what a letter with a link needs beside its words.
type Mailed struct {
	Path func(secret.Token) string // the address of the link, below the public URL
	Life time.Duration
}

// mailLink makes a link for an account and queues the letter that carries it,
// unless the address had its share of letters for this hour: then nothing
// happens, and nobody is told but who administers, as [ErrTooManyLetters]. What
// strangers ask for does not count towards the share of those who administer.
func (t *tx) mailLink(ctx context.Context, u auth.User, purpose LinkPurpose, letter auth.Letter, m Mailed, now time.Time) error {
	counted, started := throttle.Letters(u.Canonical), letter.Values.By != ""
	if started {
		counted = throttle.StartedLetters(u.Canonical)
	}
	may, err := t.mayQueue(ctx, counted, now)
	switch {
	case err != nil:
		return err
	case !may && started:
		return ErrTooManyLetters
	case !may:
		return t.feign(ctx, mailedStatements)
	}
	link := Link{Purpose: purpose, User: u.ID, Address: u.Address, Canonical: u.Canonical,
		Generation: u.Generation, Expires: now.Add(m.Life)}
	token, err := t.makeLink(ctx, link, now)
	if err != nil {
		return err
	}
	letter.Values.Link, letter.Values.Until = m.Path(token), link.Expires
	return t.queue(ctx, letter, now)
}

// mailedStatements is how many statements write a link and its letter: older
// links are voided, and the two are kept.
const mailedStatements = 3

// MailReset mails the owner of an account, who asked for it, a link to a new
// password.
func (s *Store) MailReset(ctx context.Context, u auth.User, m Mailed, by auth.Actor, now time.Time) error {
	return s.transaction(ctx, func(t *tx) error {
		if err := t.mailLink(ctx, u, LinkReset, noticeTo(u, auth.LetterReset, by, now), m, now); err != nil {
			return err
		}
		return t.record(ctx, by, auth.EventResetRequested, u.ID, "", now)
	})
}

// MailNoReset is MailReset for an address that nobody has who could use a link.
// It waits for the like of it, and runs as many statements.
func (s *Store) MailNoReset(ctx context.Context, canonical string, by auth.Actor, now time.Time) error {
	return s.transaction(ctx, func(t *tx) error {
		if _, err := t.mayQueue(ctx, throttle.NobodysLetters(canonical), now); err != nil {
			return err
		}
		if err := t.feign(ctx, mailedStatements); err != nil {
			return err
		}
		return t.record(ctx, by, auth.EventResetRequested, "", "nobody to write to", now)
	})
}
