package throttle

import (
	"net/netip"
	"strings"
	"testing"
	"time"
)

const ms = time.Millisecond

var (
	start = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

	row     = Rule{Free: 5, FirstWait: time.Second, LongestWait: 15 * time.Minute, CloseAfter: 100}
	network = Rule{Free: 20, FirstWait: time.Second, LongestWait: 15 * time.Minute, Window: 15 * time.Minute}
	monthly = Rule{Free: 50, CloseAfter: 50, Window: 30 * 24 * time.Hour}
	letters = Rule{Free: 3, CloseAfter: 3, Window: time.Hour}
)

// failed is the count after so many failures at one moment.
func failed(r Rule, failures int, at time.Time) (c Count) {
	for range failures {
		c = r.Add(c, at)
	}
	return c
}

func TestWaitsBeginAfterTheFreeTriesAndDouble(t *testing.T) {
	for _, tt := range []struct {
		failures int
		wait     time.Duration
	}{
		{0, 0}, {1, 0}, {4, 0},
		{5, time.Second}, {6, 2 * time.Second}, {7, 4 * time.Second}, {8, 8 * time.Second},
		{14, 512 * time.Second}, {15, 15 * time.Minute}, {16, 15 * time.Minute}, {99, 15 * time.Minute},
	} {
		c := failed(row, tt.failures, start)
		want := State{}
		if tt.wait > 0 {
			want.Until = start.Add(tt.wait)
		}
		if got := row.State(c, start); got != want {
			t.Errorf("after %d failures: %+v, want %+v", tt.failures, got, want)
		}
		if tt.wait == 0 {
			continue
		}
		if got := row.State(c, start.Add(tt.wait-ms)); got != want {
			t.Errorf("a millisecond before the end of the wait after %d failures: %+v, want %+v", tt.failures, got, want)
		}
		if got := row.State(c, start.Add(tt.wait)); got != (State{}) {
			t.Errorf("at the end of the wait after %d failures: %+v", tt.failures, got)
		}
	}
}

func TestADoorClosesAfterAHundredInARowForGood(t *testing.T) {
	if got := row.State(failed(row, 99, start), start.Add(time.Hour)); got != (State{}) {
		t.Errorf("after 99 failures and the wait: %+v", got)
	}
	for _, failures := range []int{100, 101, 1000} {
		for _, later := range []time.Duration{0, 15 * time.Minute, 10 * 365 * 24 * time.Hour, -time.Hour} {
			got := row.State(failed(row, failures, start), start.Add(later))
			if got != (State{Closed: true}) {
				t.Errorf("%v after %d failures: %+v, want closed", later, failures, got)
			}
		}
	}
}

func TestADoorThatClosedStaysClosedWhenTheRuleIsLoosened(t *testing.T) {
	strict, loose := row, row
	strict.CloseAfter, loose.CloseAfter = 10, 100
	c := failed(strict, 10, start)
	if !c.Closed.Equal(start) {
		t.Fatalf("closed at %v, want %v", c.Closed, start)
	}
	for name, rule := range map[string]Rule{"loosened": loose, "none": {}} {
		if got := rule.State(c, start.Add(365*24*time.Hour)); got != (State{Closed: true}) {
			t.Errorf("%s: %+v, want closed", name, got)
		}
	}
	if c := failed(monthly, 50, start); !c.Closed.IsZero() {
		t.Error("what a window opens again was closed for good")
	}
}

func TestFailuresInARowAreNeverForgottenByTimeAlone(t *testing.T) {
	c := failed(row, 7, start)
	c = row.Add(c, start.Add(365*24*time.Hour))
	if c.Failures != 8 || !c.First.Equal(start) {
		t.Errorf("a year later %d failures since %v", c.Failures, c.First)
	}
}

func TestFailuresOutsideOfTheWindowAreForgotten(t *testing.T) {
	for _, tt := range []struct {
		name  string
		rule  Rule
		limit int // failures that refuse the next try
	}{
		{"network", network, 20},
		{"wrong codes of a month", monthly, 50},
		{"letters of an hour", letters, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.rule.State(failed(tt.rule, tt.limit-1, start), start); got != (State{}) {
				t.Errorf("one below the limit: %+v", got)
			}
			// The last failures come just before the window ends.
			edge := start.Add(tt.rule.Window)
			c := tt.rule.Add(Count{}, start)
			for range tt.limit - 1 {
				c = tt.rule.Add(c, edge.Add(-ms))
			}
			if got := tt.rule.State(c, edge.Add(-ms)); got == (State{}) {
				t.Error("at the limit, a millisecond before the window ends: open")
			}
			if got := tt.rule.State(c, edge); got != (State{}) {
				t.Errorf("when the window ends: %+v", got)
			}
			if c := tt.rule.Add(c, edge.Add(-ms)); c.Failures != tt.limit+1 || !c.First.Equal(start) {
				t.Errorf("one more within the window makes %d failures since %v", c.Failures, c.First)
			}
			if c := tt.rule.Add(c, edge); c != (Count{Failures: 1, First: edge, Last: edge}) {
				t.Errorf("one more after the window makes %+v", c)
			}
		})
	}
}

func TestANetworkWaitsAsARowDoes(t *testing.T) {
	for failures, wait := range map[int]time.Duration{20: time.Second, 21: 2 * time.Second, 25: 32 * time.Second} {
		if got := network.State(failed(network, failures, start), start); !got.Until.Equal(start.Add(wait)) || got.Closed {
			t.Errorf("after %d failures: %+v, want a wait of %v", failures, got, wait)
		}
	}
	if network.State(failed(network, 100000, start), start).Closed {
		t.Error("a network was closed; no rule says so")
	}
}

