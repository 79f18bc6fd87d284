package job

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/air-executor/air-executor/internal/words"
)

// MaxPlaces is how many places a pool has at most.
const MaxPlaces = 10_000

// MaxParallel is how many tasks of one job may be allowed to run at once.
const MaxParallel = 10_000

// maxPoolName is the longest name of a pool, in bytes.
const maxPoolName = 50

// Places are a number of places in a pool.
type Places struct {
	Pool  string
	Count int // at least 1
}

// String is the name of the pool, with :N for more than one place.
func (p Places) String() string {
	if p.Count == 1 {
		return p.Pool
	}
	return p.Pool + ":" + strconv.Itoa(p.Count)
}

// ParsePlaces reads what Places.String returns; gpu:1 is the same as gpu.
func ParsePlaces(s string) (Places, error) {
	name, count, more := strings.Cut(s, ":")
	p := Places{Pool: name, Count: 1}
	if err := CheckPool(name); err != nil {
		return p, err
	}
	if !more {
		return p, nil
	}
	n, err := strconv.Atoi(count)
	if err != nil || n < 1 || n > MaxPlaces || count != strconv.Itoa(n) {
		return p, fmt.Errorf("want NAME or NAME:PLACES such as gpu:2, at most %d places, got %s", MaxPlaces, words.Quote(s))
	}
	p.Count = n
	return p, nil
}

// CheckPool returns an error for what is not the name of a pool: small letters,
// digits and -, with a letter first. It becomes a part of the name of a variable.
func CheckPool(name string) error {
	bad := func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' }
	switch {
	case name == "":
		return errors.New("the name of a pool is empty")
	case len(name) > maxPoolName:
		return fmt.Errorf("the name of a pool has at most %d characters, got %s", maxPoolName, words.Quote(name))
	case name[0] < 'a' || name[0] > 'z' || strings.ContainsFunc(name, bad):
		return fmt.Errorf("the name of a pool is small letters, digits and -, with a letter first, such as gpu, got %s", words.Quote(name))
	}
	return nil
}

// NormalPools sorts what a task needs of pools, and writes each in one way. It
// refuses a pool that is named twice.
func NormalPools(list []string) ([]string, error) {
	var out []string
	var names []string
	for _, s := range list {
		p, err := ParsePlaces(s)
		if err != nil {
			return nil, err
		}
		if slices.Contains(names, p.Pool) {
			return nil, fmt.Errorf("names pool %s twice; for two places write %s:2", p.Pool, p.Pool)
		}
		names = append(names, p.Pool)
		out = append(out, p.String())
	}
	slices.Sort(out)
	return out, nil
}
