package auth

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// readings are the paths that servers may take one address's path for. Most
// have one. It is false for what no honest browser sends: a path that does not
// begin with a slash, with a backslash or a control character however encoded,
// malformed or three times encoded.
func readings(path string) ([]string, bool) {
	if path == "" || path[0] != '/' || !isClean(path) {
		return nil, false
	}
	if !strings.ContainsAny(path, "%;") && !hasFolds(path) {
		return []string{path}, true
	}
	if !isWellEncoded(path) {
		return nil, false
	}
	var all []string
	for range decodings {
		if !isClean(path) {
			return nil, false
		}
		all = appendFolded(all, path)
		all = appendFolded(all, withoutParameters(path))
		decoded := decode(path)
		if decoded == path {
			return all, true
		}
		path = decoded
	}
	return nil, false
}

// decodings is how often a path may be decoded before nothing changes, the last
// time included: what was encoded twice may be honest, three times is not.
const decodings = 3

// isClean tells a path without backslashes and control characters, in UTF-8.
func isClean(path string) bool {
	return utf8.ValidString(path) && !strings.ContainsFunc(path, func(c rune) bool {
		return c == '\\' || c < ' ' || c == 0x7f
	})
}

// hasFolds tells a path in which a server may fold dots or slashes.
func hasFolds(path string) bool {
	return strings.Contains(path, "//") || strings.Contains(path, "/.") || strings.Contains(path, "./") || strings.HasSuffix(path, ".")
}

// appendFolded adds a path as it is, with its slashes merged, with its dots
// followed, and with both, as far as they differ.
func appendFolded(all []string, path string) []string {
	merged := mergeSlashes(path)
	for _, reading := range []string{path, merged, followDots(path), followDots(merged), mergeSlashes(followDots(path))} {
		if !slices.Contains(all, reading) {
			all = append(all, reading)
		}
	}
	return all
}

func mergeSlashes(path string) string {
	for strings.Contains(path, "//") {
		path = strings.ReplaceAll(path, "//", "/")
	}
	return path
}

// followDots removes dot segments (RFC 3986 §5.2.4).
func followDots(path string) string {
	if !strings.Contains(path, "/.") {
		return path
	}
	segments := strings.Split(path[1:], "/")
	kept := segments[:0]
	for i, s := range segments {
		last := i == len(segments)-1
		switch s {
		case ".":
		case "..":
			kept = kept[:max(0, len(kept)-1)]
		default:
			kept = append(kept, s)
			continue
		}
		if last {
			kept = append(kept, "")
		}
	}
	return "/" + strings.Join(kept, "/")
}

// withoutParameters cuts each segment at its first semicolon (RFC 3986 §3.3).
func withoutParameters(path string) string {
	if !strings.Contains(path, ";") {
		return path
	}
	segments := strings.Split(path, "/")
	for i, s := range segments {
		segments[i], _, _ = strings.Cut(s, ";")
	}
	return strings.Join(segments, "/")
}

// isWellEncoded tells whether two hexadecimal digits follow each percent sign.
func isWellEncoded(path string) bool {
	for i := range len(path) {
		if path[i] != '%' {
			continue
		}
		if _, ok := encodedByte(path[i:]); !ok {
			return false
		}
	}
	return true
}

// decode decodes a path once; a percent sign that encodes nothing stays.
func decode(path string) string {
	if !strings.Contains(path, "%") {
		return path
	}
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		if c, ok := encodedByte(path[i:]); ok {
			b.WriteByte(c)
			i += 2
			continue
		}
		b.WriteByte(path[i])
	}
	return b.String()
}

func encodedByte(s string) (byte, bool) {
	if len(s) < 3 || s[0] != '%' {
		return 0, false
	}
	high, ok := hex(s[1])
	low, okToo := hex(s[2])
	return high<<4 | low, ok && okToo
}

func hex(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// loose is a path as servers read it that know no upper case, and drop dots and
// spaces at the end of names.
func loose(path string) string {
	path = strings.ToLower(path)
	if !strings.ContainsAny(path, ". ") {
		return path
	}
	segments := strings.Split(path, "/")
	for i, s := range segments {
		segments[i] = strings.TrimRight(s, ". ")
	}
	return strings.Join(segments, "/")
}
