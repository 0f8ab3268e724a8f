package web_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/twinlock/twinlock/internal/web"
)

func TestBrowserInWords(t *testing.T) {
	for userAgent, want := range map[string]string{
		"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0":                                                                  "Firefox · Linux",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1": "Safari · iPhone",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36 Edg/138.0.0.0":           "Edge · Windows",
		"": "",
	} {
		if got := web.BrowserInWords(userAgent); got != want {
			t.Errorf("%q is %q, want %q", userAgent, got, want)
		}
	}
}

// What a program says of itself may be as long as a header: the time must not
// grow with its square.
func TestWhatABrowserSaysTakesNoTime(t *testing.T) {
	for _, piece := range []string{"(", ") ", "a ", "A/1 ", "; ", "/", "-", "Mozilla/5.0 (", "Android; x ", "iPhone ", "Version/1 ", "Build/ ", "bot/1 ", "http://", "\xff"} {
		begin := time.Now()
		web.BrowserInWords(strings.Repeat(piece, 32<<10/len(piece)))
		if took := time.Since(begin); took > 250*time.Millisecond {
			t.Errorf("32 kB of %q took %v", piece, took)
		}
	}
}

// FuzzBrowserInWords: whatever a program says of itself, what is shown of it is
// no longer, and is text.
func FuzzBrowserInWords(f *testing.F) {
	for _, said := range []string{
		"", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "curl/8.5.0", "(", "Mozilla/5.0 (Linux; Android 16; Pixel 9 Build/BP1A) Chrome/1",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Version/18.5 Safari/604.1", "Googlebot/2.1 (+http://www.google.com/bot.html)", "a/b/c (d; e) f", "Edge/ OPR/ (;;)",
	} {
		f.Add(said)
	}
	f.Fuzz(func(t *testing.T, said string) {
		words := web.BrowserInWords(said)
		if len(words) > len(said)+len("Internet Explorer · Windows Phone OS") || utf8.ValidString(said) && !utf8.ValidString(words) {
			t.Errorf("%q is %q", said, words)
		}
	})
}
