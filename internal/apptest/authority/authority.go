// Package authority signs certificates for tests: an authority of one test
// alone, whom only that test's clients trust.
package authority

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Authority signs what servers of a test show.
type Authority struct {
	File    string // PEM, for programs that are told whom to trust
	KeyFile string // PEM, for programs that sign in its name

	t      testing.TB
	ca     *x509.Certificate
	key    *ecdsa.PrivateKey
	signed int64
}

// New makes an authority that is good from a day before now until ten years
// after.
func New(t testing.TB) *Authority {
	t.Helper()
	folder := t.TempDir()
	a := &Authority{t: t, File: filepath.Join(folder, "authority.pem"), KeyFile: filepath.Join(folder, "authority.key"), key: newKey(t)}
	a.ca = &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test authority"},
		NotBefore: time.Now().AddDate(0, 0, -1), NotAfter: time.Now().AddDate(10, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der := a.sign(a.ca, &a.key.PublicKey)
	var err error
	if a.ca, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.write(a.File, "CERTIFICATE", der)
	if der, err = x509.MarshalPKCS8PrivateKey(a.key); err != nil {
		t.Fatal(err)
	}
	a.write(a.KeyFile, "PRIVATE KEY", der)
	return a
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (a *Authority) sign(c *x509.Certificate, public *ecdsa.PublicKey) []byte {
	a.t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, c, a.ca, public, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	return der
}

// Certify writes a certificate for these hosts, good until then, and its key.
// Each has a serial number above the ones before.
func (a *Authority) Certify(certFile, keyFile string, until time.Time, hosts ...string) {
	a.t.Helper()
	a.signed++
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(100 + a.signed), Subject: pkix.Name{CommonName: hosts[0]},
		NotBefore: a.ca.NotBefore, NotAfter: until, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			leaf.IPAddresses = append(leaf.IPAddresses, ip)
		} else {
			leaf.DNSNames = append(leaf.DNSNames, host)
		}
	}
	key := newKey(a.t)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	a.write(keyFile, "PRIVATE KEY", der)
	a.write(certFile, "CERTIFICATE", a.sign(leaf, &key.PublicKey))
}

// write gives a file its content in one step, as programs that renew
// certificates do.
func (a *Authority) write(path, kind string, der []byte) {
	a.t.Helper()
	whole := path + ".new"
	if err := os.WriteFile(whole, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		a.t.Fatal(err)
	}
	if err := os.Rename(whole, path); err != nil {
		a.t.Fatal(err)
	}
}

// Trust is what a client needs to trust this authority and nobody else.
func (a *Authority) Trust() *tls.Config {
	pool := x509.NewCertPool()
	pool.AddCert(a.ca)
	return &tls.Config{RootCAs: pool}
}

// Client is a new client that trusts this authority, with connections of its
// own. It follows no redirects.
func (a *Authority) Client() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{TLSClientConfig: a.Trust(), ForceAttemptHTTP2: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       15 * time.Second,
	}
}
