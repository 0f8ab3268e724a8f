package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
)

const userColumns = `u.id, u.address, u.canonical, u.name, u.language, u.theme, u.state,
	u.administrator, u.must_use_two_factor, u.two_factor_since, u.passkeys_since, u.generation,
	u.password_hash, u.password_changed_at, u.created_at, u.last_login_at`

// userTargets gives where the columns of userColumns go. done fills in what
// is kept in another shape, and is to be called after the scan.
func userTargets(u *auth.User, hash *string) (targets []any, done func()) {
	var since, passkeys, changed, created, login int64
	targets = []any{
		&u.ID, &u.Address, &u.Canonical, &u.Name, &u.Language, &u.Theme, &u.State,
		&u.Administrator, &u.MustUseTwoFactor, &since, &passkeys, &u.Generation,
		hash, &changed, &created, &login,
	}
	return targets, func() {
		u.TwoFactorSince, u.PasskeysSince = fromMillis(since), fromMillis(passkeys)
		u.PasswordChangedAt, u.Created, u.LastLogin = fromMillis(changed), fromMillis(created), fromMillis(login)
		u.HasPassword = *hash != ""
	}
}

func scanUser(r row) (auth.User, error) {
	u, _, err := scanUserAndHash(r)
	return u, err
}

func scanUserAndHash(r row) (u auth.User, hash string, err error) {
	targets, done := userTargets(&u, &hash)
	if err := r.Scan(targets...); err != nil {
		return auth.User{}, "", notFound(err)
	}
	done()
	return u, hash, nil
}

// User finds an account; ErrNotFound where there is none.
func (s *Store) User(ctx context.Context, id auth.UserID) (auth.User, error) {
	return userByID(ctx, s.read, id, "")
}

func userByID(ctx context.Context, q querier, id auth.UserID, lock string) (auth.User, error) {
	u, err := scanUser(q.QueryRowContext(ctx,
		`SELECT `+userColumns+` FROM users u WHERE u.id = $1`+lock, id))
	if err != nil {
		return auth.User{}, fmt.Errorf("user %s: %w", id, err)
	}
	return u, nil
}

// lockUser reads an account and keeps others from changing it until the
// transaction ends.
func (t *tx) lockUser(ctx context.Context, id auth.UserID) (auth.User, error) {
	return userByID(ctx, t, id, t.forUpdate())
}

// lockOwner is lockUser for what was read with the statement of: ErrSpent where
// that finds nobody. Whoever owns something is locked before it.
func (t *tx) lockOwner(ctx context.Context, of string, args ...any) (auth.User, error) {
	u, err := scanUser(t.QueryRowContext(ctx,
		`SELECT `+userColumns+` FROM users u WHERE u.id = (`+of+`)`+t.forUpdate(), args...))
	if err == ErrNotFound {
		return u, ErrSpent
	} else if err != nil {
		return u, fmt.Errorf("lock an account: %w", err)
	}
	return u, nil
}

// UserByAddress finds an account by its canonical address; ErrNotFound where
// there is none.
func (s *Store) UserByAddress(ctx context.Context, canonical string) (auth.User, error) {
	return scanUser(s.read.QueryRowContext(ctx,
		`SELECT `+userColumns+` FROM users u WHERE u.canonical = $1`, canonical))
}

// Credentials are what a password is checked against.
type Credentials struct {
	User   auth.User   // zero where nobody has the address
	Signup auth.Signup // set where somebody only began to sign up with it
	Hash   secret.Text // "" where neither
}

// Credentials reads what is needed to check a password, by the same queries
// whoever has the address. One that nobody has gives zero Credentials and no
// error: the caller hashes against a stand-in.
func (s *Store) Credentials(ctx context.Context, canonical string, now time.Time) (Credentials, error) {
	var c Credentials
	u, hash, err := scanUserAndHash(s.read.QueryRowContext(ctx,
		`SELECT `+userColumns+` FROM users u WHERE u.canonical = $1`, canonical))
	if err != nil && err != ErrNotFound {
		return c, fmt.Errorf("credentials: %w", err)
	}
	signup, begun, err := scanSignup(s.read.QueryRowContext(ctx,
		`SELECT `+signupColumns+` FROM signups WHERE canonical = $1 AND expires_at > $2`, canonical, millis(now)))
	if err != nil && err != ErrNotFound {
		return c, fmt.Errorf("credentials: %w", err)
	}
	if u.ID != "" {
		return Credentials{User: u, Hash: secret.Text(hash)}, nil
	}
	return Credentials{Signup: signup, Hash: secret.Text(begun)}, nil
}

