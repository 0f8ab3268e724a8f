package transfer_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/address"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/keys"
	"github.com/twinlock/twinlock/internal/recovery"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
	"github.com/twinlock/twinlock/internal/throttle"
	"github.com/twinlock/twinlock/internal/totp"
	"github.com/twinlock/twinlock/internal/transfer"
)

func TestMain(m *testing.M) {
	status := m.Run()
	storetest.Stop()
	os.Exit(status)
}

var (
	now     = storetest.Now
	command = auth.Actor{Command: true}
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// silent is a progress that nobody watches.
func silent(string, int64, int64) {}

func backUp(t *testing.T, s *store.Store, ring *keys.Ring, withKeys bool) []byte {
	t.Helper()
	var file bytes.Buffer
	b := transfer.Backup{Made: now, Program: "v1", Ring: ring, Keys: withKeys}
	must(t, b.Write(t.Context(), s, &file, silent))
	return file.Bytes()
}

// restore is a whole restore. What is wrong with the backup is told before the
// database is asked for anything.
func restore(t *testing.T, file []byte, into *store.Store, r store.Restoration, at time.Time) (store.Restored, error) {
	t.Helper()
	scratch, err := check(t, file)
	if err != nil {
		return store.Restored{}, err
	}
	defer scratch.Close()
	r.Made = now
	return into.Restore(t.Context(), command, scratch, r, at)
}

func check(t *testing.T, file []byte) (*store.Scratch, error) {
	t.Helper()
	opened, err := transfer.Open(bytes.NewReader(file))
	if err != nil {
		return nil, err
	}
	return opened.Check(t.Context(), filepath.Join(t.TempDir(), "scratch.db"), silent)
}

// contents is every row of every table that a backup carries or adds to, as
// text, sorted.
func contents(t *testing.T, s *store.Store) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	must(t, s.Snapshot(t.Context(), func(n *store.Snapshot) error {
		for _, table := range store.Tables {
			if table.Treatment == store.Left {
				continue
			}
			columns, err := n.Columns(t.Context(), table.Name)
			if err != nil {
				return err
			}
			err = n.Rows(t.Context(), table.Name, columns, func(row []any) error {
				var line strings.Builder
				for i, c := range columns {
					fmt.Fprintf(&line, "%s=%q ", c.Name, fmt.Sprint(row[i]))
				}
				all[table.Name] = append(all[table.Name], line.String())
				return nil
			})
			if err != nil {
				return err
			}
			slices.Sort(all[table.Name])
		}
		return nil
	}))
	return all
}

// sample is a database with something in every table that a person can fill.
type sample struct {
	*store.Store
	ring    *keys.Ring
	ada     auth.User
	session store.NewSession
	key     totp.Key
	reset   secret.Token
}

