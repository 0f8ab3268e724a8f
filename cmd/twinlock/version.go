package main

import (
	"fmt"
	"runtime/debug"
)

type version struct{}

func (version) runAlone(s *surroundings) error {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		_, err := fmt.Fprintln(s.out, "twinlock, built without information")
		return err
	}
	revision := "unknown revision"
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			revision = setting.Value
		}
	}
	_, err := fmt.Fprintf(s.out, "twinlock %s (%s, %s)\n", info.Main.Version, revision, info.GoVersion)
	return err
}
