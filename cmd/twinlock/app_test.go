package main

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/twinlock/twinlock/internal/auth"
)

// app reads one application.
func (o *operator) app(nameOrID string) (a shownClient) {
	o.t.Helper()
	o.reads(&a, "app", "show", nameOrID)
	return a
}

const wiki = "https://wiki.example.org"

func TestAnApplicationIsListedShownAndDeletedByNameOrIdentifier(t *testing.T) {
	bothWays(t, func(t *testing.T, o *operator) {
		if out := o.does("app", "list", "--json"); strings.TrimSpace(out) != "[]" {
			t.Errorf("of none: %s", out)
		}
		o.person(ada)
		o.does("group", "add", "Staff")
		var added shownApp
		o.reads(&added, "app", "add", "Wiki", "--url", wiki, "--description", "What we know", "--allow-group", "staff", "--allow-user", ada, "--require-2fa")
		want := shownApp{ID: added.ID, Kind: auth.BehindProxy, Name: "Wiki", Description: "What we know", URL: wiki, Hosts: []string{},
			RequireTwoFactor: true, enabledFor: enabledFor{Groups: []string{"Staff"}, Users: []string{ada}}}
		if added.ID == "" || !reflect.DeepEqual(added, want) {
			t.Errorf("added %+v, want %+v", added, want)
		}
		var all []shownApp
		if o.reads(&all, "app", "list"); len(all) != 1 || !reflect.DeepEqual(all[0], want) {
			t.Errorf("listed %+v", all)
		}
		if said := o.does("app", "list"); said != fmt.Sprintf("%s  Wiki  %s  Staff, %s\n", added.ID, wiki, ada) {
			t.Errorf("listed %q", said)
		}
		for _, name := range []string{string(added.ID), "Wiki", " wIKI "} {
			if a := o.app(name); !reflect.DeepEqual(a.shownApp, want) {
				t.Errorf("%q shows %+v", name, a.shownApp)
			}
			words := o.does("app", "show", name)
			for _, word := range []string{string(added.ID), "Wiki", wiki, "What we know", "Staff, " + ada, "yes"} {
				if !strings.Contains(words, word) {
					t.Errorf("%q is missing in\n%s", word, words)
				}
			}
		}
		if said := o.does("app", "delete", "wiki"); said != "Wiki: deleted\n" {
			t.Errorf("said %q", said)
		}
		if why := o.fails(failed, "app", "show", "Wiki"); why != "there is no application Wiki; see twinlock app list" {
			t.Error(why)
		}
		o.reads(&added, "app", "add", "Wiki", "--url", wiki)
		var deleted shownApp
		if o.reads(&deleted, "app", "delete", string(added.ID)); deleted.ID != added.ID {
			t.Errorf("with --json: %+v", deleted)
		}
		for _, command := range []string{"delete", "rules", "secret"} {
			o.fails(failed, "app", command, string(added.ID))
		}
		o.fails(failed, "app", "set", "Wiki", "--name", "Notes")
		o.fails(failed, "app", "allow", "Wiki", "--everyone")
		o.fails(failed, "app", "deny", "Wiki", "--everyone")
	})
}

func TestANameThatSeveralApplicationsHaveIsRefusedWithAllOfThem(t *testing.T) {
	o := newOperator(t)
	var one, two shownApp
	o.reads(&one, "app", "add", "Wiki", "--url", wiki)
	o.reads(&two, "app", "add", "wiki", "--url", "https://notes.example.org")
	for _, args := range [][]string{{"show"}, {"delete"}, {"secret"}, {"set", "--name", "Notes"}, {"allow", "--everyone"}} {
		why := o.fails(failed, append([]string{"app", args[0], "Wiki"}, args[1:]...)...)
		for _, words := range []string{"2 applications are called Wiki", string(one.ID) + " (" + wiki + ")", string(two.ID) + " (https://notes.example.org)"} {
			if !strings.Contains(why, words) {
				t.Errorf("%v: %q is missing in %s", args, words, why)
			}
		}
	}
	o.does("app", "set", string(two.ID), "--name", "Notes")
	if a := o.app("Wiki"); a.ID != one.ID {
		t.Errorf("the one that is left is %+v", a)
	}
}

