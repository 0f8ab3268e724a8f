package transfer_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/keys"
	"github.com/twinlock/twinlock/internal/store/storetest"
	"github.com/twinlock/twinlock/internal/transfer"
)

// longList has so many people, and a wrong line after every seven.
func longList(people int) string {
	var list strings.Builder
	for i := range people {
		fmt.Fprintf(&list, `{"email":"person%d@example.org","password_hash":"%s"}`+"\n", i, ownHash)
		if i%7 == 6 {
			list.WriteString("nobody\n")
		}
	}
	return list.String()
}

// An import that was broken off is run again: nobody is missed, nobody is there
// twice, and every wrong line is told, in order.
func TestAnImportThatWasBrokenOffIsRunAgain(t *testing.T) {
	const people = 3500
	s := storetest.Open(t, storetest.Migrated["SQLite"](t), keys.New())
	run := func(ctx context.Context, progress transfer.Progress) (done transfer.Imported, wrong []int, err error) {
		done, err = transfer.ImportPeople(ctx, s, command, transfer.NewReader(strings.NewReader(longList(people)), nil), progress,
			func(f transfer.Fault) { wrong = append(wrong, f.Line) }, func() time.Time { return now })
		return done, wrong, err
	}
	ctx, cancel := context.WithCancel(t.Context())
	first, _, err := run(ctx, func(string, int64, int64) { cancel() })
	if err == nil || first.Added == 0 || first.Added == people {
		t.Fatalf("the first run added %d (%v)", first.Added, err)
	}
	second, wrong, err := run(t.Context(), func(string, int64, int64) {})
	if err != nil || second.Added != people-first.Added || second.Known != first.Added || second.Wrong != people/7 {
		t.Errorf("after %+v the second run gives %+v (%v)", first, second, err)
	}
	for i, line := range wrong {
		if line != 8*(i+1) {
			t.Fatalf("wrong line %d is said to be line %d, want %d", i, line, 8*(i+1))
		}
	}
}
