package main

import (
	"html/template"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// tools are the developer's pages.
type tools struct {
	people []person
	outbox string
	now    func() time.Time
}

var overview = template.Must(template.New("").Parse(`<!doctype html><html lang="en"><title>Twinlock, for developers</title>
<h1>Twinlock, for developers</h1>
<p><a href="/">The program</a> · <a href="/dev/pages/">Every page in every state</a></p>
<h2>People</h2><p>Everybody's password is <code>{{.Password}}</code>.</p>
<table><tr><th>Name<th>Email<th>State<th>Code now</tr>{{range .People}}<tr><td>{{.Name}}<td>{{.Email}}<td>{{.State}}<td><code>{{.Code $.Now}}</code></tr>{{end}}</table>
<h2>Clock</h2><p>{{.Now}}</p>
<form method="post" action="/dev/clock"><button name="by" value="30s">+30 s</button><button name="by" value="2m">+2 min</button><button name="by" value="61m">+61 min</button><button name="by" value="24h">+24 h</button><button name="by" value="0">now</button></form>
<h2>Letters</h2><ul>{{range .Letters}}<li><a href="/dev/mail/{{.}}">{{.}}</a></li>{{else}}<li>none yet</li>{{end}}</ul>`))

func (t tools) overview(w http.ResponseWriter, r *http.Request) {
	letters, _ := filepath.Glob(filepath.Join(t.outbox, "*.eml"))
	for i := range letters {
		letters[i] = filepath.Base(letters[i])
	}
	slices.Reverse(letters)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = overview.Execute(w, map[string]any{"People": t.people, "Password": everybodysPassword, "Now": t.now(), "Letters": letters})
}

func (t tools) letter(w http.ResponseWriter, r *http.Request) {
	raw, err := os.ReadFile(filepath.Join(t.outbox, filepath.Base(r.PathValue("name"))))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write(raw)
}

// turn moves the clock ahead, or back to now.
func (t tools) turn(w http.ResponseWriter, r *http.Request) {
	by, err := time.ParseDuration(r.PostFormValue("by"))
	if r.PostFormValue("by") == "0" {
		turned.Store(0)
	} else if err == nil {
		turned.Add(int64(by))
	}
	http.Redirect(w, r, "/dev/", http.StatusSeeOther)
}
