package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// nodeRow is a row of nodes.
type nodeRow struct {
	ID   string
	Beat int64
}

// forgetNode removes a node that gave no beat since one that was seen longer ago
// than any memory lasts.
const forgetNode = `DELETE FROM nodes WHERE id = $1 AND beat = $2`

// sighting is when a node's beat was first seen to be this one.
type sighting struct {
	beat int64
	at   time.Time
}

// sweep removes nodes that were silent for so long that they remember nothing.
func (h *hearing) sweep(ctx context.Context, voice *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	rows, err := voice.Query(ctx, `SELECT id, beat FROM nodes WHERE id <> $1`, h.id)
	if err != nil {
		return fmt.Errorf("look for silent servers: %w", err)
	}
	nodes, err := pgx.CollectRows(rows, pgx.RowToStructByPos[nodeRow])
	if err != nil {
		return fmt.Errorf("look for silent servers: %w", err)
	}
	for _, n := range h.silent(nodes, time.Now()) {
		if _, err := voice.Exec(ctx, forgetNode, n.ID, n.Beat); err != nil {
			return fmt.Errorf("forget a silent server: %w", err)
		}
	}
	return nil
}

// silent are the nodes whose beat has been the same for long.
func (h *hearing) silent(nodes []nodeRow, now time.Time) (silent []nodeRow) {
	seen := map[string]sighting{}
	for _, n := range nodes {
		seen[n.ID] = sighting{n.Beat, now}
		if before, ok := h.known[n.ID]; ok && before.beat == n.Beat {
			seen[n.ID] = before
			if now.Sub(before.at) > silence {
				silent = append(silent, n)
			}
		}
	}
	h.known = seen
	return silent
}
