package app

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// certificate is the pair of files with which the program speaks TLS itself.
// Whoever renews them writes the files and does nothing else: they are looked
// at again by handshakes, and connections that are open stay as they are. It is
// safe for concurrent use.
type certificate struct {
	certFile, keyFile, host string
	log                     *slog.Logger
	now                     func() time.Time

	sync.Mutex
	held   *tls.Certificate
	seen   [2]stamp  // how the files looked when they were last read
	looked time.Time // when they were last looked at
}

// stamp tells a file from what it was before, without reading it.
type stamp struct {
	changed time.Time
	size    int64
}

// lookAgain is how long a handshake trusts the look of an earlier one.
const lookAgain = time.Second

// openCertificate reads the pair for the first time: a pair that cannot be used
// keeps the server from starting.
func openCertificate(certFile, keyFile, host string, log *slog.Logger, now func() time.Time) (*certificate, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile, host: host, log: log, now: now, looked: now()}
	c.seen = c.look()
	if err := c.read(); err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	return c, nil
}

// config is TLS 1.2 and 1.3, with the algorithms that Go holds to be good.
func (c *certificate) config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.get}
}

func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.Lock()
	defer c.Unlock()
	now := c.now()
	if since := now.Sub(c.looked); since >= 0 && since < lookAgain {
		return c.held, nil
	}
	c.looked = now
	if seen := c.look(); seen != c.seen {
		c.seen = seen
		if err := c.read(); err != nil {
			// Perhaps one of the two is written and the other not yet: then the other
			// comes, and the pair is read again.
			c.log.Warn("the new certificate cannot be used, the old one is kept", "error", err)
		}
	}
	return c.held, nil
}

func (c *certificate) look() (seen [2]stamp) {
	for i, path := range []string{c.certFile, c.keyFile} {
		if info, err := os.Stat(path); err == nil {
			seen[i] = stamp{info.ModTime(), info.Size()}
		}
	}
	return seen
}

// read takes the pair of files, or leaves what is held as it is.
func (c *certificate) read() error {
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return err
	}
	c.held = &pair
	c.log.Info("certificate read", "file", c.certFile, "until", pair.Leaf.NotAfter)
	for _, trouble := range c.troubles(pair.Leaf) {
		c.log.Warn("browsers will refuse the certificate", "file", c.certFile, "because", trouble)
	}
	return nil
}

// troubles are what browsers will not like, in words for the operator. Whom
// they trust is their own affair.
func (c *certificate) troubles(leaf *x509.Certificate) (all []string) {
	if err := leaf.VerifyHostname(c.host); err != nil {
		all = append(all, "it is not for "+c.host+", the host of public_url")
	}
	if now := c.now(); now.After(leaf.NotAfter) {
		all = append(all, "it was good until "+leaf.NotAfter.Format(time.DateTime)+" UTC")
	} else if now.Before(leaf.NotBefore) {
		all = append(all, "it is good from "+leaf.NotBefore.Format(time.DateTime)+" UTC on")
	}
	return all
}

// endsSoon is how long before its end a certificate that nobody renewed is
// worth a line in the log, every day.
const endsSoon = 7 * 24 * time.Hour

func (c *certificate) warnBeforeItEnds(context.Context) error {
	held, _ := c.get(nil)
	if left := held.Leaf.NotAfter.Sub(c.now()); left < endsSoon {
		c.log.Warn("the certificate ends soon, and nobody renewed it", "file", c.certFile, "until", held.Leaf.NotAfter)
	}
	return nil
}
