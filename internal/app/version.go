package app

import "runtime/debug"

// Version is what this program calls itself, such as v1.4.0; "(devel)" where it
// was built without one.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}
