package judges

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	goidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// judge puts one module's questions to a provider, and keeps what was wrong.
type judge struct {
	*provider
	wire  http.RoundTripper   // everything goes through it
	hears func(notice) notice // what reaches the application

	library *goidc.Provider // once it was asked for
	meta    metadata

	found []string
	notes []string
}

// stopped ends a module that cannot go on.
type stopped struct{}

// judged asks a provider what a module asks. A spoiler makes it a wrong one first.
func judged(p *provider, m module, spoil spoiler) (found, notes []string) {
	j := &judge{provider: p, wire: http.DefaultTransport, hears: func(n notice) notice { return n }}
	if spoil != nil {
		spoil(j)
	}
	defer func() {
		if why := recover(); why != nil {
			if _, ours := why.(stopped); !ours {
				panic(why)
			}
			found, notes = j.found, j.notes
		}
	}()
	m.ask(j)
	return j.found, j.notes
}

// wrong notes a fault and goes on.
func (j *judge) wrong(format string, args ...any) {
	j.found = append(j.found, fmt.Sprintf(format, args...))
}

// stop notes a fault that leaves nothing more to ask.
func (j *judge) stop(format string, args ...any) {
	j.wrong(format, args...)
	panic(stopped{})
}

// note keeps how a provider does what the standard leaves open.
func (j *judge) note(format string, args ...any) {
	j.notes = append(j.notes, fmt.Sprintf(format, args...))
}

func (j *judge) context() context.Context {
	return goidc.ClientContext(context.Background(), &http.Client{Transport: j.wire})
}

// metadata is what a provider says of itself, as the modules need it.
type metadata struct {
	Issuer        string `json:"issuer"`
	Authorization string `json:"authorization_endpoint"`
	Token         string `json:"token_endpoint"`
	Userinfo      string `json:"userinfo_endpoint"`
	Keys          string `json:"jwks_uri"`
	Logout        string `json:"end_session_endpoint"`

	Scopes        []string `json:"scopes_supported"`
	ResponseTypes []string `json:"response_types_supported"`
	GrantTypes    []string `json:"grant_types_supported"`
	SubjectTypes  []string `json:"subject_types_supported"`
	Algorithms    []string `json:"id_token_signing_alg_values_supported"`
	Claims        []string `json:"claims_supported"`
	Challenges    []string `json:"code_challenge_methods_supported"`

	TellsLogout  bool `json:"backchannel_logout_supported"`
	TellsSession bool `json:"backchannel_logout_session_supported"`
	SaysIssuer   bool `json:"authorization_response_iss_parameter_supported"`
}

func (j *judge) discovered() (*goidc.Provider, metadata) {
	if j.library == nil {
		p, err := goidc.NewProvider(j.context(), j.issuer)
		if err != nil {
			j.stop("discovery: %v", err)
		}
		if err := p.Claims(&j.meta); err != nil {
			j.stop("discovery: %v", err)
		}
		j.library = p
	}
	return j.library, j.meta
}

// reply is what an application is answered.
type reply struct {
	Status int
	Header http.Header
	Body   string
	JSON   map[string]any
}

func (r reply) word(name string) string {
	words, _ := r.JSON[name].(string)
	return words
}

