package faults

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twinlock/twinlock/faults/kit"
	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

// Backups are taken while people go on, and one is restored: it is whole, nobody
// is let in by it, and the command says so.
func TestABackupUnderLoadIsRestored(t *testing.T) {
	kit.Each(t, func(t *testing.T, engine kit.Engine) {
		t.Parallel()
		began := time.Now()
		var site *kit.Site
		if engine == kit.SQLite {
			site = kit.Start(t, engine, 1, "--hash-wait", "15s")
		} else {
			site = kit.On(t, primary(t).Address("twinlock"), 1, "--hash-wait", "15s")
		}
		past := newPast(t, site)
		file := filepath.Join(t.TempDir(), "some.backup")
		var took kit.Took
		for range often(20, 2) {
			begun := time.Now()
			site.Command("", "backup", file)
			took.Since(begun)
			past.people.writeMore(2)
		}
		past.ends()
		site.Servers[0].Stop()
		said := site.Command("", "restore", file, "--replace")
		for _, words := range []string{"Void: every session and open window, logins on their way, mailed links", "Everybody logs in anew"} {
			if !strings.Contains(said, words) {
				t.Errorf("the restore does not say %q: %s", words, said)
			}
		}
		site.Servers[0].Start()
		past.isVoid()
		table.Add(t, kit.Row{Fault: "backup under load, and restore", Engine: engine, Runs: often(20, 2), Took: time.Since(began),
			Held: "whole; sessions, links, begun logins and codes of before are void, and the command says so", Figures: []string{"a backup " + took.String()}})
	})
}

// What PostgreSQL's own tools bring back is made void by the two commands that the
// page on PostgreSQL names.
func TestADumpThatWasPutBackIsMadeVoid(t *testing.T) {
	t.Parallel()
	began := time.Now()
	m := primary(t)
	site := kit.On(t, m.Address("twinlock"), 1, "--hash-wait", "15s")
	past := newPast(t, site)
	at := []string{"--host=127.0.0.1", "--port=" + m.Port, "--username=twinlock"}
	dump := filepath.Join(filepath.Dir(m.Data), "dump")
	m.Runs("pg_dump", append(at, "--format=custom", "--file="+dump, "twinlock")...)
	past.people.writeMore(2)
	past.ends()
	site.Servers[0].Stop()
	m.Runs("dropdb", append(at, "twinlock")...)
	m.Runs("createdb", append(at, "twinlock")...)
	m.Runs("pg_restore", append(at, "--dbname=twinlock", dump)...)
	file := filepath.Join(t.TempDir(), "now.backup")
	site.Command("", "backup", file)
	site.Command("", "restore", file, "--replace")
	site.Servers[0].Start()
	past.isVoid()
	table.Add(t, kit.Row{Fault: "pg_dump under load, put back behind our back", Engine: kit.PostgreSQL, Runs: 1, Took: time.Since(began),
		Held: "after `twinlock backup` and `twinlock restore`, as the page says, all of before is void"})
}

func primary(t *testing.T) *storetest.Member {
	t.Helper()
	m := storetest.NewMember(t, "alone")
	m.Changes(`CREATE DATABASE twinlock`)
	return m
}

// past is what is on its way when time is turned back.
type past struct {
	*testing.T
	site   *kit.Site
	people *people
	root   *kit.Person
	link   string
	half   *apptest.Form // the second step of a login
}

func newPast(t *testing.T, site *kit.Site) *past {
	t.Helper()
	p := &past{T: t, site: site, root: site.Person("root@example.org", "--admin")}
	site.Activate("two-factor")
	browser := site.Browser(0, "127.0.0.9")
	site.SignIn(browser, p.root)
	site.EnableTwoFactor(browser, p.root)
	site.Browser(0, "127.0.0.8").Get("/forgot-password").Form("Send reset link").Fill("Email", p.root.Address).Press().WantStatus(http.StatusOK)
	p.link = site.Link(p.root.Address, resetLink)
	p.half = kit.LogIn(site.Browser(0, "127.0.0.7"), p.root).Form("Send code")
	p.people = witnesses(t, 3, 0, new(testimony), site, func(network string) *apptest.Browser { return site.Browser(0, network) })
	p.people.until("people log in and out", func() bool { return p.people.seen.enrolments.Load() > 0 && p.people.seen.written.Load() > 6 })
	return p
}

// ends stops everybody where they are.
func (p *past) ends() {
	close(p.people.stop)
	p.people.busy.Wait()
	for _, wrong := range p.people.seen.wrong {
		p.Error(wrong)
	}
}

// isVoid looks whether anything of before lets anybody in.
func (p *past) isVoid() {
	p.Helper()
	sessions := 0
	for _, w := range p.people.all {
		for _, cookie := range append(w.ended, w.live) {
			browser := w.open()
			browser.SetCookie("twinlock", cookie)
			if page := browser.Get("/account"); page.Status != http.StatusOK || page.HasButton("Log out") {
				p.Errorf("a session of before: %d %s", page.Status, page.Text())
			}
			sessions++
		}
	}
	if sessions == 0 {
		p.Error("nobody had a session: this shows nothing")
	}
	p.site.Browser(0, "127.0.0.6").Get(p.link).WantStatus(http.StatusGone)
	if page := p.half.Fill("Login code", p.root.RecoveryCodes[0]).Press(); page.HasButton("Log out") {
		p.Error("a login that was begun before went on")
	}
	now := p.site.Now()
	again := kit.LogIn(p.site.Browser(0, "127.0.0.5"), p.root).Form("Send code")
	if page := again.Fill("Login code", p.root.CodeAt(p, now)).Press(); page.HasButton("Log out") {
		p.Error("a code of the app that may have been used was taken")
	}
	p.site.Turn(2 * time.Minute)
	if page := p.site.SignIn(p.site.Browser(0, "127.0.0.4"), p.root); !page.HasButton("Log out") {
		p.Errorf("nobody gets in any more: %d %s", page.Status, page.Text())
	}
	if list := p.site.Command("", "user", "list"); strings.Count(list, "@example.org") != len(p.people.all)+1 {
		p.Errorf("people are missing: %s", fmt.Sprint(list))
	}
}
