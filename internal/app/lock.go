package app

import (
	"context"
	"errors"
	"os"

	"github.com/twinlock/twinlock/internal/config"
)

// Server is the App that serves: it alone holds the data folder.
type Server struct {
	*App
	lock *os.File
}

// NewServer is New for a program that serves. ErrRunning where another one
// does on the same data.
func NewServer(ctx context.Context, c config.Config, o Options) (*Server, error) {
	lock, err := lockData(c.Data)
	if err != nil {
		return nil, err
	}
	a, err := New(ctx, c, o)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return &Server{App: a, lock: lock}, nil
}

// Release lets another process have the data folder.
func (s *Server) Release() error { return s.lock.Close() }
