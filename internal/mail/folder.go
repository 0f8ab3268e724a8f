package mail

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Folder writes each message into a file that any mail program opens. It is
// the sender where no mail server is set.
type Folder struct {
	dir  string
	host string
}

// NewFolder makes a sender into dir, which it creates if needed. host is the
// host of the public URL, by which the sender names its messages.
func NewFolder(dir, host string) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the outbox: %w", err)
	}
	return &Folder{dir: dir, host: host}, nil
}

// Send writes m as TIME-KIND-ID.eml, readable by the server's user alone: the
// links in it are as good as keys. A file of that ending is always whole. The
// same message sent again takes the place of its first file.
func (f *Folder) Send(ctx context.Context, m Message) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	name := fmt.Sprintf("%s-%s-%s.eml", m.Date.UTC().Format("20060102T150405Z"), m.Kind, m.ID)
	err := writeWhole(filepath.Join(f.dir, name), func(w io.Writer) error { return m.write(w, f.host) })
	if err != nil {
		return fmt.Errorf("put a letter (%s) into the outbox: %w", m.Kind, err)
	}
	return nil
}

// writeWhole writes beside the file and then renames, so that whoever watches
// the folder never sees half of it.
func writeWhole(name string, write func(io.Writer) error) error {
	file, err := os.CreateTemp(filepath.Dir(name), ".writing-*") // CreateTemp gives it mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // fails once it is renamed, as it should
	defer file.Close()
	if err := write(file); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	return os.Rename(file.Name(), name)
}
