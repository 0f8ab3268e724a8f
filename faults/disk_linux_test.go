package faults

import (
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twinlock/twinlock/faults/kit"
	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

const diskOver = 5 * time.Second // until everything is as before, once there is room

// The disk of the data is full: whoever is logged in goes on, nothing is said to
// be done that is not written, and all is well again when there is room.
func TestTheDiskIsFullOfSQLite(t *testing.T) {
	t.Parallel()
	mayMount(t, func() {
		site := kit.New(t, kit.SQLite, 1, kit.BehindBalancer...)
		data := site.Servers[0].Data
		mkdir(t, data)
		small(t, data, "32m")
		site.Servers[0].Start()
		fill := func() { fillUp(t, data) }
		f := &full{T: t, site: site, fill: fill, free: func() { empty(t, data) }, harmed: func() string {
			site.Servers[0].Stop()
			return intact(t, filepath.Join(data, "twinlock.db"))
		}}
		f.sees()
	})
}

// On PostgreSQL the tables have no room; its log is elsewhere, for without that
// PostgreSQL itself stops.
func TestTheDiskIsFullOfPostgreSQL(t *testing.T) {
	t.Parallel()
	mayMount(t, func() {
		folder, err := os.MkdirTemp("", "twinlock-small-")
		must(t, err)
		t.Cleanup(func() { _ = os.RemoveAll(folder) })
		small(t, folder, "96m")
		m := storetest.NewMemberIn(t, folder, "small", "-c", "temp_buffers=8MB")
		m.LogElsewhere()
		m.Changes(`CREATE DATABASE twinlock`)
		site := kit.On(t, m.Address("twinlock"), 1, kit.BehindBalancer...)
		f := &full{T: t, site: site, fill: func() { fillUp(t, folder) }, free: func() { empty(t, folder) }, harmed: func() string {
			m.Runs("pg_amcheck", "--host=127.0.0.1", "--port="+m.Port, "--username=twinlock", "--install-missing", "--database=twinlock")
			return ""
		}}
		f.sees()
	})
}

// full is a site whose disk can be filled.
type full struct {
	*testing.T
	site       *kit.Site
	fill, free func()
	harmed     func() string
}

func (f *full) sees() {
	f.Helper()
	began := time.Now()
	f.site.Activate("forward-auth")
	f.site.Command("", "app", "add", "Wiki", "--url", "http://wiki.localhost/", "--allow-everyone")
	ada := f.site.Person("ada@example.org")
	inside := f.site.Browser(0, "127.0.0.2")
	if page := f.site.SignIn(inside, ada); !page.HasButton("Log out") {
		f.Fatalf("before: %d %s", page.Status, page.Text())
	}
	wiki := f.opensWiki(inside)
	var reads, writes kit.Took
	refused, done := 0, 0
	f.fill()
	for i := 0; refused < often(200, 20); i++ {
		if i > 5000 {
			f.Fatalf("%d writes were done though there is no room", done)
		}
		f.goesOn(inside, wiki, &reads)
		asked := time.Now()
		page := f.writes(i)
		writes.Since(asked)
		switch page.Status {
		case http.StatusServiceUnavailable:
			refused++
		case http.StatusOK:
			done++
		default:
			f.Fatalf("a write is answered with %d: %s", page.Status, page.Text())
		}
	}
	f.free()
	back := time.Now()
	for i := 10000; f.writes(i).Status != http.StatusOK; i++ {
		if time.Since(back) > diskOver {
			f.Fatalf("nothing is written %s after there is room", time.Since(back))
		}
	}
	over := time.Since(back)
	f.goesOn(inside, wiki, &reads)
	if page := f.site.SignIn(f.site.Browser(0, "127.0.0.4"), ada); !page.HasButton("Log out") {
		f.Errorf("after: %d %s", page.Status, page.Text())
	}
	if harm := f.harmed(); harm != "" {
		f.Errorf("the database is harmed: %s", harm)
	}
	table.Add(f, kit.Row{Fault: "disk full", Engine: f.site.Engine, Runs: refused, Took: time.Since(began),
		Held: "pages and proxies' questions go on, writes get 503, nothing is harmed",
		Figures: []string{fmt.Sprintf("%d writes found room, %d refused", done, refused), "reads " + reads.String(), "writes " + writes.String(),
			fmt.Sprintf("writing again after %d ms", over.Milliseconds())}})
}

// writes asks for a letter to somebody new, which takes room.
func (f *full) writes(i int) *apptest.Page {
	browser := f.site.Browser(0, fmt.Sprintf("127.1.%d.%d", i/200+1, i%200+2))
	return browser.Post("/forgot-password", url.Values{"email": {fmt.Sprintf("somebody%d@example.org", i)}})
}

// goesOn looks at what only reads.
func (f *full) goesOn(inside *apptest.Browser, wiki string, took *kit.Took) {
	f.Helper()
	began := time.Now()
	if page := inside.Get("/account"); !page.HasButton("Log out") {
		f.Errorf("whoever is logged in reads %d %s", page.Status, page.Text())
	}
	if page := f.question("/", wiki); page.Status != http.StatusOK {
		f.Errorf("a proxy's question is answered with %d: %s", page.Status, page.Text())
	}
	took.Since(began)
}

// question is what a proxy asks for somebody at the wiki.
func (f *full) question(uri, cookie string) *apptest.Page {
	proxy := f.site.Browser(0, "127.0.0.1")
	r := proxy.Request(http.MethodGet, "/forward-auth/caddy", nil)
	for name, value := range map[string]string{"X-Forwarded-Method": "GET", "X-Forwarded-Proto": "http", "X-Forwarded-Host": "wiki.localhost",
		"X-Forwarded-Uri": uri, "X-Forwarded-For": "192.0.2.7", "Cookie": cookie, "Sec-Fetch-Mode": "navigate", "Accept": "text/html"} {
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	return proxy.Ask(r)
}

// opensWiki goes by way of the wiki's proxy, as a browser does, and gives the
// cookie that the wiki's browser then has.
func (f *full) opensWiki(inside *apptest.Browser) (cookie string) {
	f.Helper()
	first := f.question("/", "")
	page := inside.Get(first.Header.Get("Location"))
	to, err := url.Parse(page.Href("Continue"))
	must(f.T, err)
	binding := cookiesOf(first)
	cookie = cookiesOf(f.question(to.RequestURI(), binding))
	if page := f.question("/", cookie); page.Status != http.StatusOK {
		f.Fatalf("the wiki does not open: %d to %s, after %d to %s", page.Status, page.Header.Get("Location"), first.Status, to)
	}
	return cookie
}

// cookiesOf are the cookies that an answer gives, but for those that it takes away.
func cookiesOf(p *apptest.Page) string {
	var given []string
	for _, c := range (&http.Response{Header: p.Header}).Cookies() {
		if c.Value != "" {
			given = append(given, c.Name+"="+c.Value)
		}
	}
	return strings.Join(given, "; ")
}

// fillUp writes until there is no room, not for one byte.
func fillUp(t *testing.T, folder string) {
	t.Helper()
	file, err := os.Create(filepath.Join(folder, "ballast"))
	must(t, err)
	defer file.Close()
	for _, size := range []int{1 << 20, 1 << 12, 1} {
		some := make([]byte, size)
		for err = nil; err == nil; {
			_, err = file.Write(some)
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("fill the disk: %v", err)
		}
	}
}

func empty(t *testing.T, folder string) {
	t.Helper()
	must(t, os.Remove(filepath.Join(folder, "ballast")))
}

// mayMount runs a test where it may mount a disk: here, or as a process that has
// mounts of its own.
func mayMount(t *testing.T, test func()) {
	t.Helper()
	probe := t.TempDir()
	if err := syscall.Mount("probe", probe, "tmpfs", 0, "size=1m"); err == nil {
		must(t, syscall.Unmount(probe, 0))
		test()
		return
	}
	const within = "TEST_WITH_MOUNTS_OF_ITS_OWN"
	if os.Getenv(within) != "" {
		t.Fatal("this system lets nobody but root mount a small disk; run this test as root")
	}
	runtime.LockOSThread()
	rows := filepath.Join(probe, "rows.md")
	c := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", fmt.Sprintf("-long=%v", *long), "-table", rows)
	c.Env = append(os.Environ(), within+"=1")
	c.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: os.Getuid(), HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: os.Getgid(), HostID: os.Getgid(), Size: 1}},
		AmbientCaps: []uintptr{21}, // CAP_SYS_ADMIN
	}
	out, err := c.CombinedOutput()
	if *long {
		err = errors.Join(err, table.TakeFrom(rows))
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// small mounts a small disk at a folder.
func small(t *testing.T, folder, size string) {
	t.Helper()
	if err := syscall.Mount("small", folder, "tmpfs", 0, "mode=0700,size="+size); err != nil {
		t.Fatalf("mount a small disk: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(folder, syscall.MNT_DETACH) })
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// intact tells what SQLite says of a file; "" is nothing.
func intact(t *testing.T, file string) string {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+file)
	must(t, err)
	defer db.Close()
	var said string
	must(t, db.QueryRowContext(t.Context(), `PRAGMA integrity_check`).Scan(&said))
	return strings.TrimPrefix(said, "ok")
}

func mkdir(t *testing.T, folder string) {
	t.Helper()
	must(t, os.MkdirAll(folder, 0o700))
}
