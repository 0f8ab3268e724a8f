package mail

import (
	"errors"
	"fmt"
	netmail "net/mail"
	"net/netip"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"github.com/twinlock/twinlock/internal/i18n"
)

// How much a stranger's words may fill, in characters.
const (
	maxName    = 80
	maxDevice  = 80
	maxReason  = 1000
	maxAddress = 254 // RFC 5321 §4.5.3.1.3, less the angle brackets
)

// words is what a letter's templates see: everything checked and written out.
type words struct {
	texts *i18n.Texts
	pairs []any // for every text's placeholders

	Language string
	Site     string
	Name     string // empty: greeted without
	Link     string // the one link with a token; empty for kinds without
	Forgot   string // the plain address of the forgot-password page
	When     string
	Device   string
	Network  string
	By       string
	Reason   string
	Factor   string
	Left     int
	Wrong    int
	Passkey  bool
	Removed  []string
	Along    []string
	Kept     bool
}

// Say gives a text of the catalogue, its placeholders filled.
func (w words) Say(key string) string { return w.texts.T(key, w.pairs...) }

// Count is Say for a text that depends on a number.
func (w words) Count(key string, n int) string { return w.texts.N(key, n, w.pairs...) }

func (l Letter) say(texts *i18n.Texts, site Site) (words, error) {
	v := l.Values
	if err := l.check(); err != nil {
		return words{}, err
	}
	removed, err := factorNames(texts, v.Removed)
	if err != nil {
		return words{}, err
	}
	root := strings.TrimSuffix(site.PublicURL.String(), "/")
	w := words{
		texts: texts, Language: texts.Tag(), Site: oneLine(site.Name, maxName),
		Name: greetable(oneLine(l.Name, maxName)), Forgot: root + "/forgot-password",
		When: texts.DateTime(v.At, nil), Device: oneLine(v.Device, maxDevice), Network: networkAddress(v.Network),
		Reason: oneLine(v.Reason, maxReason), Factor: oneLine(v.Factor, maxName), Left: v.Left, Wrong: v.Wrong, Passkey: v.Passkey, Removed: removed,
		Along: oneLines(v.Along, maxName), Kept: v.Kept,
	}
	w.By = actor(texts, v.By)
	w.pairs = []any{"Site", w.Site, "Name", w.Name, "OldAddress", v.OldAddress, "NewAddress", v.NewAddress}
	if l.Kind.HasLink() {
		w.Link = root + v.Link
		w.pairs = append(w.pairs, "Until", texts.DateTime(v.Until, nil), "Lifetime", texts.Duration(v.Until.Sub(v.At)))
	}
	return w, nil
}

// tokenLink is a page below the public URL and then a token, the last of the
// path, of the query or of the fragment.
var tokenLink = regexp.MustCompile(`^/[a-z0-9/-]*[/?#]([a-z_]+=)?[A-Za-z0-9_-]{43}$`)

var plainID = regexp.MustCompile(`^[A-Za-z0-9-]{1,64}$`)

func (l Letter) check() error {
	v := l.Values
	switch {
	case v.At.IsZero():
		return errors.New("it does not say when")
	case l.Kind.HasLink() && !tokenLink.MatchString(v.Link):
		return errors.New("its link is not a path below the public URL that ends with a token")
	case l.Kind.HasLink() && !v.Until.After(v.At):
		return errors.New("its link has ended when it begins")
	case !l.Kind.HasLink() && v.Link != "":
		return errors.New("a letter of this kind carries no link")
	case l.Kind == AddressChangedOld || l.Kind == AddressChangedNew:
		_, oldErr := postalAddress(v.OldAddress)
		_, newErr := postalAddress(v.NewAddress)
		return errors.Join(oldErr, newErr)
	}
	return nil
}

// postalAddress gives the address as the envelope takes it: the host by IDNA,
// the part before the @ as it is. Whatever is not one bare address is refused,
// above all two of them, or one with a name.
func postalAddress(address string) (string, error) {
	if len(address) > maxAddress {
		return "", fmt.Errorf("the address is longer than %d bytes", maxAddress)
	}
	parsed, err := netmail.ParseAddress(address)
	if err != nil || parsed.Address != address || parsed.Name != "" {
		return "", errors.New("not one bare e-mail address")
	}
	at := strings.LastIndexByte(address, '@')
	host, err := idna.Lookup.ToASCII(address[at+1:])
	if err != nil {
		return "", fmt.Errorf("the host of the address: %w", err)
	}
	return address[:at+1] + host, nil
}

// oneLine takes a stranger's words as words: no line breaks, no characters
// that control a terminal or turn the reading direction, and not too many.
func oneLine(s string, most int) string {
	if len(s) > most*utf8.UTFMax {
		s = s[:most*utf8.UTFMax]
	}
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp, unicode.Bidi_Control) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	s = strings.Join(strings.Fields(s), " ")
	if characters := []rune(s); len(characters) > most {
		return string(characters[:most-1]) + "…"
	}
	return s
}

func oneLines(all []string, most int) (lines []string) {
	for _, s := range all {
		lines = append(lines, oneLine(s, most))
	}
	return lines
}

var looksLikeLink = regexp.MustCompile(`[/@\\]|\.\pL{2}`)

// greetable leaves a name out that a mail program would turn into a link:
// otherwise a stranger could sign up as "visit evil.example", with somebody
// else's address, and have us carry the advertisement.
func greetable(name string) string {
	if looksLikeLink.MatchString(name) {
		return ""
	}
	return name
}

// actor says who did it.
func actor(texts *i18n.Texts, by string) string {
	switch by {
	case "command":
		return texts.T("mail.byCommand")
	case "settings":
		return texts.T("mail.bySettings")
	}
	return oneLine(by, maxAddress)
}

// networkAddress gives nothing for what is no address.
func networkAddress(s string) string {
	addr, err := netip.ParseAddr(s)
	if err != nil {
		return ""
	}
	return addr.WithZone("").String()
}

func factorNames(texts *i18n.Texts, factors []Factor) ([]string, error) {
	keys := map[Factor]string{
		Authenticator: "mail.factorAuthenticator",
		RecoveryCodes: "mail.factorRecoveryCodes",
		Passkeys:      "mail.factorPasskeys",
	}
	var names []string
	for _, f := range factors {
		if keys[f] == "" {
			return nil, fmt.Errorf("%q is no factor", f)
		}
		names = append(names, texts.T(keys[f]))
	}
	return names, nil
}
