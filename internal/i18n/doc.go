// Package i18n holds every sentence the product says, in every language.
//
// A language is one file beside this one, named by its tag: en.toml, de.toml.
// Adding a language is adding its file; nothing else changes. Each file opens
// with the language's own name, and then has the same sections in the same
// order. A text is known by its key, section.name:
//
//	[login]
//	title = "Login"
//	wait = "Try again at {{.Time}}."
//	codesLeft = { one = "{{.Count}} code left.", other = "{{.Count}} codes left." }
//
// A text, or a table of plural forms, stands on one line, in the double quotation
// marks of TOML; comments have lines of their own.
//
// Texts are plain words, never HTML: whoever shows them escapes them. English
// is the source: a text that a language lacks is said in English.
package i18n