func TestAnApplicationThatCannotBeIsRefused(t *testing.T) {
	bothWays(t, func(t *testing.T, o *operator) {
		for _, args := range [][]string{
			{"Wiki", "--url", "wiki.example.org"}, {"Wiki", "--url", "javascript:alert(1)"}, {"Wiki", "--url", "https://user@wiki.example.org"},
			{"", "--url", wiki}, {" ", "--url", wiki}, {strings.Repeat("x", 101), "--url", wiki}, {"Wi\x1b[31mki", "--url", wiki},
			{"Wiki", "--url", wiki, "--description", strings.Repeat("x", 301)}, {"Wiki", "--url", wiki, "--description", "a\nb"},
			{"Wiki", "--url", wiki, "--allow-user", bob}, {"Wiki", "--url", wiki, "--allow-group", "Board"},
		} {
			o.fails(failed, append([]string{"app", "add"}, args...)...)
		}
		if out := o.does("app", "list"); out != "" {
			t.Errorf("something was added all the same: %s", out)
		}
	})
}

func TestAnApplicationIsChangedInWhatTheFlagsName(t *testing.T) {
	bothWays(t, func(t *testing.T, o *operator) {
		o.does("app", "add", "Wiki", "--url", wiki, "--description", "What we know", "--allow-everyone", "--host", "docs.example.org")
		if said := o.does("app", "set", "Wiki", "--name", " Notes "); said != "Notes: changed\n" {
			t.Errorf("said %q", said)
		}
		want := o.app("Notes")
		if want.URL != wiki || want.Description != "What we know" || !want.Everyone || !reflect.DeepEqual(want.Hosts, []string{"docs.example.org"}) {
			t.Errorf("a new name changed more: %+v", want)
		}
		var changed shownApp
		o.reads(&changed, "app", "set", "Notes", "--url", "https://notes.example.org", "--description", "", "--host", "a.example.org", "--host", "b.example.org")
		want.URL, want.Description, want.Hosts = "https://notes.example.org", "", []string{"a.example.org", "b.example.org"}
		if !reflect.DeepEqual(changed, want.shownApp) {
			t.Errorf("with --json: %+v, want %+v", changed, want.shownApp)
		}
		if o.does("app", "set", "Notes", "--host", ""); len(o.app("Notes").Hosts) != 0 {
			t.Error("an empty host leaves hosts")
		}
		for _, flags := range [][]string{{"--name", " "}, {"--name", "a\x07b"}, {"--url", "ftp://a"}, {"--host", "a/b"}, {"--redirect-uri", wiki + "/a"}, {"--rs256"}, {"--logout-notice", ""}} {
			o.fails(failed, append([]string{"app", "set", "Notes"}, flags...)...)
		}
		o.does("app", "add", "Link", "--link", "--url", wiki)
		if why := o.fails(failed, "app", "set", "Link", "--host", "a.example.org"); !strings.Contains(why, "does not stand behind a proxy") {
			t.Error(why)
		}
	})
}

// What is refused in one part leaves the others as they are.
func TestAnApplicationIsChangedAsAWholeOrNotAtAll(t *testing.T) {
	bothWays(t, func(t *testing.T, o *operator) {
		o.does("user", "add", "ada@example.org")
		o.does("app", "add", "Wiki", "--url", wiki, "--redirect-uri", wiki+"/a", "--allow-everyone")
		for _, flags := range [][]string{
			{"--redirect-uri", wiki + "/b", "--description", "a", "--url", "ftp://a"},
			{"--redirect-uri", wiki + "/b", "--description", "a", "--require-2fa"},
			{"--redirect-uri", "http://wiki.example.org/#b", "--description", "a", "--require-2fa", "--yes"},
		} {
			o.fails(failed, append([]string{"app", "set", "Wiki"}, flags...)...)
			if a := o.app("Wiki"); a.Description != "" || a.RequireTwoFactor || !reflect.DeepEqual(a.RedirectURIs, []string{wiki + "/a"}) {
				t.Errorf("%s left %+v", flags, a)
			}
		}
	})
}

