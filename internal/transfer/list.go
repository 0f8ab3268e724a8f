package transfer

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/twinlock/twinlock/internal/address"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/password"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/written"
)

// Why is what is wrong with a line of a list.
type Why string

const (
	NoAddress     Why = "no-address"
	Twice         Why = "twice"
	WrongName     Why = "wrong-name"
	UnknownGroup  Why = "unknown-group"
	NoUTF8        Why = "no-utf8"
	LongLine      Why = "long-line"
	Unreadable    Why = "unreadable"
	UnknownHash   Why = "unknown-hash"
	Administrator Why = "administrator"
	ImportOnly    Why = "import-only"
	OtherLanguage Why = "other-language"
)

// Fault is a line that is not taken.
type Fault struct {
	Line   int
	Why    Why
	Detail string // what exactly: the address, the group, the line where it stood first
}

// Person is a line that is taken.
type Person struct {
	Line int
	store.NewUser
}

// Reader reads people from a list, a line each, and goes on after a line that is
// wrong. It is a list of addresses, or CSV, or a JSON object a line.
//
// Addresses are written alone or as "Ada Lovelace <ada@example.org>". CSV has its
// columns in the order email, name, groups, or as its first line names them; the
// groups in one field are separated by semicolons. Empty lines and lines that
// begin with # are nothing. Where Import is set the first line of CSV must name
// the columns, and password_hash, administrator, must_use_two_factor and
// language are columns, or names of JSON, too; elsewhere a line that sets one of
// them is wrong.
type Reader struct {
	Groups         []auth.Group // that there are
	Import         bool
	Administrators bool     // may be made by an import
	Languages      []string // that an import may set, as BCP 47 has them

	lines   *bufio.Reader
	line    int
	read    int64
	columns []string
	seen    map[string]int // canonical addresses, and their lines
}

// NewReader reads from here.
func NewReader(from io.Reader, groups []auth.Group) *Reader {
	return &Reader{Groups: groups, lines: bufio.NewReaderSize(from, 64<<10), seen: map[string]int{}}
}

// Read is how many bytes were read so far.
func (r *Reader) Read() int64 { return r.read }

// longestPerson is more bytes than the longest name, fifty groups and a hash need.
const longestPerson = 16 << 10

// Next gives the next person, or what is wrong with the next line; io.EOF after
// the last.
func (r *Reader) Next() (p Person, fault *Fault, err error) {
	for {
		line, whole, err := r.nextLine()
		switch {
		case err != nil:
			return Person{}, nil, err
		case !whole:
			return Person{}, &Fault{Line: r.line, Why: LongLine}, nil
		case !utf8.ValidString(line):
			return Person{}, &Fault{Line: r.line, Why: NoUTF8}, nil
		case strings.TrimSpace(line) == "", strings.HasPrefix(line, "#"):
			continue
		}
		row, fault := r.parse(line)
		if fault == nil && row == nil {
			continue // it names the columns
		}
		if fault == nil {
			p, fault = r.person(*row)
		}
		if fault != nil {
			fault.Line = r.line
		}
		return p, fault, nil
	}
}

// nextLine gives a line without its end, and false where it is too long.
func (r *Reader) nextLine() (line string, whole bool, err error) {
	var text []byte
	for more := true; more; {
		var piece []byte
		piece, more, err = r.lines.ReadLine()
		if err != nil {
			return "", false, err
		}
		r.read += int64(len(piece))
		if text = append(text, piece...); len(text) > longestPerson {
			text = text[:longestPerson+1]
		}
	}
	r.line++
	r.read++
	if r.line == 1 {
		text = bytes.TrimPrefix(text, []byte("\ufeff"))
	}
	return string(text), len(text) <= longestPerson, nil
}

// row is a line as it is written.
type row struct {
	Email            string      `json:"email"`
	Name             string      `json:"name"`
	Groups           []string    `json:"groups"`
	Hash             secret.Text `json:"password_hash"`
	Administrator    bool        `json:"administrator"`
	MustUseTwoFactor bool        `json:"must_use_two_factor"`
	Language         string      `json:"language"`
}

// parse reads a line; nil and no fault where it names the columns.
func (r *Reader) parse(line string) (*row, *Fault) {
	if strings.HasPrefix(strings.TrimSpace(line), "{") {
		return r.parseJSON(line)
	}
	fields, err := csv.NewReader(strings.NewReader(line)).Read()
	if err != nil {
		return nil, &Fault{Why: Unreadable, Detail: inWords(err)}
	}
	for i := range fields {
		fields[i] = strings.TrimSpace(fields[i])
	}
	if r.columns == nil {
		named := slices.ContainsFunc(fields, func(f string) bool { return strings.EqualFold(f, "email") })
		switch {
		case named:
			return nil, r.name(fields)
		case r.Import:
			return nil, &Fault{Why: Unreadable, Detail: "the first line of CSV names the columns, among them email"}
		}
		r.columns = listColumns
	}
	return r.fill(fields)
}

var (
	listColumns   = []string{"email", "name", "groups"}
	importColumns = append(slices.Clone(listColumns), "password_hash", "administrator", "must_use_two_factor", "language")
)

// name keeps the names of the columns.
func (r *Reader) name(fields []string) *Fault {
	known := listColumns
	if r.Import {
		known = importColumns
	}
	for i := range fields {
		fields[i] = strings.ToLower(fields[i])
		if !slices.Contains(known, fields[i]) || slices.Contains(fields[:i], fields[i]) {
			r.columns = []string{} // nothing below can be understood
			return &Fault{Why: Unreadable, Detail: fmt.Sprintf("there is no column %q; there are %s", fields[i], strings.Join(known, ", "))}
		}
	}
	r.columns = fields
	return nil
}

