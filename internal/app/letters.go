package app

import (
	"fmt"
	netmail "net/mail"
	"net/url"
	"path/filepath"

	"github.com/twinlock/twinlock/internal/config"
	"github.com/twinlock/twinlock/internal/mail"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/web"
)

// prepareMail finds out who writes letters and where they go: to the mail
// server of the settings, or into a folder where there is none.
func (a *App) prepareMail(o Options) error {
	c := a.Config
	public, err := url.Parse(string(c.PublicURL))
	if err != nil {
		return fmt.Errorf("public_url: %w", err)
	}
	from, err := netmail.ParseAddress(string(c.MailFrom))
	if err != nil {
		return fmt.Errorf("mail_from: %w", err)
	}
	if from.Name == "" {
		from.Name = c.SiteName
	}
	a.work.site = mail.Site{Name: c.SiteName, PublicURL: public, From: *from}
	if a.work.sender = o.Outgoing; a.work.sender == nil {
		a.work.sender, err = senderFor(c, public.Hostname())
	}
	return err
}

func senderFor(c config.Config, host string) (mail.Sender, error) {
	if c.SMTP.Reveal() == "" {
		return mail.NewFolder(filepath.Join(c.Data, "outbox"), host)
	}
	server, err := mail.ParseServer(c.SMTP.Reveal())
	if err != nil {
		return nil, fmt.Errorf("smtp_url: %w", err)
	}
	return mail.NewSMTP(server, host)
}

// mailLetter is a queued letter as it is put into words. Its row's id names it
// at every try, so that a mail program shows a letter once that a broken
// connection made us send twice.
func mailLetter(q store.QueuedLetter) mail.Letter {
	l, v := q.Letter, q.Letter.Values
	values := mail.Values{
		At: v.At, Device: web.BrowserInWords(v.Device), Network: v.Network, By: v.By, Link: v.Link, Until: v.Until,
		Left: v.Left, Wrong: v.Wrong, Passkey: v.Passkey, Reason: v.Reason, Factor: v.Factor, Along: v.Along, Kept: v.Kept, OldAddress: v.OldAddress, NewAddress: v.NewAddress,
	}
	for _, factor := range v.Removed {
		values.Removed = append(values.Removed, mail.Factor(factor))
	}
	return mail.Letter{Kind: mail.Kind(l.Kind), ID: q.ID, To: l.To, Name: l.Name, Language: l.Language, Values: values}
}
