package judges

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

// module is one question.
type module struct {
	plan   string // where it comes from
	public string // its name there
	asks   string // what it asks, in our words
	ask    func(*judge)
	spoil  spoiler
}

const (
	basicPlan   = "Basic OP"
	dynamicPlan = "Dynamic OP"
	configPlan  = "Config OP"
	logoutPlan  = "RP-Initiated Logout OP"
	noticePlan  = "Back-Channel OP"
)

var basicModules = []module{
	{basicPlan, "oidcc-server", "a sign-in by code gives an ID token that holds", func(j *judge) {
		s := j.signIn(j.person(), j.basic)
		if len(s.arrival.Asked) == 0 || s.arrival.Asked[0] != asksLogin {
			j.wrong("a stranger is asked for %v, want a login first", s.arrival.Asked)
		}
		j.userinfo(s)
	}, tokenSays("token_type", "mac")},

	{basicPlan, "oidcc-server-client-secret-post", "a client proves its secret in the body of the request", func(j *judge) {
		j.userinfo(j.signIn(j.person(), j.post))
		wrong := j.post
		wrong.Secret = strings.Repeat("a", 43)
		v := j.begin(j.post)
		code := j.code(v, j.person().open(v.address))
		got := j.asClient(wrong, url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {wrong.Redirect}})
		j.wantRefused(got, "invalid_client")
	}, chokesOnForm("client_secret")},

	{basicPlan, "oidcc-response-type-missing", "a request without response_type is refused", func(j *judge) {
		v := j.begin(j.basic, "response_type=")
		if a := j.person().open(v.address); a.At != nil {
			j.wantError(v, a, "invalid_request", "unsupported_response_type")
		} else {
			j.wantPage(a)
		}
	}, givesRequest("response_type", "code")},

	{basicPlan, "oidcc-idtoken-signature", "an ID token is signed by a published key, which it names", func(j *judge) {
		_, meta := j.discovered()
		keys := j.keys()
		for _, c := range []client{j.basic, j.post} {
			s := j.signIn(j.person(), c)
			head := headOf(s.ID)
			if head.KeyID == "" || !slices.Contains(keys, head.KeyID) {
				j.wrong("kid %q, published are %v", head.KeyID, keys)
			}
			if !slices.Contains(meta.Algorithms, head.Algorithm) {
				j.wrong("alg %q, advertised are %v", head.Algorithm, meta.Algorithms)
			}
		}
	}, tokenSays("id_token", "eyJhbGciOiJub25lIn0.e30.")},

	{basicPlan, "oidcc-userinfo-get", "userinfo answers GET with the token in the header", func(j *judge) {
		s := j.signIn(j.person(), j.basic)
		_, meta := j.discovered()
		j.holdUserinfo(s, j.ask(http.MethodGet, meta.Userinfo, nil, withToken(s.Access)))
		if got := j.ask(http.MethodGet, meta.Userinfo, nil, withToken(s.Access[1:]+"x")); got.Status != http.StatusUnauthorized {
			j.wrong("another token opens it: %d", got.Status)
		}
	}, userinfoSays("sub", "somebody else")},

	{basicPlan, "oidcc-userinfo-post-header", "userinfo answers POST with the token in the header", func(j *judge) {
		s := j.signIn(j.person(), j.basic)
		_, meta := j.discovered()
		j.holdUserinfo(s, j.ask(http.MethodPost, meta.Userinfo, nil, withToken(s.Access)))
	}, userinfoSays("sub", "somebody else")},

	{basicPlan, "oidcc-userinfo-post-body", "userinfo answers POST with the token in the body", func(j *judge) {
		s := j.signIn(j.person(), j.basic)
		_, meta := j.discovered()
		j.holdUserinfo(s, j.ask(http.MethodPost, meta.Userinfo, url.Values{"access_token": {s.Access}}, nil))
	}, chokesOnForm("access_token")},

	{basicPlan, "oidcc-ensure-request-without-nonce-succeeds-for-code-flow", "no nonce is needed, and none is made up", func(j *judge) {
		s := j.signIn(j.person(), j.basic, "nonce=")
		if _, has := s.Claims["nonce"]; has {
			j.wrong("nonce %v", s.Claims["nonce"])
		}
	}, givesRequest("nonce", "made up")},

	scopeModule("profile", "name"), scopeModule("email", "email", "email_verified"),
	scopeModule("address", "address"), scopeModule("phone", "phone_number"),

	{basicPlan, "oidcc-scope-all", "every scope at once tells what each tells", func(j *judge) {
		_, meta := j.discovered()
		told := j.userinfo(j.signIn(j.person(), j.basic, "scope=openid profile email address phone"))
		for scope, claims := range map[string][]string{"profile": {"name"}, "email": {"email", "email_verified"}, "address": {"address"}, "phone": {"phone_number"}} {
			for _, claim := range claims {
				if _, has := told[claim]; has != slices.Contains(meta.Scopes, scope) {
					j.wrong("scope %s is offered: %v, %s is told: %v", scope, slices.Contains(meta.Scopes, scope), claim, has)
				}
			}
		}
	}, userinfoLacks("email_verified")},

	{basicPlan, "oidcc-ensure-other-scope-order-succeeds", "scopes may stand in any order", func(j *judge) {
		if told := j.userinfo(j.signIn(j.person(), j.basic, "scope=email openid")); told["email"] != someone {
			j.wrong("told %v", told)
		}
	}, userinfoLacks("email")},

	{basicPlan, "oidcc-alternate-happy-flow", "parameters may stand in any order", func(j *judge) {
		v := j.begin(j.basic, "scope=email openid")
		at, _, _ := strings.Cut(v.address, "?")
		var pairs []string
		for pair := range strings.SplitSeq(v.values.Encode(), "&") {
			pairs = append([]string{pair}, pairs...)
		}
		j.exchange(v, j.code(v, j.person().open(at+"?"+strings.Join(pairs, "&"))))
	}, dropsRequest("state")},

	{basicPlan, "oidcc-display-page", "display=page shows a page", succeedsWith("display=page"), chokesOn("display")},
	{basicPlan, "oidcc-display-popup", "display=popup shows a page too", succeedsWith("display=popup"), chokesOn("display")},

	{basicPlan, "oidcc-prompt-login", "prompt=login asks whoever is signed in to log in again", func(j *judge) {
		p := j.person()
		first := j.signIn(p, j.basic)
		j.turn(2 * time.Second)
		second := j.signIn(p, j.basic, "prompt=login")
		j.holdNewLogin(first, second)
	}, dropsRequest("prompt")},

	{basicPlan, "oidcc-prompt-none-not-logged-in", "prompt=none shows a stranger no page", func(j *judge) {
		v := j.begin(j.basic, "prompt=none")
		a := j.person().look(v.address)
		j.wantError(v, a, needsPerson...)
	}, dropsRequest("prompt")},

	{basicPlan, "oidcc-prompt-none-logged-in", "prompt=none signs in whoever is signed in, with the same login", func(j *judge) {
		p := j.person()
		first := j.signIn(p, j.basic)
		j.turn(2 * time.Second)
		second := j.signIn(p, j.basic, "prompt=none")
		j.holdSameLogin(first, second)
	}, takesFor("prompt", "none", "login")},

	{basicPlan, "oidcc-max-age-1", "max_age=1 asks for a login that is no older", func(j *judge) {
		p := j.person()
		first := j.signIn(p, j.basic)
		j.turn(3 * time.Second)
		second := j.signIn(p, j.basic, "max_age=1")
		j.holdNewLogin(first, second)
		if second.Claims["auth_time"] == nil {
			j.wrong("auth_time is missing")
		}
	}, dropsRequest("max_age")},

	{basicPlan, "oidcc-max-age-10000", "max_age=10000 takes a login that is young enough", func(j *judge) {
		p := j.person()
		first := j.signIn(p, j.basic)
		j.turn(2 * time.Second)
		second := j.signIn(p, j.basic, "max_age=10000")
		j.holdSameLogin(first, second)
		if age := number(second.Claims["iat"]) - number(second.Claims["auth_time"]); age < 0 || age > 10000 {
			j.wrong("auth_time %v, iat %v", second.Claims["auth_time"], second.Claims["iat"])
		}
	}, takesFor("max_age", "10000", "0")},

	{basicPlan, "oidcc-ensure-request-with-unknown-parameter-succeeds", "a parameter that nobody knows is ignored", succeedsWith("extra=foobar"), chokesOn("extra")},

	{basicPlan, "oidcc-id-token-hint", "id_token_hint names the person who is meant", func(j *judge) {
		p := j.person()
		first := j.signIn(p, j.basic)
		second := j.signIn(p, j.basic, "prompt=none", "id_token_hint="+first.ID)
		j.holdSameLogin(first, second)
	}, chokesOn("id_token_hint")},

	{basicPlan, "oidcc-login-hint", "login_hint still leads to a login", func(j *judge) {
		s := j.signIn(j.person(), j.basic, "login_hint=buffy@example.org")
		if !slices.Contains(s.arrival.Asked, asksLogin) {
			j.wrong("nobody is asked to log in: %v", s.arrival.Asked)
		}
	}, chokesOn("login_hint")},

	{basicPlan, "oidcc-ui-locales", "ui_locales is taken", succeedsWith("ui_locales=de se fr"), chokesOn("ui_locales")},
	{basicPlan, "oidcc-claims-locales", "claims_locales is taken or ignored", succeedsWith("claims_locales=de se"), chokesOn("claims_locales")},

	{basicPlan, "oidcc-ensure-request-with-acr-values-succeeds", "acr_values that nobody knows do not stop a sign-in", func(j *judge) {
		s := j.signIn(j.person(), j.basic, "acr_values=1 2")
		if class, has := s.Claims["acr"]; has && class == "" {
			j.wrong("acr is empty")
		}
	}, chokesOn("acr_values")},

	{basicPlan, "oidcc-codereuse", "a code is good once", func(j *judge) {
		s := j.signIn(j.person(), j.basic)
		j.holdCodeSpent(s)
	}, tokenTwice()},

	{basicPlan, "oidcc-codereuse-30seconds", "a code that comes again after 30 seconds ends what it gave", func(j *judge) {
		s := j.signIn(j.person(), j.basic)
		j.turn(30 * time.Second)
		if !j.opens(s.Access) {
			j.stop("the access token does not last for 30 seconds")
		}
		j.holdCodeSpent(s)
		if j.opens(s.Access) {
			j.wrong("the access token still opens userinfo")
		}
	}, tokenTwice()},

	{basicPlan, "oidcc-ensure-registered-redirect-uri", "nobody is sent to an address that was not registered", func(j *judge) {
		j.wantPage(j.person().open(j.begin(j.basic, "redirect_uri="+j.app.URL+"/elsewhere").address))
	}, sendsAnywhere()},

	{basicPlan, "oidcc-ensure-post-request-succeeds", "a request may be posted", func(j *judge) {
		v := j.begin(j.basic)
		at, _, _ := strings.Cut(v.address, "?")
		j.exchange(v, j.code(v, j.person().send(at, v.values)))
	}, chokesOnForm("response_type")},

	{basicPlan, "oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported", "request_uri is taken, or refused by its own error", func(j *judge) {
		v := j.begin(j.basic, "request_uri="+j.app.URL+"/request.jwt")
		j.wantError(v, j.person().open(v.address), "request_uri_not_supported")
		j.note("refused")
	}, dropsRequest("request_uri")},

	{basicPlan, "oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported", "a request object is taken, or refused by its own error", func(j *judge) {
		inside := j.begin(j.basic)
		v := j.begin(j.basic, "state="+inside.State, "request="+unsigned(inside.values))
		j.wantError(v, j.person().open(v.address), "request_not_supported")
		j.note("refused")
	}, dropsRequest("request")},

	{basicPlan, "oidcc-ensure-request-object-with-redirect-uri", "an address inside a request object leads nowhere that was not registered", func(j *judge) {
		inside := j.begin(j.basic, "redirect_uri="+j.app.URL+"/elsewhere")
		v := j.begin(j.basic, "request="+unsigned(inside.values))
		if a := j.person().open(v.address); a.At != nil {
			j.wantError(v, a, "request_not_supported")
		} else {
			j.wantPage(a)
		}
	}, sendsAnywhere()},

	{basicPlan, "oidcc-claims-essential", "a claim that is asked for by name as essential does not stop a sign-in", func(j *judge) {
		s := j.signIn(j.person(), j.basic, "scope=openid profile", `claims={"userinfo":{"name":{"essential":true}}}`)
		if told := j.userinfo(s); told["name"] != "Ada" {
			j.wrong("told %v", told)
		}
	}, chokesOn("claims")},

	{basicPlan, "oidcc-refresh-token", "a refresh token gives its own client newer tokens of the same login", func(j *judge) {
		p := j.person()
		s := j.signIn(p, j.basic, "scope=openid email offline_access", "prompt=consent")
		others := j.signIn(p, j.other, "scope=openid email offline_access", "prompt=consent")
		_, meta := j.discovered()
		if !slices.Contains(meta.GrantTypes, "refresh_token") || s.reply.word("refresh_token") == "" {
			j.stop("refresh_token is advertised: %v, given: %v", meta.GrantTypes, s.reply.word("refresh_token") != "")
		}
		j.turn(2 * time.Second)
		got := j.asClient(j.basic, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {s.reply.word("refresh_token")}})
		if got.Status != http.StatusOK {
			j.stop("the refresh token gives %d %s", got.Status, got.Body)
		}
		token, claims := j.verify(j.basic, got.word("id_token"))
		if token.Subject != s.Token.Subject || claims["auth_time"] != s.Claims["auth_time"] || !token.IssuedAt.After(s.Token.IssuedAt) {
			j.wrong("sub %s, auth_time %v, iat %s after sub %s, auth_time %v, iat %s", token.Subject, claims["auth_time"], token.IssuedAt,
				s.Token.Subject, s.Claims["auth_time"], s.Token.IssuedAt)
		}
		if nonce, has := claims["nonce"]; has && nonce != s.visit.Nonce {
			j.wrong("nonce %v", nonce)
		}
		if got.word("access_token") == s.Access || !j.opens(got.word("access_token")) {
			j.wrong("the access token is the old one, or opens nothing")
		}
		foreign := j.asClient(j.basic, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {others.reply.word("refresh_token")}})
		j.wantRefused(foreign, "invalid_grant")
	}, tokenTwice()},

	{basicPlan, "oidcc-ensure-request-with-valid-pkce-succeeds", "a code challenge holds: its verifier opens, another does not", func(j *judge) {
		p, verifier := j.person(), oauth2.GenerateVerifier()
		challenge := []string{"code_challenge=" + oauth2.S256ChallengeFromVerifier(verifier), "code_challenge_method=S256"}
		v := j.begin(j.basic, challenge...)
		v.Verifier = verifier
		j.exchange(v, j.code(v, p.open(v.address)))
		v = j.begin(j.basic, challenge...)
		code := j.code(v, p.open(v.address))
		got := j.asClient(j.basic, url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {j.basic.Redirect},
			"code_verifier": {oauth2.GenerateVerifier()}})
		j.wantRefused(got, "invalid_grant")
		v = j.begin(j.public)
		a := p.open(v.address)
		j.wantError(v, a, "invalid_request") // a public client without a challenge
	}, ignoresChallenges()},
}

