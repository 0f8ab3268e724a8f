package main

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/throttle"
)

const (
	sessionsEach = 2
	eventsEach   = 10
	daysBack     = 430 // of events: the last weeks of them are kept no longer
	known        = 500 // people and sessions of the first ones may log in, and are live
)

// row is what one INSERT puts into one table.
type row []any

// table is how the rows of a table are made, each from its number alone.
type table struct {
	name    string
	columns []string
	rows    int
	make    func(i int) row
}

// filling makes what a site holds after a while.
type filling struct {
	people int
	hash   string // of everybody's password
	now    time.Time
}

func (f filling) tables() []table {
	return []table{
		{"groups", []string{"id", "name", "canonical", "open_window"}, groups, f.group},
		{"users", []string{"id", "address", "canonical", "name", "language", "theme", "state", "administrator", "must_use_two_factor",
			"two_factor_since", "generation", "password_hash", "password_changed_at", "created_at", "last_login_at"}, f.people, f.user},
		{"memberships", []string{"group_id", "user_id"}, f.people, f.membership},
		{"authenticators", []string{"id", "user_id", "sealed_key", "last_step", "created_at", "last_used_at"}, f.people / protectedEach, f.authenticator},
		{"recovery_sets", []string{"user_id", "salt", "made_at"}, f.people / protectedEach, f.recoverySet},
		{"recovery_codes", []string{"user_id", "position", "hash", "used_at"}, f.people / protectedEach * 10, f.recoveryCode},
		{"devices", []string{"token_hash", "user_id", "created_at", "last_used_at"}, f.people / 2, f.device},
		{"throttle", []string{"bucket", "failures", "first_at", "last_at", "closed_at", "user_id"}, f.people / 50, f.count},
		{"letters", []string{"id", "kind", "sealed", "created_at", "next_at", "tries", "done_at", "failure"}, f.people / 20, f.letter},
		{"sessions", []string{"id", "token_hash", "user_id", "generation", "began_at", "last_seen_at", "password_at", "code_at",
			"returned_at", "device", "network", "window_failures", "ended_at", "ended_by"}, f.people * sessionsEach, f.session},
		{"events", []string{"id", "at", "kind", "actor", "subject", "session", "device", "network", "detail"}, f.people * eventsEach, f.event},
	}
}

const (
	groups        = 20
	protectedEach = 20 // one in so many has two-factor authentication on
)

