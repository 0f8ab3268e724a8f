package apptest

import (
	"net/url"
	"regexp"
	"strings"
)

// LeadsTo is the origin to which a Location leads a browser that shows a page of
// ours, as the URL Standard has browsers read addresses (url.spec.whatwg.org, "URL
// parsing"): they cut off spaces and control characters around them, take tabs and
// line breaks out of them, take a backslash for a slash, and find a host behind any
// number of slashes from two on. It is written after the standard, and not after
// anything of the program. "" is an address at which no page of HTTP is.
func LeadsTo(page *url.URL, location string) string {
	location = strings.TrimFunc(location, func(c rune) bool { return c <= ' ' })
	location = strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(location)
	scheme := page.Scheme
	if named := schemeOf.FindString(location); named != "" {
		scheme, location = strings.ToLower(strings.TrimSuffix(named, ":")), location[len(named):]
		switch {
		case scheme != "http" && scheme != "https":
			return ""
		case scheme != page.Scheme:
			location = "//" + location // a host follows, with slashes or without
		}
	}
	path := strings.ReplaceAll(location[:beginsAt(location, "?#")], `\`, "/")
	host := strings.TrimLeft(path, "/")
	if len(path)-len(host) < 2 {
		return page.Scheme + "://" + page.Host
	}
	host = host[:beginsAt(host, "/")]
	return scheme + "://" + strings.ToLower(host[strings.LastIndexByte(host, '@')+1:])
}

var schemeOf = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*:`)

// beginsAt is where the first of these characters stands, or the end.
func beginsAt(text, characters string) int {
	if at := strings.IndexAny(text, characters); at >= 0 {
		return at
	}
	return len(text)
}