func (j *judge) ask(method, address string, form url.Values, change func(*http.Request)) reply {
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequest(method, address, body)
	if err != nil {
		j.stop("%v", err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if change != nil {
		change(r)
	}
	answer, err := j.wire.RoundTrip(r)
	if err != nil {
		j.stop("%v", err)
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	if err != nil {
		j.stop("%v", err)
	}
	got := reply{Status: answer.StatusCode, Header: answer.Header, Body: string(raw)}
	_ = json.Unmarshal(raw, &got.JSON)
	return got
}

// asClient asks the token address, and proves who is asking the way that was
// registered.
func (j *judge) asClient(c client, form url.Values) reply {
	_, meta := j.discovered()
	if c.Post {
		form.Set("client_id", c.ID)
		form.Set("client_secret", c.Secret)
		return j.ask(http.MethodPost, meta.Token, form, nil)
	}
	return j.ask(http.MethodPost, meta.Token, form, func(r *http.Request) {
		r.SetBasicAuth(url.QueryEscape(c.ID), url.QueryEscape(c.Secret))
	})
}

func (j *judge) wantRefused(got reply, code string) {
	if got.Status < 400 || got.Status >= 500 || got.word("error") != code {
		j.wrong("answered %d %s, want %s", got.Status, got.Body, code)
	}
}

func withToken(token string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
}

// visit is a sign-in as an application begins it.
type visit struct {
	client                 client
	State, Nonce, Verifier string
	values                 url.Values
	address                string
}

// begin begins a sign-in; parameters take the place of the usual ones, and ""
// leaves one out.
func (j *judge) begin(c client, parameters ...string) visit {
	v := visit{client: c}
	v.values = url.Values{
		"client_id": {c.ID}, "redirect_uri": {c.Redirect}, "response_type": {"code"}, "scope": {"openid email"},
		"state": {"state-" + oauth2.GenerateVerifier()}, "nonce": {"nonce-" + oauth2.GenerateVerifier()},
	}
	for _, p := range parameters {
		name, value, _ := strings.Cut(p, "=")
		if v.values.Set(name, value); value == "" {
			v.values.Del(name)
		}
	}
	v.State, v.Nonce = v.values.Get("state"), v.values.Get("nonce")
	_, meta := j.discovered()
	v.address = meta.Authorization + "?" + v.values.Encode()
	return v
}

// code gives the code that an application was answered, and complains where
// there is none.
func (j *judge) code(v visit, a arrival) string {
	got := a.answer()
	if got.Get("code") == "" {
		j.stop("no code: the person is %s", a)
	}
	j.holdAnswer(v, a)
	return got.Get("code")
}

// holdAnswer holds an answer against the request: it comes to the registered
// address, with the state, and says who answers where that was promised.
func (j *judge) holdAnswer(v visit, a arrival) {
	got := a.answer()
	if a.At == nil {
		j.stop("the application is not answered: the person is %s", a)
	}
	at, _, _ := strings.Cut(a.At.String(), "?")
	if want, _, _ := strings.Cut(v.values.Get("redirect_uri"), "?"); at != want {
		j.wrong("answered at %s, want %s", at, want)
	}
	if got.Get("state") != v.State {
		j.wrong("state %q, want %q", got.Get("state"), v.State)
	}
	if _, meta := j.discovered(); meta.SaysIssuer && got.Get("iss") != j.issuer {
		j.wrong("iss %q, want %q", got.Get("iss"), j.issuer)
	}
}

// wantError demands an error at the application, one of these.
func (j *judge) wantError(v visit, a arrival, codes ...string) {
	j.holdAnswer(v, a)
	if got := a.answer(); got.Get("code") != "" || !slices.Contains(codes, got.Get("error")) {
		j.wrong("answered %v, want an error of %v", got, codes)
	}
}

// wantPage demands that the person is told, and the application is not.
func (j *judge) wantPage(a arrival) {
	if a.At != nil || a.Status < 400 {
		j.wrong("the person is %s, want a page that refuses", a)
	}
}

// session is what came of a sign-in.
type session struct {
	visit   visit
	arrival arrival
	reply   reply
	Access  string
	ID      string
	Token   *goidc.IDToken
	Claims  map[string]any
}

// exchange exchanges a code and holds what is given for it against the standard.
func (j *judge) exchange(v visit, code string) session {
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {v.client.Redirect}}
	if v.Verifier != "" {
		form.Set("code_verifier", v.Verifier)
	}
	s := session{visit: v, reply: j.asClient(v.client, form)}
	if s.reply.Status != http.StatusOK {
		j.stop("the code gives %d %s", s.reply.Status, s.reply.Body)
	}
	j.holdTokens(&s)
	return s
}

func (j *judge) holdTokens(s *session) {
	got := s.reply
	s.Access, s.ID = got.word("access_token"), got.word("id_token")
	if s.Access == "" || !strings.EqualFold(got.word("token_type"), "Bearer") {
		j.wrong("token_type %q, access token given: %v", got.word("token_type"), s.Access != "")
	}
	if got.Header.Get("Cache-Control") != "no-store" || !strings.HasPrefix(got.Header.Get("Content-Type"), "application/json") {
		j.wrong("Cache-Control %q, Content-Type %q", got.Header.Get("Cache-Control"), got.Header.Get("Content-Type"))
	}
	s.Token, s.Claims = j.verify(s.visit.client, s.ID)
	if s.Token.Nonce != s.visit.Nonce {
		j.wrong("nonce %q, want %q", s.Token.Nonce, s.visit.Nonce)
	}
	if s.Token.AccessTokenHash != "" {
		if err := s.Token.VerifyAccessToken(s.Access); err != nil {
			j.wrong("at_hash: %v", err)
		}
	}
}

// verify checks an ID token by the keys that are published now.
func (j *judge) verify(c client, raw string) (*goidc.IDToken, map[string]any) {
	p, _ := j.discovered()
	token, err := p.Verifier(&goidc.Config{ClientID: c.ID, Now: j.now}).Verify(j.context(), raw)
	if err != nil {
		j.stop("the ID token: %v", err)
	}
	var claims map[string]any
	if err := token.Claims(&claims); err != nil {
		j.stop("the ID token: %v", err)
	}
	if token.Subject == "" || len(token.Subject) > 255 {
		j.wrong("sub %q", token.Subject)
	}
	if token.IssuedAt.After(j.now().Add(time.Minute)) || !token.Expiry.After(token.IssuedAt) {
		j.wrong("iat %s, exp %s", token.IssuedAt, token.Expiry)
	}
	if party, has := claims["azp"]; has && party != c.ID {
		j.wrong("azp %v", party)
	}
	return token, claims
}

// signIn goes through a whole sign-in.
func (j *judge) signIn(p *person, c client, parameters ...string) session {
	v := j.begin(c, parameters...)
	a := p.open(v.address)
	s := j.exchange(v, j.code(v, a))
	s.arrival = a
	return s
}

// userinfo asks what the application may learn.
func (j *judge) userinfo(s session) map[string]any {
	_, meta := j.discovered()
	got := j.ask(http.MethodGet, meta.Userinfo, nil, withToken(s.Access))
	return j.holdUserinfo(s, got)
}

func (j *judge) holdUserinfo(s session, got reply) map[string]any {
	if got.Status != http.StatusOK || !strings.HasPrefix(got.Header.Get("Content-Type"), "application/json") {
		j.stop("userinfo answers %d %s: %s", got.Status, got.Header.Get("Content-Type"), got.Body)
	}
	if got.word("sub") != s.Token.Subject {
		j.wrong("userinfo is of %q, the ID token of %q", got.word("sub"), s.Token.Subject)
	}
	return got.JSON
}

// opens tells whether an access token still opens something.
func (j *judge) opens(token string) bool {
	_, meta := j.discovered()
	return j.ask(http.MethodGet, meta.Userinfo, nil, withToken(token)).Status == http.StatusOK
}

// needsPerson are the errors that say: not without showing a page.
var needsPerson = []string{"login_required", "interaction_required", "consent_required", "account_selection_required"}

// isIn tells whether a person is still signed in at the provider, as an
// application can find out.
func (j *judge) isIn(p *person, c client) bool {
	v := j.begin(c, "prompt=none")
	a := p.look(v.address)
	if a.answer().Get("code") != "" {
		return true
	}
	j.wantError(v, a, needsPerson...)
	return false
}

func number(v any) float64 {
	n, _ := v.(float64)
	return n
}
