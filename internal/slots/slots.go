package slots
import ("context";"time";"errors")
type BusyError struct{ RetryAfter time.Duration }
func (*BusyError) Error() string { return "busy" }
type Slots struct{ c chan struct{} }
func New(n, q int, w time.Duration) *Slots { return &Slots{make(chan struct{}, n)} }
func (s *Slots) Do(ctx context.Context, f func()) error { s.c<-struct{}{}; defer func(){<-s.c}(); f(); return nil }
func (s *Slots) Close() {}
var ErrClosed = errors.New("x")
