package faults

import (
	"fmt"
	"strings"

	"golang.org/x/oauth2"

	"github.com/twinlock/twinlock/faults/kit"
	"github.com/twinlock/twinlock/internal/apptest"
)

// write is something that people do and the database keeps. Its name is the words
// of the table.
type write struct {
	name  string
	begin func(*stage) try
}

// try is a write that is ready to be sent, and what tells what became of it.
type try struct {
	send  func() (acknowledged bool)
	done  func() bool            // by what the database holds
	again func() (taken bool)    // sends once more what can be used once; nil: it may be done often
	kept  func() bool            // that what an acknowledged one gave works; nil: that it is done says all
	half  func(done bool) string // what does not fit together, "" for nothing; nil: it is of one piece
}

func (t try) isKept() bool { return t.kept == nil || t.kept() }

func (t try) looksHalf(done bool) string {
	if t.half == nil {
		return ""
	}
	return t.half(done)
}

// mailed is somebody who got a letter with a link.
type mailed struct {
	*kit.Person
	browser *apptest.Browser
	link    string
}

var writes = []write{
	{"sign-up", signUp}, {"confirm", confirm}, {"login", logIn}, {"login code", loginCode}, {"recovery code", recoveryCode},
	{"enable", enable}, {"disable", disable}, {"forgotten password", forgottenPassword},
	{"authorization code", authorizationCode}, {"refresh", refresh}, {"consent", consent}, {"administrator's change", administratorsChange},
}

// provide lets so many people sign up, and ask for a new password, before anything
// is broken: their letters take a while.
func (s *stage) provide(n int) {
	s.Helper()
	for range n {
		up := mailed{Person: &kit.Person{Address: s.newAddress(), Password: kit.Password}, browser: s.browser()}
		up.browser.Get("/register").Form("Create account").Fill("Email", up.Address).Fill("Password", up.Password).Press().WantStatus(200)
		anew := mailed{Person: s.newPerson(), browser: s.browser()}
		anew.browser.Get("/forgot-password").Form("Send reset link").Fill("Email", anew.Address).Press().WantStatus(200)
		s.signups, s.resets = append(s.signups, up), append(s.resets, anew)
	}
	for i := range n {
		s.signups[i].link = s.Link(s.signups[i].Address, "/register/confirm")
		s.resets[i].link = s.Link(s.resets[i].Address, "/forgot-password/new")
	}
}

// one takes the first of many.
func one[T any](of *[]T) T {
	first := (*of)[0]
	*of = (*of)[1:]
	return first
}

// agreed tells whether a form was answered with a step onward.
func agreed(page *apptest.Page) bool { return page.Status > 0 && page.Status < 400 }

// signedIn tells whether a browser is.
func signedIn(b *apptest.Browser) bool {
	page := b.Get("/account")
	return page.Status == 200 && page.Path == "/account"
}

func signUp(s *stage) try {
	address := s.newAddress()
	form := s.browser().Get("/register").Form("Create account").Fill("Email", address).Fill("Password", kit.Password)
	return try{
		send: func() bool { return agreed(form.PressOnce()) },
		done: func() bool {
			done := s.number(`SELECT count(*) FROM signups WHERE canonical = $1`, address) == 1
			if done {
				s.expected = append(s.expected, address)
			}
			return done
		},
	}
}

func confirm(s *stage) try {
	up := one(&s.signups)
	form := up.browser.Get(up.link).Form("Confirm address")
	return try{
		send: func() bool { return agreed(form.PressOnce()) },
		done: func() bool { return s.number(`SELECT count(*) FROM users WHERE canonical = $1`, up.Address) == 1 },
		kept: func() bool { return signedIn(up.browser) },
		again: func() bool {
			page := up.browser.Get(up.link)
			return page.HasButton("Confirm address") && agreed(page.Form("Confirm address").PressOnce())
		},
		half: func(done bool) string {
			if waiting := s.number(`SELECT count(*) FROM signups WHERE canonical = $1`, up.Address) == 1; waiting == done {
				return fmt.Sprintf("the sign-up waits: %v", waiting)
			}
			return ""
		},
	}
}

// sessions counts the ones that a person ever began.
func (s *stage) sessions(p *kit.Person) int64 {
	s.Helper()
	return s.number(`SELECT count(*) FROM sessions s JOIN users u ON u.id = s.user_id WHERE u.canonical = $1`, p.Address)
}

func logIn(s *stage) try {
	b, before := s.browser(), s.sessions(s.plain)
	form := b.Get("/login").Form("Login").Fill("Email", s.plain.Address).Fill("Password", s.plain.Password)
	return try{
		send: func() bool { return agreed(form.PressOnce()) },
		done: func() bool { return s.sessions(s.plain) == before+1 },
		kept: func() bool { return signedIn(b) },
	}
}

