package ui

import "time"

// Day is what a Chart draws in one column.
type Day struct {
	Start         time.Time
	Done, Refused int
}

// Chart draws how often something was done on each day, and how often refused,
// with the same figures as a table beside it. Take one from NewChart.
type Chart struct {
	Title, Done, Refused Text // Refused is zero where nothing is ever refused
	None                 Text // said where there is nothing to draw
	ID                   string

	Bars          []Bar
	Width, Height int
	Total, Most   int // of all days, and on one of them
}

// Bar is one day, in units of the chart's view box: what was refused stands on
// top of what was done.
type Bar struct {
	Day
	X, Wide           int
	DoneY, DoneHigh   int
	RefusedY, RefHigh int
}

const (
	barWidth    = 10
	barGap      = 4
	chartHeight = 120
	fewestDays  = 14 // a chart of fewer is as wide, so that one day is no wall
)

// NewChart measures the columns of these days, oldest first.
func NewChart(days []Day) Chart {
	c := Chart{Height: chartHeight, Width: max(len(days), fewestDays) * (barWidth + barGap)}
	for _, d := range days {
		c.Most = max(c.Most, d.Done+d.Refused)
		c.Total += d.Done + d.Refused
	}
	for i, d := range days {
		b := Bar{Day: d, X: i * (barWidth + barGap), Wide: barWidth}
		b.RefHigh = c.high(d.Refused)
		b.DoneHigh = min(c.high(d.Done), chartHeight-b.RefHigh)
		b.DoneY = chartHeight - b.DoneHigh
		b.RefusedY = b.DoneY - b.RefHigh
		c.Bars = append(c.Bars, b)
	}
	return c
}

// high is the height of so many on one day. What happened at all is seen.
func (c Chart) high(n int) int {
	if n == 0 {
		return 0
	}
	return max(1, n*chartHeight/c.Most)
}

// First is the day on the left, of a chart that has any.
func (c Chart) First() time.Time { return c.Bars[0].Start }

// Last is the day on the right, of a chart that has any.
func (c Chart) Last() time.Time { return c.Bars[len(c.Bars)-1].Start }
