// Package mail writes Twinlock's letters and sends them.
//
// A flow says what a letter should tell as a [Letter], and the store keeps it,
// sealed, in its queue. Later, in the background, [Render] turns it into a
// [Message] in the reader's language, and a [Sender] takes it away: [SMTP] to a
// mail server, or [Folder] into DATA/outbox where no mail server is set.
//
//	letter.go    the kinds of letters, and what each may say
//	render.go    a letter becomes a message
//	letters/     a folder a kind: the text part and the HTML part
//	examples.go  named examples of every kind, for tests and the gallery
//	message.go   a message on the wire
//	server.go    the setting smtp_url
//	smtp.go      sending to a mail server
//	folder.go    writing into the outbox
//	retry.go     when to try again
package mail
