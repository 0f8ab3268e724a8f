package store_test

import (
	"database/sql"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/keys"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

// behind is a way to a store's database beside the store.
func behind(t *testing.T, url string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", url)
	must(t, err)
	t.Cleanup(func() { db.Close() })
	return db
}

func execute(t *testing.T, db *sql.DB, statement string, args ...any) {
	t.Helper()
	_, err := db.ExecContext(t.Context(), statement, args...)
	must(t, err)
}

// losesToOthers makes PostgreSQL undo a transaction at its first event, at the
// second event of its second run, and so on until a run has no further event.
const losesToOthers = `
	CREATE SEQUENCE recorded;
	CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		IF nextval('recorded') IN (1, 3, 6, 10) THEN RAISE EXCEPTION 'deadlock detected' USING ERRCODE = '40P01'; END IF;
		RETURN NEW;
	END $$;
	CREATE TRIGGER lose BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION lose()`

// Whatever a run left behind would be seen in the next.
func TestAMomentThatLostToAnotherIsRunAgainAsIfItWereTheFirst(t *testing.T) {
	t.Parallel()
	url := storetest.Migrated["PostgreSQL"](t)
	s, db := storetest.Open(t, url, keys.New()), behind(t, url)
	execute(t, db, losesToOthers)
	for name, m := range moments {
		if m.prepare == nil {
			continue
		}
		t.Run(name, func(t *testing.T) {
			empty(t, db)
			execute(t, db, `ALTER TABLE events DISABLE TRIGGER lose`)
			act := m.prepare(play{t, s})
			before := len(recorded(t, s, m.tells))
			execute(t, db, `ALTER TABLE events ENABLE TRIGGER lose; ALTER SEQUENCE recorded RESTART`)
			must(t, act())
			if got := len(recorded(t, s, m.tells)); got != before+1 {
				t.Errorf("%d events %s after %d before, want one more", got, m.tells, before)
			}
			wantActorsThatAre(t, s)
		})
	}
}

// empty leaves of a database what it is begun with.
func empty(t *testing.T, db *sql.DB) {
	t.Helper()
	var names []string
	for _, table := range store.Tables {
		if table.Name != "goose_db_version" {
			names = append(names, table.Name)
		}
	}
	execute(t, db, `TRUNCATE `+strings.Join(names, ", "))
	execute(t, db, `INSERT INTO clock (one, furthest_at, set_backs) VALUES (1, 0, 0)`)
}

// wantActorsThatAre sees that nobody acted who has no account.
func wantActorsThatAre(t *testing.T, s *store.Store) {
	t.Helper()
	all, _, err := s.Users(t.Context(), store.UserFilter{Limit: 1000}, now)
	must(t, err)
	for _, e := range recorded(t, s, "") {
		isOne := func(u store.ListedUser) bool { return u.ID == e.Actor }
		if len(e.Actor) == len(secret.NewID()) && !slices.ContainsFunc(all, isOne) {
			t.Errorf("%s was done by %s, who is nobody", e.Kind, e.Actor)
		}
	}
}

// Where the commit itself fails, its outcome may be unknown: it is no success,
// nothing is run again, and what is remembered of the account is forgotten.
func TestACommitThatFailsIsNeitherASuccessNorRunAgain(t *testing.T) {
	for name, fails := range map[string]string{
		"the database refuses it":   `RAISE EXCEPTION 'not now' USING ERRCODE = '40001'`,
		"the connection is cut off": `PERFORM pg_terminate_backend(pg_backend_pid())`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := storetest.Migrated["PostgreSQL"](t)
			s, db := storetest.Open(t, url, keys.New()), behind(t, url)
			by := inSession(t, s, storetest.Person(t, s, "ada@example.org"))
			execute(t, db, `
				CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN `+fails+`; RETURN NULL; END $$;
				CREATE CONSTRAINT TRIGGER fail AFTER INSERT ON events DEFERRABLE INITIALLY DEFERRED
					FOR EACH ROW EXECUTE FUNCTION fail()`)
			var e ear
			s.Listen(&e)
			begun := s.Work().Transactions
			err := s.SaveName(t.Context(), by, "Ada", now)
			if err == nil {
				t.Error("it was answered as a success")
			}
			if again := s.Work().Transactions - begun - 1; again != 0 {
				t.Errorf("it was run again %d times after %v", again, err)
			}
			if !slices.Contains(e.users, by.User.ID) {
				t.Error("nobody was told to forget what may be out of date")
			}
		})
	}
}

func TestAMomentThatAlwaysLosesIsGivenUp(t *testing.T) {
	url := storetest.Migrated["PostgreSQL"](t)
	s, db := storetest.Open(t, url, keys.New()), behind(t, url)
	execute(t, db, `
		CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not now' USING ERRCODE = '40001'; END $$;
		CREATE TRIGGER fail BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION fail()`)
	begun := s.Work().Transactions
	err := s.Record(t.Context(), auth.Actor{}, auth.EventLoginRefused, "", "", now)
	var refused *pgconn.PgError
	if !errors.As(err, &refused) || refused.Code != "40001" {
		t.Errorf("%v, want what the database said", err)
	}
	if runs := s.Work().Transactions - begun; runs != 5 {
		t.Errorf("%d runs, want 5", runs)
	}
}