func TestTheOpenIDConnectPartOfAnApplicationIsChanged(t *testing.T) {
	bothWays(t, func(t *testing.T, o *operator) {
		o.does("app", "add", "Wiki", "--url", wiki, "--redirect-uri", wiki+"/a", "--logout-uri", wiki+"/out")
		o.does("app", "set", "Wiki", "--redirect-uri", wiki+"/b", "--redirect-uri", wiki+"/c", "--without-consent", "--rs256", "--without-pkce=true")
		a := o.app("Wiki")
		if !reflect.DeepEqual(a.RedirectURIs, []string{wiki + "/b", wiki + "/c"}) || !a.WithoutConsent || !a.WithoutPKCE || a.Algorithm != auth.RS256 ||
			!reflect.DeepEqual(a.LogoutURIs, []string{wiki + "/out"}) || a.ClientID != a.ID || a.ClientSecret != "" {
			t.Errorf("changed to %+v", a)
		}
		o.does("app", "set", "Wiki", "--without-consent=false", "--rs256=false", "--without-pkce=false", "--logout-uri", "", "--logout-notice", "https://wiki.example.org/notice")
		a = o.app("Wiki")
		if a.WithoutConsent || a.WithoutPKCE || a.Algorithm != auth.ES256 || len(a.LogoutURIs) != 0 || a.LogoutNotice != wiki+"/notice" {
			t.Errorf("changed back to %+v", a)
		}
		for _, flags := range [][]string{{"--redirect-uri", "https://*.example.org/"}, {"--redirect-uri", ""}, {"--logout-uri", "javascript:1"}, {"--logout-notice", "http://10.0.0.7/"}} {
			o.fails(failed, append([]string{"app", "set", "Wiki", "--name", "Notes"}, flags...)...)
		}
		if words := o.does("app", "show", "Wiki"); !strings.Contains(words, wiki+"/b "+wiki+"/c") || !strings.Contains(words, "PKCE") {
			t.Errorf("shown as\n%s", words)
		}
	})
}

func TestWhoMayOpenAnApplicationIsSaidAsForAPlugin(t *testing.T) {
	bothWays(t, func(t *testing.T, o *operator) {
		o.person(ada)
		o.does("group", "add", "Staff")
		o.does("app", "add", "Wiki", "--url", wiki, "--rule", "/admin=two-factor")
		if a := o.app("Wiki"); a.enabledFor.String() != "nobody" {
			t.Errorf("at first for %s", a.enabledFor)
		}
		is := func(want enabledFor) {
			t.Helper()
			if a := o.app("Wiki"); !reflect.DeepEqual(a.enabledFor, want) {
				t.Errorf("may be opened by %+v, want %+v", a.enabledFor, want)
			}
		}
		if said := o.does("app", "allow", "Wiki", "--user", ada, "--group", "staff"); said != "Wiki: allowed\n" {
			t.Errorf("said %q", said)
		}
		is(enabledFor{Groups: []string{"Staff"}, Users: []string{ada}})
		var allowed shownApp
		if o.reads(&allowed, "app", "allow", "Wiki", "--everyone"); !allowed.Everyone || len(allowed.Users) != 1 {
			t.Errorf("with --json: %+v", allowed)
		}
		o.does("app", "deny", "Wiki", "--user", ada)
		is(enabledFor{Everyone: true, Groups: []string{"Staff"}, Users: []string{}})
		if said := o.does("app", "deny", "wiki", "--everyone"); said != "Wiki: denied\n" {
			t.Errorf("said %q", said)
		}
		is(enabledFor{Groups: []string{"Staff"}, Users: []string{}})
		o.fails(failed, "app", "allow", "Wiki", "--user", bob)
		o.fails(failed, "app", "deny", "Wiki", "--group", "Board")
		if rules := o.does("app", "rules", "Wiki"); !strings.HasPrefix(rules, "/admin=two-factor\n") {
			t.Errorf("its rules are gone:\n%s", rules)
		}
	})
}

