package job

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/air-executor/air-executor/internal/words"
)

// MinDuration is the shortest time limit.
const MinDuration = time.Millisecond

// noTimeout is how users write NoTimeout.
const noTimeout = "none"

// ParseTimeout reads the time limit of a task: "none" for NoTimeout, or anything that
// ParseDuration accepts.
func ParseTimeout(s string) (time.Duration, error) {
	if s == noTimeout {
		return NoTimeout, nil
	}
	return parseDuration(s, " or none")
}

// ParseDuration reads a time such as 90s or 5m, or a whole number of seconds. It
// must be at least a millisecond. An error quotes the value.
func ParseDuration(s string) (time.Duration, error) { return parseDuration(s, "") }

func parseDuration(s, or string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if n, e := strconv.ParseUint(strings.TrimPrefix(s, "+"), 10, 64); e == nil {
		if n > uint64(math.MaxInt64/time.Second) {
			return 0, fmt.Errorf("%s seconds are too long", s)
		}
		d, err = time.Duration(n)*time.Second, nil
	}
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("want a time above zero such as 90s or 5m%s, got %s", or, words.Quote(s))
	}
	if d < MinDuration {
		return 0, fmt.Errorf("want at least %s, got %s", MinDuration, s)
	}
	return min(d, NoTimeout), nil
}

// ParseSeconds reads a number of seconds as it is written in JSON: decimals exactly,
// and numbers with an exponent as nearly as a float64 can. It reports whether they
// fit in a Duration.
func ParseSeconds(s string) (time.Duration, bool) {
	if d, err := time.ParseDuration(s + "s"); err == nil {
		return d, true
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.Abs(f) >= float64(math.MaxInt64/time.Second) {
		return 0, false
	}
	return time.Duration(math.Round(f * float64(time.Second))), true
}
