package browser

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twinlock/twinlock/browser/kit"
)

var pictures = flag.Bool("pictures", false, "keep a picture of the printed codes in browser/pictures")

// shownCodes is the page that shows ten recovery codes once, and the codes.
func shownCodes(t *testing.T) (*kit.Tab, []string) {
	t.Helper()
	s := withTwoFactor(t)
	tab := s.Profile(t).AllowClipboard()
	login(tab, ada, good).At("/apps")
	_, codes := enabled(t, s, tab)
	return tab, codes
}

func lines(text string) (lines []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

func TestARecoveryCodeIsCopied(t *testing.T) {
	tab, codes := shownCodes(t)
	for _, code := range []string{codes[0], codes[9]} {
		tab.Press("Copy " + code).Status("Copied.")
		if copied := tab.Clipboard(); copied != code {
			t.Errorf("copied %q, want %q", copied, code)
		}
	}
}

func TestAllRecoveryCodesAreCopied(t *testing.T) {
	tab, codes := shownCodes(t)
	tab.Press("Copy codes").Status("Copied.")
	if copied := lines(tab.Clipboard()); !slices.Equal(copied, codes) {
		t.Errorf("copied %q, want %q", copied, codes)
	}
}

// onPaper is what stands on the sheet of recovery codes, printed or saved.
func onPaper(codes []string) []string {
	today := time.Now().UTC().Add(time.Minute).Format("2 January 2006")
	return slices.Concat(
		[]string{"Recovery codes for Twinlock", "Account: " + ada, "Made on " + today, "Each code works once, in place of your second factor."},
		codes,
		[]string{"New codes: Account settings, Recovery codes. They make these void."},
	)
}

func TestRecoveryCodesAreDownloadedWithServiceAccountAndDate(t *testing.T) {
	tab, codes := shownCodes(t)
	folder := tab.Downloads()
	tab.Press("Download").Status("Downloaded.")
	var file string
	kit.Eventually(t, "the file is there", func() bool {
		files, _ := filepath.Glob(filepath.Join(folder, "*.txt"))
		if len(files) == 1 {
			file = files[0]
		}
		return file != ""
	})
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if saved := lines(string(text)); !slices.Equal(saved, onPaper(codes)) {
		t.Errorf("%s holds\n%s", filepath.Base(file), text)
	}
}

func TestRecoveryCodesArePrintedOnOnePageWithNothingElse(t *testing.T) {
	tab, codes := shownCodes(t)
	for _, dark := range []bool{false, true} {
		if dark {
			tab.Dark()
		}
		path := filepath.Join(t.TempDir(), "sheet.pdf")
		if err := os.WriteFile(path, tab.Print(), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("pdftotext", "-layout", path, "-").Output()
		if err != nil {
			t.Fatalf("pdftotext: %v", err)
		}
		if pages := strings.Count(string(out), "\f"); pages != 1 {
			t.Errorf("%d pages, want one", pages)
		}
		var printed []string
		for _, line := range lines(strings.ReplaceAll(string(out), "\f", "")) {
			printed = append(printed, strings.Split(line, "  ")...)
		}
		printed = slices.DeleteFunc(printed, func(s string) bool { return strings.TrimSpace(s) == "" })
		for i := range printed {
			printed[i] = strings.TrimSpace(printed[i])
		}
		want := append([]string{"Twinlock", "Recovery codes"}, onPaper(codes)...)
		slices.Sort(printed)
		slices.Sort(want)
		if !slices.Equal(printed, want) {
			t.Errorf("printed\n%s", out)
		}
		tab.AsPrinted(true)
		var ground, ink string
		tab.Evaluate(`getComputedStyle(document.body).backgroundColor`, &ground)
		tab.Evaluate(`getComputedStyle(document.querySelector(".codes code")).color`, &ink)
		if ground != "rgb(255, 255, 255)" || ink != "rgb(0, 0, 0)" {
			t.Errorf("printed in %s on %s", ink, ground)
		}
		if *pictures {
			tab.Keep("pictures", "printed recovery codes")
		}
		tab.AsPrinted(false)
	}
}

func TestRecoveryCodesAreShownOnce(t *testing.T) {
	tab, codes := shownCodes(t)
	none := func(when string) {
		t.Helper()
		for _, code := range codes {
			if strings.Contains(tab.Text(), code) {
				t.Fatalf("a code is shown again: %s", when)
			}
		}
	}
	tab.Press("Continue") // without the tick, which the browser itself asks for
	if !strings.Contains(tab.Text(), codes[0]) {
		t.Fatal("the codes are gone before they are said to be saved")
	}
	tab.Reload()
	none("after loading the page again")
	tab.Open("/account/recovery-codes").See("10 of 10")
	none("in the settings")
}

func TestTheTickLeadsOn(t *testing.T) {
	tab, codes := shownCodes(t)
	tab.Tick("I have saved these codes").Press("Continue").At("/account")
	tab.Back()
	for _, code := range codes {
		if strings.Contains(tab.Text(), code) {
			t.Fatal("Back shows a code again")
		}
	}
}
