package job

import (
	"fmt"
	"regexp"
	"strconv"
	"sync"
	"time"

	"github.com/air-executor/air-executor/internal/words"
)

// ago is how long ago: 2d, 1w12h, 90m.
var ago = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(?:(\d{1,3})w)?(?:(\d{1,4})d)?(?:(\d{1,5})h)?(?:(\d{1,7})m)?(?:(\d{1,9})s)?$`)
})

// ParseSince reads an instant that has passed, as seen from now and in its time zone:
//
//	90m, 12h, 2d, 1w, 1d12h   so long ago; a day has 24 hours
//	today, yesterday          the beginning of that day
//	08:30                     when it was that last
//	2026-03-01, 2026-03-01 08:30, 2026-03-01T08:30:00Z
//
// An error quotes the value.
func ParseSince(s string, now time.Time) (time.Time, error) {
	if m := ago().FindStringSubmatch(s); m != nil && s != "" {
		var d time.Duration
		for i, unit := range []time.Duration{7 * 24 * time.Hour, 24 * time.Hour, time.Hour, time.Minute, time.Second} {
			n, _ := strconv.Atoi("0" + m[i+1]) // digits, few enough
			d += time.Duration(n) * unit
		}
		return now.Add(-d), nil
	}
	midnight := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	switch s {
	case "today":
		return midnight, nil
	case "yesterday":
		return midnight.AddDate(0, 0, -1), nil
	}
	for _, form := range []string{"15:04", "15:04:05"} {
		if t, err := time.Parse(form, s); err == nil {
			at := time.Date(now.Year(), now.Month(), now.Day(), t.Hour(), t.Minute(), t.Second(), 0, now.Location())
			if at.After(now) {
				at = at.AddDate(0, 0, -1)
			}
			return at, nil
		}
	}
	for _, form := range []string{time.DateOnly, "2006-01-02 15:04", "2006-01-02T15:04", time.DateTime, "2006-01-02T15:04:05", time.RFC3339, "2006-01-02 15:04:05Z07:00"} {
		if t, err := time.ParseInLocation(form, s, now.Location()); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("want how long ago, as in 90m, 12h or 2d, or a time such as yesterday, 08:30 or \"2026-03-01 08:30\", got %s", words.Quote(s))
}
