package judges

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strings"

	goidc "github.com/coreos/go-oidc/v3/oidc"
)

var logoutModules = []module{
	{logoutPlan, "oidcc-rp-initiated-logout-discovery-endpoint-verification", "discovery says where to log out", func(j *judge) {
		if _, meta := j.discovered(); !strings.HasPrefix(meta.Logout, j.issuer+"/") {
			j.wrong("end_session_endpoint is %q", meta.Logout)
		}
	}, configurationSays("end_session_endpoint", "")},

	{logoutPlan, "oidcc-rp-initiated-logout", "a logout ends the session and leads back, with the state", func(j *judge) {
		p := j.person()
		s := j.signIn(p, j.basic)
		state := strings.Repeat("0123456789abcdef", 8)
		j.holdLeadsBack(p.leave(j.logout("id_token_hint", s.ID, "post_logout_redirect_uri", j.app.loggedOut(), "state", state)), url.Values{"state": {state}})
		if j.isIn(p, j.basic) {
			j.wrong("the person is still signed in")
		}
	}, logsNobodyOut()},

	{logoutPlan, "oidcc-rp-initiated-logout-no-state", "without a state none comes back", func(j *judge) {
		p := j.person()
		s := j.signIn(p, j.basic)
		j.holdLeadsBack(p.leave(j.logout("id_token_hint", s.ID, "post_logout_redirect_uri", j.app.loggedOut())), url.Values{})
		if j.isIn(p, j.basic) {
			j.wrong("the person is still signed in")
		}
	}, addsToAnswer("state", "made up")},

	{logoutPlan, "oidcc-rp-initiated-logout-no-post-logout-redirect-uri", "without an address the person is logged out and stays at the provider", func(j *judge) {
		p := j.person()
		s := j.signIn(p, j.basic)
		j.holdLogsOutHere(p, j.logout("id_token_hint", s.ID, "state", "x"))
	}, logsNobodyOut()},

	{logoutPlan, "oidcc-rp-initiated-logout-no-params", "without anything the person is logged out and stays at the provider", func(j *judge) {
		p := j.person()
		j.signIn(p, j.basic)
		j.holdLogsOutHere(p, j.logout())
	}, logsNobodyOut()},

	{logoutPlan, "oidcc-rp-initiated-logout-only-state", "with nothing but a state too", func(j *judge) {
		p := j.person()
		j.signIn(p, j.basic)
		j.holdLogsOutHere(p, j.logout("state", "x"))
	}, logsNobodyOut()},

	{logoutPlan, "oidcc-rp-initiated-logout-bad-post-logout-redirect-uri", "nobody is led to an address that was not registered", func(j *judge) {
		p := j.person()
		s := j.signIn(p, j.basic)
		j.holdStaysHere(p.leave(j.logout("id_token_hint", s.ID, "post_logout_redirect_uri", j.app.URL+"/elsewhere", "state", "x")))
	}, logsNobodyOut()},

	{logoutPlan, "oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri", "a query added to the address is another address", func(j *judge) {
		p := j.person()
		s := j.signIn(p, j.basic)
		j.holdStaysHere(p.leave(j.logout("id_token_hint", s.ID, "post_logout_redirect_uri", j.app.loggedOut()+"?foo=bar", "state", "x")))
	}, logsNobodyOut()},

	{logoutPlan, "oidcc-rp-initiated-logout-no-id-token-hint", "without a hint the person is asked, and led nowhere", func(j *judge) {
		p := j.person()
		j.signIn(p, j.basic)
		j.holdAsks(p, j.logout("post_logout_redirect_uri", j.app.loggedOut(), "state", "x"))
	}, logsNobodyOut()},

	{logoutPlan, "oidcc-rp-initiated-logout-modified-id-token-hint", "a hint that was altered counts for nothing", func(j *judge) {
		p := j.person()
		s := j.signIn(p, j.basic)
		parts := strings.Split(s.ID, ".")
		raw, err := base64.RawURLEncoding.DecodeString(parts[2])
		if err != nil {
			j.stop("the ID token: %v", err)
		}
		raw[len(raw)/2] ^= 1
		hint := parts[0] + "." + parts[1] + "." + base64.RawURLEncoding.EncodeToString(raw)
		j.holdAsks(p, j.logout("id_token_hint", hint, "post_logout_redirect_uri", j.app.loggedOut(), "state", "x"))
	}, logsNobodyOut()},

	{logoutPlan, "oidcc-rp-initiated-logout-bad-id-token-hint", "a hint that somebody else signed counts for nothing", func(j *judge) {
		p := j.person()
		s := j.signIn(p, j.basic)
		hint := forged(j, s.ID)
		j.holdAsks(p, j.logout("id_token_hint", hint, "post_logout_redirect_uri", j.app.loggedOut(), "state", "x"))
	}, logsNobodyOut()},
}

