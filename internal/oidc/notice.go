package oidc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/config"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
)

// logoutToken tells an application that a session has ended (OpenID Connect
// Back-Channel Logout 1.0 §2.4). It never has a nonce.
type logoutToken struct {
	Issuer   string              `json:"iss"`
	Subject  auth.UserID         `json:"sub"`
	Audience auth.ApplicationID  `json:"aud"`
	Issued   int64               `json:"iat"`
	Expires  int64               `json:"exp"`
	ID       string              `json:"jti"`
	Events   map[string]struct{} `json:"events"`
	Session  auth.SessionID      `json:"sid"`
}

const (
	logoutTokenKind = "logout+jwt"
	logoutEvent     = "http://schemas.openid.net/event/backchannel-logout"
	logoutTokenLife = 2 * time.Minute
)

// How notices are sent. An application that is slow or hostile costs so much
// and no more.
const (
	noticePatience = 5 * time.Second    // with one application
	noticeHold     = 2 * noticePatience // for so long a notice is this server's alone
	noticeAnswer   = 1 << 10            // bytes of it that are read
	toldAtOnce     = 32                 // applications
)

// noticePauses lie between one try and the next. After the last the notice is
// given up.
var noticePauses = []time.Duration{10 * time.Second, time.Minute, 10 * time.Minute, time.Hour, 6 * time.Hour}

// SendLogoutNotices tells applications of the sessions that have ended since the
// last time. Nobody's logout waits for it, and no application for another: calls
// may overlap, and one finds nothing to do where another is still at it.
func (h *Flow) SendLogoutNotices(ctx context.Context) error {
	told, err := h.Store.ApplicationsToTell(ctx, h.Now())
	if err != nil {
		return err
	}
	errs := make([]error, len(told))
	var all sync.WaitGroup
	for i, application := range told {
		if h.telling.begin(application) {
			all.Go(func() {
				defer h.telling.end(application)
				errs[i] = h.tellAll(ctx, application)
			})
		}
	}
	all.Wait()
	return errors.Join(errs...)
}

