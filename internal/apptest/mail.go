package apptest

import (
	"context"
	"net/url"
	"regexp"
	"slices"
	"sync"
	"testing"

	"github.com/twinlock/twinlock/internal/mail"
)

// Mail is the mail box of everybody. It is safe for concurrent use.
type Mail struct {
	mu   sync.Mutex
	all  []mail.Message
	fail error        // what every letter meets; nil: it is taken in
	send func() error // empties the queue into the box
}

func newMail() *Mail { return &Mail{} }

// Send takes a letter in.
func (m *Mail) Send(_ context.Context, message mail.Message) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail == nil {
		m.all = append(m.all, message)
	}
	return m.fail
}

// taken is how many letters are in the box.
func (m *Mail) taken() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.all)
}

// Refuse takes no letter in any more, for this reason; nil ends that.
func (m *Mail) Refuse(why error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = why
}

// To gives what was sent to an address so far, oldest first. Letters that
// still wait in the queue are sent before.
func (m *Mail) To(t testing.TB, address string) []mail.Message {
	t.Helper()
	if err := m.send(); err != nil {
		t.Fatal(err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(m.all), func(l mail.Message) bool { return l.To.Address != address })
}

// Kinds gives the kinds of what was sent to an address so far.
func (m *Mail) Kinds(t testing.TB, address string) (kinds []mail.Kind) {
	t.Helper()
	for _, l := range m.To(t, address) {
		kinds = append(kinds, l.Kind)
	}
	return kinds
}

// Last gives the newest letter to an address.
func (m *Mail) Last(t testing.TB, address string) mail.Message {
	t.Helper()
	all := m.To(t, address)
	if len(all) == 0 {
		t.Fatalf("no letter to %s", address)
	}
	return all[len(all)-1]
}

var linkWithToken = regexp.MustCompile(`https?://[^\s<>"]+[?/=][A-Za-z0-9_-]{43}\b`)

// Link gives the one link with a token in a letter, as an address to open.
func Link(t testing.TB, letter mail.Message) string {
	t.Helper()
	found := linkWithToken.FindAllString(letter.Text, -1)
	if len(found) != 1 {
		t.Fatalf("%d links with a token in this letter:\n%s", len(found), letter.Text)
	}
	link, err := url.Parse(found[0])
	if err != nil {
		t.Fatal(err)
	}
	return link.RequestURI()
}
