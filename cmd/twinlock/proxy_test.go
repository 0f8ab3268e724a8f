package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAnApplicationWithoutARedirectURIStandsBehindAProxy(t *testing.T) {
	bothWays(t, func(t *testing.T, o *operator) {
		o.does("group", "add", "Staff")
		var added shownApp
		o.reads(&added, "app", "add", "Wiki", "--url", "https://wiki.example.org", "--allow-everyone", "--host", "docs.example.org:8443",
			"--rule", "/assets=public", "--rule", "/admin=group:Staff", "--rule", "docs.example.org:8443/a=b=two-factor", "--rule", "/payroll=code:15m")
		if added.Kind != "forward-auth" || strings.Join(added.Hosts, " ") != "docs.example.org:8443" {
			t.Errorf("%+v", added)
		}
		if out := o.does("plugin", "list"); !strings.Contains(out, "forward-auth: active yes, enabled for everyone") {
			t.Errorf("the first one does not activate the plug-in: %s", out)
		}
		want := "/assets=public\n/admin=group:Staff\ndocs.example.org:8443/a=b=two-factor\n/payroll=code:15m\neverything else: signed-in\n"
		if out := o.does("app", "rules", string(added.ID)); out != want {
			t.Errorf("rules:\n%s", out)
		}
		o.does("group", "delete", "Staff")
		if out := o.does("app", "rules", string(added.ID)); !strings.Contains(out, "/admin=group:(deleted: nobody)") {
			t.Errorf("after its group is gone:\n%s", out)
		}
		if out := o.does("app", "rules", string(added.ID), "--rule", "/=public"); !strings.HasPrefix(out, "/=public\n") {
			t.Errorf("replaced:\n%s", out)
		}
		if out := o.does("app", "rules", string(added.ID), "--clear"); out != "everything else: signed-in\n" {
			t.Errorf("cleared:\n%s", out)
		}
	})
}

func TestTheSettingsOfAProxyArePrintedToBePutBeforeAnApplication(t *testing.T) {
	o := newOperator(t)
	o.env = append(o.env, "TWINLOCK_PUBLIC_URL=https://id.example.org")
	said := o.does("app", "add", "Wiki", "--url", wiki+"/start")
	for _, words := range []string{`trusted_proxies = ["127.0.0.1"]`, "--proxy nginx"} {
		if !strings.Contains(said, words) {
			t.Errorf("%q is missing in\n%s", words, said)
		}
	}
	for proxy, file := range map[string]string{"nginx": "nginx.conf", "caddy": "Caddyfile", "traefik": "traefik.yml"} {
		documented, err := os.ReadFile(filepath.Join("..", "..", "docs", "proxies", file))
		if err != nil {
			t.Fatal(err)
		}
		if said := o.does("app", "show", "Wiki", "--proxy", proxy); said != string(documented) {
			t.Errorf("%s is\n%s", proxy, said)
		}
	}
	o.does("app", "add", "Notes", "--url", wiki, "--link")
	o.fails(failed, "app", "show", "Notes", "--proxy", "nginx")
	o.fails(wrongUsage, "app", "show", "Wiki", "--proxy", "apache")
	o.fails(wrongUsage, "app", "show", "Wiki", "--proxy", "nginx", "--json")
}

// Cookies know no ports: what lies beside Twinlock would be sent what opens
// Twinlock's own pages. On this machine itself one may try.
func TestAnApplicationAtOurOwnHostIsRefused(t *testing.T) {
	bothWays(t, func(t *testing.T, o *operator) {
		var other shownClient
		o.reads(&other, "app", "add", "Notes", "--url", wiki, "--redirect-uri", wiki+"/a")
		public := other.Issuer
		why := o.fails(failed, "app", "add", "Next door", "--url", public+"/next-door")
		if !strings.Contains(why, "Twinlock itself lives at this host") {
			t.Error(why)
		}
		o.does("app", "add", "Wiki", "--url", "http://localhost:1")
		o.fails(failed, "app", "set", "Wiki", "--url", public)
		o.fails(failed, "app", "set", "Wiki", "--host", strings.TrimPrefix(public, "http://"))
		o.does("app", "add", "Ours", "--link", "--url", public+"/account")
	})
	o := newOperator(t)
	o.env = append(o.env, "TWINLOCK_PUBLIC_URL=https://id.example.org")
	o.fails(failed, "app", "add", "Next door", "--url", "https://id.example.org:8443")
	o.fails(failed, "app", "add", "Wiki", "--url", "https://wiki.example.org", "--host", "id.example.org:8443")
}

// A rule without a host stands for every host, one that is added later too.
func TestAHostThatIsPublicIsTakenWithYesAlone(t *testing.T) {
	bothWays(t, func(t *testing.T, o *operator) {
		o.does("app", "add", "Wiki", "--url", wiki, "--rule", "/assets=public")
		for _, flags := range [][]string{{"--host", "docs.example.org"}, {"--url", "https://docs.example.org"}} {
			flags = append([]string{"app", "set", "Wiki", "--name", "Notes"}, flags...)
			if why := o.fails(failed, flags...); !strings.Contains(why, "docs.example.org/assets") || !strings.Contains(why, "--yes") {
				t.Errorf("%s: %s", flags, why)
			}
		}
		if a := o.app("Wiki"); a.URL != wiki || len(a.Hosts) > 0 {
			t.Errorf("kept %+v", a)
		}
		o.does("app", "set", "Wiki", "--host", "docs.example.org", "--yes")
		o.does("app", "set", "Wiki", "--host", "docs.example.org", "--url", wiki) // it is there already
		o.does("app", "set", "Wiki", "--host", "")
	})
}

func TestWhatIsNoRuleOrNoHostIsRefused(t *testing.T) {
	o := newOperator(t)
	o.does("app", "add", "Wiki", "--url", "https://wiki.example.org")
	for _, flags := range [][]string{
		{"--rule", "/admin"}, {"--rule", "=public"}, {"--rule", "admin=public"}, {"--rule", "/a/=public"}, {"--rule", "/a/../b=public"},
		{"--rule", "/a%20b=public"}, {"--rule", "/a=open"}, {"--rule", "/a=public:x"}, {"--rule", "/a=group:Nobody"}, {"--rule", "/a=code"},
		{"--rule", "/a=code:soon"}, {"--rule", "a b/c=public"}, {"--host", "wiki.example.org"}, {"--host", "a/b"}, {"--host", "a:99999"},
	} {
		o.fails(failed, append([]string{"app", "add", "Shop", "--url", "https://shop.example.org"}, flags...)...)
	}
	for _, flags := range [][]string{ // of two kinds
		{"--link", "--host", "a.example.org"}, {"--redirect-uri", "https://shop.example.org/", "--rule", "/=public"}, {"--link", "--redirect-uri", "https://shop.example.org/"},
	} {
		o.fails(wrongUsage, append([]string{"app", "add", "Shop", "--url", "https://shop.example.org"}, flags...)...)
	}
	o.fails(failed, "app", "add", "Again", "--url", "https://wiki.example.org/again")
	if out := o.does("app", "list"); strings.Count(out, "\n") != 1 {
		t.Errorf("something was added all the same: %s", out)
	}
	var link shownApp
	o.reads(&link, "app", "add", "Link", "--url", "https://wiki.example.org/", "--link")
	o.fails(failed, "app", "rules", string(link.ID))
}
