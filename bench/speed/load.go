package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/twinlock/twinlock/bench/serving"
)

// usual are the nine headers that a request usually has when it comes from a
// browser through a proxy.
func usual(cookie string) (headers []string) {
	headers = []string{
		"X-Forwarded-For: 192.0.2.7", "X-Forwarded-Proto: https", "X-Forwarded-Host: wiki.example.org", "X-Forwarded-Uri: /page?id=7",
		"User-Agent: " + serving.Device, "Accept: text/html",
		"Accept-Language: en-GB,en;q=0.7", "Sec-Fetch-Mode: navigate",
	}
	if cookie != "" {
		headers = append(headers, "Cookie: "+cookie)
	} else {
		headers = append(headers, "Accept-Encoding: gzip")
	}
	return headers
}

// wrk is the command that asks for so long.
func wrk(url string, clients int, headers []string) []string {
	args := []string{"wrk", "-t" + strconv.Itoa(min(2, clients)), "-c" + strconv.Itoa(clients), fmt.Sprintf("-d%ds", *seconds), "--latency"}
	for _, h := range headers {
		args = append(args, "-H", h)
	}
	return append(args, url)
}

// show prints a command as a shell takes it.
func show(command []string) {
	fmt.Print("  $")
	for _, word := range command {
		if strings.ContainsAny(word, " ();*&") {
			word = "'" + word + "'"
		}
		fmt.Print(" ", word)
	}
	fmt.Println()
}

func output(command []string) (said string, err error) {
	out, err := exec.Command(command[0], command[1:]...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", command[0], err, out)
	}
	return string(out), nil
}

var (
	aSecond  = regexp.MustCompile(`Requests/sec:\s+([\d.]+)`)
	wrong    = regexp.MustCompile(`Non-2xx or 3xx responses: (\d+)|Socket errors: .*`)
	quantile = `%s%%\s+([\d.]+)(us|ms|s)`
)

func perSecond(command []string) func() (float64, error) {
	return func() (float64, error) {
		said, err := output(command)
		if err != nil {
			return 0, err
		}
		if bad := wrong.FindString(said); bad != "" {
			return 0, fmt.Errorf("%s: %s", command[len(command)-1], bad)
		}
		return strconv.ParseFloat(aSecond.FindStringSubmatch(said)[1], 64)
	}
}

// latency is one quantile, in milliseconds.
func latency(command []string, of string) func() (float64, error) {
	return func() (float64, error) {
		said, err := output(command)
		if err != nil {
			return 0, err
		}
		found := regexp.MustCompile(fmt.Sprintf(quantile, of)).FindStringSubmatch(said)
		if found == nil {
			return 0, fmt.Errorf("wrk does not say the %s %%:\n%s", of, said)
		}
		d, err := time.ParseDuration(found[1] + found[2])
		return serving.Milliseconds(d), err
	}
}

func (b *benched) question() string { return "http://" + b.address + "/forward-auth/caddy" }

func (b *benched) size() error {
	info, err := os.Stat(b.program)
	if err != nil {
		return err
	}
	fmt.Printf("The program, stripped   %.1f MB, wanted under 25\nFirst 200 after start   %.0f ms, wanted under 30\nMemory, idle            %.0f MiB, wanted under 22\n\n",
		float64(info.Size())/1e6, serving.Milliseconds(b.started), b.idle)
	return nil
}

func (b *benched) questions() error {
	ours, bare := wrk(b.question(), 64, usual(b.cookie)), wrk("http://"+b.bareAt+"/question", 64, usual(b.cookie))
	return against("A proxy's question about somebody signed in, 64 clients", "a second", "at least 0.90", perSecond, ours, bare)
}

func (b *benched) strangers() error {
	ours, bare := wrk(b.question(), 64, usual("")), wrk("http://"+b.bareAt+"/away", 64, usual(""))
	return against("The same about a stranger, who is led to the login", "a second", "at least 0.90", perSecond, ours, bare)
}

func (b *benched) oneClient() error {
	half := func(command []string) func() (float64, error) { return latency(command, "50") }
	ours, bare := wrk(b.question(), 1, usual(b.cookie)), wrk("http://"+b.bareAt+"/question", 1, usual(b.cookie))
	return against("One client, half of its questions within", "ms", "at most 1.3", half, ours, bare)
}

// against measures what two commands say, by turns.
func against(what, unit, wanted string, measure func(command []string) func() (float64, error), ours, bare []string) error {
	figures, err := byTurns(measure(ours), measure(bare))
	if err == nil {
		show(ours)
		fmt.Println("  $ the same at", bare[len(bare)-1])
		compare(what, unit, figures[0], figures[1], wanted)
	}
	return err
}

