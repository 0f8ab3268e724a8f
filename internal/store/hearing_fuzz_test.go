package store_test

import (
	"encoding/json"
	"reflect"
	"strconv"
	"testing"

	"github.com/twinlock/twinlock/internal/store"
)

// FuzzNews: what another server says is obeyed as it was said, or everything that
// is remembered is forgotten; whatever comes, no ending is lost.
func FuzzNews(f *testing.F) {
	for _, text := range []string{
		`{"from":"a","ending":"e","users":["u1","u2"]}`, `{"from":"a","heard":["e"]}`, `{"from":"a","plugins":true}`, `{"from":"a","everybody":true,"applications":true}`,
		``, `{`, `null`, `[]`, `"a"`, `{"from":"a","groups":["g"]}`, `{"from":1}`, `{"users":null}`, `{"users":"u1"}`, `{"users":["u1"]}{"users":["u2"]}`, `{"Users":["u1"],"users":["u2"]}`,
		"{\"users\":[\"\xff\"]}", `{"from":"a","users":["u1"],"ending":"e"} trailing`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		heard := store.ReadNews(text)
		var said map[string]any
		whole := json.Unmarshal([]byte(text), &said) == nil
		if !whole && !heard.Everybody {
			t.Errorf("%q cannot be read, and not everybody is forgotten: %+v", text, heard)
		}
		known := map[string]bool{"from": true, "ending": true, "heard": true, "users": true, "plugins": true, "everybody": true, "applications": true}
		for name := range said {
			if !known[lower(name)] && !heard.Everybody {
				t.Errorf("%q says %q, which is not understood, and not everybody is forgotten", text, name)
			}
		}
		if again := store.ReadNews(text); !reflect.DeepEqual(heard, again) {
			t.Errorf("%q: %+v, then %+v", text, heard, again)
		}
	})
}

func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// FuzzBeat: only the beat that was said proves that this server hears.
func FuzzBeat(f *testing.F) {
	for _, text := range []string{"7", "07", "+7", "-7", "7 ", "", "x", "9223372036854775807", "9223372036854775808", "71", "0"} {
		f.Add(int64(7), text)
	}
	f.Fuzz(func(t *testing.T, number int64, text string) {
		if number < 0 {
			return
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if said := err == nil && n == number; store.HearBeat(number, text) != said {
			t.Errorf("%q heard for beat %d: %v", text, number, !said)
		}
	})
}
