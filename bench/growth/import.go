package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/twinlock/twinlock/internal/password"
)

// measureImport has the program take a list of as many people as the large database
// has, into an empty one.
func measureImport(program string) error {
	list, err := writeList()
	if err != nil {
		return err
	}
	s := &site{program: program, people: 0}
	if err := s.make(); err != nil {
		return err
	}
	began := time.Now()
	if err := s.command("", "import", "users", list); err != nil {
		return err
	}
	took := time.Since(began)
	fmt.Printf("twinlock import users, %s: %d people with hashes in %.1f s, %.0f a second, wanted over 20,000 on SQLite\n",
		*engine, *people, took.Seconds(), float64(*people)/took.Seconds())
	return nil
}

func writeList() (path string, err error) {
	path = filepath.Join(*folder, fmt.Sprintf("people-%d.jsonl", *people))
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	file, err := os.Create(path + ".new")
	if err != nil {
		return "", err
	}
	defer file.Close()
	hash := password.Usual.Hash(phrase)
	out := bufio.NewWriterSize(file, 1<<20)
	lines := json.NewEncoder(out)
	for i := range *people {
		first, last := name(i)
		if err := lines.Encode(map[string]string{"email": canonical(i), "name": first + " " + last, "password_hash": hash}); err != nil {
			return "", err
		}
	}
	if err := out.Flush(); err != nil {
		return "", err
	}
	return path, os.Rename(path+".new", path)
}
