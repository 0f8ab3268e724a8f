package transfer

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"github.com/twinlock/twinlock/internal/keys"
	"github.com/twinlock/twinlock/internal/store"
)

// Opened is a backup whose header was read.
type Opened struct {
	Header
	Ring *keys.Ring // that the backup brings; nil where it brings none

	rest reading
}

// Open reads the header of a backup.
func Open(from io.Reader) (*Opened, error) {
	packed, err := gzip.NewReader(bufio.NewReader(from))
	if err != nil {
		return nil, fmt.Errorf("it is no backup of Twinlock: %w", err)
	}
	o := &Opened{rest: reading{bufio.NewReaderSize(packed, 64<<10), sha256.New()}}
	if err := o.rest.read(&o.Header); err != nil {
		return nil, fmt.Errorf("it is no backup of Twinlock: %w", err)
	}
	switch {
	case o.Format == 0:
		return nil, errors.New("it is no backup of Twinlock")
	case o.Format > format:
		return nil, fmt.Errorf("it is in form %d: %w", o.Format, store.ErrNewerSchema)
	case o.Keys == "":
		return o, nil
	}
	if o.Ring, err = keys.Parse([]byte(o.Keys)); err != nil {
		return nil, fmt.Errorf("%w: the keys in it: %w", ErrDamaged, err)
	}
	if !o.Ring.Holds(o.Fingerprint) {
		return nil, fmt.Errorf("%w: the keys in it are not its own", ErrDamaged)
	}
	return o, nil
}

// Check reads the whole backup, once, into a new database at path with the
// schema of its day, and brings that up to date. Without an error the backup is
// whole, and can be restored by this program.
func (o *Opened) Check(ctx context.Context, path string, progress Progress) (*store.Scratch, error) {
	scratch, err := store.OpenScratch(ctx, path, o.Schema)
	if err != nil {
		return nil, err
	}
	if err = o.fill(ctx, scratch, progress); err == nil {
		err = scratch.Raise(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, scratch.Close())
	}
	return scratch, nil
}

// fill reads table after table. The checksum is compared before the rows are
// kept for good, though they would be in the scratch alone.
func (o *Opened) fill(ctx context.Context, scratch *store.Scratch, progress Progress) error {
	return scratch.Fill(ctx, o.tables(progress))
}

// tables gives one table with its rows each time it is asked, and after the last
// one compares the checksum and names none.
func (o *Opened) tables(progress Progress) func() (string, []store.Column, func(func([]any) error) error, error) {
	done, left := int64(0), o.Tables
	return func() (string, []store.Column, func(func([]any) error) error, error) {
		if len(left) == 0 {
			return "", nil, nil, o.end()
		}
		counted := left[0]
		left = left[1:]
		var head tableLine
		if err := o.rest.read(&head); err != nil {
			return "", nil, nil, err
		}
		if head.Table != counted.Name || len(head.Columns) == 0 {
			return "", nil, nil, fmt.Errorf("%w: table %q stands where %q should", ErrDamaged, head.Table, counted.Name)
		}
		return head.Table, head.Columns, func(keep func([]any) error) error {
			for range counted.Rows {
				row, err := o.rest.row(head.Columns)
				if err != nil {
					return fmt.Errorf("table %s: %w", counted.Name, err)
				}
				if err := keep(row); err != nil {
					return err
				}
				done++
				progress(counted.Name, done, o.Rows())
			}
			return nil
		}, nil
	}
}

// end compares the checksum, and that nothing follows it.
func (o *Opened) end() error {
	sum := o.rest.sum.Sum(nil)
	line, err := o.rest.next()
	if err != nil {
		return err
	}
	var last lastLine
	if err := strictly(line, &last); err != nil {
		return err
	}
	if !bytes.Equal(last.SHA256, sum) {
		return fmt.Errorf("%w: its checksum is another", ErrDamaged)
	}
	if _, err := o.rest.from.ReadByte(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: something follows its end", ErrDamaged)
	}
	return nil
}