func TestPermissionsThatAreGivenAtOnceAllStay(t *testing.T) {
	o := newOperator(t)
	o.serves()
	o.does("app", "add", "Wiki", "--url", wiki)
	for i := range 6 {
		o.does("group", "add", fmt.Sprintf("Group %d", i))
	}
	many(6, func(i int) {
		if r := o.run("", "app", "allow", "Wiki", "--group", fmt.Sprintf("Group %d", i)); r.status != done {
			t.Errorf("status %d: %s", r.status, r.errs)
		}
	})
	if a := o.app("Wiki"); len(a.Groups) != 6 {
		t.Errorf("%d of 6 groups may open it", len(a.Groups))
	}
}

// A demand that would refuse people who open the application now is made only
// by whoever has read who they are.
func TestADemandForTwoFactorAuthenticationNamesWhomItRefuses(t *testing.T) {
	bothWays(t, func(t *testing.T, o *operator) {
		o.does("app", "add", "Wiki", "--url", wiki, "--allow-everyone")
		o.does("app", "set", "Wiki", "--require-2fa") // nobody is there yet
		o.does("app", "set", "Wiki", "--require-2fa=false")
		for i := range 12 {
			o.does("user", "add", fmt.Sprintf("person%02d@example.org", i))
		}
		why := o.fails(failed, "app", "set", "Wiki", "--require-2fa", "--name", "Notes")
		for _, words := range []string{"person00@example.org", "person09@example.org", "and 2 more", "--yes"} {
			if !strings.Contains(why, words) {
				t.Errorf("%q is missing in %s", words, why)
			}
		}
		if a := o.app("Wiki"); a.RequireTwoFactor {
			t.Error("it demands it all the same")
		}
		if said := o.does("app", "set", "Wiki", "--require-2fa", "--yes"); said != "Wiki: changed\n" {
			t.Errorf("said %q", said)
		}
		o.does("app", "set", "Wiki", "--require-2fa", "--description", "again") // it does already
		if a := o.app("Wiki"); !a.RequireTwoFactor || a.Description != "again" {
			t.Errorf("is %+v", a.shownApp)
		}
		if o.does("app", "set", "Wiki", "--require-2fa=no"); o.app("Wiki").RequireTwoFactor {
			t.Error("it still demands it")
		}
	})
}

func TestAClientSecretIsMadeAnewAndShownOnce(t *testing.T) {
	bothWays(t, func(t *testing.T, o *operator) {
		var added, again shownClient
		o.reads(&added, "app", "add", "Wiki", "--url", wiki, "--redirect-uri", wiki+"/a")
		o.reads(&again, "app", "secret", "wiki")
		if len(again.ClientSecret) != 43 || again.ClientSecret == added.ClientSecret || again.ClientID != added.ID || again.Issuer == "" {
			t.Errorf("made %+v after %+v", again, added)
		}
		said := o.does("app", "secret", string(added.ID))
		if !strings.HasPrefix(said, "Wiki: has a new secret, and the old one is void\n") || !strings.Contains(said, "client secret: ") || !strings.Contains(said, "once") {
			t.Errorf("said %q", said)
		}
		for _, args := range [][]string{{"show", "Wiki"}, {"list"}, {"set", "Wiki", "--name", "Wiki"}} {
			var shown any
			if err := json.Unmarshal([]byte(o.does(append(append([]string{"app"}, args...), "--json")...)), &shown); err != nil || strings.Contains(fmt.Sprint(shown), "client_secret") {
				t.Errorf("%v shows a secret: %v, %v", args, shown, err)
			}
		}
		o.everyFile(func(path string, content []byte) {
			if strings.Contains(string(content), again.ClientSecret) {
				t.Errorf("the secret stands in %s", path)
			}
		})
		o.does("app", "add", "Notes", "--url", wiki, "--public", "--redirect-uri", "org.example.notes:/signed-in")
		o.does("app", "add", "Shop", "--url", wiki)
		if why := o.fails(failed, "app", "secret", "Notes"); why != "Notes is a public client: it has no secret" {
			t.Error(why)
		}
		if why := o.fails(failed, "app", "secret", "Shop"); why != "Shop does not speak OpenID Connect: it has no secret" {
			t.Error(why)
		}
	})
}
