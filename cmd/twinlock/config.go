package main

import (
	"encoding/json"
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/twinlock/twinlock/internal/config"
)

type configCommands struct {
	Check configCheck `cmd:"" help:"Say whether the settings are right."`
	Show  configShow  `cmd:"" help:"Print every setting and where it came from."`
}

type configCheck struct{ config.Flags }

func (c *configCheck) runAlone(s *surroundings) error {
	if _, err := c.Flags.Load(os.Environ()); err != nil {
		return err
	}
	_, err := fmt.Fprintln(s.out, "The settings are right.")
	return err
}

type configShow struct {
	config.Flags
	JSON bool `name:"json" help:"Print JSON."`
}

func (c *configShow) runAlone(s *surroundings) error {
	settings, err := c.Flags.Load(os.Environ())
	if err != nil {
		return err
	}
	if c.JSON {
		return s.json(settings.Show())
	}
	table := tabwriter.NewWriter(s.out, 0, 4, 2, ' ', 0)
	for _, shown := range settings.Show() {
		fmt.Fprintf(table, "%s\t%s\t%s\n", shown.Name, shown.Value, shown.From)
	}
	return table.Flush()
}

// json prints one value for programs.
func (s *surroundings) json(value any) error {
	e := json.NewEncoder(s.out)
	e.SetIndent("", "  ")
	return e.Encode(value)
}
