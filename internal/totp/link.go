package totp

import (
	"fmt"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"rsc.io/qr"
)

// How long a name may get in the link, in bytes as encoded there. A QR code of
// more is too fine for the camera of an older phone.
const (
	longestIssuer  = 120
	longestAccount = 240
)

// Link is the address that hands the key to an authenticator app, by being
// scanned or opened (Google's "Key Uri Format"). The label names the issuer
// and the account; what could be read as another part of the link is encoded
// or dropped.
func Link(key Key, issuer, account string) string {
	issuer, account = label(issuer, longestIssuer), label(account, longestAccount)
	return fmt.Sprintf("otpauth://totp/%s:%s?secret=%s&issuer=%s&algorithm=SHA1&digits=%d&period=%d",
		issuer, account, key.Text(), issuer, Digits, int(Period.Seconds()))
}

// label is a name encoded, without what the format gives a meaning, without
// what cannot be seen, and cut where it is too long.
func label(name string, longest int) string {
	name = strings.Map(shown, strings.ToValidUTF8(name, ""))
	name = strings.Join(strings.Fields(name), " ")
	if len(escape(name)) <= longest {
		return escape(name)
	}
	const cut = "…"
	for len(escape(name+cut)) > longest {
		_, last := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-last]
	}
	return escape(name + cut)
}

func shown(r rune) rune {
	const joiner, nonJoiner = '\u200d', '\u200c' // parts of emoji and of Persian words
	switch {
	case r == ':', unicode.IsSpace(r):
		return ' '
	case unicode.IsGraphic(r), r == joiner, r == nonJoiner:
		return r
	}
	return -1
}

// escape encodes a space as %20: apps read a + as itself.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// quiet is the margin in modules that scanners want (ISO/IEC 18004 §6.3.8).
const quiet = 4

// QR draws a link as an SVG picture of error correction level M, on a white
// plate, which it keeps in dark colours too: scanners want it so. The picture
// has no size of its own, and no name: the page gives it both. The only error
// is a link too long for any QR code, which none of Link's is.
func QR(link string) (svg string, err error) {
	code, err := qr.Encode(link, qr.M)
	if err != nil {
		return "", fmt.Errorf("draw a QR code: %w", err)
	}
	side := code.Size + 2*quiet
	return fmt.Sprintf(`<svg viewBox="0 0 %d %d" shape-rendering="crispEdges" aria-hidden="true" focusable="false">`+
		`<rect width="%d" height="%d" fill="#fff"/><path d="%s" fill="#000"/></svg>`, side, side, side, side, outline(code)), nil
}

// outline draws each row's runs of black modules as one rectangle each.
func outline(code *qr.Code) string {
	var path strings.Builder
	for y := range code.Size {
		for x := 0; x < code.Size; {
			run := 0
			for code.Black(x+run, y) { // nothing is black outside of the code
				run++
			}
			if run > 0 {
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", x+quiet, y+quiet, run, run)
			}
			x += run + 1
		}
	}
	return path.String()
}
