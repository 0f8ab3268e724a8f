package browser

import (
	"bytes"
	"fmt"
	"image/color"
	"image/png"
	"strconv"
	"testing"
	"time"

	"github.com/twinlock/twinlock/browser/kit"
)

func TestTheQRCodeIsReadInEveryColour(t *testing.T) {
	s := withTwoFactor(t)
	for name, prepare := range map[string]func(*kit.Tab) *kit.Tab{
		"light":                func(tab *kit.Tab) *kit.Tab { return tab },
		"dark":                 (*kit.Tab).Dark,
		"forced, dark":         func(tab *kit.Tab) *kit.Tab { return tab.ForcedColours(true) },
		"forced, light":        func(tab *kit.Tab) *kit.Tab { return tab.ForcedColours(false) },
		"on a phone":           (*kit.Tab).Phone,
		"on the smallest":      (*kit.Tab).Narrow,
		"at twice the zoom":    (*kit.Tab).Zoomed,
		"dark, on the phone":   func(tab *kit.Tab) *kit.Tab { return tab.Phone().Dark() },
		"forced, on the phone": func(tab *kit.Tab) *kit.Tab { return tab.Phone().ForcedColours(true) },
	} {
		t.Run(name, func(t *testing.T) {
			tab := prepare(s.Profile(t))
			login(tab, ada, good).At("/apps")
			tab.Open("/account/two-factor")
			if len(keyOf(t, tab)) != 32 {
				t.Error("the key read is not one of 160 bits")
			}
			wantDarkOnLight(t, tab)
		})
	}
}

// wantDarkOnLight looks at the plate of the QR code dot by dot: light all around
// the code, and dark where its first mark begins. Many apps read no other, though
// zbarimg does.
func wantDarkOnLight(t *testing.T, tab *kit.Tab) {
	t.Helper()
	shown, err := png.Decode(bytes.NewReader(tab.Picture()))
	if err != nil {
		t.Fatal(err)
	}
	var at []float64 // the plate's and the code's edges, and how wide the page is
	tab.Evaluate(`(() => {
		const code = document.querySelector("[role=img][aria-label='QR code'] svg"), plate = code.closest("a")
		const edges = e => { const b = e.getBoundingClientRect(); return [b.left + scrollX, b.top + scrollY, b.right + scrollX, b.bottom + scrollY] }
		return [...edges(plate), ...edges(code), document.documentElement.clientWidth]
	})()`, &at)
	scale := float64(shown.Bounds().Dx()) / at[8]
	light := func(x, y float64) bool {
		return color.GrayModel.Convert(shown.At(int(x*scale), int(y*scale))).(color.Gray).Y >= 128
	}
	plate, code := at[:4], at[4:8]
	middleX, middleY := (code[0]+code[2])/2, (code[1]+code[3])/2
	for side, p := range map[string][2]float64{
		"left of": {(plate[0] + code[0]) / 2, middleY}, "right of": {(plate[2] + code[2]) / 2, middleY},
		"above": {middleX, (plate[1] + code[1]) / 2}, "below": {middleX, (plate[3] + code[3]) / 2},
	} {
		if !light(p[0], p[1]) {
			t.Errorf("%s the code it is dark", side)
		}
	}
	first, side := 0.0, code[2]-code[0]
	for first < side/4 && light(code[0]+first, code[1]+first) {
		first++
	}
	if first < side/50 || first >= side/4 {
		t.Errorf("the first mark of the code begins %.0f of %.0f dots from its corner", first, side)
	}
}

// ringAt reads how much of the ring is left, and its number.
func ringAt(tab *kit.Tab) (share float64, seconds int) {
	var both []string
	tab.Evaluate(`(ring => [ring.style.getPropertyValue("--share"), ring.querySelector("span").textContent])(document.querySelector(".ring"))`, &both)
	share, _ = strconv.ParseFloat(both[0], 64)
	seconds, _ = strconv.Atoi(both[1])
	return share, seconds
}