// fill puts the fields of CSV where they belong.
func (r *Reader) fill(fields []string) (*row, *Fault) {
	if len(fields) > len(r.columns) {
		return nil, &Fault{Why: Unreadable, Detail: fmt.Sprintf("%d fields in %d columns", len(fields), len(r.columns))}
	}
	w := &row{}
	for i, value := range fields {
		switch r.columns[i] {
		case "email":
			w.Email = value
		case "name":
			w.Name = value
		case "groups":
			w.Groups = strings.Split(value, ";")
		case "password_hash":
			w.Hash = secret.Text(value)
		case "language":
			w.Language = value
		case "administrator", "must_use_two_factor":
			yes, ok := readYes(value)
			if !ok {
				return nil, &Fault{Why: Unreadable, Detail: fmt.Sprintf("%s is true or false, not %q", r.columns[i], value)}
			}
			if r.columns[i] == "administrator" {
				w.Administrator = yes
			} else {
				w.MustUseTwoFactor = yes
			}
		}
	}
	return w, nil
}

func readYes(value string) (yes, ok bool) {
	switch strings.ToLower(value) {
	case "true", "yes", "1":
		return true, true
	case "false", "no", "0", "":
		return false, true
	}
	return false, false
}

func (r *Reader) parseJSON(line string) (*row, *Fault) {
	d := json.NewDecoder(strings.NewReader(line))
	d.DisallowUnknownFields()
	w := &row{}
	if err := d.Decode(w); err != nil {
		return nil, &Fault{Why: Unreadable, Detail: inWords(err)}
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, &Fault{Why: Unreadable, Detail: "more than one object"}
	}
	return w, nil
}

// inWords is an error of a line without the number of the line, which stands
// before it.
func inWords(err error) string {
	if wrong := (*csv.ParseError)(nil); errors.As(err, &wrong) {
		err = wrong.Err
	}
	if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) && wrong.Field != "" {
		wanted := map[reflect.Kind]string{reflect.String: "a text", reflect.Bool: "true or false", reflect.Slice: "a list of texts"}
		return fmt.Sprintf("%s is %s, not a %s", wrong.Field, wanted[wrong.Type.Kind()], wrong.Value)
	}
	return strings.TrimPrefix(err.Error(), "json: ")
}

// beyondInvitation names what a line sets that only an import may, "" for
// nothing.
func (w row) beyondInvitation() string {
	switch {
	case w.Hash != "":
		return "password_hash"
	case w.Administrator:
		return "administrator"
	case w.MustUseTwoFactor:
		return "must_use_two_factor"
	case w.Language != "":
		return "language"
	}
	return ""
}

// person judges a line that could be read.
func (r *Reader) person(w row) (Person, *Fault) {
	if what := w.beyondInvitation(); what != "" && !r.Import {
		return Person{}, &Fault{Why: ImportOnly, Detail: what}
	}
	typed, name := cut(w.Email)
	if w.Name != "" {
		name = w.Name
	}
	at, err := address.Parse(typed)
	if err != nil {
		return Person{}, &Fault{Why: NoAddress, Detail: shortened(typed)}
	}
	if first, twice := r.seen[at.Canonical]; twice {
		return Person{}, &Fault{Why: Twice, Detail: fmt.Sprint(first)}
	}
	p := Person{Line: r.line, NewUser: store.NewUser{Address: at, Language: w.Language, Hash: w.Hash, MustUseTwoFactor: w.MustUseTwoFactor}}
	if p.Name, err = written.Name.Read(name); err != nil || strings.Contains(name, "@") {
		return Person{}, &Fault{Why: WrongName, Detail: shortened(name)}
	}
	for _, wanted := range w.Groups {
		wanted = strings.TrimSpace(wanted)
		if wanted == "" {
			continue
		}
		i := slices.IndexFunc(r.Groups, func(g auth.Group) bool { return store.SameGroupName(g.Name, wanted) })
		if i < 0 {
			return Person{}, &Fault{Why: UnknownGroup, Detail: shortened(wanted)}
		}
		p.Groups = append(p.Groups, r.Groups[i])
	}
	hash := w.Hash.Reveal()
	switch {
	case w.Language != "" && !slices.Contains(r.Languages, w.Language):
		return Person{}, &Fault{Why: OtherLanguage, Detail: shortened(w.Language)}
	case hash != "" && (strings.ContainsFunc(hash, unicode.IsControl) || !password.Readable(hash)):
		return Person{}, &Fault{Why: UnknownHash}
	case w.Administrator && !r.Administrators:
		return Person{}, &Fault{Why: Administrator}
	}
	p.Administrator = w.Administrator
	r.seen[at.Canonical] = r.line
	return p, nil
}

// cut reads "Ada Lovelace <ada@example.org>".
func cut(typed string) (at, name string) {
	before, rest, angled := strings.Cut(typed, "<")
	at, after, closed := strings.Cut(rest, ">")
	if !angled || !closed || strings.TrimSpace(after) != "" {
		return typed, ""
	}
	return at, strings.Trim(strings.TrimSpace(before), `"`)
}

// shortened is as much of a wrong value as helps to find it.
func shortened(value string) string {
	const most = 80
	letters := []rune(value)
	if len(letters) > most {
		return string(letters[:most]) + "…"
	}
	return value
}
