package auth

import (
	"testing"
	"time"
)

func TestStandingOf(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*Session, *User, *Policy)
		want   Standing
	}{
		{"a session in use", func(*Session, *User, *Policy) {}, SignedIn},
		{"ended", func(s *Session, _ *User, _ *Policy) { s.Ended = now.Add(-time.Minute) }, Over},
		{"ended by a clock that was ahead", func(s *Session, _ *User, _ *Policy) { s.Ended = now.Add(time.Hour) }, Over},
		{"somebody else's", func(s *Session, _ *User, _ *Policy) { s.User = "eve" }, Over},
		{"of a disabled account", func(_ *Session, u *User, _ *Policy) { u.State = Disabled }, Over},
		{"of an account read half", func(_ *Session, u *User, _ *Policy) { u.State = "" }, Over},
		{"ended after it lapsed", func(s *Session, _ *User, _ *Policy) { *s = lapsed(); s.Ended = now }, Over},
		{"lapsed", func(s *Session, _ *User, _ *Policy) { *s = lapsed() }, Lapsed},
		{"lapsed without a code", func(s *Session, _ *User, _ *Policy) { *s = lapsed(); s.CodeAt = time.Time{} }, Lapsed},
		{"without a code", func(s *Session, _ *User, _ *Policy) { s.CodeAt = time.Time{} }, OwesCode},
		{"without a code, the plug-in off", func(s *Session, _ *User, p *Policy) {
			s.CodeAt, p.TwoFactor = time.Time{}, false
		}, SignedIn},
		{"without a code, no factor", func(s *Session, u *User, _ *Policy) {
			s.CodeAt, u.TwoFactorSince = time.Time{}, time.Time{}
		}, SignedIn},
		{"with a code, of a factor turned on since", func(_ *Session, u *User, _ *Policy) { u.TwoFactorSince = now }, SignedIn},
		{"under the zero policy", func(_ *Session, _ *User, p *Policy) { *p = Policy{} }, Over},
	} {
		s, u, p := signedIn(), ada(), policy()
		tt.change(&s, &u, &p)
		if got := StandingOf(s, u, p, now); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestTheZeroSessionIsOver(t *testing.T) {
	if got := StandingOf(Session{}, User{}, policy(), now); got != Over {
		t.Errorf("the zero session of the zero user: %s", got)
	}
}

func TestStandingChangesAtTheExactMoment(t *testing.T) {
	p := policy()
	began := now
	for _, tt := range []struct {
		name         string
		seen, at     time.Time
		before, from Standing
	}{
		{"the idle limit", began.Add(3 * time.Hour), began.Add(4 * time.Hour), SignedIn, Lapsed},
		{"the overall limit, in use", began.Add(24*time.Hour - time.Minute), began.Add(24 * time.Hour), SignedIn, Over},
		{"the overall limit, lapsed", began, began.Add(24 * time.Hour), Lapsed, Over},
		{"both limits at once", began.Add(23 * time.Hour), began.Add(24 * time.Hour), SignedIn, Over},
		{"a clock behind the session's beginning", began, began.Add(-24 * time.Hour), Over, SignedIn},
	} {
		s := Session{User: "ada", Began: began, CodeAt: began, LastSeen: tt.seen}
		for _, moment := range []struct {
			at   time.Time
			want Standing
		}{{tt.at.Add(-ms), tt.before}, {tt.at, tt.from}, {tt.at.Add(ms), tt.from}} {
			if got := StandingOf(s, ada(), p, moment.at); got != moment.want {
				t.Errorf("%s, %v from it: %s, want %s", tt.name, moment.at.Sub(tt.at), got, moment.want)
			}
		}
	}
}

func TestMayReturn(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*Session, *User, *Policy)
		want   bool
	}{
		{"a lapsed session", func(*Session, *User, *Policy) {}, true},
		{"without a code", func(s *Session, _ *User, _ *Policy) { s.CodeAt = time.Time{} }, true},
		{"without a factor", func(s *Session, u *User, _ *Policy) {
			s.CodeAt, u.TwoFactorSince = time.Time{}, time.Time{}
		}, true},
		{"that was back before", func(s *Session, _ *User, _ *Policy) { s.ReturnedAt = s.Began.Add(time.Minute) }, true},
		{"still in use", func(s *Session, _ *User, _ *Policy) { s.LastSeen = now }, false},
		{"in use without a code", func(s *Session, _ *User, _ *Policy) { s.LastSeen, s.CodeAt = now, time.Time{} }, false},
		{"ended", func(s *Session, _ *User, _ *Policy) { s.Ended = now.Add(-ms) }, false},
		{"past the overall limit", func(s *Session, _ *User, _ *Policy) {
			s.Began, s.CodeAt = now.Add(-24*time.Hour), now.Add(-2*time.Hour)
		}, false},
		{"somebody else's", func(s *Session, _ *User, _ *Policy) { s.User = "eve" }, false},
		{"of a disabled account", func(_ *Session, u *User, _ *Policy) { u.State = Disabled }, false},
		{"the account changed since", func(_ *Session, u *User, _ *Policy) { u.Generation = 8 }, false},
		{"of a later account than is read", func(_ *Session, u *User, _ *Policy) { u.Generation = 6 }, false},
		{"after two wrong passwords", func(s *Session, _ *User, _ *Policy) { s.WindowFailures = 2 }, true},
		{"after three wrong passwords", func(s *Session, _ *User, _ *Policy) { s.WindowFailures = 3 }, false},
		{"after four wrong passwords", func(s *Session, _ *User, _ *Policy) { s.WindowFailures = 4 }, false},
		{"windows turned off", func(_ *Session, _ *User, p *Policy) { p.OpenWindow = 0 }, false},
		{"under the zero policy", func(_ *Session, _ *User, p *Policy) { *p = Policy{} }, false},
	} {
		s, u, p := lapsed(), ada(), policy()
		tt.change(&s, &u, &p)
		if got := MayReturn(s, u, p, now); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestMayReturnFromTheIdleLimitUntilTheWindowCloses(t *testing.T) {
	s := lapsed()
	lapses, closes := s.LastSeen.Add(time.Hour), s.CodeAt.Add(12*time.Hour)
	for _, tt := range []struct {
		name string
		at   time.Time
		want bool
	}{
		{"1 ms before it lapses", lapses.Add(-ms), false},
		{"as it lapses", lapses, true},
		{"1 ms after", lapses.Add(ms), true},
		{"1 ms before its window closes", closes.Add(-ms), true},
		{"as its window closes", closes, false},
		{"1 ms after its window closed", closes.Add(ms), false},
	} {
		if got := MayReturn(s, ada(), policy(), tt.at); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestWindowCloses(t *testing.T) {
	began := now
	for _, tt := range []struct {
		name string
		code time.Time
		open time.Duration
		want time.Time
	}{
		{"so long after the code", began, 12 * time.Hour, began.Add(12 * time.Hour)},
		{"so long after a later code", began.Add(time.Hour), 12 * time.Hour, began.Add(13 * time.Hour)},
		{"so long after the login where no code was given", time.Time{}, 12 * time.Hour, began.Add(12 * time.Hour)},
		{"1 ms before the overall limit", began.Add(12*time.Hour - ms), 12 * time.Hour, began.Add(24*time.Hour - ms)},
		{"at the overall limit", began.Add(12 * time.Hour), 12 * time.Hour, began.Add(24 * time.Hour)},
		{"not 1 ms after the overall limit", began.Add(12*time.Hour + ms), 12 * time.Hour, began.Add(24 * time.Hour)},
		{"a setting above the overall limit", began, 48 * time.Hour, began.Add(24 * time.Hour)},
		{"turned off", began.Add(time.Hour), 0, began.Add(time.Hour)},
	} {
		p := policy()
		p.OpenWindow = tt.open
		if got := WindowCloses(Session{Began: began, CodeAt: tt.code}, p); !got.Equal(tt.want) {
			t.Errorf("%s: %v after the login, want %v", tt.name, got.Sub(began), tt.want.Sub(began))
		}
	}
}
