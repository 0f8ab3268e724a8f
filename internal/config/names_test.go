//go:build !testclock

package config

import "testing"

func TestReleaseBuildsRefuseTheTestClock(t *testing.T) {
	_, err := Load(nil, []string{"TWINLOCK_TEST_CLOCK=/tmp/clock"}, "")
	const want = "environment: TWINLOCK_TEST_CLOCK: no such setting; accepted: what docs/settings.md lists"
	if err == nil || err.Error() != want {
		t.Errorf("refused with %v, want %s", err, want)
	}
}
