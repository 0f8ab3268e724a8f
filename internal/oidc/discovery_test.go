package oidc_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
)

// advertised tries each thing that the configuration says, by its name there.
// What is said and has no line here fails: nobody has tried it.
type advertised struct {
	*testing.T
	site    *apptest.Site
	app     *application
	rsa     *application
	public  *application
	browser *apptest.Browser
	ada     *apptest.Person
}

// must fails unless something said works.
func (d advertised) must(works bool, name string, value any) {
	if d.Helper(); !works {
		d.Errorf("%s says %v, which does not work", name, value)
	}
}

func (d advertised) address(method string, form url.Values, status int) func(string, string) {
	return func(name, value string) {
		path, ours := strings.CutPrefix(value, string(d.site.Config.PublicURL))
		d.must(ours && d.app.ask(method, path, form).Status == status, name, value)
	}
}

func (d advertised) each() map[string]func(name, value string) {
	signIn := func(parameter string) (*oauth2.Token, said) { return d.app.signIn(d.browser, parameter) }
	proves := func(name, value string) {
		token := signIn
		switch value {
		case "client_secret_basic":
			d.app.OAuth.Endpoint.AuthStyle = oauth2.AuthStyleInHeader
		case "client_secret_post":
			d.app.OAuth.Endpoint.AuthStyle = oauth2.AuthStyleInParams
		case "none":
			token = func(string) (*oauth2.Token, said) { return d.public.signIn(d.browser) }
		default:
			d.must(false, name, value)
		}
		given, _ := token("scope=openid")
		form := url.Values{"token": {given.AccessToken}, "client_id": {string(d.public.ID)}}
		prove := func(*http.Request) {}
		if value != "none" {
			form.Set("client_id", string(d.app.ID))
			if prove = d.app.asClient; value == "client_secret_post" {
				form.Set("client_secret", d.app.OAuth.ClientSecret)
				prove = func(*http.Request) {}
			}
		}
		d.must(d.app.ask(http.MethodPost, "/oidc/revoke", form, prove).Status == http.StatusOK && !d.app.opens(given.AccessToken), name, value)
	}
	return map[string]func(name, value string){
		"issuer":                 func(name, value string) { d.must(value == string(d.site.Config.PublicURL), name, value) },
		"authorization_endpoint": d.address(http.MethodGet, nil, http.StatusBadRequest),
		"token_endpoint":         d.address(http.MethodPost, url.Values{}, http.StatusUnauthorized),
		"userinfo_endpoint":      d.address(http.MethodGet, nil, http.StatusUnauthorized),
		"jwks_uri":               d.address(http.MethodGet, nil, http.StatusOK),
		"revocation_endpoint":    d.address(http.MethodPost, url.Values{}, http.StatusUnauthorized),
		"end_session_endpoint":   d.address(http.MethodGet, nil, http.StatusSeeOther),
		"scopes_supported": func(name, value string) {
			token, _ := signIn("scope=" + "openid " + value)
			told, _ := token.Extra("scope").(string)
			d.must(slices.Contains(strings.Fields(told), value), name, value)
		},
		"response_types_supported": func(name, value string) { signIn("response_type=" + value) },
		"response_modes_supported": func(name, value string) { signIn("response_mode=" + value) },
		"grant_types_supported": func(name, value string) {
			switch value {
			case "authorization_code":
				signIn("scope=openid")
			case "refresh_token":
				d.must(d.app.refresh(away(d.T, d.app, d.browser).RefreshToken).Status == http.StatusOK, name, value)
			default:
				d.must(false, name, value)
			}
		},
		"acr_values_supported": func(name, value string) {
			browser := d.browser
			if value != acrCode {
				_, browser = signedIn(d.site, "bea@example.org")
			}
			_, got := d.app.signIn(browser, "acr_values="+value)
			d.must(got.Class == value, name, value)
		},
		"subject_types_supported": func(name, value string) {
			_, here := d.app.signIn(d.browser)
			_, there := d.rsa.signIn(d.browser)
			d.must(value == "public" && here.Subject == there.Subject, name, value)
		},
		"id_token_signing_alg_values_supported": func(name, value string) {
			app := map[string]*application{"ES256": d.app, "RS256": d.rsa}[value]
			if app == nil {
				d.must(false, name, value)
				return
			}
			token, _ := app.signIn(d.browser)
			raw, _ := token.Extra("id_token").(string)
			d.must(strings.Contains(decode(d.T, strings.Split(raw, ".")[0]), `"alg":"`+value+`"`), name, value)
		},
		"token_endpoint_auth_methods_supported":      proves,
		"revocation_endpoint_auth_methods_supported": proves,
		"claims_supported": func(name, value string) {
			token, _ := signIn("scope=openid profile email groups")
			raw, _ := token.Extra("id_token").(string)
			d.must(strings.Contains(decode(d.T, strings.Split(raw, ".")[1]), `"`+value+`":`), name, value)
		},
		"prompt_values_supported": func(name, value string) {
			page := d.browser.Get(d.app.begin("prompt=" + value).Address)
			switch value {
			case "none":
				d.must(d.app.answer(page).Get("code") != "", name, value)
			case "login":
				d.must(page.Path == "/login/confirm" || strings.HasPrefix(page.Path, "/login/confirm?"), name, value)
			case "consent":
				d.must(page.HasButton("Allow"), name, value)
			default:
				d.must(false, name, value)
			}
		},
		"ui_locales_supported": func(name, value string) {
			page := d.site.Browser().Get(d.app.begin("ui_locales=" + value).Address)
			d.must(page.Header.Get("Content-Language") == value, name, value)
		},
		"code_challenge_methods_supported": func(name, value string) { signIn("code_challenge_method=" + value) },
	}
}

