package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
)

// An entry is one setting as somebody wrote it, before it is understood.
type entry struct {
	name  string   // public_url, or smtp_url_file
	words []string // one, unless it is a list
	place string   // "twinlock.toml:3", "environment", "flag"
	key   string   // the name as it is spelled there
}

const largestFile = 1 << 20

// readFile gives the entries of a TOML file, whose path may be empty for
// none. What is no setting at all is refused; values are judged later.
func readFile(path string) ([]entry, Refusals) {
	if path == "" {
		return nil, nil
	}
	text, err := readAtMost(path, largestFile)
	if err != nil {
		return nil, Refusals{{path, "--config", err.Error()}}
	}
	return parseFile(filepath.Base(path), string(text))
}

func parseFile(name, text string) (entries []entry, refused Refusals) {
	var values map[string]toml.Primitive
	meta, err := toml.Decode(text, &values)
	if err != nil {
		return nil, Refusals{notTOML(name, err)}
	}
	for _, path := range meta.Keys() {
		if len(path) > 1 {
			continue
		}
		key := path[0]
		place := name
		if line := lineOf(meta, values[key]); line > 0 {
			place += ":" + strconv.Itoa(line)
		}
		s, ok := settingOrFile(key)
		if !ok {
			refused = append(refused, unknown(place, path.String(), key, func(s Setting) string { return s.Name }))
			continue
		}
		words, err := wordsOf(meta, values[key])
		if err != nil {
			refused = append(refused, Refusal{place, key, err.Error() + "; accepted: " + s.Accepts})
			continue
		}
		entries = append(entries, entry{key, words, place, key})
	}
	return entries, refused
}

func notTOML(name string, err error) Refusal {
	var wrong toml.ParseError
	if !errors.As(err, &wrong) {
		return Refusal{name, "TOML", err.Error()}
	}
	place := fmt.Sprintf("%s:%d", name, wrong.Position.Line)
	key := wrong.LastKey
	if key == "" {
		key = "TOML"
	}
	// The message may quote a line, and a line may hold a secret.
	return Refusal{place, key, "not written as TOML; accepted: NAME = \"VALUE\", NAME = NUMBER or NAME = [\"VALUE\", \"VALUE\"], one a line"}
}

// lineOf finds the line of a value. The library tells it only with an error,
// so the value is read by something that always fails.
func lineOf(meta toml.MetaData, value toml.Primitive) int {
	var wrong toml.ParseError
	if errors.As(meta.PrimitiveDecode(value, unreadable{}), &wrong) {
		return wrong.Position.Line
	}
	return 0
}

type unreadable struct{}

func (unreadable) UnmarshalTOML(any) error { return errors.New("asked for its line") }

func wordsOf(meta toml.MetaData, value toml.Primitive) ([]string, error) {
	var written any
	if err := meta.PrimitiveDecode(value, &written); err != nil {
		return nil, errors.New("cannot be read")
	}
	items, isArray := written.([]any)
	if !isArray {
		word, ok := wordOf(written)
		if !ok {
			return nil, errors.New("is neither a text nor a whole number")
		}
		return []string{word}, nil
	}
	words := []string{}
	for _, item := range items {
		word, ok := wordOf(item)
		if !ok {
			return nil, errors.New("holds something that is not a text")
		}
		words = append(words, word)
	}
	return words, nil
}

func wordOf(written any) (string, bool) {
	switch v := written.(type) {
	case string:
		return v, true
	case int64:
		return strconv.FormatInt(v, 10), true
	}
	return "", false
}

// settingOrFile finds the setting that key names, itself or as key_file.
func settingOrFile(key string) (Setting, bool) {
	if s, ok := settingNamed(key); ok {
		return s, true
	}
	name, ok := strings.CutSuffix(key, fileSuffix)
	s, found := settingNamed(name)
	return s, ok && found && s.Secret
}

func readAtMost(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, errors.New("cannot be read: " + reason(err))
	case !info.Mode().IsRegular() && !isPipe(info):
		return nil, errors.New("is not a file")
	case info.Size() > limit:
		return nil, fmt.Errorf("is larger than %d bytes", limit)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, errors.New("cannot be read: " + reason(err))
	}
	return text, nil
}

// isPipe allows `--config <(…)` of a shell.
func isPipe(info os.FileInfo) bool { return info.Mode()&os.ModeNamedPipe != 0 }

// reason drops the path from an error about a file: the sentence names it.
func reason(err error) string {
	var about *os.PathError
	if errors.As(err, &about) {
		return about.Err.Error()
	}
	return err.Error()
}