// loginsBy has so many clients log in for a while, each its own person, and
// gives how many logins a second that were. Those that were refused count
// nothing, nor those that ended later.
func (b *benched) loginsBy(clients int) func() (float64, error) {
	return func() (float64, error) {
		began := time.Now()
		until := began.Add(time.Duration(*seconds) * time.Second)
		counts, errs := make([]int, clients), make([]error, clients)
		var all sync.WaitGroup
		for i := range clients {
			all.Go(func() {
				for time.Now().Before(until) && errs[i] == nil {
					browser := b.browser()
					switch err := serving.LogIn(browser, people[i%len(people)].address, password); {
					case err == nil && time.Now().Before(until):
						counts[i]++
					case err == nil:
					case !errors.Is(err, serving.ErrBusy):
						errs[i] = err
					}
					browser.CloseIdleConnections()
				}
			})
		}
		all.Wait()
		total := 0
		for i, n := range counts {
			if errs[i] != nil {
				return 0, errs[i]
			}
			total += n
		}
		return float64(total) / until.Sub(began).Seconds(), nil
	}
}

// hashes is how many hashes a second two workers do that do nothing else.
func hashes() (float64, error) {
	began := time.Now()
	until := began.Add(time.Duration(*seconds) * time.Second)
	var counts [2]int
	var all sync.WaitGroup
	for i := range counts {
		all.Go(func() {
			for time.Now().Before(until) {
				argon2.IDKey([]byte(password), []byte("sixteen signs..."), 2, 19*1024, 1, 32)
				counts[i]++
			}
		})
	}
	all.Wait()
	return float64(counts[0]+counts[1]) / time.Since(began).Seconds(), nil
}

func (b *benched) logins() error {
	figures, err := byTurns(b.loginsBy(8), b.loginsBy(64), hashes)
	if err != nil {
		return err
	}
	few, many, raw := figures[0], figures[1], figures[2]
	compare("Logins, 8 clients, against hashes alone", "a second", few, raw, "at least 0.90")
	compare("Logins, 64 clients, against hashes alone", "a second", many, raw, "at least 0.90")
	compare("64 clients against 8", "a second", many, few, "at least 0.97")
	return nil
}

// burst is what a burst of logins costs: memory while it lasts, and time a second
// after it.
func (b *benched) burst() error {
	var above serving.Figures
	figures, err := byTurns(func() (float64, error) {
		stop := b.mostMemory()
		if _, err := b.loginsBy(64)(); err != nil {
			return 0, err
		}
		above = append(above, stop()-b.idle)
		time.Sleep(time.Second)
		return b.oneLogin()
	}, func() (float64, error) {
		time.Sleep(time.Duration(*seconds) * time.Second)
		return b.oneLogin()
	})
	if err != nil {
		return err
	}
	single("The most memory while 64 people log in, above what it was when nobody had come", "MiB", above, "under 64")
	compare("One login a second after 64 people logged in; bare is one after a rest", "ms", figures[0], figures[1], "at most 1.1")
	return nil
}

// oneLogin takes the median of a few logins, one after another, in milliseconds.
func (b *benched) oneLogin() (float64, error) {
	var took serving.Figures
	for range 9 {
		browser := b.browser()
		began := time.Now()
		if err := serving.LogIn(browser, people[0].address, password); err != nil {
			return 0, err
		}
		took = append(took, serving.Milliseconds(time.Since(began)))
		browser.CloseIdleConnections()
	}
	return took.Median(), nil
}

// questionsBesideLogins is what a question takes while 64 people log in.
func (b *benched) questionsBesideLogins() error {
	ask := wrk(b.question(), 8, usual(b.cookie))
	alone := latency(ask, "99")
	var logins serving.Figures
	beside := func() (float64, error) {
		failed := make(chan error, 1)
		go func() {
			perSecond, err := b.loginsBy(64)()
			logins = append(logins, perSecond)
			failed <- err
		}()
		ms, err := alone()
		if loginErr := <-failed; err == nil {
			err = loginErr
		}
		return ms, err
	}
	figures, err := byTurns(beside, alone)
	if err != nil {
		return err
	}
	show(ask)
	compare("99 of 100 questions within, while 64 people log in; bare is without them", "ms", figures[0], figures[1], "at most 1.5")
	single("  of these, the slowest round", "ms", serving.Figures{slices.Max(figures[0])}, "under 6")
	single("  logins meanwhile", "a second", logins, "more than none")
	return nil
}
