package mailtest

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
	"os"
	"path/filepath"
	"testing"
	"time"
)

// certificate is what the server shows, and the authority that signed it.
type certificate struct {
	config        *tls.Config
	authorityFile string // PEM
}

// newCertificate makes an authority of this test alone and lets it sign a
// certificate for 127.0.0.1.
func newCertificate(t testing.TB) certificate {
	t.Helper()
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Mail test authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "127.0.0.1"},
		NotBefore: authority.NotBefore, NotAfter: authority.NotAfter,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	authorityKey, leafKey := newKey(t), newKey(t)
	file := filepath.Join(t.TempDir(), "authority.pem")
	signed := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: sign(t, authority, authority, authorityKey, authorityKey)})
	if err := os.WriteFile(file, signed, 0o600); err != nil {
		t.Fatalf("keep the mail server's authority: %v", err)
	}
	shown := tls.Certificate{Certificate: [][]byte{sign(t, leaf, authority, leafKey, authorityKey)}, PrivateKey: leafKey}
	return certificate{config: &tls.Config{Certificates: []tls.Certificate{shown}}, authorityFile: file}
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatalf("make a key for the mail server: %v", err)
	}
	return key
}

func sign(t testing.TB, c, by *x509.Certificate, key, byKey *ecdsa.PrivateKey) []byte {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, c, by, &key.PublicKey, byKey)
	if err != nil {
		t.Fatalf("sign the mail server's certificate: %v", err)
	}
	return der
}

// protect puts TLS under the conversation where it is there from the first byte.
func (s *Server) protect(listener net.Listener) net.Listener {
	if s.protection == ImplicitTLS {
		return tls.NewListener(listener, s.certificate.config)
	}
	return listener
}
