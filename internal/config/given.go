package config

import (
	"reflect"
	"strings"
)

//go:generate go test -run TestGeneratedFilesAreInStep -update .

// Given are the settings that stood on the command line, as [Load] takes them.
func (f Flags) Given() map[string]string { return given(f) }

// Given are the settings that stood on the command line, as [Load] takes them.
func (f DataFlags) Given() map[string]string { return given(f) }

// given reads a struct of flags, whose fields are nil unless they were on the
// command line. The file is no setting and is left out.
func given(flags any) map[string]string {
	values := map[string]string{}
	fields := reflect.ValueOf(flags)
	for i := range fields.NumField() {
		value, ok := fields.Field(i).Interface().(*string)
		if ok && value != nil {
			name := fields.Type().Field(i).Tag.Get("name")
			values[strings.ReplaceAll(name, "-", "_")] = *value
		}
	}
	return values
}

// Load is [Load] with these flags and the file that --config names.
func (f Flags) Load(environ []string) (Config, error) {
	return Load(f.Given(), environ, f.Config)
}

// Load is [Load] with these flags and the file that --config names.
func (f DataFlags) Load(environ []string) (Config, error) {
	return Load(f.Given(), environ, f.Config)
}
