package store_test

import (
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/keys"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
	"github.com/twinlock/twinlock/internal/throttle"
)

// meeting is two moments that need the same two rows. Both come to the row of
// the gate, first before second, while somebody holds it: where they take the
// other row in another order, they would wait for one another.
type meeting struct {
	gate          string // a statement that locks one row
	row           any
	first, second func() error
}

// meetings are prepared each on a database of its own.
var meetings = map[string]func(p play) meeting{
	"a login finishes while its code is proved": func(p play) meeting {
		by, code := p.withCode()
		a := storetest.Attempt(p.T, p.Store, by.User, now)
		return meeting{lockUser, by.User.ID,
			func() error { _, err := p.ProveCode(p.Context(), auth.Actor{}, a, code, 5, nil, now); return err },
			func() error {
				_, _, err := p.FinishLogin(p.Context(), auth.Actor{}, a.ID, store.Finish{Policy: storetest.Policy}, now)
				return err
			}}
	},
	"a login finishes while a mailed link is used": func(p play) meeting {
		u := p.ada()
		a, link := storetest.Attempt(p.T, p.Store, u, now), p.resetLink(u)
		return meeting{lockUser, u.ID,
			func() error {
				_, _, err := p.FinishLogin(p.Context(), auth.Actor{}, a.ID, store.Finish{Policy: storetest.Policy}, now)
				return err
			},
			func() error {
				return p.ResetPassword(p.Context(), auth.Actor{}, store.Reset{Link: link, Hash: "another"}, now)
			}}
	},
	"an invitation is accepted while another is mailed": func(p play) meeting {
		var u auth.User
		invite := func(m store.Mailed) (err error) {
			u, err = p.InviteUser(p.Context(), eli, newcomer(p.T), m, now)
			return err
		}
		link := p.link(invite)
		return meeting{lockUser, u.ID,
			func() error { return invite(toNowhere) },
			func() error { return p.Store.AcceptInvitation(p.Context(), auth.Actor{}, link, "", "hash", now) }}
	},
	"a closed door is opened from both sides": func(p play) meeting {
		var box mailbox
		u := p.ada()
		closed := closeDoor(p.T, p.Store, box.doorOf(u, u.Canonical), now)
		return meeting{lockBucket, throttle.Password(u.Canonical),
			func() error { return p.OpenDoors(p.Context(), eli, u.ID, closed) },
			func() error { return p.Unlock(p.Context(), auth.Actor{}, box.links[0].Hash(), closed) }}
	},
	"a code is tried while a new password opens the doors": func(p play) meeting {
		u := p.ada()
		link := p.resetLink(u)
		try := func() error {
			_, err := p.PayAtDoor(p.Context(), store.Door{Bucket: throttle.Code(string(u.ID)), Rule: storetest.Rules.Tries},
				[]store.Try{{Bucket: throttle.CodesThisMonth(string(u.ID)), Rule: storetest.Rules.CodesThisMonth}}, auth.Actor{}, now)
			return err
		}
		must(p.T, try())
		return meeting{lockBucket, throttle.CodesThisMonth(string(u.ID)),
			func() error {
				return p.ResetPassword(p.Context(), auth.Actor{}, store.Reset{Link: link, Hash: "another"}, now)
			},
			try}
	},
	"an account is deleted while an application is allowed to it": func(p play) meeting {
		u, a := p.ada(), addWiki(p.T, p.Store)
		a.Users = []auth.UserID{u.ID}
		must(p.T, p.ChangeApplication(p.Context(), eli, a.ID, now, into(a)))
		return meeting{`SELECT 1 FROM application_users WHERE user_id = $1 FOR UPDATE`, u.ID,
			func() error { return p.ChangeApplication(p.Context(), eli, a.ID, now, into(a)) },
			func() error { return p.DeleteUser(p.Context(), eli, u.ID, now) }}
	},
	"a sign-up is confirmed while its address gets an account": func(p play) meeting {
		c := pending(p.T, p.Store, signup(p.T, p.Store, storetest.Browser, "hash", now), now)
		return meeting{lockSignup, bea.Canonical,
			func() error { _, err := p.ConfirmSignup(p.Context(), auth.Actor{}, c, now); return err },
			func() error { _, err := p.AddUser(p.Context(), eli, store.NewUser{Address: bea}, now); return err }}
	},
	"a sign-up begins afresh while its letter is mailed again": func(p play) meeting {
		signup(p.T, p.Store, storetest.Browser, "hash", now)
		return meeting{lockBucket, throttle.Letters(bea.Canonical),
			func() error {
				return p.MailSignupAgain(p.Context(), auth.Actor{}, bea.Canonical, storetest.Browser.Hash(), toNowhere, now)
			},
			func() error {
				return p.BeginSignup(p.Context(), auth.Actor{}, store.NewSignup{Address: bea, Browser: storetest.Browser.Hash()}, toNowhere, now)
			}}
	},
	"a sign-up begins while its address is invited": func(p play) meeting {
		signup(p.T, p.Store, storetest.Browser, "hash", now)
		return meeting{lockBucket, throttle.Letters(bea.Canonical),
			func() error {
				return p.BeginSignup(p.Context(), auth.Actor{}, store.NewSignup{Address: bea, Browser: storetest.Browser.Hash()}, toNowhere, now)
			},
			func() error {
				_, err := p.InviteUser(p.Context(), eli, store.NewUser{Address: bea}, toNowhere, now)
				return err
			}}
	},
	"a session returns while the password changes": func(p play) meeting {
		u := p.ada()
		lapsed := storetest.Session(p.T, p.Store, u, now)
		by := inSession(p.T, p.Store, u)
		paid, err := p.Pay(p.Context(), throttle.Password(u.Canonical), storetest.Rules.Tries, now)
		must(p.T, err)
		return meeting{lockBucket, paid.Bucket,
			func() error {
				_, err := p.ChangePassword(p.Context(), by, store.NewPassword{Checked: "the hash", Hash: "another", Paid: paid}, now)
				return err
			},
			func() error {
				_, err := p.ReturnThroughWindow(p.Context(), auth.Actor{}, lapsed.Session, lapsed.Token.Hash(), paid, now)
				return err
			}}
	},
	"sessions are seen while they end": func(p play) meeting {
		u := p.ada()
		older, newer := storetest.Session(p.T, p.Store, u, now), storetest.Session(p.T, p.Store, u, now)
		for older.Session.ID < newer.Session.ID { // so that the order of the table is not that of the identifiers
			newer = storetest.Session(p.T, p.Store, u, now)
		}
		return meeting{`SELECT 1 FROM sessions WHERE id = $1 FOR UPDATE`, older.Session.ID,
			func() error { _, err := p.EndSessions(p.Context(), eli, u.ID, "", "why", now); return err },
			func() error {
				return p.Store.Seen(p.Context(), map[auth.SessionID]time.Time{
					older.Session.ID: now.Add(time.Minute), newer.Session.ID: now.Add(time.Minute)})
			}}
	},
}

