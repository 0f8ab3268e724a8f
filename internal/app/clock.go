//go:build !testclock

package app

import "time"

// Clock is the time that everything here goes by.
func Clock() time.Time { return time.Now().UTC() }
