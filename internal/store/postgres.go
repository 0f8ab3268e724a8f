package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"slices"
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

// fits tells whether a database on PostgreSQL is one to work on, by a sentence that
// says what is in the way.
func (s *Store) fits(ctx context.Context) error {
	var version int
	var encoding string
	err := s.read.QueryRowContext(ctx, `SELECT current_setting('server_version_num')::int, current_setting('server_encoding')`).
		Scan(&version, &encoding)
	if err != nil {
		return err
	}
	return unfit(version, encoding)
}

// oldest is the PostgreSQL that the documents ask for at least, as
// server_version_num spells it.
const oldest = 14_00_00

func unfit(version int, encoding string) error {
	switch {
	case version < oldest:
		return fmt.Errorf("its PostgreSQL is %d, and must be %d or newer", version/10000, oldest/10000)
	case encoding != "UTF8":
		return fmt.Errorf("its encoding is %s, and must be UTF8", encoding)
	}
	return nil
}

func (s *Store) openPostgres(databaseURL string) (*sql.DB, error) {
	if s.through != nil {
		return s.openBy(stdlib.GetDefaultDriver(), databaseURL), nil
	}
	return stdlib.OpenDB(*s.config, stdlib.OptionBeforeConnect(func(_ context.Context, c *pgx.ConnConfig) error {
		s.orderHosts(c)
		return nil
	}), stdlib.OptionAfterConnect(s.noteJoined), stdlib.OptionShouldPing(s.asksIdle), stdlib.OptionResetSession(s.refuseOld)), nil
}

// orderHosts puts the host first that the search for the primary begins with. One
// that is gone without a word holds a search up until its time is over: whoever
// could not hear lets the next begin with another.
func (s *Store) orderHosts(c *pgx.ConnConfig) {
	hosts := [][]*pgconn.FallbackConfig{{{Host: c.Host, Port: c.Port, TLSConfig: c.TLSConfig}}}
	for _, f := range c.Fallbacks { // of one host there are several, with TLS and without
		last := hosts[len(hosts)-1]
		if f.Host == last[0].Host && f.Port == last[0].Port {
			hosts[len(hosts)-1] = append(last, f)
		} else {
			hosts = append(hosts, []*pgconn.FallbackConfig{f})
		}
	}
	begin := int(s.firstHost.Load() % int64(len(hosts)))
	all := slices.Concat(append(hosts[begin:len(hosts):len(hosts)], hosts[:begin]...)...)
	c.Host, c.Port, c.TLSConfig, c.Fallbacks = all[0].Host, all[0].Port, all[0].TLSConfig, all[1:]
}

func (s *Store) noteJoined(_ context.Context, c *pgx.Conn) error {
	c.PgConn().CustomData()[joinedBefore] = s.joined.Load()
	return nil
}

// asksIdle tells which connections are asked whether they are still there before
// they are used: none that is refused next, for the host may be gone.
func (s *Store) asksIdle(_ context.Context, p stdlib.ShouldPingParams) bool {
	return p.IdleDuration > time.Second && !s.isOld(p.Conn)
}

func (s *Store) isOld(c *pgx.Conn) bool {
	return c.PgConn().CustomData()[joinedBefore] != s.joined.Load()
}

// refuseOld closes a connection from before this process became a node anew: see
// join.
func (s *Store) refuseOld(_ context.Context, c *pgx.Conn) error {
	if s.isOld(c) {
		_ = c.PgConn().Conn().Close() // a farewell would wait five seconds for a host that is gone
		return driver.ErrBadConn
	}
	return nil
}
