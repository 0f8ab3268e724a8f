//go:build testclock

package config

// forTests tells the variable that names the file with the test clock.
func forTests(name string) bool { return name == prefix+"TEST_CLOCK" }
