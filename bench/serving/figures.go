package serving

import (
	"fmt"
	"slices"
	"time"
)

// Figures are what the rounds gave of one thing.
type Figures []float64

// Median is the one in the middle; zero where there are none.
func (f Figures) Median() float64 { return f.Quantile(0.5) }

// Quantile is the figure that so many are not above, of 1; zero where there are
// none.
func (f Figures) Quantile(of float64) float64 {
	if len(f) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(f))[min(int(of*float64(len(f))), len(f)-1)]
}

// String is the median with the least and the most.
func (f Figures) String() string {
	if len(f) == 0 {
		return "none"
	}
	return fmt.Sprintf("%.5g (%.5g to %.5g)", f.Median(), slices.Min(f), slices.Max(f))
}

// Milliseconds is a duration as the figures have it.
func Milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
