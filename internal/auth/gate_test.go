package auth

import (
	"slices"
	"strings"
	"testing"
	"time"
)

var wikiGate = Gate{
	Application: Application{ID: "wiki", Kind: BehindProxy, Everyone: true},
	Rules: []Rule{
		{Path: "/public", Access: Public},
		{Path: "/admin", Access: InGroup, Group: "staff"},
		{Path: "/money", Access: RecentCode, Within: 5 * time.Minute},
		{Path: "/secret", Access: TwoFactor},
		{Host: "open.example.org", Path: "/", Access: Public},
	},
}

func TestTheFirstRuleThatFitsDecides(t *testing.T) {
	for path, want := range map[string]Demand{
		"/":                 {},
		"/publication":      {},
		"/public":           {Public: true},
		"/public/":          {Public: true},
		"/public/a.css":     {Public: true},
		"/public/caf%C3%A9": {Public: true},
		"/admin":            {Groups: []GroupID{"staff"}},
		"/admin/users":      {Groups: []GroupID{"staff"}},
		"/administrator":    {},
		"/secret/plans":     {TwoFactor: true},
		"/money/transfer":   {TwoFactor: true, Within: 5 * time.Minute},
	} {
		wantDemand(t, "wiki.example.org", path, want)
	}
	wantDemand(t, "open.example.org", "/anything", Demand{Public: true})
	wantDemand(t, "open.example.org", "/admin", Demand{Groups: []GroupID{"staff"}})
}

func wantDemand(t *testing.T, host, path string, want Demand) {
	t.Helper()
	got, ok := wikiGate.Demands(host, path)
	if !ok || got.Public != want.Public || got.TwoFactor != want.TwoFactor || got.Within != want.Within || !slices.Equal(got.Groups, want.Groups) {
		t.Errorf("%s: %+v, %v, want %+v", path, got, ok, want)
	}
}

// Whatever a server behind the proxy makes of such a path, nobody gets to the
// administration by it who is not staff.
func TestAPathWithSeveralReadingsIsAskedForAllOfThem(t *testing.T) {
	for _, path := range []string{
		"/public/../admin", "/public/./../admin", "/public//../admin", "/public/x/../../admin",
		"/public/%2e%2e/admin", "/public/%2E./admin", "/public/.%2e/admin", "/public/..%2fadmin", "/public%2f..%2fadmin",
		"/public/%252e%252e/admin", "/public/%252e%252e%252fadmin",
		"/public/..;/admin", "/public/..;a=b/admin", "/public/%2e%2e;/admin", "/public;/../admin", "/public/..%3b/admin",
		"//admin", "///admin/", "/./admin", "/x/../admin", "/admin/.", "/admin;x=1", "/admin%3bx", "/%61dmin", "/%2561dmin",
		"/ADMIN", "/Admin/users", "/aDmin", "/admin.", "/admin./users", "/admin%20", "/admin%20/users", "/ADMIN%2f",
		"/public/../ADMIN", "/public/..%2fAdmin.",
	} {
		d, ok := wikiGate.Demands("wiki.example.org", path)
		if ok && (d.Public || !slices.Contains(d.Groups, "staff")) {
			t.Errorf("%s: %+v", path, d)
		}
	}
}

func TestWhatNoBrowserSendsIsRefused(t *testing.T) {
	for _, path := range []string{
		"", "*", "admin", "http://evil.example/", "/a\\b", "/a%5cb", "/a%5C..%5Cadmin", "/a%255cb", "/%00", "/public%00/../admin",
		"/%", "/%a", "/%zz", "/%u002e", "/a\x00", "/a\nb", "/a%0ab", "/a%0d%0aSet-Cookie:x", "/a%7f",
		"/%c0%ae%c0%ae/admin", "/%ff", "/\xff", "/%25252e", "/a%2525252e",
	} {
		if d, ok := wikiGate.Demands("wiki.example.org", path); ok {
			t.Errorf("%q: %+v", path, d)
		}
	}
}

// A rule whose row is damaged may have been of any kind.
func TestWhatARuleOfNoKnownKindIsForNobodyHas(t *testing.T) {
	gate := Gate{Rules: []Rule{{Path: "/admin", Access: "groub", Group: "staff"}, {Path: "/", Access: Public}}}
	for path, open := range map[string]bool{"/admin": false, "/admin/users": false, "/Admin": false, "/page": true} {
		if d, ok := gate.Demands("wiki.example.org", path); ok != open || d.Public != open {
			t.Errorf("%s: %+v, %v", path, d, ok)
		}
	}
}

