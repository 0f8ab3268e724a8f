package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/twinlock/twinlock/internal/app"
	"github.com/twinlock/twinlock/internal/config"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/transfer"
)

type migrate struct {
	config.DataFlags
	JSON bool   `name:"json" help:"Print JSON."`
	To   string `required:"" placeholder:"postgres://…" env:"TWINLOCK_MIGRATE_TO" help:"The empty database on PostgreSQL, as database_url names one. With a password give it as $TWINLOCK_MIGRATE_TO: others on the machine see a command line."`
}

func (c *migrate) runAlone(s *surroundings) error {
	settings, err := c.DataFlags.Load(os.Environ())
	if err != nil {
		return err
	}
	progress, wipe, _ := progressOn(s.errs)
	moved, err := app.Migrate(s.ctx, settings, c.To, progress)
	wipe()
	switch {
	case errors.Is(err, store.ErrNotEmpty):
		return errors.New("not moved: the database to move to has accounts; name an empty one")
	case err != nil:
		return fmt.Errorf("not moved: %w", err)
	case c.JSON:
		return s.json(shownMove(moved))
	}
	return c.tell(s, moved)
}

func (c *migrate) tell(s *surroundings, m transfer.Moved) error {
	rows := int64(0)
	for _, n := range m.Rows {
		rows += n
	}
	_, err := fmt.Fprintf(s.out, `Moved %d people, %d events, %d rows in all, and compared them: nothing differs.
Set database_url to the new address and start. Sessions go on; the sealing key stays where it is.
The SQLite file was not changed: keep it until the first backup of the new database, and start no server on it.
`, m.Rows["users"], m.Rows["events"], rows)
	return err
}

func shownMove(m transfer.Moved) any {
	return struct {
		Rows    map[string]int64 `json:"rows"`
		Resumed bool             `json:"resumed"`
	}{m.Rows, m.Resumed}
}
