// The wordlist command makes the two lists that passwords are judged by and that
// ship with Twinlock: the filter of common and leaked passwords, and the words
// that a guessing program tries. Run it by
//
//	go generate ./internal/password
//
// It needs npm, with which it fetches one package of a fixed version and
// checksum; the words come from a module of a fixed version. It writes the same
// bytes each time. Nothing of this happens when Twinlock is built: both lists are
// committed.
package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/ccojocar/zxcvbn-go/frequency"

	"github.com/twinlock/twinlock/internal/password"
)

// The list: MIT licensed, 49,233 entries, the commonest first.
const (
	npmPackage  = "@zxcvbn-ts/language-common@4.1.3"
	listPath    = "package/src/passwords.json"
	licensePath = "package/LICENSE.txt"

	// sha512Sum is what the registry calls the package's integrity.
	sha512Sum = "g2bg4skmlJG9aJqC/nWziZzgYpSe/f3rKeGobrkdFiOrfZVFqqzUgC6BUQWuX54Sua9j0Jxxt+1bf4f/Mal1Kg=="
)

func main() {
	out := flag.String("o", "common.filter", "the filter's `file`; its license is written beside it")
	words := flag.String("words", "words.ranked", "the `file` of the words; their license is written beside it")
	flag.Parse()
	if err := errors.Join(run(*out), writeWords(*words)); err != nil {
		fmt.Fprintln(os.Stderr, "wordlist:", err)
		os.Exit(1)
	}
}

func run(out string) error {
	archive, err := fetch()
	if err != nil {
		return fmt.Errorf("fetch %s: %w", npmPackage, err)
	}
	files, err := unpack(archive)
	if err != nil {
		return fmt.Errorf("unpack %s: %w", npmPackage, err)
	}
	var entries []string
	if err := json.Unmarshal(files[listPath], &entries); err != nil {
		return fmt.Errorf("read %s: %w", listPath, err)
	}
	filter, err := password.BuildList(entries)
	if err != nil {
		return err
	}
	if err := os.WriteFile(out, filter, 0o644); err != nil {
		return err
	}
	return os.WriteFile(out+".LICENSE", license(files[licensePath]), 0o644)
}

// fetch gives the package as npm packs it, once its checksum is right.
func fetch() ([]byte, error) {
	dir, err := os.MkdirTemp("", "wordlist-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	npm := exec.Command("npm", "pack", "--silent", npmPackage)
	npm.Dir, npm.Stderr = dir, os.Stderr
	if err := npm.Run(); err != nil {
		return nil, fmt.Errorf("npm pack: %w", err)
	}
	archive, err := readOnly(dir, "*.tgz")
	if err != nil {
		return nil, err
	}
	if sum := sha512.Sum512(archive); base64.StdEncoding.EncodeToString(sum[:]) != sha512Sum {
		return nil, fmt.Errorf("the checksum is not %s", sha512Sum)
	}
	return archive, nil
}

// readOnly reads the one file in dir that matches pattern.
func readOnly(dir, pattern string) ([]byte, error) {
	found, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		return nil, err
	}
	if len(found) != 1 {
		return nil, fmt.Errorf("%d files match %s, want one", len(found), pattern)
	}
	return os.ReadFile(found[0])
}

// unpack gives the list and its license.
func unpack(archive []byte) (map[string][]byte, error) {
	unzipped, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for r := tar.NewReader(unzipped); len(files) < 2; {
		header, err := r.Next()
		if err != nil {
			return nil, fmt.Errorf("%s and %s are not both there: %w", listPath, licensePath, err)
		}
		if header.Name != listPath && header.Name != licensePath {
			continue
		}
		if files[header.Name], err = io.ReadAll(r); err != nil {
			return nil, err
		}
	}
	return files, nil
}

func license(text []byte) []byte {
	return fmt.Appendf(nil, "common.filter is made from the list of passwords in the npm package\n%s (https://github.com/zxcvbn-ts/zxcvbn), whose license is:\n\n%s", npmPackage, text)
}

// wordsModule has the words, names and passwords that zxcvbn knows. MIT licensed.
const wordsModule = "github.com/ccojocar/zxcvbn-go"

func writeWords(out string) error {
	var lists [][]string
	for _, list := range frequency.Lists {
		lists = append(lists, list.List)
	}
	file, err := password.BuildWords(lists...)
	if err != nil {
		return err
	}
	where, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", wordsModule).Output()
	if err != nil {
		return fmt.Errorf("find %s: %w", wordsModule, err)
	}
	text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(where)), "LICENSE.txt"))
	if err != nil {
		return err
	}
	if err := os.WriteFile(out, file, 0o644); err != nil {
		return err
	}
	return os.WriteFile(out+".LICENSE", fmt.Appendf(nil, "words.ranked is made from the lists in the Go module\nhttps://%s, whose license is:\n\n%s", wordsModule, text), 0o644)
}
