package mail

import (
	"context"
	"fmt"
	"io"
	netmail "net/mail"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// Message is a rendered letter: one sender, one recipient, the same words as
// text and as HTML. Render makes it.
type Message struct {
	Kind     Kind
	ID       string // names the message for ever, without the host; the same at every try to send it
	Language string // as in Content-Language
	From     netmail.Address
	To       netmail.Address
	Date     time.Time
	Subject  string
	Text     string
	HTML     string
}

// Sender takes messages away. Both senders are safe for concurrent use.
//
// An error says by [Permanent] whether it makes sense to try again.
type Sender interface {
	Send(ctx context.Context, m Message) error
}

// messageID gives the Message-ID without its angle brackets: the letter's own
// name at the host it comes from (RFC 5322 §3.6.4).
func (m Message) messageID(host string) string { return m.ID + "@" + mailHost(host) }

// write puts the message on w as one mail file. Text stands in it as it is, so
// that a person who opens the file can read it and copy the link.
func (m Message) write(w io.Writer, host string) error {
	if _, err := m.compose(host, gomail.NoEncoding).WriteTo(w); err != nil {
		return fmt.Errorf("write the message: %w", err)
	}
	return nil
}

// compose lays the message out. The library would announce its own version and
// the machine's name; here the host of the public URL stands for both.
// Auto-Submitted keeps holiday notices from answering (RFC 3834 §5), and the
// X- header says the same to Exchange.
func (m Message) compose(host string, encoding gomail.Encoding) *gomail.Msg {
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent(), gomail.WithEncoding(encoding))
	msg.FromMailAddress(&m.From)
	msg.ToMailAddress(&m.To)
	msg.Subject(m.Subject)
	msg.SetMessageIDWithValue(m.messageID(host))
	msg.SetDateWithValue(m.Date)
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader("X-Auto-Response-Suppress", "All")
	msg.SetGenHeader(gomail.HeaderContentLang, m.Language)
	msg.SetBodyString(gomail.TypeTextPlain, onTheWire(m.Text))
	msg.AddAlternativeString(gomail.TypeTextHTML, onTheWire(m.HTML))
	return msg
}

// onTheWire ends lines as mail does (RFC 5322 §2.3).
func onTheWire(text string) string { return strings.ReplaceAll(text, "\n", "\r\n") }
