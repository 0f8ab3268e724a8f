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
	Total         int
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
)

// NewChart measures the columns of these days, oldest first.
func NewChart(days []Day) Chart {
	c := Chart{Height: chartHeight, Width: len(days) * (barWidth + barGap)}
	most := 0
	for _, d := range days {
		most = max(most, d.Done+d.Refused)
		c.Total += d.Done + d.Refused
	}
	for i, d := range days {
		b := Bar{Day: d, X: i * (barWidth + barGap), Wide: barWidth}
		if most > 0 {
			b.DoneHigh, b.RefHigh = d.Done*chartHeight/most, d.Refused*chartHeight/most
		}
		b.DoneY = chartHeight - b.DoneHigh
		b.RefusedY = b.DoneY - b.RefHigh
		c.Bars = append(c.Bars, b)
	}
	return c
}
