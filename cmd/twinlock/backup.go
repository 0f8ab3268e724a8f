package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/twinlock/twinlock/internal/app"
	"github.com/twinlock/twinlock/internal/config"
	"github.com/twinlock/twinlock/internal/store"
)

type backup struct {
	onDataFlags
	File     string `arg:"" help:"Where it goes, such as twinlock-monday.backup; - is standard output."`
	WithKeys bool   `help:"The sealing key goes along: whoever has the file then has everything."`
}

func (c *backup) runOn(s *surroundings) error {
	return s.app.BackUp(s.ctx, s.by, s.out, c.WithKeys, s.progress)
}

// hold writes the file beside its place, and puts it there when it is whole.
func (c *backup) hold(s *surroundings) (done func(status int) error, err error) {
	s.in = nil
	if c.File == "-" {
		if _, terminal := s.out.(lines); terminal {
			return nil, errors.New("a backup is nothing to read on a terminal; name a file, or pass it on")
		}
		return func(int) error { return nil }, nil
	}
	file, err := os.CreateTemp(filepath.Dir(c.File), "."+filepath.Base(c.File)+".half-*") // mode 0600
	if err != nil {
		return nil, err
	}
	out := s.out
	s.out = file
	return func(status int) error {
		defer os.Remove(file.Name())
		if status != 0 {
			return file.Close()
		}
		return c.keep(out, file)
	}, nil
}

// keep gives a finished file its name, so that it outlives a loss of power.
func (c *backup) keep(out io.Writer, file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if err := errors.Join(file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := os.Rename(file.Name(), c.File); err != nil {
		return err
	}
	folder, err := os.Open(filepath.Dir(c.File))
	if err != nil {
		return err
	}
	if err := errors.Join(folder.Sync(), folder.Close()); err != nil {
		return err
	}
	if c.JSON {
		return (&surroundings{out: out}).json(struct {
			File     string `json:"file"`
			Bytes    int64  `json:"bytes"`
			WithKeys bool   `json:"with_keys"`
		}{c.File, info.Size(), c.WithKeys})
	}
	words := "The sealing key is not in it: keep a copy of keys/sealing.key apart from it."
	if c.WithKeys {
		words = "The sealing key is in it: whoever has this file has everything."
	}
	_, err = fmt.Fprintf(out, "%s: %d bytes. %s\n", c.File, info.Size(), words)
	return err
}

type restore struct {
	config.DataFlags
	JSON    bool   `name:"json" help:"Print JSON."`
	File    string `arg:"" help:"The backup; - is standard input."`
	Replace bool   `help:"Really: the accounts that are here go."`
}

func (c *restore) runAlone(s *surroundings) error {
	settings, err := c.DataFlags.Load(os.Environ())
	if err != nil {
		return err
	}
	from := s.in
	if c.File != "-" {
		file, err := os.Open(c.File)
		if err != nil {
			return err
		}
		defer file.Close()
		from = file
	}
	progress, wipe, _ := progressOn(s.errs)
	restored, err := app.Restore(s.ctx, settings, from, c.Replace, progress)
	wipe()
	if err != nil {
		if errors.Is(err, store.ErrNotEmpty) {
			err = fmt.Errorf("%w people, who would go; say so with --replace", err)
		}
		return fmt.Errorf("not restored: %w", err)
	}
	if c.JSON {
		return s.json(shownRestore(restored))
	}
	return c.tell(s.out, restored)
}

func (c *restore) tell(out io.Writer, r app.Restored) error {
	fmt.Fprintf(out, "Restored the backup of %s: %d people (%d administrators, %d with two-factor authentication), %d groups, %d applications.\n",
		r.Backup.Made.UTC().Format("2006-01-02 15:04 MST"), r.People, r.Administrators, r.TwoFactor, r.Rows["groups"], r.Rows["applications"])
	fmt.Fprintln(out, "Void: every session and open window, logins on their way, mailed links, letters that waited, what applications were given. Everybody logs in anew.")
	fmt.Fprintln(out, "Codes of an authenticator app of before are spent. Recovery codes that were used after the backup may be good again: whoever used one makes new ones.")
	if r.Invited > 0 {
		fmt.Fprintf(out, "%d people have not accepted their invitation, and its link is void: invite them again.\n", r.Invited)
	}
	if r.Administrators == 0 {
		fmt.Fprintln(out, "Nobody administers: the next start prints a link to the set-up.")
	}
	if r.KeysReplaced != "" {
		fmt.Fprintf(out, "The sealing key came with the backup; the one that was here is kept as %s, for older backups.\n", r.KeysReplaced)
	}
	return nil
}

// shownRestore is a restore as JSON shows one.
func shownRestore(r app.Restored) any {
	return struct {
		Made           time.Time        `json:"made"`
		People         int64            `json:"people"`
		Administrators int64            `json:"administrators"`
		TwoFactor      int64            `json:"two_factor"`
		Invited        int64            `json:"invited"`
		SessionsEnded  int64            `json:"sessions_ended"`
		Rows           map[string]int64 `json:"rows"`
		KeysReplaced   string           `json:"keys_replaced,omitempty"`
	}{r.Backup.Made, r.People, r.Administrators, r.TwoFactor, r.Invited, r.SessionsEnded, r.Rows, r.KeysReplaced}
}
