package transfer

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"github.com/twinlock/twinlock/internal/store"
)

// format is the number of the form described in the package comment.
const format = 1

// Header is the first line of a backup.
type Header struct {
	Format      int       `json:"twinlock_backup"`
	Made        time.Time `json:"made"`
	Program     string    `json:"program"`        // the version that made it
	Schema      int64     `json:"schema"`         // the number of its newest migration
	Fingerprint string    `json:"fingerprint"`    // of the keys that what is sealed was sealed by
	Keys        string    `json:"keys,omitempty"` // the key file, where it was wanted
	Tables      []Counted `json:"tables"`
}

// Counted is a table of a backup.
type Counted struct {
	Name string `json:"name"`
	Rows int64  `json:"rows"`
}

// Rows counts the rows of all tables.
func (h Header) Rows() (n int64) {
	for _, t := range h.Tables {
		n += t.Rows
	}
	return n
}

// tableLine goes before the rows of a table.
type tableLine struct {
	Table   string         `json:"table"`
	Columns []store.Column `json:"columns"`
}

// lastLine ends a backup: one without it was cut short.
type lastLine struct {
	SHA256 []byte `json:"sha256"` // of all lines before
}

// lines writes lines and sums them up.
type lines struct {
	to  io.Writer
	sum hash.Hash
}

func (l lines) write(value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	text = append(text, '\n')
	l.sum.Write(text)
	_, err = l.to.Write(text)
	return err
}

// longestLine bounds what one row may take, in bytes.
const longestLine = 64 << 20

// ErrDamaged is returned for a file that is no whole backup.
var ErrDamaged = errors.New("it is damaged")

// reading reads lines and sums them up.
type reading struct {
	from *bufio.Reader
	sum  hash.Hash
}

// next gives a line, good until the call after.
func (r *reading) next() (line []byte, err error) {
	for {
		part, err := r.from.ReadSlice('\n')
		if line == nil && err == nil {
			return part, nil
		}
		line = append(line, part...)
		switch {
		case err == nil:
			return line, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, fmt.Errorf("%w: it ends too soon, or cannot be unpacked (%w)", ErrDamaged, err)
		case len(line) > longestLine:
			return nil, fmt.Errorf("%w: a line is longer than %d bytes", ErrDamaged, longestLine)
		}
	}
}

// read reads a line into a value and adds it to the sum.
func (r *reading) read(value any) error {
	line, err := r.next()
	if err != nil {
		return err
	}
	r.sum.Write(line)
	return strictly(line, value)
}

func strictly(line []byte, value any) error {
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	d.DisallowUnknownFields()
	if err := d.Decode(value); err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return nil
}

// row reads a row as the columns say.
func (r *reading) row(columns []store.Column) ([]any, error) {
	var row []any
	if err := r.read(&row); err != nil {
		return nil, err
	}
	if len(row) != len(columns) {
		return nil, fmt.Errorf("%w: a row has %d values for %d columns", ErrDamaged, len(row), len(columns))
	}
	for i, c := range columns {
		var ok bool
		if row[i], ok = valueOf(c.Kind, row[i]); !ok {
			return nil, fmt.Errorf("%w: column %s holds no %s", ErrDamaged, c.Name, c.Kind)
		}
	}
	return row, nil
}

// valueOf is what JSON made of a value of this kind, turned back.
func valueOf(kind store.Kind, written any) (any, bool) {
	if written == nil {
		return nil, true
	}
	switch kind {
	case store.TextKind:
		text, ok := written.(string)
		return text, ok
	case store.BooleanKind:
		yes, ok := written.(bool)
		return yes, ok
	case store.IntegerKind:
		digits, ok := written.(json.Number)
		if !ok {
			return nil, false
		}
		n, err := digits.Int64()
		return n, err == nil
	case store.BytesKind:
		text, ok := written.(string)
		if !ok {
			return nil, false
		}
		raw, err := base64.StdEncoding.DecodeString(text)
		return raw, err == nil
	}
	return nil, false
}
