package main

import (
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/twinlock/twinlock/bench/serving"
	"github.com/twinlock/twinlock/internal/apptest/child"
)

const (
	home     = "https://id.example.org"
	wiki     = "https://wiki.example.org"
	password = "seven purple lanterns drift"
)

type person struct{ address string }

// people log in at once.
var people = func() (all [64]person) {
	for i := range all {
		all[i].address = fmt.Sprintf("person%d@example.org", i)
	}
	return all
}()

// benched are the program and the bare server, running.
type benched struct {
	folder, program string
	product, bare   *exec.Cmd
	address, bareAt string
	cookie          string // of the application, of somebody signed in
	started         time.Duration
	idle            float64 // memory before anybody came, in MiB
}

func begin() (b *benched, err error) {
	b = &benched{}
	if b.folder, err = os.MkdirTemp("", "speed"); err != nil {
		return nil, err
	}
	for _, step := range []func() error{b.build, b.fill, b.start, b.startBare, b.signIn} {
		if err := step(); err != nil {
			b.end()
			return nil, err
		}
	}
	return b, nil
}

func (b *benched) end() {
	for _, process := range []*exec.Cmd{b.product, b.bare} {
		if process != nil && process.Process != nil {
			_ = process.Process.Signal(syscall.SIGTERM)
			_ = process.Wait()
		}
	}
	_ = os.RemoveAll(b.folder)
}

func (b *benched) build() error {
	if *program != "" {
		b.program = *program
		return nil
	}
	b.program = filepath.Join(b.folder, "twinlock")
	c := exec.Command("go", "build", "-trimpath", "-ldflags=-s", "-o", b.program, "./cmd/twinlock")
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w: %s", err, out)
	}
	return nil
}

func (b *benched) command(in string, args ...string) error {
	c := exec.Command(b.program, append(args, "--data", filepath.Join(b.folder, "data"))...)
	c.Stdin = strings.NewReader(in)
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("twinlock %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return nil
}

func (b *benched) fill() error {
	for _, p := range people {
		if err := b.command(password, "user", "add", p.address, "--password-stdin"); err != nil {
			return err
		}
	}
	return b.command("", "app", "add", "Wiki", "--url", wiki+"/", "--allow-everyone")
}

func (b *benched) start() (err error) {
	if b.address, err = serving.FreeAddress(); err != nil {
		return err
	}
	b.product = exec.Command(b.program, "serve", "--data", filepath.Join(b.folder, "data"), "--listen", b.address,
		"--public-url", home, "--trusted-proxies", "127.0.0.1")
	began := time.Now()
	if err := b.product.Start(); err != nil {
		return err
	}
	err = serving.Await("http://" + b.address + "/readyz")
	b.started = time.Since(began)
	if err != nil {
		return err
	}
	time.Sleep(time.Second) // what the start needed once is given back
	b.idle = b.memory()
	return nil
}

func (b *benched) startBare() (err error) {
	if b.bareAt, err = serving.FreeAddress(); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	b.bare = exec.Command(self, "bare", b.bareAt)
	if err := b.bare.Start(); err != nil {
		return err
	}
	return serving.Await("http://" + b.bareAt + "/question")
}

// browser is one that reaches the program through a proxy: what it asks of the
// wiki the proxy first asks Twinlock.
func (b *benched) browser() *http.Client {
	jar, _ := cookiejar.New(nil)
	return &http.Client{Jar: jar, Transport: &proxy{to: b.address, with: &http.Transport{MaxIdleConnsPerHost: len(people)}}}
}

type proxy struct {
	to   string
	with http.RoundTripper
}

// RoundTrip hands a request on, as one over TLS.
func (p *proxy) RoundTrip(r *http.Request) (*http.Response, error) {
	out := r.Clone(r.Context())
	out.URL.Scheme, out.URL.Host, out.Host = "http", p.to, r.URL.Host
	out.Header.Set("X-Forwarded-Proto", "https")
	out.Header.Set("X-Forwarded-Host", r.URL.Host)
	out.Header.Set("X-Forwarded-For", "192.0.2.7")
	out.Header.Set("Sec-Fetch-Mode", "navigate")
	out.Header.Set("Accept", "text/html")
	if "https://"+r.URL.Host == wiki {
		out.Header.Set("X-Forwarded-Uri", r.URL.RequestURI())
		out.URL.Path, out.URL.RawQuery = "/forward-auth/caddy", ""
	}
	answer, err := p.with.RoundTrip(out)
	if err == nil {
		answer.Request = r
	}
	return answer, err
}

// logIn posts the login's form; it is an error where nobody is logged in by it,
// errBusy where the server had no time for it.
func logIn(browser *http.Client, who person) error {
	form := url.Values{"email": {who.address}, "password": {password}}
	r, err := http.NewRequest(http.MethodPost, home+"/login", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", home)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	answer, err := browser.Do(r)
	if err != nil {
		return err
	}
	answer.Body.Close()
	switch answer.StatusCode {
	case http.StatusSeeOther:
		return nil
	case http.StatusServiceUnavailable:
		return errBusy
	default:
		return fmt.Errorf("the login is answered %d", answer.StatusCode)
	}
}

// errBusy is a login that found every slot taken.
var errBusy = errors.New("the server is busy")

// toWiki is the link on the page that leads back to it.
var toWiki = regexp.MustCompile(`href="(https://wiki\.example\.org/[^"]*)"`)

// signIn logs somebody in and opens the wiki, and keeps the cookie that the
// proxy's questions then carry.
func (b *benched) signIn() error {
	browser := b.browser()
	follow := browser.CheckRedirect
	browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if err := logIn(browser, people[0]); err != nil {
		return err
	}
	browser.CheckRedirect = follow
	page, err := browser.Get(wiki + "/")
	if err != nil {
		return err
	}
	onward, err := io.ReadAll(page.Body)
	page.Body.Close()
	link := toWiki.FindSubmatch(onward)
	if err != nil || link == nil {
		return fmt.Errorf("%s is answered %d, without a link to the wiki (%w)", page.Request.URL, page.StatusCode, err)
	}
	answer, err := browser.Get(html.UnescapeString(string(link[1])))
	if err != nil {
		return err
	}
	answer.Body.Close()
	if answer.Header.Get("Remote-User") != people[0].address {
		return fmt.Errorf("the wiki is answered %d at %s, about %q", answer.StatusCode, answer.Request.URL, answer.Header.Get("Remote-User"))
	}
	at, _ := url.Parse(wiki)
	for _, c := range browser.Jar.Cookies(at) {
		b.cookie = c.Name + "=" + c.Value
	}
	if b.cookie == "" {
		return errors.New("the wiki has no cookie")
	}
	return nil
}

// memory is what the program and the processes that it started take of the
// machine, in MiB.
func (b *benched) memory() float64 { return float64(child.Memory(b.product.Process.Pid)) / (1 << 20) }

// mostMemory looks again and again, until it is told to stop, and gives the most
// that it saw.
func (b *benched) mostMemory() (stop func() float64) {
	end, seen := make(chan struct{}), 0.0
	var looking sync.WaitGroup
	looking.Go(func() {
		for pause := time.NewTicker(10 * time.Millisecond); ; {
			select {
			case <-end:
				return
			case <-pause.C:
			}
			seen = max(seen, b.memory())
		}
	})
	return func() float64 { close(end); looking.Wait(); return seen }
}
