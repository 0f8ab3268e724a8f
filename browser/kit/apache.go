package kit

import (
	"crypto/rand"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// Apache is the web server of that name with a page that only people who are
// signed in see. Its module mod_auth_openidc signs them in.
//
//	/           says who is signed in
//	/sign-in    takes the answers, logs out with ?logout, and hears of logouts
//	/open.html  is seen by everybody
type Apache struct {
	URL string // without a slash at the end
}

// Apache adds the application by command, as an operator does, and starts it.
func (s *Server) Apache(t testing.TB) *Apache {
	t.Helper()
	folder, port := readable(t), FreePort(t)
	a := &Apache{URL: "http://127.0.0.1:" + port}
	var added struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
	}
	out := s.Run("", "app", "add", "Apache", "--url", a.URL+"/", "--redirect-uri", a.URL+"/sign-in", "--logout-uri", a.URL+"/open.html",
		"--logout-notice", a.URL+"/sign-in?logout=backchannel", "--allow-everyone", "--json")
	if err := json.Unmarshal([]byte(out), &added); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	pages := filepath.Join(folder, "pages")
	if err := os.Mkdir(pages, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"pages/index.shtml": `<!doctype html><html lang="en"><title>Apache</title><h1>Apache</h1><p>User <!--#echo var="REMOTE_USER" --></p>
<p>Name <!--#echo var="OIDC_CLAIM_name" -->, by <!--#echo var="OIDC_CLAIM_amr" --></p><p>Asked for <!--#echo var="REQUEST_URI" --></p>`,
		"pages/open.html": `<!doctype html><html lang="en"><title>Apache</title><h1>Open to everybody</h1>`,
		"apache.conf": `ServerRoot /usr/lib/apache2
ServerName 127.0.0.1
Listen 127.0.0.1:` + port + `
PidFile ` + folder + `/pid
Mutex sem
ErrorLog /dev/stderr
User nobody
Group nogroup
LoadModule mpm_event_module modules/mod_mpm_event.so
LoadModule authn_core_module modules/mod_authn_core.so
LoadModule authz_core_module modules/mod_authz_core.so
LoadModule authz_user_module modules/mod_authz_user.so
LoadModule dir_module modules/mod_dir.so
LoadModule mime_module modules/mod_mime.so
LoadModule include_module modules/mod_include.so
LoadModule auth_openidc_module modules/mod_auth_openidc.so
TypesConfig /etc/mime.types
DocumentRoot ` + pages + `
DirectoryIndex index.shtml
AddType text/html .shtml
AddOutputFilter INCLUDES .shtml
<Directory ` + pages + `>
  Options +Includes
</Directory>

OIDCProviderMetadataURL ` + s.URL + `/.well-known/openid-configuration
OIDCClientID ` + added.ID + `
OIDCClientSecret ` + added.Secret + `
OIDCRedirectURI ` + a.URL + `/sign-in
OIDCScope "openid profile email"
OIDCPKCEMethod S256
OIDCRemoteUserClaim email
OIDCCryptoPassphrase ` + rand.Text() + `
<Location />
  AuthType openid-connect
  Require valid-user
</Location>
<Location /open.html>
  Require all granted
</Location>
`,
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	runProxy(t, "apache2", "-D", "FOREGROUND", "-f", filepath.Join(folder, "apache.conf"))
	awaits(t, a.URL+"/open.html")
	return a
}

// readable makes a folder that Apache can read too, which gives up root's rights.
func readable(t testing.TB) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "apache")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	return folder
}
