package judges

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// spoiler makes of a right provider a wrong one, which its module has to notice.
type spoiler func(*judge)

// wire carries a request, or answers it.
type wire func(*http.Request) (*http.Response, error)

func (w wire) RoundTrip(r *http.Request) (*http.Response, error) { return w(r) }

// between puts something between the judge and the provider.
func between(answer func(r *http.Request, next http.RoundTripper) (*http.Response, error)) spoiler {
	return func(j *judge) {
		next := j.wire
		j.wire = wire(func(r *http.Request) (*http.Response, error) { return answer(r, next) })
	}
}

// isRequest tells an application's request from the pages that follow it.
func isRequest(r *http.Request) bool { return r.URL.Query().Has("client_id") }

func withQuery(r *http.Request, change func(url.Values)) *http.Request {
	if !isRequest(r) {
		return r
	}
	changed := r.Clone(r.Context())
	query := changed.URL.Query()
	change(query)
	changed.URL.RawQuery = query.Encode()
	return changed
}

// dropsRequest does not see some parameters of a request.
func dropsRequest(names ...string) spoiler {
	return between(func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
		return next.RoundTrip(withQuery(r, func(query url.Values) {
			for _, name := range names {
				query.Del(name)
			}
		}))
	})
}

// givesRequest reads a value that nobody sent.
func givesRequest(name, value string) spoiler {
	return between(func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
		return next.RoundTrip(withQuery(r, func(query url.Values) { query.Set(name, value) }))
	})
}

// takesFor reads one value for another.
func takesFor(name, value, other string) spoiler {
	return between(func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
		return next.RoundTrip(withQuery(r, func(query url.Values) {
			if query.Get(name) == value {
				query.Set(name, other)
			}
		}))
	})
}

func answered(r *http.Request, status int, header http.Header, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body)), Request: r}
}

// chokesOn answers a request with this parameter by a page of its own.
func chokesOn(name string) spoiler {
	return between(func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
		if r.URL.Query().Has(name) {
			return answered(r, http.StatusBadRequest, http.Header{}, "unknown"), nil
		}
		return next.RoundTrip(r)
	})
}

// formOf reads the form of a request, and leaves it there.
func formOf(r *http.Request) url.Values {
	if r.Body == nil || r.Method != http.MethodPost {
		return url.Values{}
	}
	raw, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(raw))
	form, _ := url.ParseQuery(string(raw))
	return form
}

// chokesOnForm does the same to a form with this field.
func chokesOnForm(name string) spoiler {
	return between(func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
		if formOf(r).Has(name) {
			return answered(r, http.StatusBadRequest, http.Header{}, "unknown"), nil
		}
		return next.RoundTrip(r)
	})
}

// says changes what is answered in JSON where there is this name.
func says(where string, change func(map[string]any)) spoiler {
	return between(func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
		answer, err := next.RoundTrip(r)
		if err != nil || answer.StatusCode != http.StatusOK || !strings.HasPrefix(answer.Header.Get("Content-Type"), "application/json") {
			return answer, err
		}
		raw, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil {
			return nil, err
		}
		var words map[string]any
		if json.Unmarshal(raw, &words) == nil && words[where] != nil {
			change(words)
			raw, _ = json.Marshal(words)
		}
		answer.Header.Del("Content-Length")
		answer.ContentLength, answer.Body = int64(len(raw)), io.NopCloser(bytes.NewReader(raw))
		return answer, nil
	})
}

func setting(name string, value any) func(map[string]any) {
	return func(words map[string]any) { words[name] = value }
}

func tokenSays(name string, value any) spoiler         { return says("access_token", setting(name, value)) }
func userinfoSays(name string, value any) spoiler      { return says("sub", setting(name, value)) }
func configurationSays(name string, value any) spoiler { return says("issuer", setting(name, value)) }

func userinfoLacks(name string) spoiler {
	return says("sub", func(words map[string]any) { delete(words, name) })
}

