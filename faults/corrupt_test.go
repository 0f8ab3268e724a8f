package faults

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/twinlock/twinlock/faults/kit"
	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/apptest/program"
	"github.com/twinlock/twinlock/internal/passkey/passkeytest"
)

// A row of which a bit is wrong opens nothing: whoever it belongs to is refused,
// never taken for somebody without two-factor authentication, and the
// administrator finds an event or a line in the log, but for a session, which is
// nobody's then. Others are not touched.
func TestABitOfARowIsWrong(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	kit.Each(t, func(t *testing.T, engine kit.Engine) {
		t.Parallel()
		t.Logf("seed %d", seed)
		began, rounds := time.Now(), often(8, 1)
		w := newDamage(t, engine, rand.New(rand.NewPCG(seed, 0)))
		for _, c := range columns {
			for range rounds {
				w.damages(c)
			}
		}
		table.Add(t, kit.Row{Fault: "a bit of a row is wrong", Engine: engine, Runs: rounds * len(columns),
			Held:    "refused, and never taken for somebody without two-factor authentication",
			Figures: []string{fmt.Sprintf("%d columns: keys, hashes, salts, sessions, letters, signing keys, passkeys and their counters, secrets of applications", len(columns))}, Took: time.Since(began)})
	})
}

// damage is a site of which rows are damaged.
type damage struct {
	*testing.T
	*kit.Site
	db     *sql.DB
	lot    *rand.Rand
	ada    *kit.Person                // whose rows they are
	eve    *kit.Person                // whose passkey it is
	bob    *kit.Person                // whose they are not
	device *passkeytest.Authenticator // Eve's
	wiki   *kit.Application
	inside *apptest.Browser // in a session of Ada's
}

func newDamage(t *testing.T, engine kit.Engine, lot *rand.Rand) *damage {
	t.Helper()
	w := &damage{T: t, lot: lot, Site: kit.Start(t, engine, 1, "--session-idle", "30d", "--session-overall", "90d", "--sessions-per-user", "1000",
		"--throttle-free", "20", "--throttle-longest-wait", "1s", "--wrong-codes-in-all", "1000")}
	driver, address := "pgx", w.Address
	if file, ok := strings.CutPrefix(w.Address, "sqlite:"); ok {
		driver, address = "sqlite", "file:"+file+"?_pragma=busy_timeout(5000)"
	}
	var err error
	if w.db, err = sql.Open(driver, address); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.db.Close() })
	administered(w.Site)
	w.wiki = w.Application("Wiki")
	w.ada, w.bob, w.eve = w.Person("ada@example.org"), w.Person("bob@example.org"), w.Person("eve@example.org")
	b := w.newBrowser()
	w.SignIn(b, w.ada)
	w.EnableTwoFactor(b, w.ada)
	w.Activate("passkeys")
	b, w.device = w.newBrowser(), passkeytest.New(t)
	w.SignIn(b, w.eve)
	b.Get("/account/passkeys/new").NewPasskey(w.device).Press().WantStatus(200)
	return w
}

func (w *damage) newBrowser() *apptest.Browser {
	return w.Browser(0, fmt.Sprintf("127.0.%d.%d", 1+w.lot.IntN(200), 1+w.lot.IntN(200)))
}

// column is one of which a bit is wrong, in the rows of a person, or in all.
type column struct {
	table, name, that string
	before            func(*damage) // makes the row
	look              func(*damage)
	tells             string // the event that there is more of then; "" where look looks, or for what is nobody's
	restart           bool   // what is remembered is forgotten before
}

const (
	adas = `user_id IN (SELECT id FROM users WHERE canonical = 'ada@example.org')`
	eves = `user_id IN (SELECT id FROM users WHERE canonical = 'eve@example.org')`
)

var columns = []column{
	{table: "authenticators", name: "sealed_key", that: adas, look: (*damage).keyIsUnreadable, tells: "factor.unreadable"},
	{table: "recovery_codes", name: "hash", that: adas, look: (*damage).recoveryCodesAreWrong, tells: "login.code_refused"},
	{table: "recovery_sets", name: "salt", that: adas, look: (*damage).recoveryCodesAreWrong, tells: "login.code_refused"},
	{table: "users", name: "password_hash", that: `canonical = 'ada@example.org'`, look: (*damage).passwordIsWrong, tells: "login.refused"},
	{table: "sessions", name: "token_hash", that: adas, before: (*damage).entered, look: (*damage).sessionIsOver, restart: true},
	{table: "letters", name: "sealed", that: `done_at = 0`, before: (*damage).letterWaits, look: (*damage).letterIsGivenUp},
	{table: "signing_keys", name: "sealed", that: `TRUE`, look: (*damage).nothingIsSigned, restart: true},
	{table: "passkeys", name: "sealed_key", that: eves, look: (*damage).passkeyIsRefused, tells: "factor.unreadable"},
	{table: "passkeys", name: "sign_count", that: eves, look: (*damage).passkeyIsRefused, tells: "passkey.counter_back"},
	{table: "clients", name: "secret_hash", that: `TRUE`, before: (*damage).anHourGoesBy, look: (*damage).secretIsWrong, tells: "application.secret_refused"},
}