var noticeModules = []module{
	{noticePlan, "oidcc-backchannel-logout-discovery-endpoint-verification", "discovery says that applications are told of a logout", func(j *judge) {
		if _, meta := j.discovered(); !meta.TellsLogout || !meta.TellsSession || meta.Logout == "" {
			j.wrong("backchannel_logout_supported %v, backchannel_logout_session_supported %v, end_session_endpoint %q", meta.TellsLogout, meta.TellsSession, meta.Logout)
		}
	}, configurationSays("backchannel_logout_supported", false)},

	{noticePlan, "oidcc-backchannel-rp-initiated-logout", "a logout tells the application, by a token that holds", func(j *judge) {
		p := j.person()
		s := j.signIn(p, j.basic)
		j.holdLeadsBack(p.leave(j.logout("id_token_hint", s.ID, "post_logout_redirect_uri", j.app.loggedOut(), "state", "x")), url.Values{"state": {"x"}})
		told := j.heard(s.Claims["sid"])
		if told.header.Get("Content-Type") != "application/x-www-form-urlencoded" || len(told.form) != 1 {
			j.wrong("told by %s with %d fields", told.header.Get("Content-Type"), len(told.form))
		}
		j.holdLogoutToken(s, told.form.Get("logout_token"))
		if j.isIn(p, j.basic) {
			j.wrong("the person is still signed in")
		}
	}, tellsByAnother()},
}

// logout is where an application sends a person to log out.
func (j *judge) logout(pairs ...string) string {
	_, meta := j.discovered()
	query := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		query.Set(pairs[i], pairs[i+1])
	}
	if len(query) == 0 {
		return meta.Logout
	}
	return meta.Logout + "?" + query.Encode()
}

// holdLeadsBack demands that a logout led to the registered address, with
// nothing else than this.
func (j *judge) holdLeadsBack(a arrival, want url.Values) {
	if a.At == nil {
		j.stop("the person is %s, want %s", a, j.app.loggedOut())
	}
	at, _, _ := strings.Cut(a.At.String(), "?")
	if got := a.answer(); at != j.app.loggedOut() || got.Encode() != want.Encode() {
		j.wrong("led to %s with %v, want %s with %v", at, got, j.app.loggedOut(), want)
	}
}

func (j *judge) holdStaysHere(a arrival) {
	if a.At != nil {
		j.wrong("led to %s", a.At)
	}
}

// holdLogsOutHere demands that whoever says yes is logged out, and stays.
func (j *judge) holdLogsOutHere(p *person, address string) {
	j.holdStaysHere(p.leave(address))
	if j.isIn(p, j.basic) {
		j.wrong("the person is still signed in")
	}
}

// holdAsks demands that a link that proves nothing logs nobody out by itself,
// and leads nobody anywhere, whatever they answer.
func (j *judge) holdAsks(p *person, address string) {
	j.holdStaysHere(p.look(address))
	if !j.isIn(p, j.basic) {
		j.wrong("a link that proves nothing logs people out")
	}
	j.holdStaysHere(p.leave(address))
}

// forged signs what a token says by another key under the same name.
func forged(j *judge, token string) string {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		j.stop("%v", err)
	}
	parts := strings.Split(token, ".")
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		j.stop("%v", err)
	}
	return parts[0] + "." + parts[1] + "." + base64.RawURLEncoding.EncodeToString(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...))
}

// holdLogoutToken holds a logout token against the sign-in that ended.
func (j *judge) holdLogoutToken(s session, raw string) {
	p, _ := j.discovered()
	token, err := p.Verifier(&goidc.Config{ClientID: s.visit.client.ID, Now: j.now, SkipExpiryCheck: true}).Verify(j.context(), raw)
	if err != nil {
		j.stop("the logout token: %v", err)
	}
	var claims map[string]any
	if err := token.Claims(&claims); err != nil {
		j.stop("the logout token: %v", err)
	}
	events, _ := claims["events"].(map[string]any)
	if event, is := events["http://schemas.openid.net/event/backchannel-logout"].(map[string]any); !is || len(event) != 0 {
		j.wrong("events %v", claims["events"])
	}
	if head := headOf(raw); head.Type != "logout+jwt" || head.Algorithm == "none" {
		j.wrong("header %+v", head)
	}
	if claims["jti"] == nil || claims["iat"] == nil || claims["nonce"] != nil {
		j.wrong("claims %v", claims)
	}
	if claims["sub"] == nil && claims["sid"] == nil {
		j.wrong("neither sub nor sid")
	}
	for _, name := range []string{"sub", "sid"} {
		if claims[name] != nil && claims[name] != s.Claims[name] {
			j.wrong("%s %v, the ID token said %v", name, claims[name], s.Claims[name])
		}
	}
}