const (
	lockUser   = `SELECT 1 FROM users WHERE id = $1 FOR UPDATE`
	lockBucket = `SELECT 1 FROM throttle WHERE bucket = $1 FOR UPDATE`
	lockSignup = `SELECT 1 FROM signups WHERE canonical = $1 FOR UPDATE`
)

func (p play) resetLink(u auth.User) secret.Hash {
	return p.link(func(m store.Mailed) error { return p.MailReset(p.Context(), u, m, auth.Actor{}, now) })
}

// A deadlock is not seen by whoever asks: the moment that lost is run again. So
// the runs are counted.
func TestMomentsThatMeetTakeTurns(t *testing.T) {
	for name, prepare := range meetings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := storetest.Migrated["PostgreSQL"](t)
			s, db := storetest.Open(t, url, keys.New()), behind(t, url)
			m := prepare(play{t, s})
			before := s.Work().Transactions
			open := hold(t, db, m.gate, m.row)
			first := begin(t, db, 1, m.first)
			second := begin(t, db, 2, m.second)
			open()
			for _, err := range []error{<-first, <-second} {
				if err != nil && !errors.Is(err, store.ErrSpent) && !errors.Is(err, store.ErrTaken) {
					t.Error(err)
				}
			}
			if runs := s.Work().Transactions - before; runs != 2 {
				t.Errorf("%d runs of two moments: they waited for one another", runs)
			}
		})
	}
}