// damages turns a bit of each row, looks, and turns it back.
func (w *damage) damages(c column) {
	w.Helper()
	if c.before != nil {
		c.before(w)
	}
	undo := w.flip(c)
	if c.restart {
		w.Servers[0].Restart()
	}
	told := w.events(c.tells)
	c.look(w)
	if c.tells != "" && w.events(c.tells) == told {
		w.Errorf("%s.%s: the administrator finds no event %s", c.table, c.name, c.tells)
	}
	b := w.newBrowser()
	kit.LogIn(b, w.bob)
	if !signedIn(b) {
		w.Errorf("%s.%s: somebody else is not let in", c.table, c.name)
	}
	undo()
	if c.restart {
		w.Servers[0].Restart()
	}
	w.letIn(c)
}

// letIn sees that all is well with the row as it was.
func (w *damage) letIn(c column) {
	w.Helper()
	b := w.newBrowser()
	w.SignIn(b, w.ada)
	if !signedIn(b) {
		w.Fatalf("%s.%s: nobody is let in with the row as it was", c.table, c.name)
	}
	b = w.newBrowser()
	b.Get("/login").Passkey(w.device).Press()
	if !signedIn(b) {
		w.Fatalf("%s.%s: nobody is let in by a passkey with the row as it was", c.table, c.name)
	}
	if v, code := w.codeForWiki(); w.wiki.Exchange(0, v, code).Status != 200 {
		w.Fatalf("%s.%s: the application gets no tokens with the row as it was", c.table, c.name)
	}
}

// cell is a value, and where it stands.
type cell struct {
	row   any
	value []byte
}

// flip turns a bit in each row of a column, and gives what turns it back.
func (w *damage) flip(c column) (undo func()) {
	w.Helper()
	id := map[string]string{"recovery_codes": "position", "recovery_sets": "made_at", "clients": "application_id"}[c.table]
	if id == "" {
		id = "id"
	}
	rows, err := w.db.Query(`SELECT ` + id + `, ` + c.name + ` FROM ` + c.table + ` WHERE ` + c.that)
	if err != nil {
		w.Fatal(err)
	}
	defer rows.Close()
	var cells []cell
	for rows.Next() {
		var one cell
		if err := rows.Scan(&one.row, &one.value); err != nil {
			w.Fatal(err)
		}
		cells = append(cells, one)
	}
	if rows.Close(); len(cells) == 0 {
		w.Fatalf("%s has no row", c.table)
	}
	set := func(one cell, value []byte) {
		var to any = value
		switch c.name {
		case "password_hash":
			to = string(value)
		case "sign_count":
			to, err = strconv.ParseInt(string(value), 10, 64)
			must(w, err)
		}
		if _, err := w.db.Exec(`UPDATE `+c.table+` SET `+c.name+` = $1 WHERE `+id+` = $2 AND `+c.that, to, one.row); err != nil {
			w.Fatal(err)
		}
	}
	for _, one := range cells {
		set(one, w.wrong(c, one.value))
	}
	return func() {
		for _, one := range cells {
			set(one, one.value)
		}
	}
}

// wrong turns one bit of a column's value; of a number one of those that are read.
func (w *damage) wrong(c column, value []byte) []byte {
	if c.name != "sign_count" {
		return w.withOneBitWrong(value, c.name == "password_hash")
	}
	n, err := strconv.ParseInt(string(value), 10, 64)
	must(w, err)
	return []byte(strconv.FormatInt(n^1<<w.lot.IntN(32), 10))
}

// withOneBitWrong turns one bit; of a text only so that it stays one.
func (w *damage) withOneBitWrong(value []byte, isText bool) []byte {
	for {
		wrong := append([]byte(nil), value...)
		i := w.lot.IntN(len(wrong))
		wrong[i] ^= 1 << w.lot.IntN(8)
		if !isText || utf8.Valid(wrong) && wrong[i] >= ' ' {
			return wrong
		}
	}
}

// asksForCode goes through the login of Ada up to the code, which has to be asked.
func (w *damage) asksForCode() *apptest.Form {
	w.Helper()
	page := kit.LogIn(w.newBrowser(), w.ada)
	if !page.HasButton("Send code") {
		w.Fatalf("no code is asked: %d %s", page.Status, page.Text())
	}
	return page.Form("Send code")
}

