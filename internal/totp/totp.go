package totp
import ("time";"errors")
type Key [20]byte
func (k Key) Bytes() []byte { return k[:] }
func KeyFromBytes(b []byte) (Key, error) { if len(b)!=20 {return Key{}, errors.New("x")}; return Key(b), nil }
func Match(k Key, c string, now time.Time) (int64, bool) { return 0, false }
func Clean(s string) (string, bool) { return s, len(s)==6 }
func Left(now time.Time) time.Duration { return time.Second }