// hold locks a row until open is called.
func hold(t *testing.T, db *sql.DB, statement string, args ...any) (open func()) {
	t.Helper()
	holds, err := db.BeginTx(t.Context(), nil)
	must(t, err)
	var one int
	must(t, holds.QueryRowContext(t.Context(), statement, args...).Scan(&one))
	return func() { must(t, holds.Rollback()) }
}

// begin starts a moment and goes on when it waits for a lock, as the last of so
// many that wait, or is done.
func begin(t *testing.T, db *sql.DB, waiting int, moment func() error) <-chan error {
	t.Helper()
	ended, done := make(chan error, 1), make(chan struct{})
	go func() { ended <- moment(); close(done) }()
	for {
		var n int
		must(t, db.QueryRowContext(t.Context(), `
			SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&n))
		if n >= waiting {
			return ended
		}
		select {
		case <-done:
			return ended
		default:
		}
	}
}

// Whoever turns the code off by themselves loses it to nobody: they wait until
// whoever changes for whom plug-ins work has counted.
func TestWhoTurnsTheCodeOffIsNotCountedAmongWhoLosesIt(t *testing.T) {
	for name, off := range map[string]func(p play, by auth.Actor, code store.CodeClaim) func() error{
		"in the settings": func(p play, by auth.Actor, code store.CodeClaim) func() error {
			return func() error { _, err := p.DisableTwoFactor(p.Context(), by, code, nil, now); return err }
		},
		"by a mailed link": func(p play, by auth.Actor, _ store.CodeClaim) func() error {
			link := p.resetLink(by.User)
			return func() error {
				return p.ResetPassword(p.Context(), auth.Actor{}, store.Reset{Link: link, Hash: "another"}, now)
			}
		},
		"by an administrator": func(p play, by auth.Actor, _ store.CodeClaim) func() error {
			return func() error { return p.ClearFactors(p.Context(), eli, by.User.ID, "lost", now) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := storetest.Migrated["PostgreSQL"](t)
			s, db := storetest.Open(t, url, keys.New()), behind(t, url)
			by, code := play{t, s}.withCode()
			enable(t, s, func(a *auth.Activation) { a.Everyone = true })
			moment := off(play{t, s}, by, code)
			var ended <-chan error
			err := s.ChangeActivation(t.Context(), eli, auth.TwoFactorPlugin, store.NoLoss, now, func(a *auth.Activation) {
				a.Users = []auth.UserID{by.User.ID}
				ended = begin(t, db, 1, moment)
			})
			if err != nil {
				t.Errorf("a change that takes the code from nobody: %v", err)
			}
			must(t, <-ended)
			if letters := told(t, s, auth.LetterProtectionOff); len(letters) > 0 {
				t.Errorf("letters %v", letters)
			}
		})
	}
}

// A right password forgets the count while another try is about to be added to it.
func TestATryMeetsACountThatIsForgotten(t *testing.T) {
	url := storetest.Migrated["PostgreSQL"](t)
	s, db := storetest.Open(t, url, keys.New()), behind(t, url)
	bucket := throttle.Password("ada@example.org")
	try := func() error {
		_, err := s.Pay(t.Context(), bucket, storetest.Rules.Tries, now)
		return err
	}
	must(t, try())
	forgets, err := db.BeginTx(t.Context(), nil)
	must(t, err)
	_, err = forgets.ExecContext(t.Context(), lockBucket, bucket)
	must(t, err)
	ended := begin(t, db, 1, try)
	_, err = forgets.ExecContext(t.Context(), `DELETE FROM throttle WHERE bucket = $1`, bucket)
	must(t, err)
	must(t, forgets.Commit())
	must(t, <-ended)
}

// Somebody tries the address that an account is about to get.
func TestAnAddressChangesWhileItIsTried(t *testing.T) {
	url := storetest.Migrated["PostgreSQL"](t)
	s, db := storetest.Open(t, url, keys.New()), behind(t, url)
	p := play{t, s}
	by := p.signedIn()
	link := p.link(func(m store.Mailed) error { return s.AskNewAddress(t.Context(), by, bea, m, now) })
	_, err := s.Pay(t.Context(), throttle.Password(by.User.Canonical), storetest.Rules.Tries, now)
	must(t, err)
	tries, err := db.BeginTx(t.Context(), nil)
	must(t, err)
	_, err = tries.ExecContext(t.Context(), `INSERT INTO throttle (bucket, failures, first_at, last_at) VALUES ($1, 4, $2, $2)`,
		throttle.Password(bea.Canonical), now.UnixMilli())
	must(t, err)
	ended := begin(t, db, 1, func() error { _, err := s.ChangeAddress(t.Context(), by, link, now); return err })
	must(t, tries.Commit())
	must(t, <-ended)
	var failures int
	must(t, db.QueryRowContext(t.Context(), `SELECT failures FROM throttle WHERE bucket = $1`, throttle.Password(bea.Canonical)).Scan(&failures))
	if failures != 1 {
		t.Errorf("%d failures at the new address, want the one of the old", failures)
	}
}

// Somebody comes back while what was over is being removed.
func TestWhatComesBackMeanwhileIsNotRemoved(t *testing.T) {
	url := storetest.Migrated["PostgreSQL"](t)
	s, db := storetest.Open(t, url, keys.New()), behind(t, url)
	bucket := throttle.Password("ada@example.org")
	_, err := s.Pay(t.Context(), bucket, storetest.Rules.Tries, now)
	must(t, err)
	later := now.Add(month + time.Hour)
	purge(t, s, later.Add(-2*time.Hour)) // so that the clock is believed
	returns, err := db.BeginTx(t.Context(), nil)
	must(t, err)
	_, err = returns.ExecContext(t.Context(), `UPDATE throttle SET last_at = $1 WHERE bucket = $2`, later.UnixMilli(), bucket)
	must(t, err)
	kept := store.Kept{Events: 400 * day, Sessions: month, Throttle: month}
	ended := begin(t, db, 1, func() error { return s.Purge(t.Context(), kept, later) })
	must(t, returns.Commit())
	must(t, <-ended)
	var left int
	must(t, db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM throttle`).Scan(&left))
	if left != 1 {
		t.Error("a try of this moment was forgotten")
	}
}

// Of many requests for one address at once each waits for the one before, whether
// or not anybody has it: how long they take together tells nothing.
func TestRequestsForOneAddressWaitForOneAnotherWhoeverHasIt(t *testing.T) {
	for who, request := range map[string]func(play) (throttle.Bucket, func() error){
		"somebody, a new password": func(p play) (throttle.Bucket, func() error) {
			u := p.ada()
			return throttle.Letters(u.Canonical), func() error { return p.MailReset(p.Context(), u, toNowhere, auth.Actor{}, now) }
		},
		"nobody, a new password": func(p play) (throttle.Bucket, func() error) {
			return throttle.NobodysLetters(bea.Canonical), func() error { return p.MailNoReset(p.Context(), bea.Canonical, auth.Actor{}, now) }
		},
		"nobody, a sign-up again": func(p play) (throttle.Bucket, func() error) {
			return throttle.NobodysLetters(bea.Canonical), func() error {
				return p.MailSignupAgain(p.Context(), auth.Actor{}, bea.Canonical, storetest.Browser.Hash(), toNowhere, now)
			}
		},
	} {
		t.Run(who, func(t *testing.T) {
			url := storetest.Migrated["PostgreSQL"](t)
			db := behind(t, url)
			bucket, moment := request(play{t, storetest.Open(t, url, keys.New())})
			must(t, moment()) // makes the row of the count
			open := hold(t, db, lockBucket, bucket)
			ended := begin(t, db, 1, moment)
			select {
			case err := <-ended:
				t.Errorf("it waited for nothing: %v", err)
				open()
			default:
				open()
				must(t, <-ended)
			}
		})
	}
}