func (w *damage) keyIsUnreadable() {
	w.Helper()
	page := w.asksForCode().Fill("Login code", w.Code(w.ada)).PressOnce()
	if page.Status != 500 || !strings.Contains(page.Alert(), "ask your administrator") {
		w.Errorf("the key is damaged, and the page says %d %q", page.Status, page.Alert())
	}
	if page := w.asksForCode().Fill("Login code", one(&w.ada.RecoveryCodes)).PressOnce(); !agreed(page) {
		w.Errorf("the recovery code is refused: %d %q", page.Status, page.Alert())
	}
}

func (w *damage) events(kind string) (n int) {
	w.Helper()
	if err := w.db.QueryRow(`SELECT count(*) FROM events WHERE kind = $1`, kind).Scan(&n); err != nil {
		w.Fatal(err)
	}
	return n
}

func (w *damage) recoveryCodesAreWrong() {
	w.Helper()
	if page := w.asksForCode().Fill("Login code", w.ada.RecoveryCodes[0]).PressOnce(); agreed(page) {
		w.Error("a recovery code is taken, and its row is damaged")
	}
	if page := w.asksForCode().Fill("Login code", w.Code(w.ada)).PressOnce(); !agreed(page) {
		w.Errorf("the phone's code is refused: %d %q", page.Status, page.Alert())
	}
}

func (w *damage) passwordIsWrong() {
	w.Helper()
	b := w.newBrowser()
	page := kit.LogIn(b, w.ada)
	if page.Status == 0 || signedIn(b) {
		w.Errorf("the hash is damaged: status %d, signed in %v", page.Status, signedIn(b))
	}
}

// entered signs Ada in.
func (w *damage) entered() {
	w.inside = w.newBrowser()
	w.SignIn(w.inside, w.ada)
}

func (w *damage) sessionIsOver() {
	w.Helper()
	if signedIn(w.inside) {
		w.Error("a damaged session opens")
	}
}

// letterWaits queues a letter that the mail server does not take.
func (w *damage) letterWaits() {
	w.Mail.Stop()
	w.newBrowser().Get("/forgot-password").Form("Send reset link").Fill("Email", w.ada.Address).Press()
}

func (w *damage) letterIsGivenUp() {
	w.Helper()
	before := w.events("letter.failed")
	if err := w.Mail.Resume(); err != nil {
		w.Fatal(err)
	}
	w.Turn(5 * time.Minute) // the next try is due
	program.Eventually(w, "the damaged letter is given up, and the administrator told", func() bool { return w.events("letter.failed") > before })
	w.newBrowser().Get("/forgot-password").Form("Send reset link").Fill("Email", w.bob.Address).Press()
	w.Link(w.bob.Address, "/forgot-password/new")
}

func (w *damage) nothingIsSigned() {
	w.Helper()
	if v, code := w.codeForWiki(); code != "" {
		if got := w.wiki.Exchange(0, v, code); got.Status < 500 || got.Access != "" {
			w.Errorf("the signing key is damaged, and the application is answered %d", got.Status)
		}
	}
	if !w.Servers[0].Said("signing key") {
		w.Errorf("the log does not tell of the damaged key\n%s", w.Servers[0].Printed())
	}
}

// codeForWiki signs Bob in to the application; "" where that gives it no code.
func (w *damage) codeForWiki() (v kit.Visit, code string) {
	w.Helper()
	b := w.newBrowser()
	kit.LogIn(b, w.bob)
	v = w.wiki.Begin()
	page := b.Ask(b.Request("GET", v.Address, nil))
	if page.HasButton("Allow") {
		page = page.Form("Allow").PressOnce()
	}
	return v, w.wiki.CodeOf(page)
}

func (w *damage) passkeyIsRefused() {
	w.Helper()
	told := w.events("factor.unreadable") + w.events("passkey.counter_back")
	b := w.newBrowser()
	if page := b.Get("/login").Passkey(w.device).PressOnce(); agreed(page) || signedIn(b) {
		w.Errorf("the passkey is damaged: status %d, signed in %v", page.Status, signedIn(b))
	}
	if w.events("factor.unreadable")+w.events("passkey.counter_back") == told {
		w.Error("a damaged passkey is refused, and nobody is told")
	}
	b = w.newBrowser()
	kit.LogIn(b, w.eve)
	if signedIn(b) {
		w.Error("the passkey is damaged, and the password alone lets in")
	}
}

// anHourGoesBy lets the next wrong secret be the first of an hour, which is
// recorded.
func (w *damage) anHourGoesBy() { w.Turn(time.Hour + time.Minute) }

func (w *damage) secretIsWrong() {
	w.Helper()
	v, code := w.codeForWiki()
	if code == "" {
		w.Fatal("there is no code")
	}
	if got := w.wiki.Exchange(0, v, code); got.Status != 401 || got.Access != "" {
		w.Errorf("the secret's hash is damaged, and the application is answered %d", got.Status)
	}
}
