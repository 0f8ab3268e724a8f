package transfer_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/keys"
	"github.com/twinlock/twinlock/internal/store/storetest"
	"github.com/twinlock/twinlock/internal/transfer"
)

// What a hundred thousand people with passwords cost an empty database: run it once,
// with -benchtime 1x, and with -cpuprofile to see where the time goes.
func BenchmarkAnImport(b *testing.B) {
	const people = 100_000
	hash := "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$" + strings.Repeat("A", 43)
	first, last := []string{"Ada", "Bea", "Cem", "Dana", "Eli", "Fay", "Hao"}, []string{"Lovelace", "Schmidt", "Kowalski", "Nguyen", "Okafor"}
	var list strings.Builder
	for i := range people {
		a, b := first[i*7919%len(first)], last[i*104729%len(last)]
		fmt.Fprintf(&list, `{"email":"%s.%s%d@example.org","name":"%s %s","password_hash":%q}`+"\n", strings.ToLower(a), strings.ToLower(b), i*2654435761%1000003, a, b, hash)
	}
	for engine, migrated := range storetest.Migrated {
		b.Run(engine, func(b *testing.B) {
			for b.Loop() {
				s := storetest.Open(b, migrated(b), keys.New())
				done, err := transfer.ImportPeople(b.Context(), s, command, transfer.NewReader(strings.NewReader(list.String()), nil),
					func(string, int64, int64) {}, func(f transfer.Fault) { b.Error(f) }, time.Now)
				if err != nil || done.Added != people {
					b.Fatalf("%+v, %v", done, err)
				}
			}
			b.ReportMetric(people*float64(b.N)/b.Elapsed().Seconds(), "people/s")
		})
	}
}
