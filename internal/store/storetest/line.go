package storetest

import (
	"net"
	"net/url"
	"path/filepath"
	"sync"
	"testing"
)

// Line is a network between a server and its PostgreSQL that tests interrupt
// without a word to either end, as a firewall or a pulled cable does.
type Line struct {
	listener net.Listener
	network  string // of PostgreSQL: unix or tcp
	address  string

	mu   sync.Mutex
	open sync.Cond // on mu
	cut  bool
	ends []net.Conn
}

// NewLine gives a line to a database, and the address of the database through it.
func NewLine(t testing.TB, database string) (*Line, string) {
	t.Helper()
	at, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	l := &Line{network: "tcp", address: at.Host}
	if folder := at.Query().Get("host"); folder != "" {
		l.network, l.address = "unix", filepath.Join(folder, ".s.PGSQL.5432")
	}
	l.open.L = &l.mu
	if l.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	go l.accept()
	t.Cleanup(l.close)
	return l, "postgres://twinlock@" + l.listener.Addr().String() + at.Path + "?sslmode=disable"
}

// Cut carries nothing from now on, in either direction; connections stay, and new
// ones hear nothing.
func (l *Line) Cut() { l.set(true) }

// Mend carries again, also what was said meanwhile.
func (l *Line) Mend() { l.set(false) }

// HangUp ends every connection.
func (l *Line) HangUp() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, end := range l.ends {
		_ = end.Close()
	}
	l.ends = nil
}

func (l *Line) set(cut bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = cut
	l.open.Broadcast()
}

func (l *Line) accept() {
	for {
		near, err := l.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial(l.network, l.address)
		if err != nil {
			_ = near.Close()
			continue
		}
		l.mu.Lock()
		l.ends = append(l.ends, near, far)
		l.mu.Unlock()
		go l.carry(near, far)
		go l.carry(far, near)
	}
}

func (l *Line) carry(from, to net.Conn) {
	defer from.Close()
	defer to.Close()
	some := make([]byte, 32<<10)
	for {
		n, err := from.Read(some)
		l.mu.Lock()
		for l.cut {
			l.open.Wait()
		}
		l.mu.Unlock()
		if _, lost := to.Write(some[:n]); err != nil || lost != nil {
			return
		}
	}
}

func (l *Line) close() {
	_ = l.listener.Close()
	l.Mend()
	l.HangUp()
}
