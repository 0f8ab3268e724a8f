package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/crypto/argon2"
)

// usual are the nine headers that a request usually has when it comes from a
// browser through a proxy.
func usual(cookie string) (headers []string) {
	headers = []string{
		"X-Forwarded-For: 192.0.2.7", "X-Forwarded-Proto: https", "X-Forwarded-Host: wiki.example.org", "X-Forwarded-Uri: /page?id=7",
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:147.0) Gecko/20100101 Firefox/147.0", "Accept: text/html",
		"Accept-Language: en-GB,en;q=0.7", "Sec-Fetch-Mode: navigate",
	}
	if cookie != "" {
		headers = append(headers, "Cookie: "+cookie)
	} else {
		headers = append(headers, "Accept-Encoding: gzip")
	}
	return headers
}

// wrk is one run of wrk, with what it says of it.
func wrk(url string, clients int, headers []string) (said string, err error) {
	args := []string{"-t" + strconv.Itoa(min(2, clients)), "-c" + strconv.Itoa(clients), fmt.Sprintf("-d%ds", *seconds), "--latency"}
	for _, h := range headers {
		args = append(args, "-H", h)
	}
	out, err := exec.Command("wrk", append(args, url)...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("wrk: %w: %s", err, out)
	}
	return string(out), nil
}

var (
	aSecond  = regexp.MustCompile(`Requests/sec:\s+([\d.]+)`)
	wrong    = regexp.MustCompile(`Non-2xx or 3xx responses: (\d+)|Socket errors: .*`)
	quantile = `%s%%\s+([\d.]+)(us|ms|s)`
)

func perSecond(url string, clients int, headers []string) func() (float64, error) {
	return func() (float64, error) {
		said, err := wrk(url, clients, headers)
		if err != nil {
			return 0, err
		}
		if bad := wrong.FindString(said); bad != "" {
			return 0, fmt.Errorf("%s: %s", url, bad)
		}
		return strconv.ParseFloat(aSecond.FindStringSubmatch(said)[1], 64)
	}
}

// latency is one quantile, in milliseconds.
func latency(url string, clients int, headers []string, of string) func() (float64, error) {
	return func() (float64, error) {
		said, err := wrk(url, clients, headers)
		if err != nil {
			return 0, err
		}
		found := regexp.MustCompile(fmt.Sprintf(quantile, of)).FindStringSubmatch(said)
		if found == nil {
			return 0, fmt.Errorf("wrk does not say the %s %%:\n%s", of, said)
		}
		d, err := time.ParseDuration(found[1] + found[2])
		return milliseconds(d), err
	}
}

func (b *benched) question() string { return "http://" + b.address + "/forward-auth/caddy" }

func (b *benched) size() error {
	info, err := os.Stat(b.program)
	if err != nil {
		return err
	}
	memory, err := b.resident()
	if err != nil {
		return err
	}
	fmt.Printf("The program, stripped   %.1f MB, wanted under 25\nFirst 200 after start   %.0f ms, wanted under 30\nMemory, nearly idle     %.0f MiB, wanted under 22\n\n",
		float64(info.Size())/1e6, milliseconds(b.started), memory)
	return nil
}

func (b *benched) questions() error {
	ours, bare, err := byTurns(perSecond(b.question(), 64, usual(b.cookie)), perSecond("http://"+b.bareAt+"/question", 64, usual(b.cookie)))
	if err == nil {
		compare("A proxy's question about somebody signed in, 64 clients", "a second", ours, bare, "at least 0.90")
	}
	return err
}

func (b *benched) strangers() error {
	ours, bare, err := byTurns(perSecond(b.question(), 64, usual("")), perSecond("http://"+b.bareAt+"/away", 64, usual("")))
	if err == nil {
		compare("The same about a stranger, who is led to the login", "a second", ours, bare, "at least 0.90")
	}
	return err
}

func (b *benched) oneClient() error {
	ours, bare, err := byTurns(latency(b.question(), 1, usual(b.cookie), "50"), latency("http://"+b.bareAt+"/question", 1, usual(b.cookie), "50"))
	if err == nil {
		compare("One client, half of its questions within", "ms", ours, bare, "at most 1.3")
	}
	return err
}

// loginsBy has so many clients log in for a while, each its own person, and
// gives how many logins a second that were. Those that were refused count
// nothing.
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
					browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
					switch err := logIn(browser, people[i%len(people)]); {
					case err == nil:
						counts[i]++
					case !errors.Is(err, errBusy):
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
		return float64(total) / time.Since(began).Seconds(), nil
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
	few, raw, err := byTurns(b.loginsBy(8), hashes)
	if err != nil {
		return err
	}
	compare("Logins, 8 clients, against hashes alone", "a second", few, raw, "at least 0.90")
	idle, err := b.resident()
	if err != nil {
		return err
	}
	many, raw, err := byTurns(b.loginsBy(64), hashes)
	if err != nil {
		return err
	}
	compare("Logins, 64 clients, against hashes alone", "a second", many, raw, "at least 0.90")
	compare("64 clients against 8", "a second", many, few, "at least 0.97")
	busy, err := b.resident()
	fmt.Printf("Memory after 64 at once  %.0f MiB above %.0f, wanted under 64 above\n\n", busy-idle, idle)
	return err
}

// questionsBesideLogins is what a question takes while 64 people log in.
func (b *benched) questionsBesideLogins() error {
	alone := latency(b.question(), 8, usual(b.cookie), "99")
	beside := func() (float64, error) {
		failed := make(chan error, 1)
		go func() {
			_, err := b.loginsBy(64)()
			failed <- err
		}()
		ms, err := alone()
		if loginErr := <-failed; err == nil {
			err = loginErr
		}
		return ms, err
	}
	loaded, unloaded, err := byTurns(beside, alone)
	if err != nil {
		return err
	}
	compare("99 of 100 questions within, while 64 people log in; bare is without them", "ms", loaded, unloaded, "at most 1.5")
	single("  of these, the slowest round", "ms", figures{slices.Max(loaded)}, "under 6")
	return nil
}
