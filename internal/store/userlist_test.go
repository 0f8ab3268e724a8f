package store_test

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/cases"

	"github.com/twinlock/twinlock/internal/address"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/keys"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

func TestPeopleAreFoundWhateverTheCapitalsOfWhateverScript(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		storetest.Person(t, s, "ada@example.org")
		a, err := address.Parse("ö.100%@bücher.example")
		must(t, err)
		_, err = s.AddUser(t.Context(), command, store.NewUser{Address: a, Name: "Özlem Γεωργίου-Groß", Hash: "the hash"}, now)
		must(t, err)
		for _, search := range []string{"Özlem", "özlem", "ÖZLEM", "O\u0308zlem", "ΓΕΩΡΓΊΟΥ", "γεωργίου", "groß", "bücher", "BÜCHER.example", "Ö.100%@", "xn--bcher", "XN--BCHER",
			"ö", "Ö", "ÖZ", "ß", "oß", "%", "0%", "z", "Lem γ"} {
			people, found, err := s.Users(t.Context(), store.UserFilter{Search: search}, now)
			if err != nil || found != 1 || len(people) != 1 || people[0].Address != a.Spelling {
				t.Errorf("%q finds %d (%v)", search, found, err)
			}
		}
		for _, search := range []string{"ozlem", "ö_100", `ö.100\%`, "%%", "_", `\`, `"`, "*", "o\u0308o", "AND"} {
			if _, found, err := s.Users(t.Context(), store.UserFilter{Search: search}, now); err != nil || found != 0 {
				t.Errorf("%q finds %d (%v), want nobody", search, found, err)
			}
		}
	})
}

// crowd are people whose names and addresses share their letters, and what each is
// searched by.
func crowd(t *testing.T, s *store.Store, many int) (texts map[auth.UserID]string) {
	t.Helper()
	r := rand.New(rand.NewPCG(7, 9))
	word := func(letters string) string {
		all := []rune(letters)
		w := make([]rune, 1+r.IntN(5))
		for i := range w {
			w[i] = all[r.IntN(len(all))]
		}
		return string(w)
	}
	var people []store.NewUser
	for i := range many {
		a, err := address.Parse(fmt.Sprintf("%s%d@%s.example", word("abzü-"), i, word("ab")))
		must(t, err)
		people = append(people, store.NewUser{Address: a, Name: word("aBzüß'Σ") + " " + word(`aB"%_\`), Hash: "hash"})
	}
	_, err := s.AddUsers(t.Context(), command, people, now)
	must(t, err)
	texts = map[auth.UserID]string{}
	for _, n := range people {
		u, err := s.UserByAddress(t.Context(), n.Address.Canonical)
		must(t, err)
		texts[u.ID] = n.Address.Canonical + "\n" + n.Address.Spelling + "\n" + n.Name
	}
	return texts
}

// Nobody is found who does not have what is searched for, and nobody is missed who
// does: whether few are found or more than are counted, page by page, on and back.
func TestASearchFindsWhoeverHasTheTextAndNobodyElse(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		texts := crowd(t, s, 150)
		for _, most := range []int{store.MostFound, 20} {
			store.CountAtMost(s, most)
			for _, search := range []string{"", "a", "z", "ü", "ab", "B", "ba", "az", "ss", "ß", "aba", "a1", "abab", "σ", "Σ", "'", "%", "_", "b_", "ba.ex", "@", "12", "zz", "a\" ", "example", "zü", "xn-", `\`, `a\`, `\\`, "'a", "a'", "'a'", `"%\`} {
				want := havingText(texts, search)
				if got := wholeList(t, s, search, most, len(want)); !slices.Equal(slices.Sorted(slices.Values(got)), want) {
					t.Errorf("%q, of %d at most: found %d, want %d", search, most, len(got), len(want))
				}
			}
		}
	})
}

// A search for however few letters goes by the index on PostgreSQL, whoever plans it.
func TestASearchOnPostgreSQLGoesByPieces(t *testing.T) {
	url := storetest.Migrated["PostgreSQL"](t)
	s := storetest.Open(t, url, keys.New())
	crowd(t, s, 400)
	db := rawPostgres(t, url)
	_, err := db.ExecContext(t.Context(), `ANALYZE`)
	must(t, err)
	for _, mode := range []string{"force_generic_plan", "force_custom_plan"} {
		for _, search := range []string{"a", "ab", "aba", "zz", "example"} {
			plan := planOnPostgres(t, db, mode, store.HavingPieces, search)
			if !strings.Contains(plan, "search_people_pieces") {
				t.Errorf("%s, %q:\n%s", mode, search, plan)
			}
		}
	}
}

