// Package ui is what people see: the layout around every page, the components
// that pages are made of, the assets, and rendering.
//
// A flow keeps each page in a folder, pages/<page>/page.html, which defines
// "title" (plain words; it is also the page's heading) and "main". It may
// define "width" ("wide" for tables) and "head" (a script or style of its own,
// which lies beside it and is linked by asset). What several of its pages are
// made of lies in pages/*.html. A page gets its own typed
// struct and nothing else:
//
//	{{define "title"}}{{t "login.title"}}{{end}}
//	{{define "main"}}
//	{{template "summary" .Summary}}
//	<form method="post" action="/login" novalidate>
//	  {{template "field" .Email}}
//	  {{template "field" .Password}}
//	  {{template "buttons" .Buttons}}
//	</form>
//	{{end}}
//
// # Words
//
// In templates, t and n say a catalogue's text. In Go structs every word that
// a person reads is a Text: T and N for a key, Words for what is ready already,
// such as a person's name. The zero Text is no text.
//
// # Functions in templates
//
//	t KEY [NAME VALUE]…     a text; n KEY COUNT [NAME VALUE]… with a number
//	say TEXT                a Text, "" for the zero one
//	date AT, datetime AT    in UTC; {{template "time" AT}} makes the element
//	duration D              "15 minutes"
//	lang                    the page's language
//	svgicon NAME            an icon, hidden from screen readers
//	asset NAME              the address of an asset
//
// # Components
//
// field, checkbox, choices, select, button, buttons, form, summary, status,
// note, empty, definitions, confirm, copy, snippet, again, ring, strength, pagination, nav and
// time take the struct of their name. What is only markup has only a class:
// card, rows, table, grid. The package sample shows all of them.
package ui
