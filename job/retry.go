package job

import (
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/air-executor/air-executor/internal/words"
)

// Retry says how a task is tried again after an attempt has failed. The zero value is
// as usual, and so is every field that is zero.
type Retry struct {
	Delay    time.Duration // before the second attempt; usually 10s
	Backoff  float64       // each delay is so many times the one before; usually 2
	MaxDelay time.Duration // no delay is longer, but for the jitter; usually 1h, or the Delay if that is longer
	Jitter   int           // a delay is made longer or shorter at random by up to so many percent; usually 10; NoJitter: none
	On       []string      // failures after which it is tried again, see CheckFailure; usually all
	NotOn    []string      // failures after which it is not; usually exit code 100; "none": there are none
}

// What a Retry is usually.
const (
	UsualRetryDelay    = 10 * time.Second
	UsualRetryBackoff  = 2
	UsualRetryMaxDelay = time.Hour
	UsualRetryJitter   = 10
	UsualNotOn         = "100"
)

const (
	// NoRetries are the Retries of a task that is not to be tried again, whatever its
	// job or the configuration says.
	NoRetries = -1
	// NoJitter is the Jitter of delays that are exact.
	NoJitter = -1

	MaxRetries      = 10_000 // most Retries
	MaxRetryBackoff = 100    // largest Backoff
	noFailures      = "none"
)

// failures are the words for failures that are no exit codes.
var failures = map[string]Reason{
	"signal": Signaled, "timeout": TimedOut, "lost": Lost, "output": TooMuchOutput, "not-started": NotStarted,
}

// CheckFailure returns an error for a text that names no failure: an exit code from 1 to
// 255, signal, timeout, lost, output or not-started.
func CheckFailure(s string) error {
	if n, err := strconv.Atoi(s); err == nil && n > 0 && n < 256 && strconv.Itoa(n) == s || failures[s] != "" {
		return nil
	}
	return fmt.Errorf("want exit codes from 1 to 255, signal, timeout, lost, output or not-started, got %s", words.Quote(s))
}

// CheckNoFailure is CheckFailure for NotOn, where none says that there are none.
func CheckNoFailure(s string) error {
	if s == noFailures {
		return nil
	}
	return CheckFailure(s)
}

// ErrBothFailures is the error about a failure that is to be tried again and not to be.
var ErrBothFailures = errors.New("is also to be tried again")

// Check returns what in it contradicts itself, or nil. What is as usual contradicts
// nothing.
func (r Retry) Check() error {
	if r.Delay > 0 && r.MaxDelay > 0 && r.Delay > r.MaxDelay {
		return fmt.Errorf("%s is less than the first delay, which is %s", r.MaxDelay, r.Delay)
	}
	for _, f := range r.NotOn {
		if slices.Contains(r.On, f) {
			return fmt.Errorf("%s %w", words.Quote(f), ErrBothFailures)
		}
	}
	return nil
}

// Counts reports whether a task is tried again after a result. A cancelled one never is.
func (r Retry) Counts(result Result) bool {
	is := func(name string) bool {
		if result.Reason == Exited {
			return result.ExitCode != nil && name == strconv.Itoa(*result.ExitCode)
		}
		return failures[name] == result.Reason
	}
	not := r.NotOn
	if len(not) == 0 {
		not = []string{UsualNotOn}
	}
	switch {
	case result.Status != Failed || result.Reason == Cancelled || slices.ContainsFunc(not, is):
		return false
	case len(r.On) == 0:
		return true
	}
	return slices.ContainsFunc(r.On, is)
}

// Wait is how long to wait after so many failed attempts, 1 or more. The jitter follows
// from the seed, so that the same seed makes the same delay.
func (r Retry) Wait(failed int, seed string) time.Duration {
	first, most, backoff := r.Delay, r.MaxDelay, r.Backoff
	if first == 0 {
		first = UsualRetryDelay
	}
	if most == 0 {
		most = max(UsualRetryMaxDelay, first)
	}
	if backoff == 0 {
		backoff = UsualRetryBackoff
	}
	wait := math.Min(float64(first)*math.Pow(backoff, float64(failed-1)), float64(most))
	h := fnv.New64a()
	_, _ = h.Write([]byte(seed)) // never fails
	chance := float64(h.Sum64()>>11) / (1 << 53)
	wait *= 1 + (2*chance-1)*float64(r.jitter())/100
	return max(time.Duration(math.Min(wait, float64(NoTimeout)/2)), MinDuration)
}

func (r Retry) jitter() int {
	switch r.Jitter {
	case 0:
		return UsualRetryJitter
	case NoJitter:
		return 0
	}
	return r.Jitter
}

// IsZero reports whether everything is as usual.
func (r Retry) IsZero() bool {
	return r.Delay == 0 && r.Backoff == 0 && r.MaxDelay == 0 && r.Jitter == 0 && len(r.On) == 0 && len(r.NotOn) == 0
}

// DefaultRetries gives a task the retries that others say, where it does not say them
// itself: those of its job first, then those of the configuration.
func (s *Spec) DefaultRetries(others ...Spec) {
	for _, o := range others {
		if s.Retries == 0 {
			s.Retries = o.Retries
		}
		r, d := &s.Retry, o.Retry
		r.Delay = or(r.Delay, d.Delay)
		r.Backoff = or(r.Backoff, d.Backoff)
		r.MaxDelay = or(r.MaxDelay, d.MaxDelay)
		r.Jitter = or(r.Jitter, d.Jitter)
		if len(r.On) == 0 {
			r.On = d.On
		}
		if len(r.NotOn) == 0 {
			r.NotOn = d.NotOn
		}
	}
	if r := &s.Retry; r.MaxDelay > 0 {
		r.Delay = min(r.Delay, r.MaxDelay)
	}
}

func or[T time.Duration | float64 | int](a, b T) T {
	if a == 0 {
		return b
	}
	return a
}
