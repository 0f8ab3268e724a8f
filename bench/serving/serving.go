// Package serving is what the benchmarks share: where a server listens, and when
// it is ready.
package serving

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"
)

// FreeAddress is a loopback address at which nobody listens.
func FreeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// Await asks an address again and again until it answers 200; an error after
// half a minute.
func Await(address string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for tick := time.NewTicker(time.Millisecond); ; {
		answer, err := http.Get(address)
		if err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("nothing answers at %s: %w", address, err)
		case <-tick.C:
		}
	}
}