// flags are what is said with yes or no, and how it turns out.
func (d advertised) flags() map[string]func() bool {
	notSupported := func(parameter string) func() bool {
		return func() bool {
			name, _, _ := strings.Cut(parameter, "=")
			return d.app.answer(d.browser.Get(d.app.begin(parameter).Address)).Get("error") != name+"_not_supported"
		}
	}
	tells := func(claim string) func() bool {
		return func() bool {
			wiki := newReceiver(d.T)
			app := register(d.T, d.site, toldAt(wiki.URL))
			_, browser := signedIn(d.site, claim+"@example.org")
			app.signIn(browser)
			browser.Post("/logout", nil)
			must(d.T, d.site.OpenID.SendLogoutNotices(d.Context()))
			return len(wiki.heard()) == 1 && strings.Contains(decode(d.T, strings.Split(wiki.heard()[0], ".")[1]), `"`+claim+`":`)
		}
	}
	return map[string]func() bool{
		"backchannel_logout_supported":         tells("sub"),
		"backchannel_logout_session_supported": tells("sid"),
		"authorization_response_iss_parameter_supported": func() bool {
			return d.app.answer(d.browser.Get(d.app.begin("response_type=token").Address)).Get("iss") == string(d.site.Config.PublicURL)
		},
		"claims_parameter_supported": func() bool {
			token, _ := d.app.signIn(d.browser, "scope=openid", `claims={"userinfo":{"email":null}}`)
			return d.app.ask(http.MethodGet, "/oidc/userinfo", nil, withToken(token.AccessToken)).JSON["email"] != nil
		},
		"request_parameter_supported":     notSupported("request=eyJhbGciOiJub25lIn0.e30."),
		"request_uri_parameter_supported": notSupported("request_uri=https://wiki.example.org/request"),
	}
}

