package browser

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/twinlock/twinlock/browser/kit"
)

// proxyCheck is the page about proxies as an administrator opens it, through a
// proxy before which there is an application.
func proxyCheck(t *testing.T, p *kit.Proxied) *kit.Tab {
	t.Helper()
	p.Person(bea, next, "--name", "Bea", "--admin")
	p.Run("", "app", "add", "Notes", "--url", p.App+"/", "--allow-everyone")
	tab := login(p.Profile(t).Trusting(), bea, next).At("/apps")
	return tab.Menu("Bea", "Administration").At("/admin").Press("Proxy check").At("/admin/proxy-check").See("Your request to this page")
}

// arrived is what a part of the page says: its definitions, and each header with
// its value and what became of it.
func arrived(tab *kit.Tab, part string) (said map[string]string) {
	tab.Evaluate(`(part => Object.fromEntries([
		...[...part.querySelectorAll(":scope > dl > div")].map(e => [e.querySelector("dt").innerText, e.querySelector("dd").innerText]),
		...[...part.querySelectorAll(":scope > ul > li")].map(e => [e.querySelector("strong").innerText,
			e.querySelector("code").innerText + ", " + e.querySelector(".badge").innerText])
	]))(document.querySelector("[aria-labelledby=`+part+`-heading]"))`, &said)
	return said
}

func TestTheProxyCheckHasNothingToMendBehindADocumentedProxy(t *testing.T) {
	for name, names := range map[string]string{"nginx": "X-Original-Url", "caddy": "X-Forwarded-Uri"} {
		t.Run(name, func(t *testing.T) {
			p := kit.StartProxied(t, name)
			tab := proxyCheck(t, p).See("Nothing to mend")
			said := arrived(tab, "request")
			for what, want := range map[string]string{
				"Asked for": p.URL, "Public address (public_url)": p.URL, "Speaks to Twinlock": "127.0.0.1, a trusted proxy",
				"Your address, as believed": "127.0.0.1", "X-Forwarded-For": "127.0.0.1, Believed",
				"X-Forwarded-Proto": "https, Ignored", "X-Forwarded-Host": strings.TrimPrefix(p.URL, "https://") + ", Ignored",
			} {
				if said[what] != want {
					t.Errorf("%s: %q, want %q", what, said[what], want)
				}
			}

			tab.Press("Test " + p.App).See("What the proxy of your application asked").See("arrives as it should")
			said = arrived(tab, "question")
			if said["You opened"] != p.App || said["The question is about"] != p.App || said["Asked at"] != "/forward-auth/"+name ||
				!strings.HasSuffix(said[names], ", Believed") {
				t.Errorf("of the question it says %q", said)
			}
		})
	}
}

var offered = regexp.MustCompile(`trusted_proxies = (\[.*\])`)

// What the page says mends it, mends it.
func TestTheProxyCheckMendsAProxyThatIsNotTrusted(t *testing.T) {
	p := kit.StartProxied(t, "caddy", "--trusted-proxies", "10.9.8.7")
	tab := proxyCheck(t, p).See("What your proxy says is not believed").See("127.0.0.1, not a trusted proxy")
	tab.Press("Test " + p.App).See("The question is refused")
	var trusted []string
	if line := offered.FindStringSubmatch(tab.Text()); line == nil || json.Unmarshal([]byte(line[1]), &trusted) != nil {
		t.Fatalf("no line to set in\n%s", tab.Text())
	}
	p.RestartWith("--trusted-proxies", strings.Join(trusted, ","))
	tab.Open("/admin/proxy-check").See("Nothing to mend").Press("Test " + p.App).See("arrives as it should")
}

func TestTheProxyCheckNamesTheLineThatAProxyLacks(t *testing.T) {
	const line = "proxy_set_header X-Forwarded-For $remote_addr;"
	tab := proxyCheck(t, kit.StartSpoiled(t, "nginx", line))
	tab.See("Your proxy does not say who asks").See(line)
	if said := arrived(tab, "request"); said["X-Forwarded-For"] != "" {
		t.Errorf("it came: %s", said["X-Forwarded-For"])
	}
}