var (
	given = []string{"Ada", "Ben", "Clara", "David", "Emma", "Finn", "Greta", "Hannes", "Ida", "Jonas", "Katharina", "Leon", "Mia", "Noah",
		"Olga", "Paul", "Quentin", "Rosa", "Samuel", "Tilda", "Uwe", "Vera", "Wilhelm", "Xenia", "Yusuf", "Zoe", "Özlem", "Jürgen", "Søren", "Aylin",
		"Mehmet", "Nikolaos", "Siobhan", "Matteo", "Giulia", "Håkon", "Łukasz", "Zsófia", "Chinedu", "Fatima"}
	family = []string{"Lovelace", "Schmidt", "Müller", "Wagner", "Becker", "Hoffmann", "Schäfer", "Koch", "Bauer", "Richter", "Klein", "Wolf",
		"Schröder", "Neumann", "Schwarz", "Zimmermann", "Braun", "Krüger", "Hofmann", "Hartmann", "Lange", "Schmitt", "Werner", "Krause", "Meier",
		"Lehmann", "Schmid", "Schulze", "Maier", "Köhler", "Herrmann", "König", "Walter", "Mayer", "Huber", "Kaiser", "Fuchs", "Peters", "Lang",
		"Scholz", "Möller", "Weiß", "Jung", "Hahn", "Vogel", "Friedrich", "Keller", "Günther", "Frank", "Berger", "Winkler", "Roth", "Beck", "Lorenz",
		"Baumann", "Franke", "Albrecht", "Schuster", "Simon", "Ludwig", "Böhm", "Winter", "Kraus", "Martin", "Schumacher", "Krämer", "Vogt", "Stein",
		"Jäger", "Otto", "Sommer", "Groß", "Seidel", "Heinrich", "Brandt", "Haas", "Schreiber", "Graf", "Schulte", "Dietrich", "Ziegler", "Kuhn",
		"Kühn", "Pohl", "Engel", "Horn", "Busch", "Bergmann", "Thomas", "Voigt", "Sauer", "Arnold", "Wolff", "Pfeiffer", "O'Brien", "Papadopoulos",
		"Yılmaz", "Kowalski", "Nguyen", "Okafor"}
	plain   = map[rune]string{'ä': "ae", 'ö': "oe", 'ü': "ue", 'ß': "ss", 'ø': "o", 'å': "a", 'ł': "l", 'ó': "o", 'ı': "i", '\'': ""}
	domains = []string{"example.org", "mail.example", "web.example", "post.example.net", "staff.example.com", "uni.example.edu", "xn--bcher-kva.example"}
	shown   = map[string]string{"xn--bcher-kva.example": "bücher.example"}
	devices = []string{
		"Mozilla/5.0 (X11; Linux x86_64; rv:147.0) Gecko/20100101 Firefox/147.0",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/145.0.0.0 Safari/537.36",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 19_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.2 Mobile/15E148 Safari/604.1",
	}
	kinds = []struct {
		kind   auth.EventKind
		share  int // of a hundred; the last one has the rest
		detail string
	}{
		{auth.EventLogin, 46, ""}, {auth.EventLogout, 12, ""}, {auth.EventApplicationOpened, 18, "Wiki"}, {auth.EventReturned, 6, ""},
		{auth.EventLoginRefused, 6, "wrong password"}, {auth.EventConfirmed, 4, ""}, {auth.EventSessionEnded, 3, "replaced"},
		{auth.EventResetRequested, 1, ""}, {auth.EventPasswordChanged, 1, ""}, {auth.EventUserChanged, 1, "language and appearance"},
		{auth.EventUserAdded, 1, ""}, {auth.EventCodeRefused, 1, ""},
	}
)

// random is the same for the same number, whoever asks.
func random(what uint64, i int) *rand.Rand { return rand.New(rand.NewPCG(what, uint64(i))) }

// What random numbers are drawn for.
const (
	ofUser = iota + 1
	ofSession
	ofEvent
	ofLetter
	ofOther
)

var letters = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// id names a row, as the program would.
func id(what uint64, i int) string {
	var text [16]byte
	r := random(what, -1-i)
	binary.BigEndian.PutUint64(text[:], r.Uint64())
	binary.BigEndian.PutUint64(text[8:], r.Uint64())
	return letters.EncodeToString(text[:])
}

// token is what the browser of a session holds.
func token(what uint64, i int) [32]byte {
	return sha256.Sum256(fmt.Appendf(nil, "growth %d %d", what, i))
}

func revealed(t [32]byte) string { return base64.RawURLEncoding.EncodeToString(t[:]) }

func hashed(t [32]byte) []byte {
	h := sha256.Sum256(t[:])
	return h[:]
}

// name and address are of one person.
func name(i int) (first, last string) {
	r := random(ofUser, i)
	return given[r.IntN(len(given))], family[r.IntN(len(family))]
}

func canonical(i int) string {
	first, last := name(i)
	return fmt.Sprintf("%s.%s%d@%s", inASCII(first), inASCII(last), i, domains[i%len(domains)])
}

func inASCII(word string) string {
	var out []byte
	for _, letter := range word {
		switch {
		case letter >= 'A' && letter <= 'Z':
			out = append(out, byte(letter-'A'+'a'))
		case letter < 0x80 && letter != '\'':
			out = append(out, byte(letter))
		default:
			out = append(out, plain[letter]...)
		}
	}
	return string(out)
}

// before is a moment in the last days.
func (f filling) before(r *rand.Rand, days float64) int64 {
	return f.now.UnixMilli() - int64(r.Float64()*days*24*3600*1000)
}

func (f filling) group(i int) row {
	name := fmt.Sprintf("Department %d", i+1)
	return row{id(ofOther, i), name, fmt.Sprintf("department %d", i+1), int64(-1)}
}