func sampleOn(t *testing.T, url string) sample {
	t.Helper()
	ring := keys.New()
	s := sample{Store: storetest.Open(t, url, ring), ring: ring, key: totp.NewKey()}
	ctx := t.Context()
	s.ada = storetest.Person(t, s.Store, "ada@example.org")
	storetest.Person(t, s.Store, "βeta+'$@example.org")
	must(t, s.SetAdministrator(ctx, command, s.ada.ID, true, now))
	s.ada, _ = s.User(ctx, s.ada.ID)
	g, err := s.AddGroup(ctx, command, "Stäff 'n \"co\"", now)
	must(t, err)
	must(t, s.JoinGroup(ctx, command, g, s.ada.ID, now))
	must(t, s.ChangeActivation(ctx, command, auth.TwoFactorPlugin, store.AnyLoss, now, func(a *auth.Activation) {
		a.Active, a.Groups, a.Users = true, []auth.GroupID{g.ID}, []auth.UserID{s.ada.ID}
	}))
	wiki, _, err := s.AddClient(ctx, command, auth.Application{Name: "Wiki", URL: "https://wiki.example.org",
		Groups: []auth.GroupID{g.ID}, Users: []auth.UserID{s.ada.ID}},
		auth.Client{Algorithm: auth.ES256, RedirectURIs: []string{"https://wiki.example.org/callback"}}, now)
	must(t, err)
	s.alter(t, url, `INSERT INTO sign_ins (application_id, day, times) VALUES ($1, 20000, 7)`, wiki.ID)
	must(t, s.SetLogo(ctx, command, wiki.ID, []byte{0x89, 'P', 'N', 'G', 0, 255}, now))
	notes, err := s.AddApplication(ctx, command, auth.Application{Kind: auth.BehindProxy, Name: "Notes",
		URL: "https://notes.example.org", Hosts: []string{"drafts.example.org"}}, now)
	must(t, err)
	must(t, s.SetApplicationRules(ctx, command, notes.ID, []auth.Rule{{Path: "/open", Access: auth.Public}}, now))
	must(t, s.SetSetting(ctx, command, "registration", "invited", now))
	s.session = storetest.Session(t, s.Store, s.ada, now)
	set := recovery.Set{Salt: []byte{0, 1, 255}}
	for i := range byte(10) {
		set.Hashes = append(set.Hashes, []byte{i, 0, '\n'})
	}
	by := auth.Actor{User: s.ada, Session: s.session.Session}
	_, err = s.EnableTwoFactor(ctx, by, store.Enrolment{User: s.ada.ID, Generation: s.ada.Generation, Key: s.key, Step: 100, Codes: set}, now)
	must(t, err)
	s.ada, err = s.User(ctx, s.ada.ID)
	must(t, err)
	must(t, s.MailReset(ctx, s.ada, store.Mailed{Life: time.Hour, Path: func(made secret.Token) string { s.reset = made; return "/" }}, command, now))
	for range 100 {
		_, err = s.Pay(ctx, throttle.Password("mallory@example.org"), throttle.Rule{Free: 100, CloseAfter: 100}, now)
		must(t, err)
	}
	s.alter(t, url, `INSERT INTO passkeys (id, user_id, credential_id, sealed_key, domain, name, sign_count, synced, created_at, last_used_at)
		VALUES ('phone', $1, $2, $2, 'login.example.org', 'Phone', 5, TRUE, $3, 0)`, s.ada.ID, []byte{0, 1, 255}, now.UnixMilli())
	_, err = s.InviteUser(ctx, command, store.NewUser{Address: address.Address{Spelling: "fay@example.org", Canonical: "fay@example.org"}},
		store.Mailed{Life: time.Hour, Path: func(secret.Token) string { return "/" }}, now)
	must(t, err)
	return s
}

// alter changes the database beside the program.
func (s sample) alter(t *testing.T, url, statement string, values ...any) {
	t.Helper()
	driver, address := "pgx", url
	if path, ok := strings.CutPrefix(url, "sqlite:"); ok {
		driver, address = "sqlite", "file:"+path+"?_pragma=busy_timeout(5000)"
	}
	db, err := sql.Open(driver, address)
	must(t, err)
	defer db.Close()
	_, err = db.ExecContext(t.Context(), statement, values...)
	must(t, err)
}

// target is an empty database.
type target struct{ url string }

// restore restores into it, without keys of its own.
func (to target) restore(t *testing.T, file []byte, ring *keys.Ring, at time.Time) (store.Restored, error) {
	t.Helper()
	return restore(t, file, storetest.Open(t, to.url, nil), store.Restoration{Ring: ring}, at)
}

// open is what a server does then.
func (to target) open(t *testing.T, ring *keys.Ring) *store.Store {
	t.Helper()
	return storetest.Open(t, to.url, ring)
}

// eachPair runs a test from each engine to each engine.
func eachPair(t *testing.T, test func(t *testing.T, from sample, to target)) {
	t.Helper()
	for fromName, from := range storetest.Engines {
		for toName, to := range storetest.Engines {
			t.Run("from "+fromName+" to "+toName, func(t *testing.T) {
				t.Parallel()
				s := sampleOn(t, from(t))
				test(t, s, target{to(t)})
			})
		}
	}
}