func TestWhatDiscoverySaysWorksEachOfIt(t *testing.T) {
	site := apptest.New(t)
	d := advertised{T: t, site: site, app: register(t, site),
		rsa:    register(t, site, func(_ *auth.Application, c *auth.Client) { c.Algorithm = auth.RS256 }),
		public: register(t, site, func(_ *auth.Application, c *auth.Client) { c.Public = true })}
	d.public.OAuth.Endpoint.AuthStyle = oauth2.AuthStyleInParams
	d.ada, d.browser = withPhone(site, "ada@example.org")
	must(t, site.Store.SaveName(t.Context(), auth.Actor{User: d.ada.User()}, "Ada", site.Now()))
	d.browser.Post("/preferences", url.Values{"language": {"en"}, "back": {"/apps"}})
	d.app.signIn(d.browser) // and so has agreed to all that it asks
	said := d.app.ask(http.MethodGet, "/.well-known/openid-configuration", nil)
	if said.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Error("a page of an application may not read it")
	}
	each, flags := d.each(), d.flags()
	for name, value := range said.JSON {
		values, isList := value.([]any)
		if !isList {
			values = []any{value}
		}
		for _, value := range values {
			word, isWord := value.(string)
			yes, isFlag := value.(bool)
			switch {
			case isWord && each[name] != nil:
				each[name](name, word)
			case isFlag && flags[name] != nil:
				d.must(flags[name]() == yes, name, yes)
			default:
				t.Errorf("%s says %v, and nobody has tried it", name, value)
			}
		}
	}
	for name := range each {
		if said.JSON[name] == nil {
			t.Errorf("%s is not said", name)
		}
	}
}

// What is not offered is not there, and not said either.
func TestWhatIsNotOfferedIsNotThere(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	said := app.ask(http.MethodGet, "/.well-known/openid-configuration", nil)
	for _, name := range []string{
		"registration_endpoint", "pushed_authorization_request_endpoint", "device_authorization_endpoint", "introspection_endpoint",
		"backchannel_authentication_endpoint", "check_session_iframe", "frontchannel_logout_supported", "request_object_signing_alg_values_supported",
		"userinfo_signing_alg_values_supported", "id_token_encryption_alg_values_supported", "dpop_signing_alg_values_supported",
	} {
		if said.JSON[name] != nil {
			t.Errorf("%s says %v", name, said.JSON[name])
		}
	}
	for _, path := range []string{"/oidc/register", "/oidc/par", "/oidc/device", "/oidc/introspect", "/oidc/session", "/.well-known/webfinger"} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			if got := app.ask(method, path, url.Values{}, app.asClient); got.Status != http.StatusNotFound {
				t.Errorf("%s %s answers %d", method, path, got.Status)
			}
		}
	}
	for _, header := range []string{"DPoP x", "MAC x"} {
		if got := app.ask(http.MethodGet, "/oidc/userinfo", nil, func(r *http.Request) { r.Header.Set("Authorization", header) }); got.Status != http.StatusUnauthorized {
			t.Errorf("%s: %d", header, got.Status)
		}
	}
}

// A page of an application reads what is for programs, where no cookie counts,
// and nothing of what people see (RFC 9700 §2.6).
func TestPagesOfOthersReadWhatIsForProgramsAlone(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	fromPage := func(r *http.Request) { r.Header.Set("Origin", "https://wiki.example.org") }
	for path, open := range map[string]bool{
		"/.well-known/openid-configuration": true, "/oidc/keys": true, "/oidc/token": true, "/oidc/userinfo": true, "/oidc/revoke": true,
		"/oidc/authorize": false, "/oidc/continue": false, "/oidc/consent": false, "/oidc/logout": false, "/oidc/logout/confirm": false,
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodOptions} {
			got := app.ask(method, path, url.Values{}, fromPage)
			allowed := got.Header.Get("Access-Control-Allow-Origin")
			if got.Status == http.StatusMethodNotAllowed && allowed == "" {
				continue
			}
			if (allowed == "*") != open || got.Header.Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("%s %s: %d, may be read from %q", method, path, got.Status, allowed)
			}
		}
	}
	for _, path := range []string{"/oidc/token", "/oidc/userinfo", "/oidc/revoke"} {
		got := app.ask(http.MethodOptions, path, nil, fromPage)
		if got.Status != http.StatusNoContent || !strings.Contains(got.Header.Get("Access-Control-Allow-Headers"), "Authorization") {
			t.Errorf("whoever asks beforehand at %s is told %d %v", path, got.Status, got.Header)
		}
	}
}
