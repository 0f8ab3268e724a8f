package store_test

import (
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

func TestTheOperatorHearsOfWrongSecretsAndNotOfEach(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a := addWiki(t, s)
		told := func() int {
			found, err := s.Events(t.Context(), store.EventFilter{Kind: auth.EventClientRefused})
			must(t, err)
			return len(found)
		}
		for n := 1; n <= 120; n++ {
			must(t, s.RefuseClient(t.Context(), auth.Actor{}, a, now.Add(time.Duration(n)*time.Second)))
		}
		if got := told(); got != 3 {
			t.Errorf("%d events of 120 in a row, want the first, the tenth and the hundredth", got)
		}
		must(t, s.RefuseClient(t.Context(), auth.Actor{}, a, now.Add(2*time.Hour)))
		if got := told(); got != 4 {
			t.Errorf("%d events, want one more in another hour", got)
		}
	})
}

func TestAThousandWrongSecretsMakeFewTransactions(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a := addWiki(t, s)
		before := s.Work().Transactions
		for n := range 1000 {
			must(t, s.RefuseClient(t.Context(), auth.Actor{}, a, now.Add(time.Duration(n)*10*time.Millisecond)))
		}
		if made := s.Work().Transactions - before; made != 4 {
			t.Errorf("%d transactions, want one at the first, the tenth, the hundredth and the thousandth", made)
		}
		found, err := s.Events(t.Context(), store.EventFilter{Kind: auth.EventClientRefused})
		must(t, err)
		if len(found) != 4 || found[0].Detail != a.Name+": 1000 within an hour" {
			t.Errorf("the record says %+v", found)
		}
	})
}
