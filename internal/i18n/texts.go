package i18n

import (
	"maps"
	"time"

	goi18n "github.com/nicksnyder/go-i18n/v2/i18n"
)

// Texts says things in one language. It is safe for concurrent use.
type Texts struct {
	tag       string
	localizer *goi18n.Localizer
}

// Tag is the language's BCP 47 tag, as for an HTML lang attribute.
func (t *Texts) Tag() string { return t.tag }

// T gives the text of a key. Pairs fill its placeholders, a name and its value
// by turns: T("login.wait", "Time", "14:35"). What the language lacks is said
// in English; an unknown key is given back as it is, so that a slip shows up
// on the page and breaks nothing.
func (t *Texts) T(key string, pairs ...any) string {
	return t.say(&goi18n.LocalizeConfig{MessageID: key, TemplateData: values(pairs)})
}

// N is T for a text that depends on a number: it takes the plural form that
// the language has for n, and fills {{.Count}} with it.
func (t *Texts) N(key string, n int, pairs ...any) string {
	data := map[string]any{"Count": n}
	maps.Copy(data, values(pairs))
	return t.say(&goi18n.LocalizeConfig{MessageID: key, TemplateData: data, PluralCount: n})
}

func (t *Texts) say(what *goi18n.LocalizeConfig) string {
	// An error may come with the best text there is, the English one.
	text, _ := t.localizer.Localize(what)
	if text == "" {
		return what.MessageID
	}
	return text
}

// values makes a map of pairs; a name without a value, or a value without a
// name, is left out.
func values(pairs []any) map[string]any {
	data := make(map[string]any, len(pairs)/2+1)
	for i := 0; i+1 < len(pairs); i += 2 {
		if name, ok := pairs[i].(string); ok {
			data[name] = pairs[i+1]
		}
	}
	return data
}

var months = [...]string{
	"time.january", "time.february", "time.march", "time.april", "time.may", "time.june",
	"time.july", "time.august", "time.september", "time.october", "time.november", "time.december",
}

// Date writes a day, "23 November 2026", as it is in a place; nil means UTC.
func (t *Texts) Date(at time.Time, in *time.Location) string {
	at = at.In(place(in))
	return t.T("time.date", "Day", at.Day(), "Month", t.T(months[at.Month()-1]), "Year", at.Year())
}

// Clock writes a time of day to the minute, "14:35". Where no place is given
// it is UTC, and says so: "14:35 UTC".
func (t *Texts) Clock(at time.Time, in *time.Location) string {
	clock := t.T("time.clock", "Clock", at.In(place(in)).Format("15:04"))
	if in == nil {
		return t.T("time.utc", "Clock", clock)
	}
	return clock
}

// DateTime writes day and time of day: "23 November 2026, 14:35 UTC".
func (t *Texts) DateTime(at time.Time, in *time.Location) string {
	return t.T("time.dateAndClock", "Date", t.Date(at, in), "Clock", t.Clock(at, in))
}

func place(in *time.Location) *time.Location {
	if in == nil {
		return time.UTC
	}
	return in
}

// Duration writes a length of time: in days or hours where it is whole, else
// in minutes, under a minute in seconds. It rounds up, so that people who wait
// as long as they were told have waited long enough.
func (t *Texts) Duration(d time.Duration) string {
	const day = 24 * time.Hour
	d = roundUp(max(d, 0), time.Second)
	if d >= time.Minute {
		d = roundUp(d, time.Minute)
	}
	switch {
	case d >= 2*day && d%day == 0:
		return t.N("time.days", int(d/day))
	case d >= time.Hour && d%time.Hour == 0:
		return t.N("time.hours", int(d/time.Hour))
	case d >= time.Minute:
		return t.N("time.minutes", int(d/time.Minute))
	default:
		return t.N("time.seconds", int(d/time.Second))
	}
}

func roundUp(d, unit time.Duration) time.Duration { return (d + unit - 1) / unit * unit }
