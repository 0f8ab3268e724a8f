package apptest

import (
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// farPatience is how long a browser waits for an answer from far away.
const farPatience = 60 * time.Second

// Far opens a browser on a server that runs as a process of its own. Origin is
// how people type it, and at, with the scheme, where it listens. The browser is
// at an address of 127.0.0.0/8 and takes a connection of its own for every
// request, so that none is lost with the server of before. It is for one
// goroutine at a time.
func Far(t testing.TB, origin, at, network string) *Browser {
	return far(t, origin, at, network, from(network))
}

// Keeping is Far for a browser that asks again by the connection that it has, as
// browsers do.
func Keeping(t testing.TB, origin, at, network string) *Browser {
	through := from(network)
	through.DisableKeepAlives, through.IdleConnTimeout = false, keepsIdle
	t.Cleanup(through.CloseIdleConnections)
	return far(t, origin, at, network, through)
}

// keepsIdle is shorter than any server keeps a connection on which nothing is sent.
const keepsIdle = 5 * time.Second

func far(t testing.TB, origin, at, network string, through *http.Transport) *Browser {
	client := &http.Client{Timeout: farPatience, Transport: through, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	return newBrowser(t, origin, network, func(r *http.Request) *http.Response {
		answer, err := client.Do(outgoing(r, at))
		if err != nil {
			return lost()
		}
		return answer
	})
}

// from reaches servers from an address of this machine.
func from(network string) *http.Transport {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(network)}}
	return &http.Transport{DialContext: d.DialContext, DisableKeepAlives: true}
}

// outgoing is a request as it leaves, to where the server listens.
func outgoing(r *http.Request, at string) *http.Request {
	out := r.Clone(r.Context())
	out.RequestURI, out.Host = "", r.URL.Host
	out.URL.Scheme, out.URL.Host, _ = strings.Cut(at, "://")
	return out
}

// lost stands for the answer that never came.
func lost() *http.Response { return &http.Response{Header: http.Header{}, Body: http.NoBody} }