var dynamicModules = []module{
	{dynamicPlan, "oidcc-server-rotate-keys", "new keys are published, sign, and leave the old ones good", func(j *judge) {
		before := j.keys()
		first := j.signIn(j.person(), j.basic)
		j.rotate()
		after := j.keys()
		second := j.signIn(j.person(), j.basic)
		head := headOf(second.ID)
		if slices.Contains(before, head.KeyID) || !slices.Contains(after, head.KeyID) {
			j.wrong("signed by %s; published were %v, then %v", head.KeyID, before, after)
		}
		if !slices.Contains(after, headOf(first.ID).KeyID) {
			j.wrong("the old key is gone")
		}
	}, keepsKeys()},

	{dynamicPlan, "oidcc-redirect-uri-query-OK", "the query of a registered address is kept", func(j *judge) {
		v := j.begin(j.withQuery)
		a := j.person().open(v.address)
		j.exchange(v, j.code(v, a))
		if a.answer().Get("foo") != "bar" {
			j.wrong("the answer has %v", a.answer())
		}
	}, losesFromAnswer("foo")},

	{dynamicPlan, "oidcc-redirect-uri-query-added", "a query added to the address is another address", func(j *judge) {
		j.wantPage(j.person().open(j.begin(j.basic, "redirect_uri="+j.basic.Redirect+"?foo=bar").address))
	}, sendsAnywhere()},

	{dynamicPlan, "oidcc-redirect-uri-query-mismatch", "another query is another address", func(j *judge) {
		j.wantPage(j.person().open(j.begin(j.withQuery, "redirect_uri="+j.app.signedIn()+"?foo=baz").address))
	}, sendsAnywhere()},

	{dynamicPlan, "oidcc-redirect-uri-regfrag", "an address with a fragment cannot be registered", func(j *judge) {
		if err := j.register(j.app.signedIn() + "#foobar"); err == nil {
			j.wrong("it is registered")
		}
		if err := j.register(j.app.signedIn()); err != nil {
			j.wrong("without the fragment: %v", err)
		}
	}, registersAnything()},
}

