package web

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/origin"
)

// ProxyTest is a walk of an administrator through an application's proxy, to see
// what arrives here with its question. It begins with a link that is sealed, and
// comes back with an answer that is: nothing is kept meanwhile, and nobody can
// make up either.
type ProxyTest struct {
	By   auth.UserID   `json:"b"`
	At   origin.Origin `json:"a"` // where the link leads
	Ends time.Time     `json:"e"`
}

// ProxyAnswer is what arrived with a proxy's question.
type ProxyAnswer struct {
	Test    ProxyTest     `json:"t"`
	Asked   time.Time     `json:"w"`
	Proxy   string        `json:"d"`           // whose words it was asked in: "nginx", "caddy" or "traefik"
	Read    origin.Origin `json:"o"`           // what the question is about; zero where its headers name no address
	Whole   bool          `json:"u,omitempty"` // path and query came as they were sent
	Cookie  bool          `json:"c,omitempty"` // what the browser was given came back
	OurOwn  bool          `json:"n,omitempty"` // it is about our own host, where no application may be
	Unknown bool          `json:"k,omitempty"` // it is about an address that no application has
	Arrived Arrived       `json:"r"`
}

// ProxyTestLife is how long an administrator may take.
const ProxyTestLife = 10 * time.Minute

// Of what a test asks for, a proxy that decodes the path or drops the query
// returns something else.
const (
	proxyTestPath = "/.twinlock/check/"
	proxyTestTail = "/as%20it%20is?kept=%26"
)

// ProxyTestAddress is where an administrator goes, at first or, with the cookie
// that was given there, again.
func (f *Floor) ProxyTestAddress(t ProxyTest, again bool) (address string, err error) {
	token, err := f.seal(t, "proxy test")
	step := "first/"
	if again {
		step = "again/"
	}
	return t.At.String() + proxyTestPath + step + token + proxyTestTail, err
}

// ReadProxyTest finds a test in whatever a proxy's question has in the place of
// an address; false where there is none that is still good.
func (f *Floor) ReadProxyTest(r *http.Request, now time.Time) (t ProxyTest, again, whole, ok bool) {
	for _, name := range proxyHeaders {
		for _, value := range r.Header[name] {
			_, path, found := strings.Cut(value, proxyTestPath)
			if !found {
				continue
			}
			step, rest, _ := strings.Cut(path, "/")
			token, _, _ := strings.Cut(rest, "/")
			if f.open(token, "proxy test", &t) && now.Before(t.Ends) {
				return t, step == "again", strings.HasSuffix(rest, token+proxyTestTail), true
			}
		}
	}
	return ProxyTest{}, false, false, false
}

// mostHeaders bounds what goes back in an answer, in bytes: proxies give up on
// answers whose headers are long.
const mostHeaders = 600

// ProxyAnswerPath is the page that shows an answer.
func (f *Floor) ProxyAnswerPath(a ProxyAnswer) (path string, err error) {
	left := mostHeaders
	for i, h := range a.Arrived.Headers {
		if before, after, found := strings.Cut(h.Value, proxyTestPath); found {
			_, after, _ = strings.Cut(after, "/")
			_, after, _ = strings.Cut(after, "/")
			h.Value = before + proxyTestPath + "…/" + after
		}
		if len(h.Value) > 100 {
			h.Value = strings.ToValidUTF8(h.Value[:100], "") + "…"
		}
		if left -= len(h.Name) + len(h.Value) + 20; left < 0 {
			a.Arrived.Headers = a.Arrived.Headers[:i]
			break
		}
		a.Arrived.Headers[i] = h
	}
	token, err := f.seal(a, "proxy answer")
	return "/admin/proxy-check?answer=" + token, err
}

// ReadProxyAnswer reads what ProxyAnswerPath wrote, for whoever made the test;
// false for anything else, and later.
func (f *Floor) ReadProxyAnswer(sealed string, by auth.UserID, now time.Time) (a ProxyAnswer, ok bool) {
	ok = f.open(sealed, "proxy answer", &a)
	return a, ok && a.Test.By == by && now.Before(a.Test.Ends)
}

// seal puts a value into an address; open takes it out.
func (f *Floor) seal(value any, row string) (string, error) {
	plain, err := json.Marshal(value)
	if err != nil {
		return "", err
	}
	sealed, err := f.Ring.Seal(plain, row)
	return base64.RawURLEncoding.EncodeToString(sealed), err
}

func (f *Floor) open(sealed, row string, value any) bool {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(sealed)
	if err != nil {
		return false
	}
	plain, _, err := f.Ring.Open(raw, row)
	return err == nil && json.Unmarshal(plain, value) == nil
}