func (f filling) user(i int) row {
	r := random(ofUser, i)
	first, last := given[r.IntN(len(given))], family[r.IntN(len(family))]
	at := canonical(i)
	spelling := at
	if unicode := shown[domains[i%len(domains)]]; unicode != "" {
		spelling = at[:len(at)-len(domains[i%len(domains)])] + unicode
	}
	state, since, hash := "active", int64(0), f.hash
	switch {
	case i >= known && i%200 == 0:
		state = "disabled"
	case i >= known && i%97 == 0:
		hash = "" // invited
	}
	if i%protectedEach == protectedEach-1 {
		since = f.before(r, 300)
	}
	created := f.before(r, 700)
	return row{id(ofUser, i), spelling, at, first + " " + last, "", "", state, false, false, since, int64(1), hash, created, created, f.before(r, 60)}
}

func (f filling) membership(i int) row { return row{id(ofOther, i%groups), id(ofUser, i)} }

// protected is the i-th person with two-factor authentication on.
func protected(i int) string { return id(ofUser, i*protectedEach+protectedEach-1) }

func (f filling) authenticator(i int) row {
	sealed := token(ofOther, i)
	return row{id(ofOther, groups+i), protected(i), append(sealed[:], sealed[:]...), int64(50_000_000), f.before(random(ofOther, i), 300), int64(0)}
}

func (f filling) recoverySet(i int) row {
	salt := token(ofOther, i)
	return row{protected(i), salt[:16], f.before(random(ofOther, i), 300)}
}

func (f filling) recoveryCode(i int) row {
	hash := token(ofOther, i)
	return row{protected(i / 10), int64(i % 10), hash[:], int64(0)}
}

func (f filling) device(i int) row {
	seen := f.before(random(ofOther, i), 390)
	return row{hashed(token(ofOther, i)), id(ofUser, i*2), seen, seen}
}

// count is one of failures; one in ten of them closed a door.
func (f filling) count(i int) row {
	at := f.before(random(ofOther, i), 25)
	who := i * 50
	if i%10 == 0 && who >= known {
		return row{string(throttle.Password(canonical(who))), int64(100), at, at, at, id(ofUser, who)}
	}
	return row{string(throttle.Password(canonical(who))), int64(3), at, at, int64(0), nil}
}

func (f filling) letter(i int) row {
	at := f.before(random(ofLetter, i), 29)
	failure := ""
	if i%1000 == 0 {
		failure = "550 no such mailbox"
	}
	return row{id(ofLetter, i), "new-device", []byte{}, at, at, int64(1), at + 1000, failure}
}

// session is live for the first ones; of the others nearly all have ended.
func (f filling) session(i int) row {
	r := random(ofSession, i)
	who, began, ended, why := i%f.people, f.before(r, 30), int64(0), ""
	switch {
	case i < known || i%50 == 0:
		began = f.before(r, 0.01)
	case i%20 != 1: // the rest lapsed
		ended, why = min(began+int64(r.IntN(24*3600*1000)), f.now.UnixMilli()), "logout"
	}
	return row{id(ofSession, i), hashed(token(ofSession, i)), id(ofUser, who), int64(1), began, began, began, int64(0), int64(0),
		devices[r.IntN(len(devices))], network(r), int64(0), ended, why}
}

func network(r *rand.Rand) string { return fmt.Sprintf("198.51.%d.%d", r.IntN(256), r.IntN(256)) }

// event has its time from its number, so that the oldest are written first.
func (f filling) event(i int) row {
	r := random(ofEvent, i)
	back := time.Duration(float64(daysBack*24*time.Hour) * (1 - float64(i)/float64(f.people*eventsEach)))
	n, k := r.IntN(1000), 0
	for n -= 10 * kinds[0].share; n >= 0 && k < len(kinds)-1; n -= 10 * kinds[k].share {
		k++
	}
	subject := id(ofUser, r.IntN(f.people))
	return row{id(ofEvent, i), f.now.Add(-back).UnixMilli(), string(kinds[k].kind), subject, subject, id(ofSession, r.IntN(f.people*sessionsEach)),
		devices[r.IntN(len(devices))], network(r), kinds[k].detail}
}
