package keys

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// A key file is text, so that it can be printed and kept in a safe:
//
//	# a comment
//	twinlock-keys 1
//	root 43 characters of base64url
//	key 43 characters of base64url   (the newest)
//	key 43 characters of base64url
const (
	fileHead    = "twinlock-keys 1"
	fileComment = `# The keys of this Twinlock. Whoever has this file and the database can read
# every authenticator's key; whoever has the database alone cannot.
# Keep a copy, apart from the backups of the database. Do not edit.
`
	longestFile = 64 << 10 // bytes
)

var encoding = base64.RawURLEncoding.Strict()

// Text gives the whole ring as a key file's text. It is as secret as the keys.
func (r *Ring) Text() []byte {
	h := r.held()
	var b bytes.Buffer
	b.WriteString(fileComment)
	fmt.Fprintln(&b, fileHead)
	fmt.Fprintln(&b, "root", encoding.EncodeToString(h.root[:]))
	for _, key := range h.keys {
		fmt.Fprintln(&b, "key", encoding.EncodeToString(key.raw[:]))
	}
	return b.Bytes()
}

// Parse reads what Text gave. Blank lines and lines that begin with # are
// skipped. Errors name the line and never quote it.
func Parse(fileText []byte) (*Ring, error) {
	var h held
	head, root := false, false
	for i, line := range strings.Split(string(fileText), "\n") {
		line = strings.TrimSpace(line)
		word, value, _ := strings.Cut(line, " ")
		var err error
		switch {
		case line == "" || word[0] == '#':
		case !head && line == fileHead:
			head = true
		case !head:
			err = fmt.Errorf("want %q first", fileHead)
		case word == "root" && !root:
			h.root, err = decode(value)
			root = true
		case word == "key" && root:
			err = h.append(value)
		default:
			err = errors.New("want one root and then keys")
		}
		if err != nil {
			return nil, fmt.Errorf("read keys: line %d: %w", i+1, err)
		}
	}
	if len(h.keys) == 0 {
		return nil, errors.New("read keys: the file ends before its first key")
	}
	return ringOf(h), nil
}

// append adds a key older than all the others.
func (h *held) append(value string) error {
	raw, err := decode(value)
	if err != nil {
		return err
	}
	key := sealingKeyOf(raw)
	if h.find(key.id[:]) >= 0 || raw == h.root {
		return errors.New("a key that was there before")
	}
	h.keys = append(h.keys, key)
	return nil
}

func decode(value string) (raw [32]byte, err error) {
	decoded, err := encoding.DecodeString(value)
	if err != nil || len(decoded) != len(raw) || strings.ContainsAny(value, "\r\n") {
		return raw, errors.New("want 43 characters of base64url")
	}
	if raw = [32]byte(decoded); raw == ([32]byte{}) {
		return raw, errors.New("a key of zeroes")
	}
	return raw, nil
}

// OpenFile reads the ring in the file at path. It refuses a file that anybody
// but its owner may read or write. If there is none, the error is
// fs.ErrNotExist.
func OpenFile(path string) (*Ring, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open key file: %w", err)
	}
	defer file.Close()
	// Asked of the open file, which cannot be exchanged for another any more.
	if err := refuseShared(file); err != nil {
		return nil, fmt.Errorf("key file %s: %w", path, err)
	}
	text, err := io.ReadAll(io.LimitReader(file, longestFile+1))
	if err != nil {
		return nil, fmt.Errorf("read key file: %w", err)
	}
	if len(text) > longestFile {
		return nil, fmt.Errorf("key file %s: longer than %d bytes", path, longestFile)
	}
	ring, err := Parse(text)
	if err != nil {
		return nil, fmt.Errorf("key file %s: %w", path, err)
	}
	return ring, nil
}

func refuseShared(file fs.File) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errors.New("not a regular file")
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("mode %#o lets others read or write it; set it to 0600", mode)
	}
	return nil
}

// CreateFile makes a new ring and keeps it in a new file at path, mode 0600.
// It never replaces a file: where there is one, the error is fs.ErrExist. When
// it returns without error, the file outlives a loss of power; when the
// program dies on the way, there is no file at path.
func CreateFile(path string) (*Ring, error) {
	ring := New()
	if err := ring.WriteFile(path); err != nil {
		return nil, err
	}
	return ring, nil
}

// WriteFile keeps the ring in a new file at path, with the promises of
// CreateFile.
func (r *Ring) WriteFile(path string) error {
	if err := writeNew(path, r.Text()); err != nil {
		return fmt.Errorf("create key file: %w", err)
	}
	return nil
}

// writeNew writes beside path first and then gives the finished file its name.
// Linking, unlike renaming, fails where the name is taken.
func writeNew(path string, text []byte) error {
	folder := filepath.Dir(path)
	file, err := os.CreateTemp(folder, filepath.Base(path)+".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	if err := errors.Join(writeAndSync(file, text), file.Close()); err != nil {
		return err
	}
	if err := os.Link(file.Name(), path); err != nil {
		return err
	}
	return syncFolder(folder)
}

func writeAndSync(file *os.File, text []byte) error {
	if _, err := file.Write(text); err != nil {
		return err
	}
	return file.Sync()
}

// syncFolder makes the new name last, which syncing the file does not.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