var configModules = []module{
	{configPlan, "oidcc-discovery-endpoint-verification", "discovery says what it has to, and its addresses are there", func(j *judge) {
		got := j.ask(http.MethodGet, j.issuer+"/.well-known/openid-configuration", nil, nil)
		if got.Status != http.StatusOK || !strings.HasPrefix(got.Header.Get("Content-Type"), "application/json") {
			j.stop("answered %d %s", got.Status, got.Header.Get("Content-Type"))
		}
		_, meta := j.discovered()
		if meta.Issuer != j.issuer {
			j.wrong("issuer %q, want %q", meta.Issuer, j.issuer)
		}
		for name, list := range map[string][]string{
			"response_types_supported has code": meta.ResponseTypes, "scopes_supported has openid": meta.Scopes,
			"id_token_signing_alg_values_supported has RS256": meta.Algorithms, "claims_supported has sub": meta.Claims,
			"grant_types_supported has authorization_code": meta.GrantTypes, "code_challenge_methods_supported has S256": meta.Challenges,
		} {
			if words := strings.Fields(name); !slices.Contains(list, words[len(words)-1]) {
				j.wrong("%s: %v", name, list)
			}
		}
		for _, kind := range meta.SubjectTypes {
			if kind != "public" && kind != "pairwise" {
				j.wrong("subject_types_supported %v", meta.SubjectTypes)
			}
		}
		for name, value := range got.JSON {
			address, is := value.(string)
			if !is || name == "issuer" {
				continue
			}
			if !strings.HasPrefix(address, j.issuer) {
				j.wrong("%s is %s", name, address)
			} else if j.ask(http.MethodGet, address, nil, nil).Status == http.StatusNotFound && j.ask(http.MethodPost, address, url.Values{}, nil).Status == http.StatusNotFound {
				j.wrong("%s: %s is not there", name, address)
			}
		}
		j.keys()
	}, configurationSays("issuer", "http://evil.example")},
}

