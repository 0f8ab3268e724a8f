package mailtest

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"regexp"
	"slices"
	"strings"
)

// Message is a received letter, taken apart.
type Message struct {
	Hello      string   // the name that the client greeted with
	Encrypted  bool     // the conversation was under TLS
	UTF8       bool     // the client asked for SMTPUTF8
	From       string   // of the envelope
	Recipients []string // of the envelope

	Header  mail.Header // as it came; words in it may be encoded
	Subject string
	Text    string
	HTML    string
	Raw     []byte
}

// To matches letters whose envelope names that address.
func To(address string) func(Message) bool {
	return func(m Message) bool { return slices.Contains(m.Recipients, address) }
}

// Read takes a mail file apart; the fields of the envelope stay empty.
func Read(raw []byte) (Message, error) {
	parsed, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return Message{}, fmt.Errorf("read a letter: %w", err)
	}
	m := Message{Header: parsed.Header, Raw: raw}
	if m.Subject, err = new(mime.WordDecoder).DecodeHeader(parsed.Header.Get("Subject")); err != nil {
		return Message{}, fmt.Errorf("read a letter's subject: %w", err)
	}
	return m, m.readParts(parsed)
}

func (m *Message) readParts(parsed *mail.Message) error {
	kind, params, err := mime.ParseMediaType(parsed.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		return fmt.Errorf("read a letter: it is %q, not multipart/alternative: %w", kind, err)
	}
	parts := multipart.NewReader(parsed.Body, params["boundary"])
	for {
		part, err := parts.NextPart() // takes quoted-printable off
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read a letter's parts: %w", err)
		}
		if err := m.readPart(part); err != nil {
			return err
		}
	}
}

func (m *Message) readPart(part *multipart.Part) error {
	kind, _, err := mime.ParseMediaType(part.Header.Get("Content-Type"))
	if err != nil {
		return fmt.Errorf("read a letter's part: %w", err)
	}
	body, err := io.ReadAll(part)
	if err != nil {
		return fmt.Errorf("read a letter's %s: %w", kind, err)
	}
	words := strings.ReplaceAll(string(body), "\r\n", "\n")
	switch kind {
	case "text/plain":
		m.Text = words
	case "text/html":
		m.HTML = words
	default:
		return fmt.Errorf("read a letter: it has a part of type %s", kind)
	}
	return nil
}

var link = regexp.MustCompile(`https?://[^\s<>"]+`)

// Links gives the web addresses of the text part, in order.
func (m Message) Links() []string { return link.FindAllString(m.Text, -1) }
