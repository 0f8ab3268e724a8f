package ui_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/ui"
)

func chart(figures ...int) ui.Chart {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var days []ui.Day
	for i, n := range figures {
		days = append(days, ui.Day{Start: start.AddDate(0, 0, i), Done: n})
	}
	c := ui.NewChart(days)
	c.ID, c.Title, c.Done, c.None = "c", ui.Words("Sign-ins"), ui.Words("Sign-ins"), ui.Words("Nobody yet.")
	return c
}

// However many days, and however few sign-ins on one of them: what happened is
// drawn, within the picture.
func TestAChartShowsWhatHappened(t *testing.T) {
	long := make([]int, 400)
	long[0], long[399] = 1, 100_000
	for name, figures := range map[string][]int{"one day": {3}, "two": {0, 1}, "four hundred": long} {
		c := chart(figures...)
		for i, b := range c.Bars {
			if (b.DoneHigh > 0) != (figures[i] > 0) || b.DoneY < 0 || b.DoneY+b.DoneHigh != c.Height || b.X+b.Wide > c.Width {
				t.Errorf("%s: day %d with %d: %+v in %d by %d", name, i, figures[i], b, c.Width, c.Height)
			}
		}
		if c.Bars[0].Wide*4 > c.Width {
			t.Errorf("%s: one day is a wall", name)
		}
	}
	both := ui.NewChart([]ui.Day{{Done: 100_000, Refused: 1}}).Bars[0]
	if both.RefHigh < 1 || both.RefusedY < 0 {
		t.Errorf("one that was refused among many: %+v", both)
	}
}

func TestAChartIsReadAloudAndAsATable(t *testing.T) {
	r := renderer(t, onePage(`{{template "chart" .}}`))
	got := page(t, r, "test/page", ui.Shell{}, chart(3, 4))
	for _, want := range []string{`role="img" aria-label="Sign-ins. Per day: 7 in all"`, "<caption>Days in UTC</caption>", `<th scope="col">Day</th>`, "At most 4 on one day", "1 January 2026", "2 January 2026"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s", want)
		}
	}
	if rows := len(regexp.MustCompile(`<tr><th scope="row">`).FindAllString(got, -1)); rows != 2 {
		t.Errorf("%d rows for two days", rows)
	}
	if got := page(t, r, "test/page", ui.Shell{}, chart()); !strings.Contains(got, "Nobody yet.") || strings.Contains(got, "<svg class=\"chart\"") {
		t.Error("nothing is drawn as something, or not said")
	}
	if got := page(t, r, "test/page", ui.Shell{}, chart(0, 0)); !strings.Contains(got, "Nobody yet.") {
		t.Error("days without anything are drawn")
	}
}