func TestABackupOfEitherEngineIsRestoredIntoEither(t *testing.T) {
	eachPair(t, func(t *testing.T, from sample, empty target) {
		before := contents(t, from.Store)
		done, err := empty.restore(t, backUp(t, from.Store, from.ring, false), from.ring, now.Add(time.Hour))
		must(t, err)
		to := empty.open(t, from.ring)
		after := contents(t, to)
		for _, table := range store.Tables {
			if table.Treatment == store.Carried && len(before[table.Name]) == 0 {
				t.Errorf("the sample has nothing in %s", table.Name)
			}
		}
		for _, table := range store.Tables {
			name := table.Name
			if table.Treatment != store.Carried || name == "users" || name == "authenticators" { // their generations and steps are raised
				continue
			}
			if !slices.Equal(before[name], after[name]) {
				t.Errorf("%s: before %q, after %q", name, before[name], after[name])
			}
		}
		if done.People != 3 || done.Administrators != 1 || done.TwoFactor != 1 || done.Invited != 1 {
			t.Errorf("told %+v", done)
		}
		if restored := events(t, to, auth.EventRestored); len(restored) != 1 || !strings.Contains(restored[0].Detail, "2026-11-23") {
			t.Errorf("events %v", restored)
		}
		if len(after["events"]) != len(before["events"])+1 {
			t.Errorf("%d events before, %d after", len(before["events"]), len(after["events"]))
		}
	})
}

func events(t *testing.T, s *store.Store, kind auth.EventKind) []store.ListedEvent {
	t.Helper()
	all, err := s.Events(t.Context(), store.EventFilter{Kind: kind, Limit: 10})
	must(t, err)
	return all
}

// What was good once is not good again: sessions, links, logins on their way,
// and whatever was sealed for an account of an earlier generation.
func TestARestoreLetsNobodyIn(t *testing.T) {
	eachPair(t, func(t *testing.T, from sample, empty target) {
		storetest.Attempt(t, from.Store, from.ada, now)
		_, err := empty.restore(t, backUp(t, from.Store, from.ring, false), from.ring, now.Add(time.Minute))
		must(t, err)
		to := empty.open(t, from.ring)
		for table, rows := range contents(t, to) {
			for _, treated := range store.Tables {
				if treated.Name == table && treated.Treatment == store.Voided && len(rows) > 0 {
					t.Errorf("%s came back: %q", table, rows)
				}
			}
		}
		if _, err := to.Holder(t.Context(), from.session.Token.Hash()); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("her session: %v", err)
		}
		if _, err := to.Link(t.Context(), from.reset.Hash(), store.LinkReset, now); !errors.Is(err, store.ErrSpent) {
			t.Errorf("her link: %v", err)
		}
		ada, err := to.User(t.Context(), from.ada.ID)
		must(t, err)
		if ada.Generation <= from.ada.Generation+1_000_000 {
			t.Errorf("generation %d after %d: changes since the backup may have reached it", ada.Generation, from.ada.Generation)
		}
	})
}

// finish goes through the code's door with a code, and tells whether it opened.
func finish(t *testing.T, s *store.Store, u auth.User, c store.CodeClaim, at time.Time) error {
	t.Helper()
	a := storetest.Attempt(t, s, u, at)
	_, err := s.ProveCode(t.Context(), auth.Actor{}, a, c, 5, nil, at)
	return err
}

func TestACodeOfBeforeTheRestoreIsNotTakenAfterIt(t *testing.T) {
	eachPair(t, func(t *testing.T, from sample, empty target) {
		file, at := backUp(t, from.Store, from.ring, false), now.Add(10*time.Minute)
		spent := store.CodeClaim{Authenticator: authenticator(t, from.Store, from.ada), Step: totp.Latest(at)}
		must(t, finish(t, from.Store, from.ada, spent, at))
		_, err := empty.restore(t, file, from.ring, at)
		must(t, err)
		to := empty.open(t, from.ring)
		ada, err := to.User(t.Context(), from.ada.ID)
		must(t, err)
		if err := finish(t, to, ada, spent, at); !errors.Is(err, store.ErrSpent) {
			t.Errorf("a code was taken twice: %v", err)
		}
		spent.Step++
		if err := finish(t, to, ada, spent, at.Add(totp.Period)); err != nil {
			t.Errorf("the next code: %v", err)
		}
	})
}