// PasswordOf reads the hash of an account, for a proof inside a session.
func (s *Store) PasswordOf(ctx context.Context, id auth.UserID) (secret.Text, error) {
	var hash string
	err := s.read.QueryRowContext(ctx, `SELECT password_hash FROM users WHERE id = $1`, id).Scan(&hash)
	if err != nil {
		return "", fmt.Errorf("password of %s: %w", id, notFound(err))
	}
	return secret.Text(hash), nil
}

// usersAtOnce is how many accounts one statement makes.
const usersAtOnce = 500

// insertUsers writes new accounts. Those whose address somebody has are left zero.
func (t *tx) insertUsers(ctx context.Context, people []NewUser, newID func() string, now time.Time) ([]auth.User, error) {
	made := make([]auth.User, 0, len(people))
	for some := range slices.Chunk(people, usersAtOnce) {
		those, err := t.insertSome(ctx, some, newID, now)
		if err != nil {
			return nil, fmt.Errorf("insert users: %w", err)
		}
		made = append(made, those...)
	}
	return made, nil
}

func (t *tx) insertSome(ctx context.Context, people []NewUser, newID func() string, now time.Time) ([]auth.User, error) {
	columns := []Column{{Name: "id"}, {Name: "address"}, {Name: "canonical"}, {Name: "name"}, {Name: "language"}, {Name: "theme"}, {Name: "state"},
		{Name: "administrator"}, {Name: "must_use_two_factor"}, {Name: "two_factor_since"}, {Name: "generation"},
		{Name: "password_hash"}, {Name: "password_changed_at"}, {Name: "created_at"}, {Name: "last_login_at"}}
	wanted, values := make([]auth.User, len(people)), make([]any, 0, len(people)*len(columns))
	for i, n := range people {
		u := n.account(auth.UserID(newID()), now)
		wanted[i] = u
		values = append(values, u.ID, u.Address, u.Canonical, u.Name, u.Language, u.Theme, u.State,
			u.Administrator, u.MustUseTwoFactor, millis(u.TwoFactorSince), u.Generation,
			n.Hash.Reveal(), millis(u.PasswordChangedAt), millis(u.Created), millis(u.LastLogin))
	}
	ids, err := list(ctx, t, scanID[auth.UserID], t.store.insertInto("users", columns, len(people))+` ON CONFLICT (canonical) DO NOTHING RETURNING id`, values...)
	if err != nil {
		return nil, err
	}
	isMade := map[auth.UserID]bool{}
	for _, id := range ids {
		isMade[id] = true
	}
	for i := range wanted {
		if !isMade[wanted[i].ID] {
			wanted[i] = auth.User{}
		}
	}
	return wanted, nil
}

// account is what a new person begins with.
func (n NewUser) account(id auth.UserID, now time.Time) auth.User {
	return auth.User{
		ID: id, Address: n.Address.Spelling, Canonical: n.Address.Canonical,
		Name: n.Name, Language: n.Language, State: auth.Active, Administrator: n.Administrator,
		MustUseTwoFactor: n.MustUseTwoFactor, HasPassword: n.Hash != "", Generation: 1, Created: now, PasswordChangedAt: now,
	}
}

// raiseGeneration outdates whatever was begun for the account before: its
// attempts, set-ups, mailed links and lapsed sessions. It gives the new number.
func (t *tx) raiseGeneration(ctx context.Context, id auth.UserID) (int64, error) {
	var generation int64
	err := t.QueryRowContext(ctx,
		`UPDATE users SET generation = generation + 1 WHERE id = $1 RETURNING generation`, id).Scan(&generation)
	if err != nil {
		return 0, fmt.Errorf("raise the generation of %s: %w", id, notFound(err))
	}
	t.changed(id)
	return generation, nil
}

// SavePreferences keeps the language and theme that a person chose; what is
// empty follows the browser. What stays as it was is no event.
func (s *Store) SavePreferences(ctx context.Context, by auth.Actor, language, theme string, now time.Time) error {
	return s.transaction(ctx, func(t *tx) error {
		t.changed(by.User.ID)
		n, err := t.exec(ctx, `
			UPDATE users SET language = $1, theme = $2 WHERE id = $3 AND (language <> $1 OR theme <> $2)`,
			language, theme, by.User.ID)
		if err != nil {
			return fmt.Errorf("save the preferences of %s: %w", by.User.ID, err)
		}
		if n == 0 {
			return nil
		}
		return t.record(ctx, by, auth.EventUserChanged, by.User.ID, "language and appearance", now)
	})
}

// upgradeHash replaces a hash by a newer one of the same password, unless the
// password was changed meanwhile.
func (s *Store) UpgradeHash(ctx context.Context, id auth.UserID, old, upgraded secret.Text) error {
	return s.transaction(ctx, func(t *tx) error {
		_, err := t.exec(ctx, `UPDATE users SET password_hash = $1 WHERE id = $2 AND password_hash = $3`,
			string(upgraded), id, string(old))
		return err
	})
}
