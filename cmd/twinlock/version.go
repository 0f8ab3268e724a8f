package main

import (
	"fmt"
	"runtime/debug"

	"github.com/twinlock/twinlock/internal/app"
)

type version struct{}

func (version) runAlone(s *surroundings) error {
	revision, language := "unknown revision", "unknown Go"
	if info, ok := debug.ReadBuildInfo(); ok {
		language = info.GoVersion
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				revision = setting.Value
			}
		}
	}
	_, err := fmt.Fprintf(s.out, "twinlock %s (%s, %s)\n", app.Version(), revision, language)
	return err
}