func userinfoTells(more map[string]any) spoiler {
	return says("sub", func(words map[string]any) {
		for name, value := range more {
			words[name] = value
		}
	})
}

// tokenTwice gives whoever comes with a code or a refresh token what the first
// one was given.
func tokenTwice() spoiler {
	var first []byte
	return between(func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
		if !formOf(r).Has("grant_type") {
			return next.RoundTrip(r)
		}
		if first == nil {
			answer, err := next.RoundTrip(r)
			if err != nil {
				return nil, err
			}
			first, err = io.ReadAll(answer.Body)
			answer.Body.Close()
			if err != nil {
				return nil, err
			}
		}
		return answered(r, http.StatusOK, http.Header{"Content-Type": {"application/json"}, "Cache-Control": {"no-store"}}, string(first)), nil
	})
}

// sendsAnywhere sends a code to whatever address a request names.
func sendsAnywhere() spoiler {
	return between(func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
		if !isRequest(r) {
			return next.RoundTrip(r)
		}
		return answered(r, http.StatusSeeOther, http.Header{"Location": {r.URL.Query().Get("redirect_uri")}}, ""), nil
	})
}

// changesAnswer changes what is sent to the application.
func changesAnswer(change func(url.Values)) spoiler {
	return func(j *judge) {
		next := j.wire
		j.wire = wire(func(r *http.Request) (*http.Response, error) {
			answer, err := next.RoundTrip(r)
			if err != nil {
				return nil, err
			}
			if to, err := url.Parse(leadsTo(answer)); err == nil && "http://"+to.Host == j.app.URL {
				query := to.Query()
				change(query)
				to.RawQuery = query.Encode()
				answer.Body.Close()
				return answered(r, http.StatusSeeOther, http.Header{"Location": {to.String()}}, ""), nil
			}
			return answer, nil
		})
	}
}

func losesFromAnswer(name string) spoiler { return changesAnswer(func(v url.Values) { v.Del(name) }) }
func addsToAnswer(name, value string) spoiler {
	return changesAnswer(func(v url.Values) { v.Set(name, value) })
}

// ignoresChallenges knows no PKCE.
func ignoresChallenges() spoiler {
	return func(j *judge) {
		dropsRequest("code_challenge", "code_challenge_method")(j)
		between(func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
			if form := formOf(r); form.Has("code_verifier") {
				form.Del("code_verifier")
				body := form.Encode()
				r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
			}
			return next.RoundTrip(r)
		})(j)
	}
}

// keepsKeys publishes for ever what it published first.
func keepsKeys() spoiler {
	var first any
	return says("keys", func(words map[string]any) {
		if first == nil {
			first = words["keys"]
		}
		words["keys"] = first
	})
}

// registersAnything looks at no address.
func registersAnything() spoiler {
	return func(j *judge) {
		wrong := *j.provider
		wrong.register = func(string) error { return nil }
		j.provider = &wrong
	}
}

// logsNobodyOut leads on at once, and does nothing.
func logsNobodyOut() spoiler {
	return func(j *judge) {
		_, meta := j.discovered()
		between(func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
			at, _, _ := strings.Cut(r.URL.String(), "?")
			if at != meta.Logout {
				return next.RoundTrip(r)
			}
			query := r.URL.Query()
			if to := query.Get("post_logout_redirect_uri"); to != "" {
				return answered(r, http.StatusSeeOther, http.Header{"Location": {to + "?" + url.Values{"state": query["state"]}.Encode()}}, ""), nil
			}
			return answered(r, http.StatusOK, http.Header{}, "logged out"), nil
		})(j)
	}
}

// tellsByAnother signs its notices by a key of somebody else's.
func tellsByAnother() spoiler {
	return func(j *judge) {
		j.hears = func(n notice) notice {
			n.form.Set("logout_token", forged(j, n.form.Get("logout_token")))
			return n
		}
	}
}