func TestHonestPathsAreNotRefused(t *testing.T) {
	for _, path := range []string{
		"/100%25", "/a%20b", "/caf%C3%A9", "/café", "/.well-known/x", "/a..b", "/a;b=c", "/projects/group%2Fname", "/x//y", "/a.b.", "/...", "/a%2520b",
	} {
		if _, ok := wikiGate.Demands("wiki.example.org", path); !ok {
			t.Errorf("%q is refused", path)
		}
	}
}

func TestARuleHasOneSpelling(t *testing.T) {
	for _, path := range []string{"/", "/admin", "/a/b", "/über uns", "/a.b", "/.well-known"} {
		if !(Rule{Path: path, Access: Public}).IsRule() {
			t.Errorf("%q is no rule's path", path)
		}
	}
	for _, path := range []string{"", "admin", "/admin/", "//", "/a//b", "/a/../b", "/a;b", "/a%20b", "/a?b", "/a#b", "/a\\b"} {
		if (Rule{Path: path, Access: Public}).IsRule() {
			t.Errorf("%q is a rule's path", path)
		}
	}
	for _, r := range []Rule{
		{Path: "/"}, {Path: "/", Access: "open"}, {Path: "/", Access: InGroup}, {Path: "/", Access: RecentCode},
		{Path: "/", Access: RecentCode, Within: -time.Minute}, {Path: "/", Access: Public, Group: "g"}, {Path: "/", Access: Signed, Within: time.Minute},
	} {
		if r.IsRule() {
			t.Errorf("%+v is a rule", r)
		}
	}
}

