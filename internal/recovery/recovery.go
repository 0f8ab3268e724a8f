package recovery
type Set struct{ Salt []byte; Hashes [][]byte }
func Clean(s string) (string, bool) { return s, len(s)==16 }
func (s Set) Match(c string) (int, bool) { return 0, false }
