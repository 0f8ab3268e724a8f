package store_test

import (
	"database/sql"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/address"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/keys"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
	"github.com/twinlock/twinlock/internal/throttle"
)

var localhost = netip.MustParseAddr("127.0.0.1")

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// watched is a store and its database beside it.
type watched struct {
	*store.Store
	t  *testing.T
	db *sql.DB
}

// eachWatched runs a test on a fresh store of each engine.
func eachWatched(t *testing.T, test func(*testing.T, watched)) {
	t.Helper()
	for name, address := range storetest.Migrated {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := address(t)
			w := watched{Store: storetest.Open(t, url, keys.New()), t: t}
			var err error
			if path, ok := strings.CutPrefix(url, "sqlite:"); ok {
				w.db, err = sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(5000)")
			} else {
				w.db, err = sql.Open("pgx", url)
			}
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = w.db.Close() })
			test(t, w)
		})
	}
}

// alter changes the database beside the program.
func (w watched) alter(statement string, args ...any) {
	w.t.Helper()
	if _, err := w.db.ExecContext(w.t.Context(), statement, args...); err != nil {
		w.t.Fatal(err)
	}
}

// dump is every row of a table, in order.
func (w watched) dump(table string) (all []string) {
	w.t.Helper()
	rows, err := w.db.QueryContext(w.t.Context(), `SELECT * FROM `+table)
	if err != nil {
		w.t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		w.t.Fatal(err)
	}
	for rows.Next() {
		row, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			w.t.Fatal(err)
		}
		all = append(all, fmt.Sprint(row))
	}
	slices.Sort(all)
	return all
}

