package mail_test

import (
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/mail"
)

func TestThePausesGrowAndStayBelowAMinute(t *testing.T) {
	first := time.Date(2026, 11, 23, 14, 35, 0, 0, time.UTC)
	for tries, want := range map[int]time.Duration{
		0: 5 * time.Second, 1: 5 * time.Second, 2: 10 * time.Second, 3: 20 * time.Second,
		4: 40 * time.Second, 5: 45 * time.Second, 6: 45 * time.Second, 1_000_000: 45 * time.Second,
	} {
		now := first.Add(time.Hour)
		if at, giveUp := mail.NextTry(tries, first, 24*time.Hour, now); giveUp || !at.Equal(now.Add(want)) {
			t.Errorf("after %d tries: %s later, given up %t; want %s", tries, at.Sub(now), giveUp, want)
		}
	}
}

func TestALetterIsGivenUpAfterADay(t *testing.T) {
	first := time.Date(2026, 11, 23, 14, 35, 0, 0, time.UTC)
	end := first.Add(24 * time.Hour)
	for _, step := range []struct {
		name   string
		now    time.Time
		at     time.Time
		giveUp bool
	}{
		{"long before the end", end.Add(-time.Hour), end.Add(-time.Hour + 45*time.Second), false},
		{"the last pause is cut at the end", end.Add(-time.Second), end, false},
		{"a millisecond before the end", end.Add(-time.Millisecond), end, false},
		{"at the end", end, time.Time{}, true},
		{"long after the end", end.Add(time.Hour), time.Time{}, true},
	} {
		if at, giveUp := mail.NextTry(50, first, 24*time.Hour, step.now); !at.Equal(step.at) || giveUp != step.giveUp {
			t.Errorf("%s: %s, given up %t", step.name, at, giveUp)
		}
	}
}