func TestTheRingCountsThePeriodDown(t *testing.T) {
	s := withTwoFactor(t)
	tab := s.Profile(t)
	login(tab, ada, good).At("/apps")
	tab.Open("/account/two-factor").Find("Seconds until the code changes", "timer")
	begin, first := time.Now(), 0
	kit.Eventually(t, "the number goes on", func() bool {
		_, seconds := ringAt(tab)
		if first == 0 {
			first = seconds
		}
		return seconds != first
	})
	if _, seconds := ringAt(tab); seconds < 1 || seconds > 30 {
		t.Errorf("%d seconds are left", seconds)
	}
	if time.Since(begin) > 5*time.Second {
		t.Error("a second takes far more than a second")
	}
}

func TestReducedMotionStopsTheRing(t *testing.T) {
	s := withTwoFactor(t)
	tab := s.Profile(t).ReducedMotion()
	login(tab, ada, good).At("/apps")
	tab.Open("/account/two-factor").Find("Seconds until the code changes", "timer")
	for range 20 {
		share, seconds := ringAt(tab)
		if whole := float64(seconds) / 30; share < whole-1e-6 || share > whole+1e-6 {
			t.Fatalf("the ring stands at %v beside the number %d: it moves between the seconds", share, seconds)
		}
	}
	var moving []string
	tab.Evaluate(`[...document.querySelectorAll("*")].filter(e => ["", "::before", "::after"].some(part => {
		const is = getComputedStyle(e, part)
		return is.transitionDuration !== "0s" && is.transitionProperty !== "none" || is.animationName !== "none"
	})).map(e => e.outerHTML.slice(0, 80))`, &moving)
	for _, what := range moving {
		t.Errorf("still moves: %s", what)
	}
}

func TestTheFocusAfterARefusal(t *testing.T) {
	s := withTwoFactor(t)
	tab := s.Profile(t)
	focused := func(where, what string) {
		t.Helper()
		kit.Eventually(t, fmt.Sprintf("%s: the focus is in %q", where, what), func() bool { return tab.Focused() == what })
		var title string
		if tab.Evaluate(`document.title`, &title); title[:6] != "Error:" {
			t.Errorf("%s: the title is %q", where, title)
		}
	}
	login(tab, ada, next).Alert("don't match")
	focused("a wrong password", "summary")
	login(tab, "", "").Alert("2 marked fields")
	focused("nothing typed", "summary")
	tab.Press("Type your password.")
	kit.Eventually(t, "the link leads into the field", func() bool { return tab.Focused() == "Password" })
	tab.Open("/forgot-password").Fill("Email", "ada").Press("Send reset link").Alert("not an email address")
	focused("no address", "Email")
	tab.Open("/register").Fill("Email", "ada").Fill("Password", "short").Press("Create account").Alert("2 marked fields")
	focused("a sign-up", "summary")

	login(tab, ada, good).At("/apps")
	tab.Open("/account").Fill("Current password", next).Fill("New password", next).Press("Change password").Alert("didn't match")
	focused("a settings page with several forms", "summary")
	tab.Press("That password didn't match. Try again.")
	kit.Eventually(t, "the link leads into the field", func() bool { return tab.Focused() == "Current password" })
	tab.Open("/account/two-factor").Fill("Login code", "000000").Press("Activate").Alert("didn't work")
	focused("a wrong code at the set-up", "Login code")
	if tab.Value("Login code") != "" {
		t.Error("the wrong code is still there")
	}
	key := keyOf(t, tab)
	tab.Fill("Login code", codeAt(t, key, 0)).Press("Activate").Status("successfully enabled")

	tab = s.Profile(t)
	login(tab, ada, good).At("/login/code")
	tab.Fill("Login code", "000000").Press("Send code").Alert("didn't work")
	focused("a wrong code", "Login code")
	if tab.Value("Login code") != "" {
		t.Error("the wrong code is still there")
	}
}
