package job

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// minDuration is the shortest time that makes sense for a limit.
const minDuration = time.Millisecond

// noTimeout is how people write NoTimeout.
const noTimeout = "none"

// ParseTimeout reads the time limit of a task: what ParseDuration reads, or
// "none" for NoTimeout.
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
		return 0, fmt.Errorf("want a time above zero such as 90s or 5m%s, got %s", or, quote(s))
	}
	if d < minDuration {
		return 0, fmt.Errorf("want at least %s, got %s", minDuration, s)
	}
	return min(d, NoTimeout), nil
}
