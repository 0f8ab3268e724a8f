package password

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/FastFilter/xorfilter"
	"golang.org/x/text/unicode/norm"
)

//go:generate go -C ../../tools run ./wordlist -o ../internal/password/common.filter -words ../internal/password/words.ranked

// shippedFile is the list of common and leaked passwords, made by the command
// above; common.filter.LICENSE tells where its entries come from.
//
//go:embed common.filter
var shippedFile []byte

var shipped = sync.OnceValues(func() (list, error) { return readList(shippedFile) })

// Load says whether the shipped list of common and leaked passwords is there
// and whole. Ask at start and stop on an error: [Rules.Judge] panics without
// the list rather than accept what it should refuse.
func Load() error {
	if _, err := shipped(); err != nil {
		return fmt.Errorf("read the shipped list of common passwords: %w", err)
	}
	return nil
}

// list answers whether a password is on it, from a binary fuse filter: of
// passwords that are not on it, one in 65,536 is thought to be.
type list struct {
	filter *xorfilter.BinaryFuse[uint16]
}

// readList reads what BuildList made.
func readList(file []byte) (list, error) {
	if len(file) < sha256.Size {
		return list{}, errors.New("the file is too short")
	}
	sum, body := file[:sha256.Size], file[sha256.Size:]
	if computed := sha256.Sum256(body); !bytes.Equal(sum, computed[:]) {
		return list{}, errors.New("the file is damaged: its checksum does not match")
	}
	filter, err := xorfilter.LoadBinaryFuse[uint16](bytes.NewReader(body))
	return list{filter}, err
}

// has reports whether the password as it stands is on the list, in any case.
func (l list) has(password string) bool {
	return l.filter.Contains(key(password))
}

// hasStemOf reports whether the password is an entry in disguise: whether they
// have their stem in common, in one of the password's spellings. A sign at an
// end may be decoration or a letter's, so both are tried.
func (l list) hasStemOf(password string) bool {
	for _, spelling := range append(spellings(password), spellings(cut(password))...) {
		if l.filter.Contains(stemKey(stem(spelling))) {
			return true
		}
	}
	return false
}

// BuildList makes the file that Load reads: a SHA-256 checksum and, little
// endian, the filter over the entries and their stems. The same entries make
// the same bytes. Entries of fewer than four characters are left out: nearly
// every password has one of them for a stem.
func BuildList(entries []string) ([]byte, error) {
	keys := keys(entries)
	if len(keys) == 0 {
		return nil, errors.New("no entry has four characters or more")
	}
	filter, err := xorfilter.NewBinaryFuse[uint16](keys)
	if err != nil {
		return nil, fmt.Errorf("build a filter over %d entries: %w", len(entries), err)
	}
	var body bytes.Buffer
	if err := filter.Save(&body); err != nil {
		return nil, fmt.Errorf("write the filter: %w", err)
	}
	sum := sha256.Sum256(body.Bytes())
	return append(sum[:], body.Bytes()...), nil
}

// keys gives what the filter is built over, each key once.
func keys(entries []string) []uint64 {
	var keys []uint64
	seen := map[uint64]bool{}
	add := func(key uint64) {
		if !seen[key] {
			seen[key] = true
			keys = append(keys, key)
		}
	}
	for _, entry := range entries {
		if long(entry) {
			add(key(entry))
		}
		if stem := stem(entry); long(stem) {
			add(stemKey(stem))
		}
	}
	return keys
}

func long(entry string) bool { return utf8.RuneCountInString(entry) >= 4 }

// key is the number under which the filter knows an entry as it stands.
func key(entry string) uint64 { return hash64("entry " + plain(entry)) }

// stemKey is the number under which it knows a stem. The two differ, because
// what is weak as a stem need not be on the list as it stands.
func stemKey(stem string) uint64 { return hash64("stem " + stem) }

func hash64(s string) uint64 {
	sum := sha256.Sum256([]byte(s))
	return binary.LittleEndian.Uint64(sum[:])
}

// plain gives s in NFKC and small letters, as the list knows its entries.
func plain(s string) string {
	return norm.NFKC.String(strings.ToLower(norm.NFKC.String(s)))
}
