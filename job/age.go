package job

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/air-executor/air-executor/internal/words"
)

const day = 24 * time.Hour

// ageUnits are the units of an age beside those of a duration.
var ageUnits = map[byte]time.Duration{'d': day, 'w': 7 * day}

// ParseAge reads how old something is: 30d, 2w, or what ParseDuration reads; 0 is an
// age, too. A day has 24 hours. An error quotes the value.
func ParseAge(s string) (time.Duration, error) {
	if s == "0" {
		return 0, nil
	}
	if n := len(s) - 1; n > 0 {
		if unit := ageUnits[s[n]]; unit > 0 {
			if count, err := strconv.ParseUint(s[:n], 10, 32); err == nil && count <= math.MaxInt64/uint64(unit) {
				return time.Duration(count) * unit, nil
			}
		}
	}
	if d, err := time.ParseDuration(s); err == nil && d == 0 {
		return 0, nil
	}
	d, err := ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("want an age such as 30d, 2w or 12h, got %s", words.Quote(s))
	}
	return d, nil
}