func planOnPostgres(t *testing.T, db *sql.DB, mode, query, search string) string {
	t.Helper()
	tx, err := db.BeginTx(t.Context(), nil)
	must(t, err)
	defer tx.Rollback()
	for _, statement := range []string{`SET LOCAL plan_cache_mode = ` + mode, `PREPARE found AS ` + query} {
		_, err := tx.ExecContext(t.Context(), statement)
		must(t, err)
	}
	rows, err := tx.QueryContext(t.Context(), fmt.Sprintf(`EXPLAIN EXECUTE found(%[1]s, %[1]s)`, "'"+search+"'"))
	must(t, err)
	defer rows.Close()
	var plan strings.Builder
	for rows.Next() {
		var line string
		must(t, rows.Scan(&line))
		plan.WriteString(line + "\n")
	}
	must(t, rows.Err())
	_, err = tx.ExecContext(t.Context(), `DEALLOCATE found`)
	must(t, err)
	return plan.String()
}

func havingText(texts map[auth.UserID]string, search string) (ids []auth.UserID) {
	for id, text := range texts {
		if strings.Contains(cases.Fold().String(text), cases.Fold().String(search)) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// wholeList reads a list to its end, and back to its beginning.
func wholeList(t *testing.T, s *store.Store, search string, most, want int) (ids []auth.UserID) {
	t.Helper()
	f := store.UserFilter{Search: search, Limit: 7}
	var pages [][]store.ListedUser
	for {
		page, found, err := s.Users(t.Context(), f, now)
		must(t, err)
		if found != min(want, most+1) {
			t.Errorf("%q: %d counted, of %d", search, found, want)
		}
		if len(page) == 0 {
			break
		}
		pages, f.After = append(pages, page), page[len(page)-1].ID
		for _, u := range page {
			ids = append(ids, u.ID)
		}
	}
	f.After = ""
	for i := len(pages) - 1; i > 0; i-- {
		f.Before = pages[i][0].ID
		before, _, err := s.Users(t.Context(), f, now)
		must(t, err)
		if !slices.Equal(idsOf(before), idsOf(pages[i-1])) {
			t.Errorf("%q: before page %d stands %v, want %v", search, i, idsOf(before), idsOf(pages[i-1]))
		}
	}
	return ids
}

func idsOf(people []store.ListedUser) (ids []auth.UserID) {
	for _, u := range people {
		ids = append(ids, u.ID)
	}
	return ids
}

func TestWhoeversAddressBeginsSoIsListedFirst(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for _, at := range []string{"zoe@example.org", "anna.zoe@example.org", "zoe.b@example.org", "b@zoe.example", "eve@example.org"} {
			storetest.Person(t, s, at)
		}
		people, _, err := s.Users(t.Context(), store.UserFilter{Search: "Zoe"}, now)
		must(t, err)
		var got []string
		for _, u := range people {
			got = append(got, u.Canonical)
		}
		if want := []string{"zoe.b@example.org", "zoe@example.org", "anna.zoe@example.org", "b@zoe.example"}; !slices.Equal(got, want) {
			t.Errorf("listed are %v, want %v", got, want)
		}
	})
}

// What a search goes by follows every change of an account.
func TestASearchFollowsNewNamesAndAddresses(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := inSession(t, s, storetest.Person(t, s, "ada@example.org"))
		storetest.Person(t, s, "eve@example.org")
		finds := func(search string, want int) {
			t.Helper()
			if _, found, err := s.Users(t.Context(), store.UserFilter{Search: search}, now); err != nil || found != want {
				t.Errorf("%q finds %d (%v), want %d", search, found, err, want)
			}
		}
		link := play{t, s}.link(func(m store.Mailed) error { return s.AskNewAddress(t.Context(), by, newcomer(t).Address, m, now) })
		_, err := s.ChangeAddress(t.Context(), by, link, now)
		must(t, err)
		finds("ada@", 0)
		finds(newcomer(t).Address.Canonical, 1)
		must(t, s.SaveName(t.Context(), by, "Augusta King", now))
		finds("sta k", 1)
		must(t, s.DeleteUser(t.Context(), eli, by.User.ID, now))
		finds("sta k", 0)
		finds("eve", 1)
	})
}

// A list that is read page by page does not begin again where the last of a page is
// deleted meanwhile.
func TestAListGoesOnAfterSomebodyWhoWasDeleted(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for _, at := range []string{"ada@example.org", "bea@example.org", "cem@example.org", "dana@example.org"} {
			storetest.Person(t, s, at)
		}
		for _, search := range []string{"", "example"} {
			f := store.UserFilter{Search: search, Limit: 2, Beyond: "bea@example.org"}
			people, _, err := s.Users(t.Context(), f, now)
			must(t, err)
			if len(people) != 2 || people[0].Canonical != "cem@example.org" {
				t.Errorf("%q: after Bea come %v", search, idsOf(people))
			}
			if u, err := s.UserByAddress(t.Context(), "bea@example.org"); err == nil {
				must(t, s.DeleteUser(t.Context(), eli, u.ID, now))
			}
		}
	})
}
