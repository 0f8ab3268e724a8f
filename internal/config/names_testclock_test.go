//go:build testclock

package config

import "testing"

func TestTestBuildsKnowTheTestClock(t *testing.T) {
	if _, err := Load(nil, []string{"TWINLOCK_TEST_CLOCK=/tmp/clock"}, ""); err != nil {
		t.Error(err)
	}
}
