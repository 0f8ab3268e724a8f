package config

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/twinlock/twinlock/internal/written"
)

// A Setting is one row of the table that flags, environment, file, help,
// documentation and `config show` are all made from.
type Setting struct {
	Name    string // as in the file: public_url
	Section string // the heading it stands under
	Default string // as somebody would write it; empty means unset
	Accepts string // the values it takes, in words
	Help    string // one sentence
	Secret  bool   // may also be read from the file that NAME_file names

	field int
	list  bool
}

// Flag is the setting's name on the command line, without the dashes.
func (s Setting) Flag() string { return strings.ReplaceAll(s.Name, "_", "-") }

// Variable is the setting's name in the environment.
func (s Setting) Variable() string { return prefix + strings.ToUpper(s.Name) }

const (
	prefix     = "TWINLOCK_"
	fileSuffix = "_file"
)

// Settings is the table, in the order of the documentation.
var Settings = table()

func table() []Setting {
	var rows []Setting
	section := ""
	for f := range reflect.TypeFor[Config]().Fields() {
		if !f.IsExported() {
			continue
		}
		if s := f.Tag.Get("section"); s != "" {
			section = s
		}
		value := reflect.New(f.Type)
		_, secret := value.Interface().(interface{ Reveal() string })
		_, list := value.Interface().(list)
		rows = append(rows, Setting{
			Name:    f.Tag.Get("name"),
			Section: section,
			Default: f.Tag.Get("default"),
			Accepts: accepts(value, f.Tag.Get("accept")),
			Help:    f.Tag.Get("help"),
			Secret:  secret,
			field:   f.Index[0],
			list:    list,
		})
	}
	return rows
}

func settingNamed(name string) (Setting, bool) {
	for _, s := range Settings {
		if s.Name == name {
			return s, true
		}
	}
	return Setting{}, false
}

// A scalar reads one word, and a list any number of them; both say in words
// which values they take. The error of a read is the middle of a sentence
// that begins with the value: "is not a duration".
type (
	scalar interface {
		read(word string) error
		accepts() string
	}
	list interface {
		readAll(words []string) error
		accepts() string
	}
)

const asDurations = ", written like 90s, 15m, 24h, 30d or 1h30m"

// accepts says in words what a setting takes. Types of our own say it
// themselves; for the others it follows from the accept tag: "1..20",
// "0|1s..30d" or "reset|keep".
func accepts(value reflect.Value, tag string) string {
	switch v := value.Interface().(type) {
	case scalar:
		return v.accepts()
	case list:
		return v.accepts()
	case *time.Duration:
		words := strings.NewReplacer("..", " to ", "|", ", or ").Replace(tag)
		return words + asDurations
	case *int:
		return "a whole number from " + strings.Replace(tag, "..", " to ", 1)
	}
	if from, to, ok := strings.Cut(tag, ".."); ok {
		return fmt.Sprintf("a text of %s to %s characters", from, to)
	}
	if tag != "" {
		return strings.ReplaceAll(tag, "|", ", ")
	}
	return "a path"
}

// read puts words into the setting's field of c. A setting that is no list
// takes exactly one word, and an empty word sets it to nothing.
func (s Setting) read(c *Config, words []string) error {
	value := reflect.ValueOf(c).Elem().Field(s.field)
	if l, ok := value.Addr().Interface().(list); ok {
		return l.readAll(words)
	}
	if len(words) != 1 {
		return fmt.Errorf("is a list, where one value is wanted")
	}
	tag := reflect.TypeFor[Config]().Field(s.field).Tag.Get("accept")
	return readWord(value, tag, words[0])
}

func readWord(value reflect.Value, tag, word string) error {
	switch v := value.Addr().Interface().(type) {
	case scalar:
		return v.read(word)
	case *time.Duration:
		return readDuration(v, tag, word)
	case *int:
		return readNumber(v, tag, word)
	}
	return readText(value, tag, word)
}

func readDuration(into *time.Duration, tag, word string) error {
	d, err := ParseDuration(word)
	if err != nil {
		return err
	}
	if bounds, ok := strings.CutPrefix(tag, "0|"); ok {
		if tag = bounds; d == 0 {
			*into = 0
			return nil
		}
	}
	from, to, _ := strings.Cut(tag, "..")
	least, _ := ParseDuration(from)
	most, _ := ParseDuration(to)
	if d < least || d > most {
		return errOutOfRange
	}
	*into = d
	return nil
}

func readNumber(into *int, tag, word string) error {
	n, err := strconv.Atoi(word)
	if err != nil {
		return errNotANumber
	}
	from, to, _ := strings.Cut(tag, "..")
	least, _ := strconv.Atoi(from)
	most, _ := strconv.Atoi(to)
	if n < least || n > most {
		return errOutOfRange
	}
	*into = n
	return nil
}

func readText(into reflect.Value, tag, word string) error {
	if from, to, ok := strings.Cut(tag, ".."); ok {
		least, _ := strconv.Atoi(from)
		most, _ := strconv.Atoi(to)
		text, err := written.Limit(most).Read(word)
		switch {
		case errors.Is(err, written.ErrSigns):
			return errControl
		case err != nil || utf8.RuneCountInString(text) < least:
			return errOutOfRange
		}
		word = text
	} else if tag != "" && !oneOf(tag, word) {
		return errUnknownWord
	}
	if hasControl(word) {
		return errControl
	}
	into.SetString(word)
	return nil
}

func oneOf(tag, word string) bool {
	for choice := range strings.SplitSeq(tag, "|") {
		if choice == word {
			return true
		}
	}
	return false
}

// show writes the setting's value as somebody would write it, without what is
// secret in it.
func (s Setting) show(c Config) string {
	switch v := reflect.ValueOf(c).Field(s.field).Interface().(type) {
	case time.Duration:
		return FormatDuration(v)
	default:
		return fmt.Sprint(v)
	}
}
