package job

import (
	"fmt"
	"strings"
	"time"

	"github.com/air-executor/air-executor/internal/words"
)

// wantWhen is how a time to start at is written.
const wantWhen = "2026-03-29T22:30:00+02:00, 22:30, tomorrow 09:00, friday 18:00 or +90m"

// When reads when a task is to start, as people say it: an instant with an offset
// (RFC 3339), a date and a time of day, a time of day (the next one), today, tomorrow or a
// weekday with one, or + and a duration from now. Times without an offset are those of
// the zone. The note says what is odd, for people: that the time is in the past, does
// not exist in the zone (then it is the next that does) or comes twice (then it is the
// first). An error quotes the text.
func When(text string, now time.Time, zone *time.Location) (at time.Time, note string, err error) {
	now = now.In(zone)
	bad := fmt.Errorf("bad time %s, want a form such as %s", words.Quote(text), wantWhen)
	if after, plus := strings.CutPrefix(text, "+"); plus {
		d, err := ParseDuration(after)
		if err != nil || strings.HasPrefix(after, "+") {
			return at, "", bad
		}
		return now.Add(d), "", nil
	}
	if _, zoned, ok := cutOffset(text); ok && zoned {
		if at, ok = parseTime(text); !ok {
			return at, "", bad
		}
		return at, past(at, now), nil
	}
	wall, ok := wallClock(text, now)
	if !ok {
		return at, "", bad
	}
	at, note = local(wall, zone)
	switch {
	case note == "":
		note = past(at, now)
	case at.Before(now):
		note += ", which is in the past: at once"
	}
	return at, note, nil
}

// past is the note on a time in the past.
func past(at, now time.Time) string {
	if !at.Before(now) {
		return ""
	}
	return at.In(now.Location()).Format("2006-01-02 15:04:05 MST") + " is in the past: it runs at once"
}

// cutOffset splits the offset off a date and a time.
func cutOffset(s string) (rest string, zoned, ok bool) {
	const day = len("2006-01-02T")
	if len(s) <= day {
		return s, false, false
	}
	i := strings.IndexAny(s[day:], "Z+-")
	if i < 0 {
		return s, false, true
	}
	return s[:day+i], true, true
}

// wallClock reads a time without an offset, as the same numbers in UTC.
func wallClock(text string, now time.Time) (time.Time, bool) {
	day, clock, two := strings.Cut(text, " ")
	if !two {
		day, clock = "", text
		if d, c, ok := strings.Cut(text, "T"); ok && len(d) == len("2006-01-02") {
			day, clock = d, c
		}
	}
	hour, minute, second, ok := timeOfDay(clock)
	if !ok {
		return time.Time{}, false
	}
	on := func(days int) time.Time {
		return time.Date(now.Year(), now.Month(), now.Day()+days, hour, minute, second, 0, time.UTC)
	}
	gone := !on(0).After(time.Date(now.Year(), now.Month(), now.Day(), now.Hour(), now.Minute(), now.Second(), 0, time.UTC))
	switch day = strings.ToLower(day); day {
	case "":
		if gone {
			return on(1), true
		}
		return on(0), true
	case "today":
		return on(0), true
	case "tomorrow":
		return on(1), true
	}
	for d := time.Sunday; d <= time.Saturday; d++ {
		if name := strings.ToLower(d.String()); day == name || day == name[:3] {
			days := (int(d-now.Weekday()) + 7) % 7
			if days == 0 && gone {
				days = 7
			}
			return on(days), true
		}
	}
	date, ok := parseTime(day)
	if !ok || len(day) != len("2006-01-02") {
		return time.Time{}, false
	}
	return time.Date(date.Year(), date.Month(), date.Day(), hour, minute, second, 0, time.UTC), true
}

// timeOfDay reads 22:30 or 22:30:15.
func timeOfDay(s string) (hour, minute, second int, ok bool) {
	if len(s) == len("22:30") {
		s += ":00"
	}
	if len(s) != len("22:30:15") || s[2] != ':' || s[5] != ':' {
		return 0, 0, 0, false
	}
	hour, minute, second = digits(s[0:2]), digits(s[3:5]), digits(s[6:8])
	return hour, minute, second, min(hour, minute, second) >= 0 && hour < 24 && minute < 60 && second < 60
}

// local is the first instant at which the clocks of a zone show a time. If they never
// do, since they are put forward over it, it is the instant at which that happens.
func local(wall time.Time, zone *time.Location) (at time.Time, note string) {
	const day = 24 * time.Hour
	shown := func(by time.Duration) (time.Time, bool) { // with the offset that is in force then
		_, offset := wall.Add(by).In(zone).Zone()
		at := wall.Add(-time.Duration(offset) * time.Second).In(zone)
		_, is := at.Zone()
		return at, is == offset
	}
	before, first := shown(-day)
	after, second := shown(day)
	switch {
	case first && second && !before.Equal(after):
		if after.Before(before) {
			before = after
		}
		return before, fmt.Sprintf("%s comes twice in %s: it runs at the first, %s", wall.Format("2006-01-02 15:04:05"), zone, before.Format("15:04:05 MST"))
	case first:
		return before, ""
	case second:
		return after, ""
	}
	at, _ = before.ZoneBounds()
	return at, fmt.Sprintf("%s does not exist in %s, where clocks are put forward: it runs at %s", wall.Format("2006-01-02 15:04:05"), zone, at.Format("15:04:05 MST"))
}