// tellAll tells one application all that it has to hear now, one after the other.
func (h *Flow) tellAll(ctx context.Context, application auth.ApplicationID) error {
	for ctx.Err() == nil {
		now := h.Now()
		n, err := h.Store.ClaimLogoutNotice(ctx, application, now.Add(noticeHold), now)
		if errors.Is(err, store.ErrSpent) {
			return nil
		} else if err != nil {
			return err
		}
		if err := h.sendNotice(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

// telling are the applications that are being told something. The zero telling is
// ready, and safe for concurrent use.
type telling struct {
	mu  sync.Mutex
	now map[auth.ApplicationID]bool
}

// begin takes an application's turn; false where somebody has it, or too many
// have theirs.
func (t *telling) begin(a auth.ApplicationID) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.now[a] || len(t.now) >= toldAtOnce {
		return false
	}
	if t.now == nil {
		t.now = map[auth.ApplicationID]bool{}
	}
	t.now[a] = true
	return true
}

func (t *telling) end(a auth.ApplicationID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.now, a)
}

func (h *Flow) sendNotice(ctx context.Context, n store.LogoutNotice) error {
	if n.Address == "" { // taken away since
		return h.Store.LogoutNoticeTaken(ctx, n.ID, h.Now())
	}
	err := h.tell(ctx, n)
	now := h.Now()
	if err == nil {
		return h.Store.LogoutNoticeTaken(ctx, n.ID, now)
	}
	h.Log.Warn("logout notice not taken", "application", n.Application, "tries", n.Tries+1, "error", err)
	var next time.Time
	if n.Tries < len(noticePauses) && !errors.Is(err, errRefused) && !errors.Is(err, errPrivate) {
		next = now.Add(noticePauses[n.Tries])
	}
	return h.Store.LogoutNoticeFailed(ctx, n, err.Error(), next, now)
}

// errRefused is an application's own no: it has read the token and will not
// take it the next time either.
var errRefused = errors.New("the application refuses the notice")

// errPrivate is our no to an address in a private network: it lasts until somebody
// changes the setting or the address.
var errPrivate = errors.New("is in a private network; name that network in logout_notice_networks, or register the address itself")

func (h *Flow) tell(ctx context.Context, n store.LogoutNotice) error {
	now := h.Now()
	token, err := h.sign(ctx, n.Algorithm, logoutTokenKind, logoutToken{
		Issuer: h.PublicURL, Subject: n.User, Audience: n.Application,
		Issued: now.Unix(), Expires: now.Add(logoutTokenLife).Unix(), ID: secret.NewID(),
		Events: map[string]struct{}{logoutEvent: {}}, Session: n.Session,
	}, now)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, noticePatience)
	defer cancel()
	body := strings.NewReader(url.Values{"logout_token": {token}}.Encode())
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, n.Address, body)
	if err != nil {
		return fmt.Errorf("the address cannot be asked: %w", err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("User-Agent", "Twinlock")
	p := postman{typed: r.URL.Hostname(), allowed: h.Rules.NoticeNetworks}
	answer, err := p.carry(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	_, _ = io.CopyN(io.Discard, answer.Body, noticeAnswer)
	switch answer.StatusCode {
	case http.StatusOK, http.StatusNoContent:
		return nil
	case http.StatusBadRequest:
		return errRefused
	}
	return fmt.Errorf("the application answers %d", answer.StatusCode)
}

// postman carries one notice to a host as the administrator typed it.
type postman struct {
	typed   string
	allowed config.Networks

	open atomic.Bool // one of the host's addresses was not ours to refuse
}

// carry follows no redirect, asks no proxy, and looks at the address that the name
// leads to when it is already on the way there: a name may lead elsewhere the next
// time.
func (p *postman) carry(r *http.Request) (*http.Response, error) {
	dialer := &net.Dialer{Control: p.mayGo}
	client := &http.Client{
		Transport: &http.Transport{
			DialContext: dialer.DialContext, DisableKeepAlives: true,
			MaxResponseHeaderBytes: 16 << 10, TLSHandshakeTimeout: noticePatience,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	answer, err := client.Do(r)
	return answer, p.why(err)
}

func (p *postman) mayGo(_, address string, _ syscall.RawConn) error {
	err := mayTell(p.typed, address, p.allowed)
	if err == nil {
		p.open.Store(true)
	}
	return err
}

// why makes our no to one address none to the host, where another address of it
// did not answer.
func (p *postman) why(err error) error {
	if errors.Is(err, errPrivate) && p.open.Load() {
		return fmt.Errorf("no other address answers: %v", err)
	}
	return err
}

// mayTell keeps notices out of private networks, unless an administrator typed
// the very address or the operator allowed the network: what an application's name
// leads to is its owner's to say, and not theirs to find our neighbours by.
func mayTell(typed, address string, allowed config.Networks) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%s is no address", address)
	}
	ip := to.Addr().Unmap().WithZone("")
	if literal, err := netip.ParseAddr(typed); err == nil && literal.Unmap() == ip {
		return nil
	}
	if typed == "localhost" && ip.IsLoopback() {
		return nil
	}
	if isOutside(ip) || allowed.Contains(ip) {
		return nil
	}
	return fmt.Errorf("%s leads to %s, which %w", typed, ip, errPrivate)
}

// shared are the networks that are private without netip calling them so:
// carrier-grade NAT, "this" network, benchmarks, addresses of IPv4 inside IPv6,
// site-local ones, and those kept for documents and for later.
var shared = config.Networks{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("::/96"), netip.MustParsePrefix("::ffff:0:0:0/96"), netip.MustParsePrefix("fec0::/10"),
	netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("2001::/32"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("3fff::/20"),
}

func isOutside(ip netip.Addr) bool {
	return ip.IsGlobalUnicast() && !ip.IsPrivate() && !shared.Contains(ip)
}
