package web

import (
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"

	"github.com/twinlock/twinlock/internal/ui"
)

// LeaveTo shows a page that leads to a web address by itself, of an application
// that is named, or "" where which one does not matter. Whoever comes from a
// form cannot be redirected there: browsers hold the form's
// Content-Security-Policy against wherever its answer leads, and ours lets forms
// go nowhere else.
func (f *Floor) LeaveTo(w http.ResponseWriter, r *http.Request, to, name string) error {
	u, err := url.Parse(to)
	if err != nil || u.Host == "" || !slices.Contains([]string{"https", "http"}, u.Scheme) {
		return fmt.Errorf("leave to %q: not a web address", to)
	}
	return f.leave(w, r, to, ui.LeavePage{Name: name, Host: u.Host, To: to})
}

// LeaveToRegistered is LeaveTo for an address that an application registered:
// it may have a scheme that a program on the person's machine made its own.
func (f *Floor) LeaveToRegistered(w http.ResponseWriter, r *http.Request, to, name string) error {
	u, err := url.Parse(to)
	if err != nil {
		return fmt.Errorf("leave to %q: %w", to, err)
	}
	host := u.Host
	if host == "" {
		host = u.Scheme
	}
	return f.leave(w, r, to, ui.LeavePage{Name: name, Host: host, To: template.URL(to)})
}

func (f *Floor) leave(w http.ResponseWriter, r *http.Request, to string, page ui.LeavePage) error {
	w.Header().Set("Refresh", "0; url="+to)
	return f.Show(w, r, http.StatusOK, "ui/leave", page)
}
