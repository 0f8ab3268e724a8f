package ui

import (
	"fmt"
	"html/template"
)

// icons are drawn on a grid of 24 with a round pen, in the text's colour.
var icons = map[string]template.HTML{
	"alert":    `<path d="M12 4 2.8 19.5h18.4z"/><path d="M12 10v4.5M12 17.2v.1"/>`,
	"apps":     `<rect x="4" y="4" width="6.5" height="6.5" rx="1.8"/><rect x="13.5" y="4" width="6.5" height="6.5" rx="1.8"/><rect x="4" y="13.5" width="6.5" height="6.5" rx="1.8"/><rect x="13.5" y="13.5" width="6.5" height="6.5" rx="1.8"/>`,
	"back":     `<path d="M19 12H5M11 6l-6 6 6 6"/>`,
	"check":    `<circle cx="12" cy="12" r="8.5"/><path d="m8.2 12.3 2.6 2.6 5-5.4"/>`,
	"chevron":  `<path d="m7 10 5 5 5-5"/>`,
	"copy":     `<rect x="9" y="9" width="11" height="11" rx="2.5"/><path d="M15 5.8A1.8 1.8 0 0 0 13.2 4H5.8A1.8 1.8 0 0 0 4 5.8v7.4A1.8 1.8 0 0 0 5.8 15"/>`,
	"door":     `<path d="M6 21V4.5A1.5 1.5 0 0 1 7.5 3h9A1.5 1.5 0 0 1 18 4.5V21M3.5 21h17M14.5 12v.8"/>`,
	"download": `<path d="M12 4v11M7 10.5l5 5 5-5M5 20h14"/>`,
	"eye":      `<path d="M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12z"/><circle cx="12" cy="12" r="2.8"/>`,
	"globe":    `<circle cx="12" cy="12" r="8.5"/><path d="M3.5 12h17M12 3.5c2.6 2.4 3.8 5.2 3.8 8.5s-1.2 6.1-3.8 8.5c-2.6-2.4-3.8-5.2-3.8-8.5S9.4 5.9 12 3.5z"/>`,
	"info":     `<circle cx="12" cy="12" r="8.5"/><path d="M12 11.2v5M12 7.8v.1"/>`,
	"key":      `<circle cx="8" cy="15.5" r="4"/><path d="m11 12.5 8.5-8.5M15.5 8l3 3"/>`,
	"lock":     `<rect x="5" y="10.5" width="14" height="10" rx="2.5"/><path d="M8 10.5V8a4 4 0 0 1 8 0v2.5M12 14.5v2"/>`,
	"logout":   `<path d="M10 4H6.5A1.5 1.5 0 0 0 5 5.5v13A1.5 1.5 0 0 0 6.5 20H10M9.5 12H20M16 8l4 4-4 4"/>`,
	"mail":     `<rect x="3" y="5" width="18" height="14" rx="2.5"/><path d="m4 7.5 8 6 8-6"/>`,
	"monitor":  `<rect x="3" y="4.5" width="18" height="12" rx="2"/><path d="M9 20.5h6M12 16.5v4"/>`,
	"moon":     `<path d="M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z"/>`,
	"next":     `<path d="M5 12h14M13 6l6 6-6 6"/>`,
	"open":     `<path d="M13.5 4.5h6v6M19 5l-8 8M10 5.5H6.5A1.5 1.5 0 0 0 5 7v10.5A1.5 1.5 0 0 0 6.5 19H17a1.5 1.5 0 0 0 1.5-1.5V14"/>`,
	"phone":    `<rect x="7" y="3" width="10" height="18" rx="2.5"/><path d="M11 17.8h2"/>`,
	"plug":     `<path d="M9 3v5M15 3v5M6.5 8h11v3a5.5 5.5 0 0 1-11 0zM12 16.5V21"/>`,
	"plus":     `<path d="M12 5v14M5 12h14"/>`,
	"print":    `<path d="M7 9V4h10v5M7 17H5.5A1.5 1.5 0 0 1 4 15.5v-5A1.5 1.5 0 0 1 5.5 9h13a1.5 1.5 0 0 1 1.5 1.5v5a1.5 1.5 0 0 1-1.5 1.5H17"/><rect x="7" y="14" width="10" height="6" rx="1"/>`,
	"search":   `<circle cx="11" cy="11" r="6.5"/><path d="m16 16 4.5 4.5"/>`,
	"settings": `<path d="M4 7h8M18 7h2M4 17h2M12 17h8"/><circle cx="15" cy="7" r="2.5"/><circle cx="9" cy="17" r="2.5"/>`,
	"shield":   `<path d="M12 3.5 5 6v5.5c0 4.2 2.8 7.3 7 9 4.2-1.7 7-4.8 7-9V6z"/>`,
	"sun":      `<circle cx="12" cy="12" r="4"/><path d="M12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4"/>`,
	"trash":    `<path d="M4.5 7h15M9.5 7V4.5h5V7M6.5 7l.8 11.6A1.5 1.5 0 0 0 8.8 20h6.4a1.5 1.5 0 0 0 1.5-1.4L17.5 7"/>`,
	"user":     `<circle cx="12" cy="8.5" r="4"/><path d="M4.5 20c.9-3.7 3.7-5.5 7.5-5.5s6.6 1.8 7.5 5.5"/>`,
	"users":    `<circle cx="9" cy="8.5" r="3.5"/><path d="M2.5 19.5c.7-3.3 3.1-5 6.5-5s5.8 1.7 6.5 5M15.5 5.3a3.5 3.5 0 0 1 0 6.4M18 15.2c1.9.8 3.1 2.2 3.5 4.3"/>`,
}

// svgIcon draws an icon. It only accompanies words, so screen readers do not
// hear of it. An unknown name fails the page.
func svgIcon(name string) (template.HTML, error) {
	lines, ok := icons[name]
	if !ok {
		return "", fmt.Errorf("no icon %q", name)
	}
	return `<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">` + lines + `</svg>`, nil
}
