package apptest

import (
	"maps"
	"regexp"
)

var (
	drawnBar = regexp.MustCompile(`<g><title>([^:<]+): (\d+) [^<]*</title><rect class="done" x="[^"]*" y="[^"]*" width="[^"]*" height="([^"]*)"/>`)
	drawnRow = regexp.MustCompile(`<tr><th scope="row">([^<]*)</th><td>(\d+)</td></tr>`)
)

// WantDrawn fails unless the page's one chart has these counts on these days,
// and nothing on any other: as bars that are high enough to see, and in its
// table.
func (p *Page) WantDrawn(want map[string]string) *Page {
	p.browser.t.Helper()
	bars, rows := map[string]string{}, map[string]string{}
	for _, bar := range drawnBar.FindAllStringSubmatch(p.Body, -1) {
		if flat := bar[3] == "0"; flat != (bar[2] == "0") {
			p.fatalf("the bar of %s stands for %s and is %s high", bar[1], bar[2], bar[3])
		}
		if bar[2] != "0" {
			bars[bar[1]] = bar[2]
		}
	}
	for _, row := range drawnRow.FindAllStringSubmatch(p.Body, -1) {
		if row[2] != "0" {
			rows[row[1]] = row[2]
		}
	}
	if !maps.Equal(bars, want) || !maps.Equal(rows, want) {
		p.fatalf("drawn is %v, the table has %v, want %v", bars, rows, want)
	}
	return p
}
