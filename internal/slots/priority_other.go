//go:build !linux

package slots

// lowerPriority does nothing: only Linux has priorities of single threads.
func lowerPriority() {}
