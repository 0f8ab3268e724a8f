package main

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestAnApplicationWithARedirectURIGetsAClientIDAndASecretOnce(t *testing.T) {
	bothWays(t, func(t *testing.T, o *operator) {
		var added shownClient
		o.reads(&added, "app", "add", "Wiki", "--url", "https://wiki.example.org", "--allow-everyone",
			"--redirect-uri", "https://wiki.example.org/a,b", "--redirect-uri", "https://wiki.example.org/c")
		if added.ID == "" || added.ClientID != added.ID || len(added.ClientSecret) != 43 || !added.Everyone {
			t.Errorf("%+v", added)
		}
		if strings.Join(added.RedirectURIs, " ") != "https://wiki.example.org/a,b https://wiki.example.org/c" {
			t.Errorf("redirect URIs %q", added.RedirectURIs)
		}
		if out := o.does("app", "show", string(added.ID), "--json"); strings.Contains(out, added.ClientSecret) {
			t.Error("the secret is shown again")
		}
		if out := o.does("plugin", "list"); !strings.Contains(out, "openid-connect: active yes, enabled for everyone") {
			t.Errorf("the first one does not activate the plug-in: %s", out)
		}
		o.everyFile(func(path string, content []byte) {
			if strings.Contains(string(content), added.ClientSecret) {
				t.Errorf("the secret stands in %s", filepath.Base(path))
			}
		})
	})
}

func TestAPublicClientGetsNoSecret(t *testing.T) {
	o := newOperator(t)
	var added shownClient
	o.reads(&added, "app", "add", "Notes", "--url", "https://notes.example.org", "--public", "--redirect-uri", "org.example.notes:/signed-in")
	if added.ClientSecret != "" || added.ClientID == "" {
		t.Errorf("%+v", added)
	}
}

func TestARedirectURIThatCouldLeadAstrayIsRefused(t *testing.T) {
	o := newOperator(t)
	for _, uri := range []string{"http://wiki.example.org/", "https://*.example.org/", "https://wiki.example.org/#a", "javascript:alert(1)", "org.example.app:/"} {
		said := o.fails(failed, "app", "add", "Wiki", "--url", "https://wiki.example.org", "--redirect-uri", uri)
		if !strings.Contains(said, uri) {
			t.Errorf("%s: %s", uri, said)
		}
	}
	o.fails(wrongUsage, "app", "add", "Wiki", "--url", "https://wiki.example.org", "--public")
	o.fails(failed, "app", "add", "Wiki", "--url", "https://wiki.example.org", "--redirect-uri", "https://wiki.example.org/", "--logout-notice", "http://10.0.0.7/")
	if out := o.does("app", "list"); out != "" {
		t.Errorf("something was added all the same: %s", out)
	}
}

func TestWhatAnApplicationMayAskForIsSaidByCommand(t *testing.T) {
	o := newOperator(t)
	var is shownClient
	add := []string{"app", "add", "Wiki", "--url", "https://wiki.example.org", "--redirect-uri", "https://wiki.example.org/"}
	o.reads(&is, append(add, "--scope", "email,profile")...)
	if is.Scopes.String() != "openid profile email" {
		t.Errorf("added with %q", is.Scopes)
	}
	o.reads(&is, "app", "set", "Wiki", "--scope", "groups")
	if is.Scopes.String() != "openid groups" {
		t.Errorf("changed to %q", is.Scopes)
	}
	if said := o.fails(failed, "app", "set", "Wiki", "--scope", "email", "--scope", "everything"); !strings.Contains(said, `no scope "everything"`) {
		t.Errorf("an unknown one: %s", said)
	}
	for _, none := range []string{"", "openid"} {
		if o.reads(&is, "app", "set", "Wiki", "--scope", none); is.Scopes.String() != "openid" {
			t.Errorf("%q changed to %q", none, is.Scopes)
		}
	}
	o.does("app", "set", "Wiki", "--scope", "groups")
	o.fails(wrongUsage, "app", "add", "Board", "--url", "https://board.example.org", "--scope", "email")
	if out := o.does("app", "show", "Wiki"); !strings.Contains(out, "openid groups") {
		t.Errorf("shown: %s", out)
	}
}

// Nobody asks here who opens a link: what it demanded would be a promise.
func TestALinkDemandsNothing(t *testing.T) {
	o := newOperator(t)
	add := []string{"app", "add", "Board", "--url", "https://board.example.org", "--link"}
	if said := o.fails(wrongUsage, append(add, "--require-2fa")...); !strings.Contains(said, "nobody asks here who opens it") {
		t.Errorf("it says %s", said)
	}
	o.does(add...)
	if said := o.fails(failed, "app", "set", "Board", "--require-2fa"); !strings.Contains(said, "nobody asks here who opens it") {
		t.Errorf("it says %s", said)
	}
}

func TestSigningKeysAreMadeAnew(t *testing.T) {
	bothWays(t, func(t *testing.T, o *operator) {
		if out := o.does("keys", "rotate"); !strings.Contains(out, "there are no keys") {
			t.Errorf("without an application: %s", out)
		}
		o.does("app", "add", "Wiki", "--url", "https://wiki.example.org", "--redirect-uri", "https://wiki.example.org/a")
		if out := o.does("keys", "rotate"); strings.Count(out, "ES256 ") != 2 {
			t.Errorf("want the old and the new key: %s", out)
		}
		if out := o.does("keys", "rotate", "--compromised"); strings.Count(out, "ES256 ") != 1 {
			t.Errorf("want the new key alone: %s", out)
		}
	})
}
