package totp

import (
	"fmt"
	"net/url"
	"strings"
	"unicode"

	"rsc.io/qr"
)

// longestLabel is how many characters of a name go into a link: a QR code of
// more is hard to scan.
const longestLabel = 100

// Link is the address that hands the key to an authenticator app, by being
// scanned or opened (Google's "Key Uri Format"). The label names the issuer
// and the account; what could be read as another part of the link is encoded
// or dropped.
func Link(key Key, issuer, account string) string {
	issuer, account = label(issuer), label(account)
	return fmt.Sprintf("otpauth://totp/%s:%s?secret=%s&issuer=%s&algorithm=SHA1&digits=%d&period=%d",
		escape(issuer), escape(account), key.Text(), escape(issuer), Digits, int(Period.Seconds()))
}

// label is a name without what the format gives a meaning.
func label(name string) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case r == ':':
			return ' '
		case unicode.IsControl(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(name, ""))
	if runes := []rune(strings.TrimSpace(clean)); len(runes) > longestLabel {
		clean = string(runes[:longestLabel])
	}
	return strings.TrimSpace(clean)
}

// escape encodes a space as %20: apps read a + as itself.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// quiet is the margin in modules that scanners want (ISO/IEC 18004 §6.3.8).
const quiet = 4

// QR draws a link as an SVG picture on a white plate, which it keeps in dark
// colours too: scanners want it so. The picture has no size of its own, and no
// name: the page gives it both.
func QR(link string) (svg string, err error) {
	code, err := qr.Encode(link, qr.M)
	if err != nil {
		return "", fmt.Errorf("draw a QR code: %w", err)
	}
	side := code.Size + 2*quiet
	var path strings.Builder
	for y := range code.Size {
		for x := range code.Size {
			if code.Black(x, y) {
				fmt.Fprintf(&path, "M%d %dh1v1h-1z", x+quiet, y+quiet)
			}
		}
	}
	return fmt.Sprintf(`<svg viewBox="0 0 %d %d" shape-rendering="crispEdges" aria-hidden="true" focusable="false">`+
		`<rect width="%d" height="%d" fill="#fff"/><path d="%s" fill="#000"/></svg>`, side, side, side, side, path.String()), nil
}