func scopeModule(scope string, claims ...string) module {
	return module{basicPlan, "oidcc-scope-" + scope, "scope " + scope + " tells its own and no more, or is ignored where it is not offered", func(j *judge) {
		_, meta := j.discovered()
		offered := slices.Contains(meta.Scopes, scope)
		if !offered {
			j.note("not offered")
		}
		told := j.userinfo(j.signIn(j.person(), j.basic, "scope=openid "+scope))
		for _, claim := range []string{"name", "email", "email_verified", "address", "phone_number"} {
			if _, has := told[claim]; has != (offered && slices.Contains(claims, claim)) {
				j.wrong("%s is told: %v", claim, has)
			}
		}
	}, userinfoTells(map[string]any{"name": "Ada", "email": someone, "email_verified": true, "address": "here", "phone_number": "1"})}
}

// succeedsWith asks whether a sign-in goes on as ever.
func succeedsWith(parameter string) func(*judge) {
	return func(j *judge) {
		s := j.signIn(j.person(), j.basic, parameter)
		if !slices.Contains(s.arrival.Asked, asksLogin) {
			j.wrong("nobody is asked to log in: %v", s.arrival.Asked)
		}
	}
}

// holdNewLogin demands that a person was asked to log in for the second sign-in.
func (j *judge) holdNewLogin(first, second session) {
	if !slices.Contains(second.arrival.Asked, asksLogin) {
		j.wrong("nobody is asked to log in: %v", second.arrival.Asked)
	}
	if first.Token.Subject != second.Token.Subject {
		j.wrong("sub %s, then %s", first.Token.Subject, second.Token.Subject)
	}
	if before, now := number(first.Claims["auth_time"]), number(second.Claims["auth_time"]); second.Claims["auth_time"] != nil && now <= before {
		j.wrong("auth_time %v after %v", now, before)
	}
}