// setBack lets the clock go back as the program does.
func (w watched) setBack(from, to time.Time) {
	w.t.Helper()
	c, err := w.Clock(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	c.Furthest = from
	if err := w.KeepClock(w.t.Context(), c); err != nil {
		w.t.Fatal(err)
	}
	if err := w.SetBack(w.t.Context(), from, to); err != nil {
		w.t.Fatal(err)
	}
}

// wantOver fails unless something is over at each of these moments.
func wantOver(t *testing.T, over func(at time.Time) bool, moments ...time.Time) {
	t.Helper()
	for _, at := range moments {
		if !over(at) {
			t.Errorf("what was over is not at %s", at.Format(time.RFC3339))
		}
	}
}

// holder reads a session as it now is.
func (w watched) holder(token secret.Token) store.Holder {
	w.t.Helper()
	h, err := w.Holder(w.t.Context(), token.Hash())
	if err != nil {
		w.t.Fatal(err)
	}
	return h
}

func (w watched) standing(token secret.Token, at time.Time) auth.Standing {
	h := w.holder(token)
	return auth.StandingOf(h.Session, h.User, storetest.Policy, at)
}

// passings are what each column is about: the test makes something over at a
// moment, and whatever the clock says afterwards it stays so.
var passings = map[string]func(*testing.T, watched){
	"sessions.began_at": func(t *testing.T, w watched) {
		made := storetest.Session(t, w.Store, storetest.Person(t, w.Store, "ada@example.org"), now)
		end := now.Add(storetest.Policy.SessionOverall)
		w.alter(`UPDATE sessions SET last_seen_at = $1`, end.UnixMilli())
		w.setBack(end, end.Add(-time.Hour))
		over := func(at time.Time) bool { return w.standing(made.Token, at) == auth.Over }
		wantOver(t, over, end.Add(-time.Hour), end.Add(-time.Minute), end)
	},
	"sessions.last_seen_at": func(t *testing.T, w watched) {
		made := storetest.Session(t, w.Store, storetest.Person(t, w.Store, "ada@example.org"), now)
		lapse := now.Add(storetest.Policy.SessionIdle)
		w.setBack(lapse, now.Add(time.Minute))
		over := func(at time.Time) bool { return w.standing(made.Token, at) == auth.Lapsed }
		wantOver(t, over, now.Add(time.Minute), now.Add(30*time.Minute), lapse)
		h := w.holder(made.Token)
		if !auth.MayReturn(h.Session, h.User, storetest.Policy, now.Add(time.Minute)) {
			t.Error("the window that was still open has closed")
		}
	},
	"sessions.code_at": func(t *testing.T, w watched) {
		made := storetest.Session(t, w.Store, storetest.Person(t, w.Store, "ada@example.org"), now)
		w.alter(`UPDATE sessions SET code_at = $1`, now.UnixMilli())
		group, err := w.AddGroup(t.Context(), auth.Actor{Command: true}, "Staff", now)
		must(t, err)
		must(t, w.JoinGroup(t.Context(), auth.Actor{Command: true}, group, made.Session.User, now))
		w.alter(`UPDATE groups SET open_window = $1`, (2 * time.Hour).Milliseconds())
		w.setBack(now.Add(2*time.Hour), now.Add(90*time.Minute))
		policy := storetest.Policy
		policy.OpenWindow = 2 * time.Hour
		over := func(at time.Time) bool {
			h := w.holder(made.Token)
			return !auth.MayReturn(h.Session, h.User, policy, at)
		}
		wantOver(t, over, now.Add(90*time.Minute), now.Add(119*time.Minute))
		stale := func(at time.Time) bool {
			h := w.holder(made.Token)
			h.Session.LastSeen, h.User.TwoFactorSince = at, now
			return auth.May(auth.Actor{User: h.User, Session: h.Session}, auth.ChangePassword, policy, at) == auth.NeedsCode
		}
		wantOver(t, stale, now.Add(90*time.Minute), now.Add(2*time.Hour))
		w.alter(`UPDATE sessions SET code_at = $1, returned_at = 0`, now.UnixMilli())
		w.setBack(now.Add(15*time.Minute), now.Add(10*time.Minute))
		wantOver(t, stale, now.Add(10*time.Minute), now.Add(14*time.Minute))
		w.alter(`UPDATE sessions SET code_at = $1, returned_at = 0`, now.Add(time.Hour).UnixMilli())
		w.setBack(now.Add(2*time.Hour), now)
		wantOver(t, stale, now, now.Add(time.Hour), now.Add(65*time.Minute))
	},
	"sessions.password_at": func(t *testing.T, w watched) {
		made := storetest.Session(t, w.Store, storetest.Person(t, w.Store, "ada@example.org"), now)
		stale := func(at time.Time) bool {
			h := w.holder(made.Token)
			h.Session.LastSeen = at
			return auth.May(auth.Actor{User: h.User, Session: h.Session}, auth.ChangeAccount, storetest.Policy, at) == auth.NeedsPassword
		}
		w.setBack(now.Add(15*time.Minute), now.Add(10*time.Minute))
		wantOver(t, stale, now.Add(10*time.Minute), now.Add(14*time.Minute))
		w.alter(`UPDATE sessions SET password_at = $1, returned_at = 0`, now.Add(time.Hour).UnixMilli())
		w.setBack(now.Add(75*time.Minute), now)
		wantOver(t, stale, now, now.Add(time.Hour), now.Add(65*time.Minute))
	},
	"sessions.returned_at": func(t *testing.T, w watched) {
		made := storetest.Session(t, w.Store, storetest.Person(t, w.Store, "ada@example.org"), now)
		w.alter(`UPDATE sessions SET returned_at = $1`, now.Add(5*time.Minute).UnixMilli()) // after the password
		w.setBack(now.Add(6*time.Minute), now.Add(time.Minute))
		stale := func(at time.Time) bool {
			h := w.holder(made.Token)
			return auth.May(auth.Actor{User: h.User, Session: h.Session}, auth.ChangeAccount, storetest.Policy, at) == auth.NeedsPassword
		}
		wantOver(t, stale, now.Add(time.Minute), now.Add(6*time.Minute))
		w.alter(`UPDATE sessions SET password_at = $1`, now.Add(2*time.Minute).UnixMilli()) // proved anew after the step
		if stale(now.Add(2 * time.Minute)) {
			t.Error("whoever proves the password anew is asked for it until the clock has caught up")
		}
	},
	"attempts.expires_at": func(t *testing.T, w watched) {
		u := storetest.Person(t, w.Store, "ada@example.org")
		a := storetest.Attempt(t, w.Store, u, now)
		w.setBack(a.Expires, now.Add(time.Minute))
		wantOver(t, attemptOver(t, w, a, u), now.Add(time.Minute), now.Add(9*time.Minute))
	},
	"attempts.began_at": func(t *testing.T, w watched) {
		u := storetest.Person(t, w.Store, "ada@example.org")
		later := now.Add(365 * 24 * time.Hour)
		a := storetest.Attempt(t, w.Store, u, later)
		w.setBack(later, now)
		wantOver(t, attemptOver(t, w, a, u), now, later, later.Add(time.Minute))
	},
	"attempts.password_at": proofsOfAnAttempt,
	"attempts.code_at":     proofsOfAnAttempt,
	"hand_overs.expires_at": func(t *testing.T, w watched) {
		wiki := addWiki(t, w.Store)
		ada := storetest.Session(t, w.Store, storetest.Person(t, w.Store, "ada@example.org"), now)
		ticket := handOver(t, w.Store, ada.Session, wiki)
		w.setBack(now.Add(time.Minute), now.Add(time.Second))
		spent := func(when time.Time) bool {
			return errors.Is(finish(t, w.Store, ticket, storetest.Browser.Hash(), at(t, wiki.URL), when), store.ErrSpent)
		}
		wantOver(t, spent, now.Add(time.Second), now.Add(59*time.Second))
	},
	"links.expires_at": func(t *testing.T, w watched) {
		link := reset(t, w.Store, storetest.Person(t, w.Store, "ada@example.org"), now)
		w.setBack(now.Add(30*time.Minute), now.Add(time.Minute))
		wantOver(t, linkOver(t, w, link), now.Add(time.Minute), now.Add(29*time.Minute))
	},
	"links.created_at": func(t *testing.T, w watched) {
		later := now.Add(365 * 24 * time.Hour)
		u := storetest.Person(t, w.Store, "ada@example.org")
		before := reset(t, w.Store, u, later)
		w.setBack(later.Add(time.Minute), now)
		wantOver(t, linkOver(t, w, before), now, later, later.Add(2*time.Minute))
		onItsWay := reset(t, w.Store, u, later) // a request that had read the clock before it was set back
		wantOver(t, linkOver(t, w, onItsWay), now, now.Add(time.Hour))
	},
	"signups.expires_at": func(t *testing.T, w watched) {
		link := signUp(t, w, now)
		w.setBack(now.Add(24*time.Hour), now.Add(time.Minute))
		wantOver(t, signupOver(t, w, link), now.Add(time.Minute), now.Add(23*time.Hour))
	},
	"signups.began_at": func(t *testing.T, w watched) {
		later := now.Add(365 * 24 * time.Hour)
		link := signUp(t, w, later)
		w.setBack(later.Add(time.Minute), now)
		wantOver(t, signupOver(t, w, link), now, later, later.Add(2*time.Minute))
	},
	"throttle.last_at": func(t *testing.T, w watched) {
		for bucket, rule := range map[throttle.Bucket]throttle.Rule{
			throttle.Password("ada@example.org"): storetest.Rules.Tries, throttle.Network(localhost, 64): storetest.Rules.Network,
		} {
			at := now
			for range rule.Free + 3 {
				at = pay(t, w, bucket, rule, at)
			}
			end := at.Add(rule.FirstWait * 8)
			if waits(t, w, bucket, rule, end.Add(-time.Millisecond)).IsZero() || !waits(t, w, bucket, rule, end).IsZero() {
				t.Fatalf("the wait does not end at %s", end)
			}
			w.setBack(end.Add(-time.Second), at.Add(-time.Hour)) // before its end: no longer than its rule
			if until := waits(t, w, bucket, rule, at.Add(-time.Hour)); !until.Equal(at.Add(-time.Hour).Add(rule.FirstWait * 8)) {
				t.Errorf("a wait of %s is until %s", rule.FirstWait*8, until.Sub(at.Add(-time.Hour)))
			}
			w.setBack(end, at.Add(-2*time.Hour))
			over := func(at time.Time) bool { return waits(t, w, bucket, rule, at).IsZero() }
			wantOver(t, over, at.Add(-2*time.Hour), at.Add(-2*time.Hour+time.Second), at, at.Add(time.Second))
		}
	},
	"throttle.first_at": func(t *testing.T, w watched) {
		for bucket, rule := range map[throttle.Bucket]throttle.Rule{
			throttle.Letters("ada@example.org"):       storetest.Rules.Letters,
			throttle.AccountExists("ada@example.org"): storetest.Rules.Letters,
			throttle.CodesThisMonth("u"):              storetest.Rules.CodesThisMonth,
			throttle.CodesByLetter("u"):               storetest.Rules.CodesThisMonth,
			throttle.UnlockLetters("ada@example.org"): {Free: 1, CloseAfter: 1, Window: time.Hour},
		} {
			for range rule.CloseAfter {
				pay(t, w, bucket, rule, now)
			}
			end := now.Add(rule.Window)
			w.setBack(end.Add(-time.Millisecond), end.Add(-time.Minute)) // still counted, and so it stays
			if closed := w.Waits(t.Context(), bucket, rule, end.Add(-time.Minute)); closed == nil {
				t.Errorf("%s: what still counted was forgotten", bucket)
			}
			w.setBack(end, now.Add(time.Minute))
			over := func(at time.Time) bool { return w.Waits(t.Context(), bucket, rule, at) == nil }
			wantOver(t, over, now.Add(time.Minute), end.Add(-time.Minute))
		}
	},
	"letters.next_at": func(t *testing.T, w watched) {
		reset(t, w.Store, storetest.Person(t, w.Store, "ada@example.org"), now)
		w.setBack(now.Add(time.Second), now.Add(-time.Hour))
		wantOver(t, letterDue(t, w), now.Add(-time.Hour))
	},
	"letters.created_at": func(t *testing.T, w watched) {
		reset(t, w.Store, storetest.Person(t, w.Store, "ada@example.org"), now)
		w.setBack(now.Add(time.Second), now.Add(-time.Hour))
		letters, err := w.DueLetters(t.Context(), 1, now)
		must(t, err)
		if got := letters[0].Queued; !got.Equal(now.Add(-time.Hour)) {
			t.Errorf("queued %s ahead: it would be tried for so much longer", got.Sub(now.Add(-time.Hour)))
		}
	},
	"grants.code_expires_at": func(t *testing.T, w watched) {
		g := beginGrant(t, w.Store, now)
		w.setBack(now.Add(time.Minute), now.Add(time.Second))
		wantOver(t, codeOver(t, w, g), now.Add(time.Second), now.Add(59*time.Second))
	},
	"grants.began_at": func(t *testing.T, w watched) {
		later := now.Add(365 * 24 * time.Hour)
		g := beginGrant(t, w.Store, later)
		w.setBack(later.Add(time.Second), now)
		wantOver(t, codeOver(t, w, g), now, later, later.Add(2*time.Second))
	},
	"grants.expires_at": func(t *testing.T, w watched) {
		g := beginGrant(t, w.Store, now)
		refresh := secret.New()
		must(t, w.Exchange(t.Context(), g.Grant, store.Issue{Refresh: refresh.Hash(), Scopes: g.Scopes}, now))
		w.setBack(now.Add(30*24*time.Hour), now.Add(time.Hour))
		over := func(at time.Time) bool {
			return errors.Is(w.Refresh(t.Context(), g.Grant, refresh.Hash(), store.Issue{}, at), store.ErrSpent)
		}
		wantOver(t, over, now.Add(time.Hour), now.Add(29*24*time.Hour))
	},
	"tokens.expires_at": func(t *testing.T, w watched) {
		token := accessToken(t, w, now)
		w.setBack(now.Add(10*time.Minute), now.Add(time.Minute))
		wantOver(t, accessOver(t, w, token), now.Add(time.Minute), now.Add(9*time.Minute))
	},
	"tokens.made_at": func(t *testing.T, w watched) {
		later := now.Add(365 * 24 * time.Hour)
		token := accessToken(t, w, later)
		w.setBack(later.Add(time.Minute), now)
		wantOver(t, accessOver(t, w, token), now, later, later.Add(2*time.Minute))
	},
	"logout_notices.next_at": func(t *testing.T, w watched) {
		queueNotice(t, w)
		w.setBack(now.Add(time.Second), now.Add(-time.Hour))
		wantOver(t, noticeDue(t, w), now.Add(-time.Hour))
	},
	"logout_notices.made_at": func(t *testing.T, w watched) {
		wiki := queueNotice(t, w)
		w.setBack(now.Add(time.Second), now.Add(-time.Hour))
		n, err := w.ClaimLogoutNotice(t.Context(), wiki, now.Add(time.Minute), now)
		must(t, err)
		if got := n.Made; !got.Equal(now.Add(-time.Hour)) {
			t.Errorf("made %s ahead: it would be tried for so much longer", got.Sub(now.Add(-time.Hour)))
		}
	},
}

func codeOver(t *testing.T, w watched, g begun) func(time.Time) bool {
	return func(at time.Time) bool {
		t.Helper()
		return errors.Is(w.Exchange(t.Context(), g.Grant, store.Issue{}, at), store.ErrSpent)
	}
}

// accessToken gives an access token of ten minutes.
func accessToken(t *testing.T, w watched, now time.Time) secret.Token {
	t.Helper()
	g, token := beginGrant(t, w.Store, now), secret.New()
	must(t, w.Exchange(t.Context(), g.Grant, store.Issue{Access: token.Hash(), AccessExpires: now.Add(10 * time.Minute), Scopes: g.Scopes}, now))
	return token
}

func accessOver(t *testing.T, w watched, token secret.Token) func(time.Time) bool {
	return func(at time.Time) bool {
		t.Helper()
		_, err := w.Access(t.Context(), token.Hash(), at)
		return errors.Is(err, store.ErrNotFound)
	}
}

// queueNotice ends a session that an application has to be told of.
func queueNotice(t *testing.T, w watched) auth.ApplicationID {
	t.Helper()
	g := beginGrant(t, w.Store, now)
	must(t, w.Exchange(t.Context(), g.Grant, store.Issue{}, now))
	_, err := w.EndSessions(t.Context(), auth.Actor{}, g.User, "", "test", now)
	must(t, err)
	return g.Application
}

func noticeDue(t *testing.T, w watched) func(time.Time) bool {
	return func(at time.Time) bool {
		t.Helper()
		told, err := w.ApplicationsToTell(t.Context(), at)
		must(t, err)
		return len(told) == 1
	}
}

func attemptOver(t *testing.T, w watched, a auth.Attempt, u auth.User) func(time.Time) bool {
	return func(at time.Time) bool {
		t.Helper()
		kept, err := w.Attempt(t.Context(), a.ID, storetest.Browser.Hash())
		must(t, err)
		return auth.Next(kept, u, storetest.Policy, at) == auth.StepStartAgain
	}
}

// proofsOfAnAttempt: a login that goes on brings no proof from the future into
// its session, to be fresh when the clock has caught up.
func proofsOfAnAttempt(t *testing.T, w watched) {
	u := storetest.Person(t, w.Store, "ada@example.org")
	a := storetest.Attempt(t, w.Store, u, now)
	w.alter(`UPDATE attempts SET code_at = $1`, now.UnixMilli())
	w.setBack(now.Add(time.Second), now.Add(-time.Hour))
	kept, err := w.Attempt(t.Context(), a.ID, storetest.Browser.Hash())
	must(t, err)
	if kept.PasswordAt.After(now.Add(-time.Hour)) || kept.CodeAt.After(now.Add(-time.Hour)) {
		t.Errorf("proved at %s and %s, ahead of now", kept.PasswordAt, kept.CodeAt)
	}
	if step := auth.Next(kept, u, storetest.Policy, now.Add(-time.Hour)); step != auth.StepFinish {
		t.Errorf("a login that was not over owes %s", step)
	}
}

func linkOver(t *testing.T, w watched, link secret.Token) func(time.Time) bool {
	return func(at time.Time) bool {
		_, err := w.Link(t.Context(), link.Hash(), store.LinkReset, at)
		return errors.Is(err, store.ErrSpent)
	}
}

func signUp(t *testing.T, w watched, at time.Time) (link secret.Token) {
	t.Helper()
	m := store.Mailed{Life: 24 * time.Hour, Path: func(token secret.Token) string { link = token; return "/" }}
	a, err := address.Parse("new@example.org")
	must(t, err)
	must(t, w.BeginSignup(t.Context(), auth.Actor{}, store.NewSignup{Address: a, Hash: "a hash", Browser: storetest.Browser.Hash()}, m, at))
	return link
}

func signupOver(t *testing.T, w watched, link secret.Token) func(time.Time) bool {
	return func(at time.Time) bool {
		_, err := w.Signup(t.Context(), link.Hash(), at)
		return errors.Is(err, store.ErrSpent)
	}
}

// pay pays for a try as soon as it may be made, and tells when that was.
func pay(t *testing.T, w watched, bucket throttle.Bucket, rule throttle.Rule, at time.Time) time.Time {
	t.Helper()
	if until := waits(t, w, bucket, rule, at); !until.IsZero() {
		at = until
	}
	_, err := w.Pay(t.Context(), bucket, rule, at)
	must(t, err)
	return at
}

func waits(t *testing.T, w watched, bucket throttle.Bucket, rule throttle.Rule, at time.Time) time.Time {
	t.Helper()
	var wait *store.WaitError
	if err := w.Waits(t.Context(), bucket, rule, at); errors.As(err, &wait) {
		return wait.Until
	} else if err != nil {
		t.Fatal(err)
	}
	return time.Time{}
}

func letterDue(t *testing.T, w watched) func(time.Time) bool {
	return func(at time.Time) bool {
		due, err := w.DueLetters(t.Context(), 1, at)
		must(t, err)
		return len(due) == 1
	}
}

// A new table cannot be forgotten: each of its times is one after which
// something is over, and then it is tried out here, or is said to be none.
func TestEveryTimeInTheDatabaseIsThoughtOfWhenTheClockIsSetBack(t *testing.T) {
	eachWatched(t, func(t *testing.T, w watched) {
		query := `SELECT m.name || '.' || c.name FROM sqlite_master m, pragma_table_info(m.name) c
			WHERE m.type = 'table' AND (c.type = 'BIGINT' OR c.name LIKE '%\_at' ESCAPE '\' OR c.name LIKE '%expire%')`
		if w.Shared() {
			query = `SELECT table_name || '.' || column_name FROM information_schema.columns
				WHERE table_schema = 'public' AND table_name <> 'goose_db_version'
				  AND (data_type = 'bigint' OR column_name LIKE '%\_at' ESCAPE '\' OR column_name LIKE '%expire%')`
		}
		rows, err := w.db.QueryContext(t.Context(), query)
		must(t, err)
		defer rows.Close()
		var columns []string
		for rows.Next() {
			var column string
			must(t, rows.Scan(&column))
			columns = append(columns, column)
		}
		must(t, rows.Err())
		passing := store.PassingColumns()
		for _, column := range columns {
			_, no := store.UnconcernedColumns[column]
			if yes := slices.Contains(passing, column); yes == no {
				t.Errorf("%s is a moment after which something is over: %v; it is none: %v", column, yes, no)
			}
		}
		for _, column := range passing {
			if !slices.Contains(columns, column) || passings[column] == nil {
				t.Errorf("%s does not exist, or is not tried out", column)
			}
		}
		for column := range store.UnconcernedColumns {
			if !slices.Contains(columns, column) {
				t.Errorf("%s does not exist", column)
			}
		}
	})
}

func TestEveryKindOfCountIsThoughtOfWhenTheClockIsSetBack(t *testing.T) {
	for _, kind := range throttle.Kinds {
		if !storetest.Rules.HasRule(kind) {
			t.Errorf("no rule tells when a count of %q has passed", kind)
		}
	}
}

func TestWhatWasOnceOverStaysOver(t *testing.T) {
	for column, test := range passings {
		t.Run(column, func(t *testing.T) { eachWatched(t, test) })
	}
}

// A code that was too old for what an application asks is so afterwards, however
// long the application's rule.
func TestACodeTooOldForAnApplicationStaysTooOld(t *testing.T) {
	for _, within := range []time.Duration{5 * time.Minute, 15 * time.Minute, 8 * time.Hour} {
		t.Run(within.String(), func(t *testing.T) {
			eachWatched(t, func(t *testing.T, w watched) {
				made := storetest.Session(t, w.Store, storetest.Person(t, w.Store, "ada@example.org"), now)
				w.alter(`UPDATE sessions SET code_at = $1, last_seen_at = $2`, now.UnixMilli(), now.Add(within).UnixMilli())
				wiki := addWiki(t, w.Store)
				must(t, w.SetApplicationRules(t.Context(), command, wiki.ID, []auth.Rule{{Path: "/", Access: auth.RecentCode, Within: within}}, now))
				gate, err := w.GateAt(t.Context(), at(t, wiki.URL))
				must(t, err)
				w.setBack(now.Add(within), now.Add(within/2))
				policy := storetest.Policy
				policy.ForwardAuth = true
				old := func(when time.Time) bool {
					h := w.holder(made.Token)
					h.User.TwoFactorSince = now
					demand, _ := gate.Demands(at(t, wiki.URL).Host, "/")
					return gate.Judge(demand, auth.SignedIn, h.Session, h.User, nil, policy, when) == auth.AsksCode
				}
				wantOver(t, old, now.Add(within/2), now.Add(within-time.Second), now.Add(within))
			})
		})
	}
}

// Whatever was not over is as it was: nobody loses a session because the clock
// was a little ahead.
func TestWhatWasNotOverIsUntouchedWhenTheClockIsSetBack(t *testing.T) {
	eachWatched(t, func(t *testing.T, w watched) {
		u := storetest.Person(t, w.Store, "ada@example.org")
		made := storetest.Session(t, w.Store, u, now)
		storetest.Attempt(t, w.Store, u, now)
		reset(t, w.Store, u, now)
		signUp(t, w, now)
		tables := []string{"users", "sessions", "attempts", "links", "signups", "throttle"}
		var before []string
		for _, table := range tables {
			before = append(before, w.dump(table)...)
		}
		w.setBack(now.Add(5*time.Minute), now.Add(time.Minute))
		var after []string
		for _, table := range tables {
			after = append(after, w.dump(table)...)
		}
		if !slices.Equal(before, after) {
			t.Errorf("before: %q\nafter: %q", before, after)
		}
		if got := w.standing(made.Token, now.Add(time.Minute)); got != auth.SignedIn {
			t.Errorf("%s, want signed in", got)
		}
	})
}

func TestASessionFromFarAheadIsOverForEver(t *testing.T) {
	eachWatched(t, func(t *testing.T, w watched) {
		later := now.Add(10 * 365 * 24 * time.Hour)
		made := storetest.Session(t, w.Store, storetest.Person(t, w.Store, "ada@example.org"), later)
		w.setBack(later.Add(time.Minute), now)
		over := func(at time.Time) bool { return w.standing(made.Token, at) == auth.Over }
		wantOver(t, over, now, now.Add(time.Hour), later, later.Add(time.Minute))
	})
}

// What began after the step is not judged by the time before it, however often
// the same step is asked for.
func TestTheClockIsSetBackOnce(t *testing.T) {
	eachWatched(t, func(t *testing.T, w watched) {
		from, to := now.Add(2*time.Hour), now
		before, err := w.Clock(t.Context())
		must(t, err)
		w.setBack(from, to)
		u := storetest.Person(t, w.Store, "ada@example.org")
		link, a := reset(t, w.Store, u, now.Add(time.Second)), storetest.Attempt(t, w.Store, u, now.Add(time.Second))
		for range 3 { // the answer to the first was lost
			must(t, w.KeepClock(t.Context(), store.Clock{Furthest: from, SetBacks: before.SetBacks}))
			must(t, w.SetBack(t.Context(), from, to))
		}
		if linkOver(t, w, link)(now.Add(2*time.Second)) || attemptOver(t, w, a, u)(now.Add(2*time.Second)) {
			t.Error("what began after the step was ended with what was over before it")
		}
		after, err := w.Clock(t.Context())
		must(t, err)
		if !after.Furthest.Equal(to) || after.SetBacks != before.SetBacks+1 {
			t.Errorf("kept %+v after %+v", after, before)
		}
		events := 0
		for _, e := range w.dump("events") {
			if strings.Contains(e, string(auth.EventClockSetBack)) {
				events++
			}
		}
		if events != 1 {
			t.Errorf("%d events, want 1", events)
		}
	})
}

func TestOfManyWhoSetTheClockBackAtOnceOneDoes(t *testing.T) {
	eachWatched(t, func(t *testing.T, w watched) {
		must(t, w.KeepClock(t.Context(), store.Clock{Furthest: now.Add(time.Hour)}))
		together(t, nil, func() error { return w.SetBack(t.Context(), now.Add(time.Hour), now) })
		if c, err := w.Clock(t.Context()); err != nil || c.SetBacks != 1 || !c.Furthest.Equal(now) {
			t.Errorf("%+v, %v", c, err)
		}
	})
}

// The kept reading only grows, but by a step back.
func TestTheKeptClockOnlyGrows(t *testing.T) {
	eachWatched(t, func(t *testing.T, w watched) {
		for _, at := range []time.Time{now, now.Add(-time.Hour), now.Add(-time.Millisecond)} {
			must(t, w.KeepClock(t.Context(), store.Clock{Furthest: at}))
			if c, err := w.Clock(t.Context()); err != nil || !c.Furthest.Equal(now) {
				t.Errorf("kept %+v, %v", c, err)
			}
		}
	})
}
