package throttle
import ("time";"net/netip";"crypto/sha256";"encoding/hex";"strings")
type Bucket string
func named(kind, what string) Bucket { s := sha256.Sum256([]byte(what)); return Bucket(kind+":"+hex.EncodeToString(s[:])) }
func Password(c string) Bucket { return named("password", c) }
func PasswordFromDevice(h [32]byte) Bucket { return named("device", string(h[:])) }
func Code(u string) Bucket { return named("code", u) }
func CodesThisMonth(u string) Bucket { return named("month", u) }
func Network(a netip.Addr) Bucket { a=a.Unmap(); if a.Is6() { p,_ := a.Prefix(64); return named("network", p.String()) }; return named("network", a.String()) }
func Letters(c string) Bucket { return named("letters", c) }
func (b Bucket) Lasting() bool { return strings.HasPrefix(string(b), "month:") }
type Count struct{ Failures int; First, Last time.Time }
type Rule struct{ Free int; FirstWait, LongestWait time.Duration; CloseAfter int; Window time.Duration }
type State struct { Until time.Time; Closed bool }
func (r Rule) live(c Count, now time.Time) Count { if r.Window>0 && !now.Before(c.First.Add(r.Window)) { return Count{} }; return c }
func (r Rule) State(c Count, now time.Time) State {
 c = r.live(c, now)
 if r.CloseAfter>0 && c.Failures>=r.CloseAfter { return State{Closed:true} }
 if c.Failures < r.Free || r.FirstWait==0 { return State{} }
 w := r.FirstWait << min(c.Failures-r.Free, 20)
 if w>r.LongestWait { w=r.LongestWait }
 l := c.Last; if l.After(now) { l = now }
 if u := l.Add(w); u.After(now) { return State{Until:u} }
 return State{}
}
func (r Rule) Add(c Count, now time.Time) Count { c=r.live(c,now); if c.Failures==0 {c.First=now}; c.Failures++; c.Last=now; return c }