// A clock that is behind the backup's does not make its codes good again.
func TestACodeOfBeforeTheBackupIsNotTakenUnderAnEarlierClock(t *testing.T) {
	eachPair(t, func(t *testing.T, from sample, empty target) {
		early := now.Add(-time.Hour)
		_, err := empty.restore(t, backUp(t, from.Store, from.ring, false), from.ring, early)
		must(t, err)
		to := empty.open(t, from.ring)
		ada, err := to.User(t.Context(), from.ada.ID)
		must(t, err)
		c := store.CodeClaim{Authenticator: authenticator(t, from.Store, from.ada), Step: totp.Latest(now)}
		if err := finish(t, to, ada, c, early); !errors.Is(err, store.ErrSpent) {
			t.Errorf("it was taken: %v", err)
		}
	})
}

// What was used since the backup is known to the database at hand alone.
func TestWhatTheDatabaseAtHandKnowsToBeSpentStaysSpent(t *testing.T) {
	for name, url := range storetest.Engines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := sampleOn(t, url(t))
			file := backUp(t, s.Store, s.ring, false)
			used := store.CodeClaim{Recovery: true, Position: 4}
			must(t, finish(t, s.Store, s.ada, used, now))
			ahead := store.CodeClaim{Authenticator: authenticator(t, s.Store, s.ada), Step: totp.Latest(now) + 1000}
			must(t, finish(t, s.Store, s.ada, ahead, now))
			answer := store.CodeClaim{Passkey: "phone", Count: 9,
				Ceremony: store.Ceremony{Challenge: secret.New().Hash(), Expires: now.Add(time.Minute)}}
			must(t, finish(t, s.Store, s.ada, answer, now))
			for range 100 {
				_, err := s.Pay(t.Context(), throttle.Password("eve@example.org"), throttle.Rule{Free: 100, CloseAfter: 100}, now)
				must(t, err)
			}
			logins := len(events(t, s.Store, auth.EventRecoveryCodeUsed))
			_, err := restore(t, file, s.Store, store.Restoration{Ring: s.ring, Replace: true}, now)
			must(t, err)
			ada, err := s.User(t.Context(), s.ada.ID)
			must(t, err)
			copied := answer // the same count, to a challenge that is new
			copied.Ceremony.Challenge = secret.New().Hash()
			for what, c := range map[string]store.CodeClaim{"recovery code": used, "step": ahead, "challenge": answer, "passkey's count": copied} {
				if err := finish(t, s.Store, ada, c, now); !errors.Is(err, store.ErrSpent) {
					t.Errorf("%s: %v", what, err)
				}
			}
			if err := finish(t, s.Store, ada, store.CodeClaim{Recovery: true, Position: 5}, now); err != nil {
				t.Errorf("a recovery code that nobody used: %v", err)
			}
			var closed *store.WaitError
			if err := s.Waits(t.Context(), throttle.Password("eve@example.org"), throttle.Rule{Free: 100, CloseAfter: 100}, now); !errors.As(err, &closed) {
				t.Errorf("a door that was closed since is open: %v", err)
			}
			if still := len(events(t, s.Store, auth.EventRecoveryCodeUsed)); still < logins {
				t.Errorf("%d events since the backup, %d after the restore", logins, still)
			}
		})
	}
}

// What the operator's settings say is about the server at hand, and not about
// the day of the backup.
func TestWhatTheSettingsGiveTheyGiveAtOnceAfterARestore(t *testing.T) {
	for name, url := range storetest.Engines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := sampleOn(t, url(t))
			then := store.Given{Decides: true}
			today := store.Given{Decides: true, Grants: []auth.Enablement{{Plugin: auth.TwoFactorPlugin}}}
			must(t, s.ObeySettings(t.Context(), then, now))
			file := backUp(t, s.Store, s.ring, false)
			must(t, s.ObeySettings(t.Context(), today, now))
			_, err := restore(t, file, s.Store, store.Restoration{Ring: s.ring, Replace: true}, now)
			must(t, err)
			plugins, err := s.Activations(t.Context())
			must(t, err)
			if asked, err := s.AskedForCode(t.Context(), plugins[0]); err != nil || asked != 1 {
				t.Errorf("%d people are asked for a code, want 1; %v", asked, err)
			}
			given := len(events(t, s.Store, auth.EventPluginsGiven))
			must(t, s.ObeySettings(t.Context(), today, now))
			if again := len(events(t, s.Store, auth.EventPluginsGiven)); again != given {
				t.Error("the next start found other settings in force")
			}
		})
	}
}