func TestAClockThatGoesBackMakesNoImmortalWait(t *testing.T) {
	c := failed(row, 15, start) // a wait of 15 minutes
	for _, tt := range []struct {
		name  string
		now   time.Time
		until time.Duration // after now; 0 for open
	}{
		{"a millisecond back", start.Add(-ms), 15 * time.Minute},
		{"as far back as the wait is long", start.Add(-15 * time.Minute), 15 * time.Minute},
		{"further back", start.Add(-15*time.Minute - ms), 0},
		{"a year back", start.Add(-365 * 24 * time.Hour), 0},
	} {
		want := State{}
		if tt.until > 0 {
			want.Until = tt.now.Add(tt.until)
		}
		if got := row.State(c, tt.now); got != want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, want)
		}
	}
}

func TestAfterAClockWentBackTheCountGoesOn(t *testing.T) {
	back := start.Add(-365 * 24 * time.Hour)
	c := row.Add(failed(row, 15, start), back)
	if c.Failures != 16 || !c.Last.Equal(back) || c.First.After(back) {
		t.Errorf("a year back, one failure more is %+v", c)
	}
	if got := row.State(c, back); !got.Until.Equal(back.Add(15 * time.Minute)) {
		t.Errorf("and its state is %+v, want the usual wait", got)
	}
}

func TestAWindowThatSeemsToBeginAheadEndsAllTheSame(t *testing.T) {
	c := failed(monthly, 50, start)
	const day = 24 * time.Hour
	if got := monthly.State(c, start.Add(-29*day)); !got.Closed {
		t.Errorf("29 days back: %+v, want closed", got)
	}
	for _, back := range []time.Duration{30 * day, 365 * day} {
		if got := monthly.State(c, start.Add(-back)); got != (State{}) {
			t.Errorf("%v back: %+v, want forgotten", back, got)
		}
	}
	near := start.Add(-day)
	if c := monthly.Add(c, near); c.Failures != 51 || !c.First.Equal(near) {
		t.Errorf("a failure a day back makes %d since %v, want the window to begin then", c.Failures, c.First)
	}
}

func TestTheZeroRuleLetsEverythingThrough(t *testing.T) {
	var none Rule
	if got := none.State(failed(none, 1000, start), start); got != (State{}) {
		t.Errorf("after 1000 failures: %+v", got)
	}
}

func TestBucketsAreApart(t *testing.T) {
	const thing = "ada@example.com"
	device := [32]byte{1}
	seen := map[Bucket]string{}
	for name, b := range map[string]Bucket{
		"password":             Password(thing),
		"password, another":    Password("eve@example.com"),
		"code":                 Code(thing),
		"codes of a month":     CodesThisMonth(thing),
		"set-up code":          SetUpCode(thing),
		"codes by letter":      CodesByLetter(thing),
		"letters":              Letters(thing),
		"unlock letters":       UnlockLetters(thing),
		"device":               PasswordFromDevice(device),
		"device, another":      PasswordFromDevice([32]byte{2}),
		"password as a device": Password(string(device[:])),
		"network":              Network(netip.MustParseAddr("192.0.2.1"), 64),
		"network as password":  Password("192.0.2.1"),
	} {
		if twin, ok := seen[b]; ok {
			t.Errorf("%s and %s are one bucket", name, twin)
		}
		seen[b] = name
		for _, shown := range []string{"ada@", "example", "192.", string(device[:])} {
			if strings.Contains(string(b), shown) {
				t.Errorf("the name of the bucket %s shows %q: %s", name, shown, b)
			}
		}
	}
	if again := Password(thing); again != Password(thing) {
		t.Error("one thing has two buckets")
	}
}

func TestOnlyTheCodesOfAMonthOutliveASuccess(t *testing.T) {
	if !CodesThisMonth("ada").Lasting() || !CodesByLetter("ada").Lasting() {
		t.Error("the codes of a month are forgotten by a success")
	}
	for _, b := range []Bucket{Code("ada"), Password("ada"), SetUpCode("ada"), Letters("ada"), PasswordFromDevice([32]byte{}), Bucket(""), Bucket("monthly:x")} {
		if b.Lasting() {
			t.Errorf("%s is not forgotten by a success", b)
		}
	}
}

func TestNetworksOfOneCustomerAreOne(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		same bool
	}{
		{"192.0.2.1", "192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"192.0.2.1", "::ffff:192.0.2.1", true},
		{"::ffff:192.0.2.1", "::ffff:192.0.2.2", false},
		{"2001:db8:0:1::1", "2001:db8:0:1:ffff:ffff:ffff:ffff", true},
		{"2001:db8:0:1::1", "2001:db8:0:2::1", false},
		{"fe80::1%eth0", "fe80::2%eth1", true},
	} {
		a, b := Network(netip.MustParseAddr(tt.a), 64), Network(netip.MustParseAddr(tt.b), 64)
		if (a == b) != tt.same {
			t.Errorf("%s and %s: one bucket is %v, want %v", tt.a, tt.b, a == b, tt.same)
		}
	}
	near, far := netip.MustParseAddr("2001:db8:0:100::1"), netip.MustParseAddr("2001:db8:0:1ff::1")
	if Network(near, 56) != Network(far, 56) {
		t.Error("where customers have a /56, two of its /64 are two networks")
	}
}