// asked goes through the login of the protected person up to the code.
func (s *stage) asked() (*apptest.Browser, *apptest.Page) {
	b := s.browser()
	return b, kit.LogIn(b, s.protected)
}

// codeOnce is a login by a code that can be used once, of which spent tells.
func (s *stage) codeOnce(code string, spent func() bool) try {
	b, page := s.asked()
	form, before := page.Form("Send code").Fill("Login code", code), s.sessions(s.protected)
	return try{
		send: func() bool { return agreed(form.PressOnce()) },
		done: spent,
		kept: func() bool { return signedIn(b) },
		again: func() bool {
			_, page := s.asked()
			return agreed(page.Form("Send code").Fill("Login code", code).PressOnce())
		},
		half: func(done bool) string {
			if made := s.sessions(s.protected) - before; made > 0 && !done {
				return "somebody is signed in, and the code can be used again"
			}
			return ""
		},
	}
}

func loginCode(s *stage) try {
	code := s.Code(s.protected)
	step := s.Now().Unix() / 30
	return s.codeOnce(code, func() bool {
		return s.number(`SELECT a.last_step FROM authenticators a JOIN users u ON u.id = a.user_id WHERE u.canonical = $1`, s.protected.Address) >= step
	})
}

func recoveryCode(s *stage) try {
	if len(s.codes) == 0 {
		s.protected, s.codes = s.newProtected()
	}
	code, before := one(&s.codes), s.usedRecoveryCodes()
	return s.codeOnce(code, func() bool { return s.usedRecoveryCodes() == before+1 })
}

func (s *stage) usedRecoveryCodes() int64 {
	return s.number(`SELECT count(*) FROM recovery_codes c JOIN users u ON u.id = c.user_id WHERE u.canonical = $1 AND c.used_at > 0`, s.protected.Address)
}

// factors looks at a person's second factors.
func (s *stage) factors(p *kit.Person) (on bool, half string) {
	s.Helper()
	on = s.number(`SELECT two_factor_since FROM users WHERE canonical = $1`, p.Address) > 0
	for table, want := range map[string]int64{"authenticators": 1, "recovery_sets": 1, "recovery_codes": 10} {
		if !on {
			want = 0
		}
		if got := s.number(`SELECT count(*) FROM `+table+` t JOIN users u ON u.id = t.user_id WHERE u.canonical = $1`, p.Address); got != want {
			half += fmt.Sprintf("two-factor authentication %v with %d rows of %s; ", on, got, table)
		}
	}
	return on, half
}

// turns tells whether a form turns two-factor authentication on or off.
func (s *stage) turns(p *kit.Person, form *apptest.Form) bool {
	s.Helper()
	before, _ := s.factors(p)
	form.PressOnce()
	after, _ := s.factors(p)
	return before != after
}

func enable(s *stage) try {
	p, b := s.newPerson(), s.browser()
	s.SignIn(b, p)
	page := b.Get("/account/two-factor")
	p.Key = strings.ReplaceAll(page.Definition("Secret key"), " ", "")
	form := page.Form("Activate").Fill("Login code", s.Code(p))
	return try{
		send:  func() bool { return agreed(form.PressOnce()) },
		done:  func() bool { on, _ := s.factors(p); return on },
		kept:  func() bool { return kit.LogIn(s.browser(), p).HasButton("Send code") },
		again: func() bool { return s.turns(p, form) },
		half:  func(bool) string { _, half := s.factors(p); return half },
	}
}

func disable(s *stage) try {
	p, b := s.newPerson(), s.browser()
	s.SignIn(b, p)
	s.EnableTwoFactor(b, p)
	form := b.Get("/account/two-factor").Form("Disable").Fill("Login code", s.Code(p))
	return try{
		send:  func() bool { return agreed(form.PressOnce()) },
		done:  func() bool { on, _ := s.factors(p); return !on },
		kept:  func() bool { return !kit.LogIn(s.browser(), p).HasButton("Send code") },
		again: func() bool { return s.turns(p, form) },
		half:  func(bool) string { _, half := s.factors(p); return half },
	}
}

func forgottenPassword(s *stage) try {
	anew := one(&s.resets)
	const chosen = "nine grey geese over Ghent"
	form := anew.browser.Get(anew.link).Form("Set new password").Fill("New password", chosen)
	changed := func() int64 {
		return s.number(`SELECT password_changed_at FROM users WHERE canonical = $1`, anew.Address)
	}
	before := changed()
	return try{
		send: func() bool { return agreed(form.PressOnce()) },
		done: func() bool { return changed() != before },
		kept: func() bool {
			b := s.browser()
			kit.LogIn(b, &kit.Person{Address: anew.Address, Password: chosen})
			return signedIn(b)
		},
		again: func() bool {
			page := s.browser().Get(anew.link)
			return page.HasButton("Set new password") && agreed(page.Form("Set new password").Fill("New password", chosen).PressOnce())
		},
		half: func(done bool) string {
			if used := s.number(`SELECT count(*) FROM links l JOIN users u ON u.id = l.user_id WHERE u.canonical = $1 AND l.used_at > 0`, anew.Address) == 1; used != done {
				return fmt.Sprintf("the link is used: %v", used)
			}
			return ""
		},
	}
}