func authenticator(t *testing.T, s *store.Store, u auth.User) string {
	t.Helper()
	all, err := s.Authenticators(t.Context(), u.ID)
	must(t, err)
	return all[0].ID
}

func TestADamagedBackupChangesNothing(t *testing.T) {
	from := sampleOn(t, storetest.Engines["SQLite"](t))
	file := backUp(t, from.Store, from.ring, true)
	text := unpack(t, file)
	for name, damaged := range map[string][]byte{
		"empty":                   {},
		"something else":          []byte("SQLite format 3\x00"),
		"something else, packed":  pack([]byte("{\"a\":1}\n")),
		"cut short":               file[:len(file)/2],
		"cut short by a byte":     file[:len(file)-1],
		"without its end":         pack(text[:bytes.LastIndexByte(text[:len(text)-1], '\n')+1]),
		"with a row less":         pack(without(text, 3)),
		"with a row twice":        pack(twice(text, 3)),
		"with an address changed": pack(bytes.Replace(text, []byte("ada@example.org"), []byte("eve@example.org"), 1)),
		"with a kind changed":     pack(bytes.Replace(text, []byte(`"kind":"boolean"`), []byte(`"kind":"integer"`), 1)),
		"with another column":     pack(bytes.Replace(text, []byte(`{"name":"theme"`), []byte(`{"name":"x\") --"`), 1)),
		"with another table":      pack(bytes.ReplaceAll(text, []byte(`"users"`), []byte(`"users2"`))),
		"with more after the end": pack(append(bytes.Clone(text), '\n')),
		"of a newer schema":       pack(bytes.Replace(text, []byte(`"schema":`), []byte(`"schema":99`), 1)),
		"of a newer form":         pack(bytes.Replace(text, []byte(`"twinlock_backup":1`), []byte(`"twinlock_backup":2`), 1)),
		"with keys of another":    pack(bytes.Replace(text, []byte(`"fingerprint":"`), []byte(`"fingerprint":"0`), 1)),
	} {
		t.Run(name, func(t *testing.T) {
			at := sampleOn(t, storetest.Engines["SQLite"](t))
			before := contents(t, at.Store)
			if _, err := restore(t, damaged, at.Store, store.Restoration{Ring: from.ring, Replace: true}, now); err == nil {
				t.Error("it was restored")
			}
			for table, rows := range contents(t, at.Store) {
				if !slices.Equal(rows, before[table]) {
					t.Errorf("%s changed", table)
				}
			}
		})
	}
}

func unpack(t *testing.T, file []byte) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(file))
	must(t, err)
	text, err := io.ReadAll(r)
	must(t, err)
	return text
}

func pack(text []byte) []byte {
	var file bytes.Buffer
	w := gzip.NewWriter(&file)
	_, _ = w.Write(text)
	_ = w.Close()
	return file.Bytes()
}

func without(text []byte, line int) []byte {
	all := bytes.SplitAfter(text, []byte("\n"))
	return bytes.Join(slices.Delete(all, line, line+1), nil)
}

func twice(text []byte, line int) []byte {
	all := bytes.SplitAfter(text, []byte("\n"))
	return bytes.Join(slices.Insert(all, line, all[line]), nil)
}

