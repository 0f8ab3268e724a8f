package app

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/transfer"
)

// BackUp writes a backup of this moment, and its event, while others go on.
// With the keys it holds everything: whoever has it can read every
// authenticator's key.
func (a *App) BackUp(ctx context.Context, by auth.Actor, to io.Writer, withKeys bool, progress transfer.Progress) error {
	now, detail := a.Now(), "without the sealing key"
	if withKeys {
		detail = "with the sealing key"
	}
	if err := a.Store.Record(ctx, by, auth.EventBackedUp, "", detail, now); err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	out := bufio.NewWriterSize(to, 32<<10)
	b := transfer.Backup{Made: now, Program: Version(), Ring: a.ring, Keys: withKeys}
	return errors.Join(b.Write(ctx, a.Store, out, progress), out.Flush())
}
