//go:build !testclock

package config

// forTests tells variables that only test builds know. This build knows none,
// and refuses TWINLOCK_TEST_CLOCK like any other name it does not know.
func forTests(string) bool { return false }
