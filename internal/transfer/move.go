package transfer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/store"
)

// blockRows is how many rows one transaction takes: a move that is broken off
// loses no more.
const blockRows = 5000

// ErrSourceChanged is returned where a move that was broken off began with
// another source, or with this one before it changed.
var ErrSourceChanged = errors.New("it holds a half of another move, or the source has changed since; begin with an empty database")

// Moved is what a move did.
type Moved struct {
	Rows    map[string]int64
	Resumed bool // from where an earlier one was broken off
}

// Move copies every row of one database into an empty one on another engine,
// compares the two, and says so in the target. One that was broken off goes on
// where it was. Nothing is written to the source; nobody else may write to either.
func Move(ctx context.Context, from, to *store.Store, by auth.Actor, progress Progress, now time.Time) (done Moved, err error) {
	err = from.Snapshot(ctx, func(n *store.Snapshot) error {
		m := move{source: n, to: to, progress: progress}
		if err := m.look(ctx); err != nil {
			return err
		}
		if done.Resumed, err = m.begin(ctx); err != nil {
			return err
		}
		if err := m.copyAll(ctx); err != nil {
			return err
		}
		done.Rows = m.counts
		return m.compare(ctx)
	})
	if err != nil {
		return done, err
	}
	rows := int64(0)
	for _, n := range done.Rows {
		rows += n
	}
	return done, to.FinishMove(ctx, by, rows, now)
}

type move struct {
	source   *store.Snapshot
	to       *store.Store
	progress Progress

	name    string                    // of the source as it is
	columns map[string][]store.Column // of each table
	counts  map[string]int64
	total   int64
	done    int64
	at      store.Moving
}

// look reads what there is to move, and refuses what the target cannot take.
func (m *move) look(ctx context.Context) error {
	if err := m.to.MayMoveIn(ctx); err != nil {
		return err
	}
	m.columns, m.counts = map[string][]store.Column{}, map[string]int64{}
	var counts []int64
	for _, table := range store.Moved() {
		columns, err := m.source.Columns(ctx, table)
		if err != nil {
			return err
		}
		rows, err := m.source.Count(ctx, table)
		if err != nil {
			return err
		}
		unsuited, err := m.source.Unsuited(ctx, table, columns)
		if err != nil {
			return err
		}
		if unsuited != "" {
			return fmt.Errorf("%s.%s holds a zero byte, which PostgreSQL takes for no text", table, unsuited)
		}
		m.columns[table], m.counts[table] = columns, rows
		m.total += rows
		counts = append(counts, rows)
	}
	fingerprint, err := m.source.Fingerprint(ctx)
	if err != nil {
		return fmt.Errorf("the keys of the source: %w", err)
	}
	m.name = store.SourceName(fingerprint, counts)
	return nil
}

// begin finds where to go on.
func (m *move) begin(ctx context.Context) (resumed bool, err error) {
	m.at, err = m.to.Moving(ctx)
	switch {
	case err == nil && m.at.Source != m.name:
		return false, ErrSourceChanged
	case err == nil:
		return true, nil
	case !errors.Is(err, store.ErrNotFound):
		return false, err
	}
	empty, err := m.to.Empty(ctx)
	if err == nil && !empty {
		err = store.ErrNotEmpty
	}
	m.at = store.Moving{Source: m.name}
	return false, err
}

func (m *move) copyAll(ctx context.Context) error {
	reached := m.at.Table
	for _, table := range store.Moved() {
		if reached != "" && table != reached { // it was moved before
			m.done += m.counts[table]
			continue
		}
		first := reached == ""
		reached = ""
		if first {
			m.at.Table, m.at.After = table, 0
		}
		if err := m.copyTable(ctx, first); err != nil {
			return fmt.Errorf("move %s: %w", table, err)
		}
	}
	return nil
}

func (m *move) copyTable(ctx context.Context, first bool) error {
	table := m.at.Table
	columns := m.columns[table]
	for {
		rows, last, err := m.source.Block(ctx, table, columns, m.at.After, blockRows)
		if err != nil {
			return err
		}
		m.at.After = last
		if err := m.to.MoveIn(ctx, m.at, first, columns, rows); err != nil {
			return err
		}
		first = false
		m.done += int64(len(rows))
		m.progress(table, min(m.done, m.total), m.total)
		if len(rows) < blockRows {
			return nil
		}
	}
}

// compare adds up both sides.
func (m *move) compare(ctx context.Context) error {
	return m.to.Snapshot(ctx, func(theirs *store.Snapshot) error {
		m.done = 0
		for _, table := range store.Moved() {
			want, err := m.source.Sum(ctx, table, m.columns[table])
			if err != nil {
				return err
			}
			got, err := theirs.Sum(ctx, table, m.columns[table])
			if err != nil {
				return err
			}
			if got != want {
				return fmt.Errorf("%s differs after the move, %d rows here and %d there: nothing may use the target; begin again with an empty one", table, want.Rows, got.Rows)
			}
			m.done += want.Rows
			m.progress("compare "+table, m.done, m.total)
		}
		return nil
	})
}
