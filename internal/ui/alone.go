package ui

import (
	"crypto/sha256"
	"encoding/base64"
	"regexp"
)

var pictures = regexp.MustCompile(`url\("[^"]*"\)`)

// aloneStyle is the style sheet for pages that are shown where our own files
// are not: without its pictures.
func aloneStyle() string {
	sheet, _ := ownAssets.ReadFile("assets/twinlock.css")
	return "\n" + pictures.ReplaceAllString(string(sheet), "none")
}

// AloneStyle names the style that a page with Shell.Alone brings along, as a
// Content-Security-Policy allows it: by its hash.
func (r *Renderer) AloneStyle() string {
	sum := sha256.Sum256([]byte(r.alone))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