// authorized lets the person who is signed in go to the application, and gives
// the code that it gets.
func (s *stage) authorized() (kit.Visit, string) {
	s.Helper()
	v := s.wiki.Begin()
	page := s.inside.Ask(s.inside.Request("GET", v.Address, nil))
	if page.HasButton("Allow") {
		page = page.Form("Allow").PressOnce()
	}
	code := s.wiki.CodeOf(page)
	if code == "" {
		s.Fatalf("%s: status %d, no code: %s %s", page.Path, page.Status, page.Header.Get("Location"), page.Text())
	}
	return v, code
}

// grants counts those that fit.
func (s *stage) grants(that string) int64 {
	s.Helper()
	return s.number(`SELECT count(*) FROM grants WHERE ` + that)
}

func authorizationCode(s *stage) try {
	v, code := s.authorized()
	before := s.grants(`code_used_at > 0`)
	var got kit.Tokens
	exchange := func() bool {
		got = s.wiki.Exchange(0, v, code)
		return got.Status == 200
	}
	return try{
		send:  exchange,
		done:  func() bool { return s.grants(`code_used_at > 0`) == before+1 },
		kept:  func() bool { return s.wiki.Opens(0, got.Access) },
		again: exchange,
		half:  func(bool) string { return s.tokensHalf() },
	}
}

// tokensHalf looks for tokens of a code that was not used, and for two refresh
// tokens that count.
func (s *stage) tokensHalf() string {
	s.Helper()
	if n := s.grants(`code_used_at = 0 AND id IN (SELECT grant_id FROM tokens)`); n > 0 {
		return fmt.Sprintf("%d grants have tokens for a code that was not used", n)
	}
	if n := s.grants(`(SELECT count(*) FROM tokens WHERE grant_id = grants.id AND kind = 'refresh' AND used_at = 0) > 1`); n > 0 {
		return fmt.Sprintf("%d grants have several refresh tokens", n)
	}
	if n := s.grants(`code_used_at > 0 AND ended_at = 0 AND (SELECT count(*) FROM tokens WHERE grant_id = grants.id AND kind = 'refresh' AND used_at = 0) = 0`); n > 0 {
		return fmt.Sprintf("%d grants have no refresh token", n)
	}
	return ""
}

func refresh(s *stage) try {
	v, code := s.authorized()
	old := s.wiki.Exchange(0, v, code)
	used := func() int64 { return s.number(`SELECT count(*) FROM tokens WHERE kind = 'refresh' AND used_at > 0`) }
	before := used()
	var got kit.Tokens
	rotate := func() bool {
		got = s.wiki.RefreshBy(0, old.Refresh)
		return got.Status == 200
	}
	return try{
		send:  rotate,
		done:  func() bool { return used() == before+1 },
		kept:  func() bool { return s.wiki.Opens(0, got.Access) },
		again: rotate,
		half:  func(bool) string { return s.tokensHalf() },
	}
}

func consent(s *stage) try {
	v := s.wiki.Begin(oauth2.SetAuthURLParam("prompt", "consent"))
	form := s.inside.Get(v.Address).Form("Allow")
	given := func() int64 { return s.number(`SELECT coalesce(max(given_at), 0) FROM consents`) }
	beforeGiven, beforeGrants := given(), s.grants(`TRUE`)
	var code string
	return try{
		send: func() bool {
			code = s.wiki.CodeOf(form.PressOnce())
			return code != ""
		},
		done: func() bool { return given() != beforeGiven },
		kept: func() bool { return s.wiki.Exchange(0, v, code).Status == 200 },
		half: func(done bool) string {
			if made := s.grants(`TRUE`) != beforeGrants; made != done {
				return fmt.Sprintf("consent given: %v, and a grant made: %v", done, made)
			}
			return ""
		},
	}
}

func administratorsChange(s *stage) try {
	s.people++
	name := fmt.Sprintf("Staff %d", s.people)
	form := s.root.Get("/admin/groups").Form("Add group").Fill("Name of the group", name)
	return try{
		send: func() bool { return agreed(form.PressOnce()) },
		done: func() bool { return s.number(`SELECT count(*) FROM groups WHERE name = $1`, name) == 1 },
		half: func(bool) string {
			groups, events := s.number(`SELECT count(*) FROM groups`), s.number(`SELECT count(*) FROM events WHERE kind = 'group.added'`)
			if groups != events {
				return fmt.Sprintf("%d groups, and %d events tell of one", groups, events)
			}
			return ""
		},
	}
}
