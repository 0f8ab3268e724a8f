package mail

import (
	"bytes"
	"crypto/rand"
	"embed"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io"
	netmail "net/mail"
	"net/url"
	"strings"
	"sync"
	texttemplate "text/template"

	"github.com/twinlock/twinlock/internal/i18n"
)

// ErrUnwritable is a letter that cannot be rendered, now or ever: its address
// is none, its link is missing, its kind is unknown. Trying again is useless.
var ErrUnwritable = errors.New("the letter cannot be written")

// Site is who writes.
type Site struct {
	Name      string          // as people know it
	PublicURL *url.URL        // links stand on it, and nothing else names the host
	From      netmail.Address // the setting mail_from
}

// DefaultFrom is the sender where the setting mail_from is not given:
// Twinlock <noreply@HOST>.
func DefaultFrom(publicURL *url.URL) netmail.Address {
	return netmail.Address{Name: "Twinlock", Address: "noreply@" + mailHost(publicURL.Hostname())}
}

// ParseFrom reads the setting mail_from: an address, or "Name <address>".
func ParseFrom(raw string) (netmail.Address, error) {
	from, err := netmail.ParseAddress(raw)
	if err != nil {
		return netmail.Address{}, errors.New("neither an address nor one in the form Name <address>")
	}
	if from.Address, err = postalAddress(from.Address); err != nil {
		return netmail.Address{}, err
	}
	return *from, nil
}

// Render writes a letter in its language, or in English where there is no such
// catalogue. It reads neither clock nor disk; only a letter without an ID gets
// a random one. Every error is ErrUnwritable.
func Render(bundle *i18n.Bundle, site Site, l Letter) (Message, error) {
	m, err := render(bundle.Texts(l.Language), site, l)
	if err != nil {
		return Message{}, fmt.Errorf("%w (%s): %w", ErrUnwritable, l.Kind, err)
	}
	return m, nil
}

func render(texts *i18n.Texts, site Site, l Letter) (Message, error) {
	paper, ok := papers()[l.Kind]
	if !ok {
		return Message{}, errors.New("no letter is called so")
	}
	m, err := l.address(site)
	if err != nil {
		return Message{}, err
	}
	said, err := l.say(texts, site)
	if err != nil {
		return Message{}, err
	}
	m.Language = texts.Tag()
	return m, paper.fill(&m, said)
}

// address fills the envelope and what does not depend on the words.
func (l Letter) address(site Site) (Message, error) {
	to, err := postalAddress(l.To)
	if err != nil {
		return Message{}, fmt.Errorf("recipient: %w", err)
	}
	m := Message{Kind: l.Kind, ID: l.ID, From: site.From, Date: l.Values.At}
	m.To = netmail.Address{Name: oneLine(l.Name, maxName), Address: to}
	switch {
	case m.ID == "":
		m.ID = rand.Text()
	case !plainID.MatchString(m.ID):
		return Message{}, errors.New("its ID is not made of letters, digits and hyphens")
	}
	return m, nil
}

//go:embed letters
var folders embed.FS

// paper is the two templates of one kind.
type paper struct {
	text *texttemplate.Template
	html *htmltemplate.Template
}

var papers = sync.OnceValue(func() map[Kind]paper {
	papers := map[Kind]paper{}
	for _, kind := range Kinds() {
		folder := "letters/" + string(kind)
		papers[kind] = paper{
			text: texttemplate.Must(texttemplate.ParseFS(folders, "letters/layout.txt", folder+"/letter.txt")),
			html: htmltemplate.Must(htmltemplate.ParseFS(folders, "letters/layout.html", folder+"/letter.html")),
		}
	}
	return papers
})

func (p paper) fill(m *Message, said words) (err error) {
	if m.Subject, err = fill(p.text, "subject", said); err != nil {
		return err
	}
	if m.Text, err = fill(p.text, "letter", said); err != nil {
		return err
	}
	m.HTML, err = fill(p.html, "letter", said)
	return err
}

func fill(t interface {
	ExecuteTemplate(w io.Writer, name string, data any) error
}, name string, said words) (string, error) {
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, name, said); err != nil {
		return "", err
	}
	return strings.TrimSpace(b.String()), nil
}
