package transfer_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/twinlock/twinlock/internal/keys"
	"github.com/twinlock/twinlock/internal/store"
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

// A list that cannot be read to its end is taken as far as it can be, in whatever
// order it stands, and the progress only grows.
func TestAnImportTakesWhatCouldBeRead(t *testing.T) {
	const people = 1700
	s := storetest.Open(t, storetest.Migrated["SQLite"](t), keys.New())
	torn, read := errors.New("the list is torn"), int64(0)
	list := io.MultiReader(strings.NewReader(longList(people)), iotest.ErrReader(torn))
	done, err := transfer.ImportPeople(t.Context(), s, command, transfer.NewReader(list, nil), func(_ string, done, _ int64) {
		if done <= read {
			t.Errorf("the progress goes from %d to %d", read, done)
		}
		read = done
	}, func(transfer.Fault) {}, func() time.Time { return now })
	if !errors.Is(err, torn) || done.Added != people || done.Wrong != people/7 {
		t.Errorf("%+v (%v), want %d added, and that it is torn", done, err, people)
	}
	if _, found, err := s.Users(t.Context(), store.UserFilter{Search: "person"}, now); err != nil || found != people {
		t.Errorf("%d are found (%v)", found, err)
	}
	if len(longList(people)) != int(read) {
		t.Errorf("%d bytes were read of %d", read, len(longList(people)))
	}
}

// Lines after the last person who is added are of the list, too, though nobody is
// added of them.
func TestTheProgressOfAnImportGoesToTheEndOfTheList(t *testing.T) {
	var list strings.Builder
	for i := range 500 {
		fmt.Fprintf(&list, `{"email":"person%d@example.org"}`+"\n", i)
	}
	list.WriteString(strings.Repeat("nobody\n", 3))
	s := storetest.Open(t, storetest.Migrated["SQLite"](t), keys.New())
	var read int64
	done, err := transfer.ImportPeople(t.Context(), s, command, transfer.NewReader(strings.NewReader(list.String()), nil),
		func(_ string, done, _ int64) { read = done }, func(transfer.Fault) {}, func() time.Time { return now })
	if err != nil || done.Added != 500 || done.Wrong != 3 || int(read) != list.Len() {
		t.Errorf("%+v (%v) of %d bytes, want all %d", done, err, read, list.Len())
	}
}

// typedLines are lines without an end, one at a time.
type typedLines struct {
	given  int
	broken int // the line at which it is broken off
	off    func()
}

func (l *typedLines) Read(into []byte) (int, error) {
	if l.given++; l.given == l.broken {
		l.off()
	}
	return copy(into, fmt.Sprintf(`{"email":"person%d@example.org"}`+"\n", l.given)), nil
}

// An import that is broken off reads no further than the line that it waits for.
func TestAnImportThatIsBrokenOffReadsNoFurther(t *testing.T) {
	s := storetest.Open(t, storetest.Migrated["SQLite"](t), keys.New())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	lines := &typedLines{broken: 700, off: cancel}
	_, err := transfer.ImportPeople(ctx, s, command, transfer.NewReader(lines, nil),
		func(string, int64, int64) {}, func(transfer.Fault) {}, func() time.Time { return now })
	if err == nil || lines.given > lines.broken {
		t.Errorf("%d lines were read (%v), want %d and an error", lines.given, err, lines.broken)
	}
}
