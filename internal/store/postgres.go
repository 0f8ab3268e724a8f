package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	poolSize        = 16
	connectPatience = 3 * time.Second
	connectionLife  = 5 * time.Minute
)

// joinedBefore is where a connection keeps how often its process had become a
// node when it was made.
const joinedBefore = "joined"

// connectPostgres opens a pool that goes to the primary: of several hosts that an
// address names, the one that may be written to.
func (s *Store) connectPostgres(databaseURL string) (err error) {
	s.postgres = true
	if s.config, err = pgx.ParseConfig(databaseURL); err != nil {
		return fmt.Errorf("open PostgreSQL: %w", err)
	}
	if s.config.ConnectTimeout == 0 {
		s.config.ConnectTimeout = connectPatience
	}
	if s.config.ValidateConnect == nil {
		s.config.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	if s.write, err = s.openPostgres(databaseURL); err != nil {
		return fmt.Errorf("open PostgreSQL: %w", err)
	}
	s.write.SetMaxOpenConns(poolSize)
	s.write.SetMaxIdleConns(poolSize)
	s.write.SetConnMaxLifetime(connectionLife)
	s.read = &reader{DB: s.write, store: s, counts: s.counts}
	return nil
}

func (s *Store) openPostgres(databaseURL string) (*sql.DB, error) {
	if s.through != nil {
		return s.open("pgx", databaseURL)
	}
	return stdlib.OpenDB(*s.config, stdlib.OptionAfterConnect(s.noteJoined), stdlib.OptionResetSession(s.refuseOld)), nil
}

func (s *Store) noteJoined(_ context.Context, c *pgx.Conn) error {
	c.PgConn().CustomData()[joinedBefore] = s.joined.Load()
	return nil
}

// refuseOld closes a connection from before this process became a node anew: see
// join.
func (s *Store) refuseOld(_ context.Context, c *pgx.Conn) error {
	if c.PgConn().CustomData()[joinedBefore] != s.joined.Load() {
		return driver.ErrBadConn
	}
	return nil
}
