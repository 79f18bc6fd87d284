package job

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/air-executor/air-executor/internal/words"
)

// MaxUniqueKey is how long the key of a task that is to be queued once may be, in bytes.
const MaxUniqueKey = 255

// UniqueFor says how long the key of a task keeps others with the same key out of its
// job: until it has ended, until it starts, or for a time from when it was queued.
type UniqueFor time.Duration

// The values of UniqueFor that are no time. The zero value is the default.
const (
	UniqueWhileUnfinished UniqueFor = 0  // "running": until it has ended
	UniqueWhilePending    UniqueFor = -1 // "pending": until it starts, or has ended
)

// ParseUniqueFor reads "running", "pending", or a time such as 10m.
func ParseUniqueFor(text string) (UniqueFor, error) {
	switch text {
	case "running":
		return UniqueWhileUnfinished, nil
	case "pending":
		return UniqueWhilePending, nil
	}
	d, err := ParseDuration(text)
	if err != nil && strings.HasPrefix(err.Error(), "want a time above zero") {
		return 0, fmt.Errorf("want running, pending or a time above zero such as 10m, got %s", words.Quote(text))
	}
	return UniqueFor(d), err
}

// String is the word or the time that ParseUniqueFor reads.
func (u UniqueFor) String() string {
	switch u {
	case UniqueWhileUnfinished:
		return "running"
	case UniqueWhilePending:
		return "pending"
	}
	return time.Duration(u).String()
}

// CheckUniqueKey returns an error that says what is wrong with the key of a task that
// is to be queued once, or nil. It is printable text, 1 to 255 bytes.
func CheckUniqueKey(key string) error {
	switch {
	case key == "":
		return fmt.Errorf("unique key is empty")
	case !utf8.ValidString(key):
		return fmt.Errorf("unique key is not valid UTF-8")
	case len(key) > MaxUniqueKey:
		return fmt.Errorf("unique key %q… has %d bytes, at most %d are allowed", words.Clip(key), len(key), MaxUniqueKey)
	}
	for _, r := range key {
		if !unicode.IsPrint(r) {
			return fmt.Errorf("unique key %q contains the unprintable character %U", key, r)
		}
	}
	return nil
}
