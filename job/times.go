package job

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/air-executor/air-executor/internal/words"
)

// timeForm is the format of instants: RFC 3339, UTC, microseconds.
const timeForm = "2006-01-02T15:04:05.000000Z"

// FormatTime formats an instant as in state.json and tasks.json: RFC 3339 in UTC, with
// six digits of a second and Z. Further digits are cut off.
func FormatTime(t time.Time) string { return t.UTC().Format(timeForm) }

// ParseTime reads an instant in any of the formats that other tools write:
//
//	2025-10-02T10:30:15.123456Z
//	2025-10-02T10:30:15.123456
//	2025-10-02 10:30:15.123456+00:00
//	2025-10-02 10:30:15.123456
//	2025-10-02
//
// A date alone means its first instant. A time without an offset is in UTC; other
// offsets are converted. The fraction may be missing, or have one to nine digits. The
// result is in UTC. An error quotes the value.
func ParseTime(s string) (time.Time, error) {
	t, ok := parseTime(s)
	if !ok {
		return time.Time{}, fmt.Errorf("bad time %s, want a form such as 2025-10-02T10:30:15.123456Z", words.Quote(s))
	}
	return t, nil
}

// parseTime does not use time.Parse, which accepts a comma as decimal point, single
// digits for hours, and fractions of any length.
func parseTime(s string) (time.Time, bool) {
	const days, seconds = len("2006-01-02"), len("2006-01-02T15:04:05")
	if len(s) == days {
		s += "T00:00:00"
	}
	if len(s) < seconds || s[4] != '-' || s[7] != '-' || s[10] != 'T' && s[10] != ' ' || s[13] != ':' || s[16] != ':' {
		return time.Time{}, false
	}
	year, month, day := digits(s[0:4]), digits(s[5:7]), digits(s[8:10])
	hour, minute, second := digits(s[11:13]), digits(s[14:16]), digits(s[17:19])
	if min(year, month, day, hour, minute, second) < 0 || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, false
	}
	nanos, zone, ok := parseFraction(s[seconds:])
	if !ok {
		return time.Time{}, false
	}
	offset, ok := parseOffset(zone)
	if !ok {
		return time.Time{}, false
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, nanos, time.UTC)
	if t.Day() != day || int(t.Month()) != month { // such as 30 February
		return time.Time{}, false
	}
	t = t.Add(-offset)
	return t, t.Year() >= 0 && t.Year() <= 9999
}

// parseFraction splits ".123456Z" into nanoseconds and the rest.
func parseFraction(s string) (nanos int, rest string, ok bool) {
	if s == "" || s[0] != '.' {
		return 0, s, true
	}
	n := 1
	for ; n < len(s) && s[n] >= '0' && s[n] <= '9'; n++ {
		nanos = nanos*10 + int(s[n]-'0')
		if n > 9 {
			return 0, "", false
		}
	}
	for digit := n; digit <= 9; digit++ {
		nanos *= 10
	}
	return nanos, s[n:], n > 1
}

// parseOffset reads "", "Z" or "+05:30".
func parseOffset(s string) (time.Duration, bool) {
	if s == "" || s == "Z" {
		return 0, true
	}
	if len(s) != len("+05:30") || s[0] != '+' && s[0] != '-' || s[3] != ':' {
		return 0, false
	}
	hours, minutes := digits(s[1:3]), digits(s[4:6])
	if hours < 0 || hours > 23 || minutes < 0 || minutes > 59 {
		return 0, false
	}
	offset := time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute
	if s[0] == '-' {
		offset = -offset
	}
	return offset, true
}

// digits returns the value of a short string of digits, or -1.
func digits(s string) int {
	n := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return -1
		}
		n = n*10 + int(s[i]-'0')
	}
	return n
}

// UnixTime reads an instant that is written as a number: seconds since 1970, or
// milliseconds if the number is too large for seconds. Other tools read it in the same
// way.
func UnixTime(s string) (time.Time, error) {
	const (
		largest = 2e10 // seconds; the year 2603
		digits  = 6    // of a second
	)
	n, err := strconv.ParseFloat(s, 64)
	if n > largest || n < -largest {
		n /= 1000
	}
	if err != nil || n > largest || n < -largest {
		return time.Time{}, fmt.Errorf("bad time %s, want seconds since 1970", words.Quote(s))
	}
	scale := math.Pow10(digits)
	return time.UnixMicro(int64(math.Round(n * scale))).UTC(), nil
}
