package transfer

import (
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/twinlock/twinlock/internal/keys"
	"github.com/twinlock/twinlock/internal/store"
)

// Progress is told how far something is; total is what done will be at the end.
type Progress func(what string, done, total int64)

// Backup says what a backup holds beside the database.
type Backup struct {
	Made    time.Time
	Program string     // the version of this program
	Ring    *keys.Ring // what is sealed was sealed by
	Keys    bool       // the keys go along: whoever has the file has everything
}

// Write writes a backup of one moment, while others go on writing.
func (b Backup) Write(ctx context.Context, s *store.Store, to io.Writer, progress Progress) error {
	return s.Snapshot(ctx, func(n *store.Snapshot) error {
		header, err := b.header(ctx, n)
		if err != nil {
			return err
		}
		packed := gzip.NewWriter(to)
		out := lines{packed, sha256.New()}
		if err := out.write(header); err != nil {
			return err
		}
		done := int64(0)
		for _, t := range header.Tables {
			if err := writeTable(ctx, n, out, t, func() { done++; progress(t.Name, done, header.Rows()) }); err != nil {
				return fmt.Errorf("back up %s: %w", t.Name, err)
			}
		}
		return errors.Join(out.write(lastLine{out.sum.Sum(nil)}), packed.Close())
	})
}

func (b Backup) header(ctx context.Context, n *store.Snapshot) (h Header, err error) {
	h = Header{Format: format, Made: b.Made.UTC(), Program: b.Program, Fingerprint: b.Ring.Fingerprint()}
	if b.Keys {
		h.Keys = string(b.Ring.Text())
	}
	if h.Schema, err = n.Schema(ctx); err != nil {
		return h, fmt.Errorf("back up: %w", err)
	}
	for _, table := range store.Tables {
		if table.Treatment != store.Carried && table.Treatment != store.Added {
			continue
		}
		rows, err := n.Count(ctx, table.Name)
		if err != nil {
			return h, fmt.Errorf("back up %s: %w", table.Name, err)
		}
		h.Tables = append(h.Tables, Counted{table.Name, rows})
	}
	return h, nil
}

func writeTable(ctx context.Context, n *store.Snapshot, out lines, t Counted, wrote func()) error {
	columns, err := n.Columns(ctx, t.Name)
	if err != nil {
		return err
	}
	if err := out.write(tableLine{t.Name, columns}); err != nil {
		return err
	}
	rows := int64(0)
	err = n.Rows(ctx, t.Name, columns, func(row []any) error {
		rows++
		wrote()
		return out.write(row) // []byte becomes base64
	})
	if err == nil && rows != t.Rows {
		err = fmt.Errorf("%d rows were counted and %d read", t.Rows, rows)
	}
	return err
}