func TestWhatOtherRulesOpenIsNamed(t *testing.T) {
	public, group := Rule{Path: "/", Access: Public}, Rule{Path: "/admin", Access: InGroup, Group: "staff"}
	assets, docs := Rule{Path: "/assets", Access: Public}, Rule{Host: "docs", Path: "/", Access: Public}
	for name, tt := range map[string]struct {
		before, after []Rule
		want          []Address
	}{
		"nothing":                   {[]Rule{group}, []Rule{group}, nil},
		"a public rule":             {nil, []Rule{assets}, []Address{{"wiki", "/assets"}, {"docs", "/assets"}}},
		"for one host":              {nil, []Rule{docs}, []Address{{"docs", "/"}}},
		"behind another":            {[]Rule{group}, []Rule{group, public}, []Address{{"wiki", "/"}, {"docs", "/"}}},
		"before another":            {[]Rule{group, public}, []Rule{public, group}, []Address{{"wiki", "/admin"}, {"docs", "/admin"}}},
		"one taken away before it":  {[]Rule{group, public}, []Rule{public}, []Address{{"wiki", "/admin"}, {"docs", "/admin"}}},
		"what was public already":   {[]Rule{public}, []Rule{assets, public}, nil},
		"a public rule taken away":  {[]Rule{assets}, nil, nil},
		"below what is public":      {[]Rule{public}, []Rule{{Path: "/x", Access: Signed}, public}, nil},
		"above what asks something": {[]Rule{{Path: "/a/b", Access: TwoFactor}}, []Rule{{Path: "/a", Access: Public}, {Path: "/a/b", Access: TwoFactor}}, []Address{{"wiki", "/a"}, {"wiki", "/a/b"}, {"docs", "/a"}, {"docs", "/a/b"}}},
	} {
		if got := (Gate{Rules: tt.before}).Opened(tt.after, []string{"wiki", "docs"}); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

func TestARuleThatNothingReachesIsKnown(t *testing.T) {
	rule := func(host, path string) Rule { return Rule{Host: host, Path: path, Access: Signed} }
	for _, tt := range []struct {
		before, rule Rule
		want         bool
	}{
		{rule("", "/"), rule("", "/a"), true}, {rule("", "/a"), rule("docs", "/a/b"), true}, {rule("docs", "/a"), rule("docs", "/a"), true},
		{rule("", "/a"), rule("", "/"), false}, {rule("docs", "/"), rule("", "/a"), false}, {rule("", "/a"), rule("", "/ab"), false},
	} {
		if got := tt.rule.IsCoveredBy(tt.before); got != tt.want {
			t.Errorf("%+v after %+v: %v", tt.rule, tt.before, got)
		}
	}
}

func TestWhoPassesAGate(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	on := User{ID: "ada", State: Active, TwoFactorSince: now.Add(-time.Hour)}
	off := User{ID: "bob", State: Active}
	staff := []Group{{ID: "staff"}}
	offered := Policy{TwoFactor: true, ForwardAuth: true}
	plain := Policy{ForwardAuth: true}
	coded := func(ago time.Duration) Session { return Session{CodeAt: now.Add(-ago)} }
	returned := coded(2 * time.Minute)
	returned.ReturnedAt = now.Add(-time.Minute)
	named := wikiGate
	named.Everyone, named.Users = false, []UserID{"ada"}
	demanding := wikiGate
	demanding.RequireTwoFactor = true
	recent := Demand{TwoFactor: true, Within: 5 * time.Minute}

	for _, tt := range []struct {
		name     string
		gate     Gate
		demand   Demand
		standing Standing
		session  Session
		user     User
		groups   []Group
		policy   Policy
		want     Passage
	}{
		{"a stranger at what is public", wikiGate, Demand{Public: true}, "", Session{}, User{}, nil, Policy{}, Passes},
		{"a stranger", wikiGate, Demand{}, "", Session{}, User{}, nil, Policy{}, AsksLogin},
		{"a lapsed session", wikiGate, Demand{}, Lapsed, coded(0), on, nil, offered, AsksLogin},
		{"a session that owes the code", wikiGate, Demand{}, OwesCode, Session{}, on, nil, offered, AsksLogin},
		{"an ended session", wikiGate, Demand{}, Over, coded(0), on, nil, offered, AsksLogin},
		{"somebody", wikiGate, Demand{}, SignedIn, coded(0), on, nil, offered, Passes},
		{"somebody for whom the plug-in is off", wikiGate, Demand{}, SignedIn, coded(0), on, nil, Policy{TwoFactor: true}, Lacks},
		{"who is named", named, Demand{}, SignedIn, coded(0), on, nil, offered, Passes},
		{"who is not named", named, Demand{}, SignedIn, coded(0), off, nil, offered, Refuses},
		{"a member", wikiGate, Demand{Groups: []GroupID{"staff"}}, SignedIn, coded(0), on, staff, offered, Passes},
		{"no member", wikiGate, Demand{Groups: []GroupID{"staff"}}, SignedIn, coded(0), on, nil, offered, Refuses},
		{"a member of one of two", wikiGate, Demand{Groups: []GroupID{"staff", "board"}}, SignedIn, coded(0), on, staff, offered, Refuses},
		{"no factor where one is demanded", wikiGate, Demand{TwoFactor: true}, SignedIn, Session{}, off, nil, offered, AsksSetUp},
		{"no factor where the application demands one", demanding, Demand{}, SignedIn, Session{}, off, nil, offered, AsksSetUp},
		{"a factor where the application demands one", demanding, Demand{}, SignedIn, coded(time.Hour), on, nil, offered, Passes},
		{"no factor where one is demanded and passkeys are offered", wikiGate, Demand{TwoFactor: true}, SignedIn, Session{}, off, nil, Policy{ForwardAuth: true, Passkeys: true}, AsksSetUp},
		{"a demand for what is not offered", wikiGate, Demand{TwoFactor: true}, SignedIn, coded(0), on, nil, plain, Lacks},
		{"a recent code", wikiGate, recent, SignedIn, coded(5*time.Minute - 1), on, nil, offered, Passes},
		{"a code at its very limit", wikiGate, recent, SignedIn, coded(5 * time.Minute), on, nil, offered, AsksCode},
		{"a code from the future", wikiGate, recent, SignedIn, coded(-time.Minute), on, nil, offered, AsksCode},
		{"a code from before the return", wikiGate, recent, SignedIn, returned, on, nil, offered, AsksCode},
		{"no factor where a recent code is demanded", wikiGate, recent, SignedIn, Session{}, off, nil, offered, AsksSetUp},
		{"a stranger where a group is demanded", wikiGate, Demand{Groups: []GroupID{"staff"}}, "", Session{}, User{}, nil, Policy{}, AsksLogin},
	} {
		if got := tt.gate.Judge(tt.demand, tt.standing, tt.session, tt.user, tt.groups, tt.policy, now); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// Of whatever is sent, either nobody gets it, or every reading of it by other
// means is among those that are asked for.
func FuzzReadings(f *testing.F) {
	for _, seed := range []string{"/", "/public/../admin", "/public/%2e%2e/admin", "/a;b/..;/c", "//", "/%252e", "/a%5cb", "/..", "/a/.", "/%00", "/ADMIN.", "/%c0%ae"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		all, ok := readings(path)
		if !ok {
			return
		}
		if !slices.Contains(all, path) {
			t.Fatalf("%q is not among its own readings %q", path, all)
		}
		for _, reading := range all {
			if reading == "" || reading[0] != '/' {
				t.Fatalf("%q is read as %q", path, reading)
			}
			for _, other := range []string{followDots(reading), mergeSlashes(reading)} {
				if again, ok := readings(other); ok && !strings.Contains(other, "%") && !subset(again, all) && !strings.Contains(other, ";") {
					t.Fatalf("%q is read as %q, and that as %q, of which not all are known: %q", path, reading, again, all)
				}
			}
		}
	})
}

func subset(some, of []string) bool {
	return !slices.ContainsFunc(some, func(s string) bool { return !slices.Contains(of, s) })
}
