package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/keys"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

// Of several servers one sends letters; when it leaves, or falls silent, another
// one does.
func TestOneServerDoesWhatOneIsToDo(t *testing.T) {
	url := storetest.Migrated["PostgreSQL"](t)
	ring := keys.New()
	var uses []*store.Use
	serve := func() {
		t.Helper()
		use, err := storetest.Open(t, url, ring).Serve(t.Context())
		must(t, err)
		uses = append(uses, use)
	}
	does := func(u *store.Use) bool {
		t.Helper()
		yes, err := u.Does(t.Context(), store.DutyLetters)
		must(t, err)
		return yes
	}
	serve()
	serve()
	for until := time.Now().Add(10 * time.Second); !does(uses[0]); { // a loaded machine may keep it out of touch
		if time.Now().After(until) {
			t.Fatal("nobody does it")
		}
	}
	for range 5 {
		if does(uses[1]) {
			t.Fatal("both do")
		}
	}
	must(t, uses[0].Close())
	for until := time.Now().Add(10 * time.Second); !does(uses[1]); {
		if time.Now().After(until) {
			t.Fatal("nobody took over")
		}
	}
	db := rawPostgres(t, url)
	_, err := db.Exec(`INSERT INTO nodes (id, beat) VALUES ('crashed', 1)`)
	must(t, err)
	_, err = db.Exec(`INSERT INTO duties (name, node) VALUES ($1, 'crashed')`, store.DutyPurge)
	must(t, err)
	for until := time.Now().Add(20 * time.Second); ; {
		if yes, err := uses[1].Does(t.Context(), store.DutyPurge); err == nil && yes {
			return
		}
		if time.Now().After(until) {
			t.Fatal("what a crashed server had to do is done by nobody")
		}
	}
}

func TestWhoeverIsAloneDoesEverything(t *testing.T) {
	var nobody *store.Use
	if does, err := nobody.Does(t.Context(), store.DutyPurge); !does || err != nil {
		t.Errorf("%v, %v", does, err)
	}
	s := storetest.Open(t, storetest.Migrated["SQLite"](t), keys.New())
	use, err := s.Serve(t.Context())
	must(t, err)
	if does, err := use.Does(t.Context(), store.DutyPurge); !does || err != nil {
		t.Errorf("on SQLite: %v, %v", does, err)
	}
}

// Behind a pooler that lends connections for a transaction nothing is heard, which
// is said at the start.
func TestAServerThatCannotHearOthersDoesNotStart(t *testing.T) {
	s := storetest.Open(t, storetest.Pooled(t, storetest.Migrated["PostgreSQL"](t)), keys.New())
	if _, err := s.Serve(t.Context()); !errors.Is(err, store.ErrNotHeard) {
		t.Errorf("%v, want ErrNotHeard", err)
	}
}