func TestADatabaseWithAccountsIsReplacedOnlyWhenSaid(t *testing.T) {
	eachPair(t, func(t *testing.T, from sample, empty target) {
		to := empty.open(t, keys.New())
		bob := storetest.Person(t, to, "bob@example.org")
		must(t, to.Record(t.Context(), auth.Actor{}, auth.EventLogout, bob.ID, "bob's own", now))
		file := backUp(t, from.Store, from.ring, false)
		if _, err := restore(t, file, to, store.Restoration{Ring: from.ring}, now); !errors.Is(err, store.ErrNotEmpty) {
			t.Fatalf("restored over bob: %v", err)
		}
		_, err := to.User(t.Context(), bob.ID)
		must(t, err)
		_, err = restore(t, file, to, store.Restoration{Ring: from.ring, Replace: true}, now)
		must(t, err)
		if _, err := to.User(t.Context(), bob.ID); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("bob: %v", err)
		}
		if theirs := events(t, to, auth.EventLogout); len(theirs) > 0 {
			t.Errorf("events of another installation: %v", theirs)
		}
	})
}

// Every account comes with its event in one transaction, and so must every
// backup have both or neither.
func TestABackupIsOneMomentWhileOthersWrite(t *testing.T) {
	for name, url := range storetest.Engines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ring := keys.New()
			s := storetest.Open(t, url(t), ring)
			stop, writers := make(chan struct{}), sync.WaitGroup{}
			for range 2 {
				writers.Go(func() {
					for range 1000 { // no more than a slow machine can back up
						select {
						case <-stop:
							return
						default:
						}
						a := address.Address{Spelling: secret.NewID() + "@example.org"}
						a.Canonical = a.Spelling
						if _, err := s.AddUser(t.Context(), command, store.NewUser{Address: a}, now); err != nil {
							t.Error(err)
							return
						}
					}
				})
			}
			last := 0
			for range 5 {
				scratch, err := check(t, backUp(t, s, ring, false))
				must(t, err)
				rows := contents(t, scratch.Store)
				must(t, scratch.Close())
				if people, events := len(rows["users"]), len(rows["events"]); people != events {
					t.Errorf("%d people and %d events", people, events)
				}
				last = len(rows["users"])
			}
			close(stop)
			writers.Wait()
			if last == 0 {
				t.Error("nobody wrote anything")
			}
		})
	}
}

// The schema of an earlier day is made, filled and brought up to date.
func TestABackupOfAnEarlierSchemaIsRestored(t *testing.T) {
	ring := keys.New()
	text := `{"twinlock_backup":1,"made":"2026-11-23T12:00:12Z","program":"v0","schema":1,"fingerprint":"` + ring.Fingerprint() + `","tables":[{"name":"applications","rows":1}]}
{"table":"applications","columns":[{"name":"id","kind":"text"},{"name":"name","kind":"text"},{"name":"description","kind":"text"},{"name":"url","kind":"text"},{"name":"everyone","kind":"boolean"},{"name":"created_at","kind":"integer"}]}
["a1","Wiki","","https://wiki.example.org",true,1]
`
	sum := sha256.Sum256([]byte(text))
	file := pack([]byte(text + `{"sha256":"` + base64.StdEncoding.EncodeToString(sum[:]) + "\"}\n"))
	for name, url := range storetest.Engines {
		t.Run(name, func(t *testing.T) {
			to := storetest.Open(t, url(t), nil)
			_, err := restore(t, file, to, store.Restoration{Ring: ring}, now)
			must(t, err)
			all, err := to.Applications(t.Context())
			must(t, err)
			if len(all) != 1 || all[0].Name != "Wiki" || all[0].Kind != "link" || !all[0].Everyone {
				t.Errorf("applications %+v", all)
			}
		})
	}
}

func TestKeysGoAlongOnlyWhenWanted(t *testing.T) {
	s := sampleOn(t, storetest.Engines["SQLite"](t))
	for _, with := range []bool{false, true} {
		file := backUp(t, s.Store, s.ring, with)
		opened, err := transfer.Open(bytes.NewReader(file))
		must(t, err)
		if has := opened.Ring != nil; has != with {
			t.Errorf("wanted %t, there %t", with, has)
		}
		if there := bytes.Contains(unpack(t, file), []byte("twinlock-keys")); there != with {
			t.Errorf("wanted %t, in the file %t", with, there)
		}
	}
}
