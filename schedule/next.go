package schedule

import "time"

// everyHour reports whether the line fires in each hour of a day. Such a line goes
// by the time that passes: in spring it does not fire in the hour that is left out, and in
// autumn it fires in both hours of the same name.
func (l *Line) everyHour() bool { return l.hour == 1<<24-1 }

// next is the first time after the given one. Local time is taken as a row of
// periods in which it goes on evenly; between two, it leaps.
//
// A time that does not exist, because clocks leap over it, fires at the first instant
// after the leap. One that comes twice fires the first time.
func (l *Line) next(after time.Time, zone *time.Location) time.Time {
	after = after.In(zone).Truncate(time.Second)
	for {
		_, end := after.ZoneBounds()
		_, offset := after.Zone()
		wall := l.nextWall(l.notBefore(after))
		if wall.IsZero() {
			return time.Time{}
		}
		at := fromWall(wall, offset)
		if end.IsZero() || at.Before(end) {
			return at.In(zone)
		}
		if _, later := end.Zone(); !l.everyHour() && wall.Before(toWall(end, later)) {
			return end // it is left out
		}
		if at, ok := l.at(end); ok {
			return at
		}
		after = end
	}
}

// at is the instant t, at which a period begins, if the line fires then.
func (l *Line) at(t time.Time) (time.Time, bool) {
	_, offset := t.Zone()
	wall := toWall(t, offset)
	return t, l.nextWall(wall).Equal(wall) && (l.everyHour() || !comesAgain(t))
}

// notBefore is the local time from which on to look after an instant: the next second,
// or the end of the time that comes again, in which most lines do not fire.
func (l *Line) notBefore(after time.Time) time.Time {
	_, offset := after.Zone()
	from := toWall(after, offset).Add(time.Second)
	if l.everyHour() || !comesAgain(after) {
		return from
	}
	start, _ := after.ZoneBounds()
	_, before := start.Add(-1).Zone()
	if again := toWall(start, before); again.After(from) {
		return again
	}
	return from
}

// A wall is what a clock on the wall shows, kept as if it were UTC.

func toWall(t time.Time, offset int) time.Time {
	return t.UTC().Add(time.Duration(offset) * time.Second)
}

func fromWall(wall time.Time, offset int) time.Time {
	return wall.Add(-time.Duration(offset) * time.Second)
}

// nextWall is the first local time, not before the given one, that the line has;
// zero: none.
func (l *Line) nextWall(from time.Time) time.Time {
	year, month, day := from.Date()
	hour, minute, second := from.Clock()
	const most = 366 * 30 // there are 8 years between some leap days, and a weekday may be asked for
	for range most {
		if l.onDay(year, month, day) {
			if t, ok := l.onClock(hour, minute, second); ok {
				return time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Add(t)
			}
		}
		hour, minute, second = 0, 0, 0
		if !l.month.has(int(month)) {
			year, month, day = time.Date(year, month+1, 1, 0, 0, 0, 0, time.UTC).Date()
		} else {
			year, month, day = time.Date(year, month, day+1, 0, 0, 0, 0, time.UTC).Date()
		}
	}
	return time.Time{}
}

// onDay reports whether the line fires on a day. If both the day of the month and
// that of the week are given, one is enough.
func (l *Line) onDay(year int, month time.Month, day int) bool {
	if !l.month.has(int(month)) {
		return false
	}
	weekday := l.weekday.has(int(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Weekday()))
	if l.anyDay || l.anyWeekday {
		return l.day.has(day) && weekday
	}
	return l.day.has(day) || weekday
}

// onClock is the first time of a day, as what has passed since midnight, that is
// not before the given one.
func (l *Line) onClock(hour, minute, second int) (time.Duration, bool) {
	h := l.hour.from(hour)
	if h > hour {
		minute, second = 0, 0
	}
	m := l.minute.from(minute)
	if m > minute {
		second = 0
	}
	s := l.second.from(second)
	if h >= 0 && m >= 0 && s < 0 { // in a later minute
		m, s = l.minute.from(minute+1), l.second.from(0)
	}
	if h >= 0 && m < 0 { // in a later hour
		h, m, s = l.hour.from(h+1), l.minute.from(0), l.second.from(0)
	}
	if h < 0 {
		return 0, false
	}
	return time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(s)*time.Second, true
}