// holdSameLogin demands that nobody was asked anything.
func (j *judge) holdSameLogin(first, second session) {
	if len(second.arrival.Asked) > 0 {
		j.wrong("the person is asked for %v", second.arrival.Asked)
	}
	if first.Token.Subject != second.Token.Subject {
		j.wrong("sub %s, then %s", first.Token.Subject, second.Token.Subject)
	}
	if before, now := first.Claims["auth_time"], second.Claims["auth_time"]; before != nil && now != nil && before != now {
		j.wrong("auth_time %v, then %v", before, now)
	}
}

// holdCodeSpent demands that the code of a sign-in opens nothing any more.
func (j *judge) holdCodeSpent(s session) {
	again := j.asClient(s.visit.client, url.Values{"grant_type": {"authorization_code"}, "code": {s.arrival.answer().Get("code")},
		"redirect_uri": {s.visit.client.Redirect}})
	j.wantRefused(again, "invalid_grant")
}

// keys are the names of the published keys, each public and of its own name.
func (j *judge) keys() (names []string) {
	_, meta := j.discovered()
	var set struct {
		Keys []map[string]any `json:"keys"`
	}
	got := j.ask(http.MethodGet, meta.Keys, nil, nil)
	if err := json.Unmarshal([]byte(got.Body), &set); err != nil || len(set.Keys) == 0 {
		j.stop("keys: %v: %s", err, got.Body)
	}
	for _, key := range set.Keys {
		name, _ := key["kid"].(string)
		if name == "" || slices.Contains(names, name) {
			j.wrong("kid %q in %s", name, got.Body)
		}
		names = append(names, name)
		for _, secret := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"} {
			if key[secret] != nil {
				j.wrong("a private key is published")
			}
		}
	}
	return names
}

// head is the header of a signed token.
type head struct {
	KeyID     string `json:"kid"`
	Algorithm string `json:"alg"`
	Type      string `json:"typ"`
}

func headOf(token string) (h head) {
	first, _, _ := strings.Cut(token, ".")
	raw, err := base64.RawURLEncoding.DecodeString(first)
	if err == nil {
		_ = json.Unmarshal(raw, &h)
	}
	return h
}

// unsigned makes a request object of parameters.
func unsigned(values url.Values) string {
	claims := map[string]string{}
	for name := range values {
		claims[name] = values.Get(name)
	}
	raw, _ := json.Marshal(claims)
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"none"}`)) + "." + encode(raw) + "."
}
