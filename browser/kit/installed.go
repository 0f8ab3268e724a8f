package kit

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/apptest/authority"
	"github.com/twinlock/twinlock/internal/apptest/program"
)

const installPage = "docs/install.md"

// Installed is a server on a domain, set up from the page about installing as it
// stands. Other than there are only the ports, and where files lie:
//
//	443, 80, 127.0.0.1:8080      free ports of 127.0.0.1
//	/var/lib/twinlock            a temporary folder
//	/etc/letsencrypt/live/…,     a certificate of an authority of this test, which
//	/etc/twinlock/tls/…          Caddy signs with instead of fetching one
//
// Clients keep the names and ports of the page, and are led to the others.
type Installed struct {
	*Server
	Settings string // the file

	authority *authority.Authority
	at        map[string]string // by the page's address: where it really is
}

// Ways are the three that the page offers.
var Ways = []string{"caddy", "nginx", "itself"}

// StartInstalled starts a server in one of the ways. Instead are further pairs
// to be replaced in its settings.
func StartInstalled(t testing.TB, way string, instead ...string) *Installed {
	t.Helper()
	folder := t.TempDir()
	i := &Installed{Settings: filepath.Join(folder, "twinlock.toml"), authority: authority.New(t), at: map[string]string{
		"id.example.org:443": "127.0.0.1:" + FreePort(t), "id.example.org:80": "127.0.0.1:" + FreePort(t), "127.0.0.1:8080": "127.0.0.1:" + FreePort(t)}}
	i.Server = &Server{program.New(t, folder, "--config", i.Settings), t}
	i.URL, i.Local = "https://id.example.org", "http://"+i.at["127.0.0.1:8080"]
	certificate, key := filepath.Join(folder, "fullchain.pem"), filepath.Join(folder, "privkey.pem")
	i.authority.Certify(certificate, key, time.Now().Add(90*24*time.Hour), "id.example.org")
	var settings string
	if way == "itself" {
		settings = replaced(t, BlockOf(t, installPage, "/etc/twinlock/twinlock.toml (by itself)"), `":443"`, `"`+i.at["id.example.org:443"]+`"`,
			"/etc/twinlock/tls/fullchain.pem", certificate, "/etc/twinlock/tls/privkey.pem", key)
		trust := i.authority.Trust()
		trust.ServerName = "id.example.org"
		i.Ask, i.Local = &http.Client{Transport: &http.Transport{TLSClientConfig: trust}}, "https://"+i.at["id.example.org:443"]
	} else {
		settings = replaced(t, BlockOf(t, installPage, "/etc/twinlock/twinlock.toml (behind a proxy)"), "127.0.0.1:8080", i.at["127.0.0.1:8080"])
	}
	write(t, i.Settings, replaced(t, settings, append([]string{"/var/lib/twinlock", i.Data}, instead...)...))
	i.Server.Start()
	switch way {
	case "nginx":
		runNginx(t, folder, replaced(t, BlockOf(t, installPage, "/etc/nginx/conf.d/twinlock.conf"),
			"listen 80;", "listen "+i.at["id.example.org:80"]+";", "listen 443 ssl;", "listen "+i.at["id.example.org:443"]+" ssl;",
			"listen [::]:80;", "", "listen [::]:443 ssl;", "", // this machine may have no IPv6
			"/etc/letsencrypt/live/id.example.org/fullchain.pem", certificate, "/etc/letsencrypt/live/id.example.org/privkey.pem", key,
			"127.0.0.1:8080", i.at["127.0.0.1:8080"]))
	case "caddy":
		_, tlsPort, _ := net.SplitHostPort(i.at["id.example.org:443"])
		_, plainPort, _ := net.SplitHostPort(i.at["id.example.org:80"])
		runCaddy(t, folder, replaced(t, BlockOf(t, installPage, "/etc/caddy/Caddyfile"), "127.0.0.1:8080", i.at["127.0.0.1:8080"]),
			tlsPort, plainPort, "\tpki {\n\t\tca local {\n\t\t\troot {\n\t\t\t\tcert "+i.authority.File+"\n\t\t\t\tkey "+i.authority.KeyFile+"\n\t\t\t}\n\t\t}\n\t}\n")
	}
	Eventually(t, way+" answers", func() bool {
		connection, err := tls.Dial("tcp", i.at["id.example.org:443"], &tls.Config{InsecureSkipVerify: true, ServerName: "id.example.org"})
		if err == nil {
			_ = connection.Close()
		}
		return err == nil
	})
	return i
}

// Client is a client at an address of this machine, such as 127.0.0.2, that
// trusts the authority of this test and nobody else. It follows no redirects.
func (i *Installed) Client(from string) *http.Client {
	c := i.authority.Client()
	c.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
		return d.DialContext(ctx, network, i.at[address])
	}
	i.t.Cleanup(c.CloseIdleConnections)
	return c
}

// InstallIn puts the program into a folder, and beside it a sudo that runs as
// whoever asks.
func (i *Installed) InstallIn(t testing.TB, folder string) {
	t.Helper()
	binary, err := program.Binary()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(binary, filepath.Join(folder, "twinlock")); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(folder, "sudo"), "#!/bin/sh\nif [ \"$1\" = -u ]; then shift 2; fi\nexec env \"$@\"\n")
	if err := os.Chmod(filepath.Join(folder, "sudo"), 0o700); err != nil {
		t.Fatal(err)
	}
}
