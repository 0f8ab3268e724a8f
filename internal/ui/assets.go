package ui

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
)

//go:embed assets
var ownAssets embed.FS

// scripts are on every page. Each is one behaviour, and does nothing where
// the page has no use for it. Flows link their own from "head".
var scripts = []string{"once.js", "menu.js", "area.js", "letters.js", "show-password.js", "copy.js", "print.js", "download.js", "ring.js", "again.js", "strength.js", "focus.js", "local-time.js", "passkey.js", "window.js"}

// assets are all style sheets, scripts and pictures. One hash over everything
// stands in every address, so that a script may import its neighbour and a
// style sheet name a picture by plain relative names.
type assets struct {
	hash  string
	files map[string]*asset
}

type asset struct {
	contentType string
	plain       []byte
	gzipped     func() []byte // made once, when first asked for
}

func newAssets(flows map[string]fs.FS) *assets {
	a := &assets{files: map[string]*asset{}}
	own, _ := fs.Sub(ownAssets, "assets")
	a.collect("", own, "*")
	for name, flow := range flows {
		a.collect(name+"/", flow, "pages/*/*.js")
		a.collect(name+"/", flow, "pages/*/*.css")
	}
	sum := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(a.files)) {
		fmt.Fprintf(sum, "%s %d\n%s", name, len(a.files[name].plain), a.files[name].plain)
	}
	a.hash = hex.EncodeToString(sum.Sum(nil))[:16]
	return a
}

// collect takes in files under a prefix; pages/code/once.js of the flow login
// becomes login/code/once.js.
func (a *assets) collect(prefix string, files fs.FS, pattern string) {
	paths, _ := fs.Glob(files, pattern)
	for _, p := range paths {
		plain, err := fs.ReadFile(files, p)
		if err != nil {
			continue // a folder
		}
		a.files[prefix+strings.TrimPrefix(p, "pages/")] = &asset{
			contentType: contentTypes[path.Ext(p)],
			plain:       plain,
			gzipped:     sync.OnceValue(func() []byte { return compress(plain) }),
		}
	}
}

// contentTypes are written down, because the system's own list differs from
// one machine to the next.
var contentTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
	".png": "image/png",
	".ico": "image/x-icon",
}

func compress(plain []byte) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
	w.Write(plain) // a bytes.Buffer takes everything
	w.Close()
	return b.Bytes()
}

// address gives where an asset is served; an unknown name fails the page.
func (a *assets) address(name string) (string, error) {
	if _, ok := a.files[name]; !ok {
		return "", fmt.Errorf("no asset %q", name)
	}
	return "/assets/" + a.hash + "/" + name, nil
}

// Assets serves /assets/. What has this program's hash may be kept for a year;
// what has another one, as when a page of the version before asks, is given
// all the same and not kept.
func (r *Renderer) Assets() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		hash, name, _ := strings.Cut(strings.TrimPrefix(req.URL.Path, "/assets/"), "/")
		found, ok := r.assets.files[name]
		if !ok {
			http.NotFound(w, req)
			return
		}
		keep := "no-cache"
		if hash == r.assets.hash {
			keep = "public, max-age=31536000, immutable"
		}
		w.Header().Set("Cache-Control", keep)
		found.serve(w, req)
	})
}

// Favicon serves /favicon.svg, and /favicon.ico for browsers that ask for it
// whatever the page says: with the same mark.
func (r *Renderer) Favicon() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=86400")
		r.assets.files["mark.svg"].serve(w, req)
	})
}

func (a *asset) serve(w http.ResponseWriter, req *http.Request) {
	header, body := w.Header(), a.plain
	header.Set("Content-Type", a.contentType)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Vary", "Accept-Encoding")
	if acceptsGzip(req) {
		header.Set("Content-Encoding", "gzip")
		body = a.gzipped()
	}
	header.Set("Content-Length", strconv.Itoa(len(body)))
	if req.Method != http.MethodHead {
		w.Write(body) // nobody is left to tell
	}
}

// acceptsGzip reads Accept-Encoding (RFC 9110 §12.5.3) as far as browsers go:
// gzip is named, and not refused with q=0.
func acceptsGzip(req *http.Request) bool {
	for entry := range strings.SplitSeq(req.Header.Get("Accept-Encoding"), ",") {
		coding, weight, _ := strings.Cut(strings.TrimSpace(entry), ";")
		if coding == "gzip" {
			return strings.Trim(strings.TrimSpace(weight), "0.") != "q="
		}
	}
	return false
}
