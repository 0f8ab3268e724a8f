package web

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/twinlock/twinlock/internal/ui"
)

// Show answers with a page.
func (f *Floor) Show(w http.ResponseWriter, r *http.Request, status int, page string, data any) error {
	shell := f.Shell(r)
	shell.Notice = f.takeNotice(w, r)
	return f.Pages.Render(w, status, page, shell, data)
}

// ShowDone is Show for a page that tells itself what was just done.
func (f *Floor) ShowDone(w http.ResponseWriter, r *http.Request, page string, done ui.Text, data any) error {
	shell := f.Shell(r)
	shell.Notice = done
	return f.Pages.Render(w, http.StatusOK, page, shell, data)
}

// Shell is what the layout around the page needs to know of the visitor.
func (f *Floor) Shell(r *http.Request) ui.Shell {
	v := Asking(r)
	shell := ui.Shell{Language: v.Texts.Tag(), Theme: v.Theme, Site: f.Site, Path: f.backTo(r)}
	if !v.SignedIn() {
		return shell
	}
	shell.Menu = &ui.Menu{Name: v.User().Called(), Administrator: v.User().Administrator}
	shell.Window = f.Window(v)
	if strings.HasPrefix(r.URL.Path, "/admin") {
		shell.Nav = AdministrationNav(r.URL.Path)
	}
	return shell
}

// backTo is where the language and theme buttons lead back to: this page, or
// where a form was refused, the page that the form is on. What tells its
// visitor apart, and where they are going, goes along.
func (f *Floor) backTo(r *http.Request) string {
	if r.Method == http.MethodGet {
		return r.URL.RequestURI()
	}
	for path := r.URL.Path; path != "/"; path = parent(path) {
		if !f.answersGet(path) {
			continue
		}
		if query := carried(r); path == r.URL.Path && len(query) > 0 {
			return path + "?" + query.Encode()
		}
		return path
	}
	return "/"
}

func parent(path string) string { return path[:max(1, strings.LastIndexByte(path, '/'))] }

func (f *Floor) answersGet(path string) bool {
	_, pattern := f.mux.Handler(&http.Request{Method: http.MethodGet, URL: &url.URL{Path: path}})
	return pattern != ""
}

func carried(r *http.Request) url.Values {
	query := url.Values{}
	for _, name := range []string{"attempt", "token", "next", "ask"} {
		if value := r.PostForm.Get(name); value != "" {
			query.Set(name, value)
		}
	}
	return query
}

// Window is what the page's script needs to keep watch over the session.
func (f *Floor) Window(v *Visitor) *ui.Window {
	s, p := v.Presence.Session, v.Policy()
	proof := f.WindowSecret(v.Token)
	idle := s.LastSeen.Add(p.SessionIdle).Sub(v.Now)
	return &ui.Window{
		Secret: base64.RawURLEncoding.EncodeToString(proof[:]), Account: v.User().Address, Person: f.Person(v),
		IdleLeft: idle, WarnLeft: idle - f.IdleNotice,
		TotalLeft: s.Began.Add(p.SessionOverall).Sub(v.Now),
	}
}

// Person names the person of a session to our own script, which compares it
// and can do nothing else with it.
func (f *Floor) Person(v *Visitor) string {
	mark := f.Ring.Derive("person in a page", []byte(v.Presence.User.ID))
	return base64.RawURLEncoding.EncodeToString(mark[:12])
}

// AdministrationNav are the administrator's pages.
func AdministrationNav(path string) *ui.Nav {
	nav := &ui.Nav{Label: ui.T("layout.administration")}
	for _, l := range []struct{ key, href string }{
		{"admin.overview", "/admin"}, {"admin.users", "/admin/users"}, {"admin.groups", "/admin/groups"},
		{"admin.apps", "/admin/apps"}, {"admin.proxyCheck", "/admin/proxy-check"}, {"admin.plugins", "/admin/plugins"},
		{"admin.events", "/admin/events"}, {"admin.settings", "/admin/settings"},
	} {
		here := path == l.href || l.href != "/admin" && strings.HasPrefix(path, l.href+"/") ||
			l.href == "/admin/users" && strings.HasPrefix(path, "/admin/invitations")
		nav.Links = append(nav.Links, ui.NavLink{Label: ui.T(l.key), Href: l.href, Current: here})
	}
	return nav
}

const noticeLife = time.Minute

// Notice says a sentence of the catalogue, in role=status, on the next page.
// The cookie names the sentence; it cannot bring its own words. Its key has
// ".done" in it, as all that tell what was just done.
func (f *Floor) Notice(w http.ResponseWriter, key string) {
	f.setCookie(w, noticeCookie, key, noticeLife)
}

// NoticeCount is Notice for a sentence with a number.
func (f *Floor) NoticeCount(w http.ResponseWriter, key string, n int) {
	f.Notice(w, key+"|"+strconv.Itoa(n))
}

// takeNotice gives the sentence once.
func (f *Floor) takeNotice(w http.ResponseWriter, r *http.Request) ui.Text {
	key, number, counted := strings.Cut(f.cookie(r, noticeCookie), "|")
	if key == "" {
		return ui.Text{}
	}
	f.dropCookie(w, noticeCookie)
	n, err := strconv.Atoi(number)
	switch {
	case !strings.Contains(key, ".done"):
		return ui.Text{}
	case counted && err == nil:
		return ui.N(key, n)
	}
	return ui.T(key)
}
