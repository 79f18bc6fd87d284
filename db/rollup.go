package db

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"github.com/air-executor/air-executor/job"
)

// Buckets is how many bounded buckets a Histogram has. One more has what is longer.
const Buckets = 48

// Histogram counts durations. Bucket i counts those that are longer than the bound
// before, and not longer than [BucketBound] of i.
type Histogram struct {
	Sum    int64 // of all, microseconds
	Counts [Buckets + 1]int64
}

// BucketBound is the upper bound of a bucket: 1 ms for bucket 0, √2 times as much for each
// one after it. That of the last one, Buckets, is infinite.
func BucketBound(i int) (seconds float64) {
	if i >= Buckets {
		return math.Inf(1)
	}
	return math.Pow(2, float64(i)/2) / 1000
}

// Add counts a duration. One below 0, of a clock that was set back, counts as 0.
func (h *Histogram) Add(d time.Duration) {
	us := max(d.Microseconds(), 0)
	i := 0
	if us > 1000 {
		i = min(int(math.Ceil(2*math.Log2(float64(us)/1000))), Buckets)
	}
	h.Sum += us
	h.Counts[i]++
}

// Count is how many durations were counted.
func (h *Histogram) Count() (n int64) {
	for _, c := range h.Counts {
		n += c
	}
	return n
}

// Quantile estimates the duration, in seconds, that a share of all, from 0 to 1, does not
// exceed. It lies in the same bucket as the exact one. False: there are none.
func (h *Histogram) Quantile(share float64) (float64, bool) {
	n := h.Count()
	if n == 0 {
		return 0, false
	}
	rank := max(int64(math.Ceil(share*float64(n))), 1)
	for i, c := range h.Counts {
		if rank > c {
			rank -= c
			continue
		}
		low := 0.0
		if i > 0 {
			low = BucketBound(i - 1)
		}
		if i == Buckets {
			return low, true
		}
		return low + (BucketBound(i)-low)*float64(rank)/float64(c), true
	}
	return 0, false
}

// Outcomes is how many ends of an attempt are told apart.
const Outcomes = 8

// Outcome is how an attempt can end: completed, or failed with a reason. The order is
// that of the stored sums: new ones come last.
func Outcome(i int) (job.Status, job.Reason) {
	reasons := [Outcomes]job.Reason{"", job.Exited, job.Signaled, job.TimedOut, job.Cancelled, job.Lost, job.TooMuchOutput, job.NotStarted}
	if i == 0 {
		return job.Completed, ""
	}
	return job.Failed, reasons[i]
}

// Rollup sums up what has happened in a span of time.
type Rollup struct {
	Added      int64 // tasks; 0 in those of commands
	Started    int64 // attempts, also those that were given back
	UserTime   int64 // CPU time of the attempts that have ended, microseconds
	SystemTime int64
	Wait       Histogram // of attempts: from when their tasks could have run to their starts
	Completed  Histogram // how long completed attempts ran
	Failed     Histogram // how long failed attempts ran
	Ended      [Outcomes]int64
}

// ended counts an attempt that has ended.
func (r *Rollup) ended(result *job.Result, ran, user, system int64) {
	h, outcome := &r.Completed, 0
	if result.Status == job.Failed {
		h, outcome = &r.Failed, 1
		for i := 1; i < Outcomes; i++ {
			if _, reason := Outcome(i); reason == result.Reason {
				outcome = i
			}
		}
	}
	h.Add(micros(ran))
	r.Ended[outcome]++
	r.UserTime += user
	r.SystemTime += system
}

// Attempts is how many attempts have ended.
func (r *Rollup) Attempts() (n int64) {
	for _, one := range r.Ended {
		n += one
	}
	return n
}

// Add adds the sums of another span.
func (r *Rollup) Add(other *Rollup) {
	from := other.fields()
	for i, to := range r.fields() {
		*to += *from[i]
	}
}

// fields are all sums in the order in which they are stored. New ones are added at the end.
func (r *Rollup) fields() []*int64 {
	out := make([]*int64, 0, 7+3*(Buckets+1)+Outcomes)
	out = append(out, &r.Added, &r.Started, &r.UserTime, &r.SystemTime)
	for _, h := range []*Histogram{&r.Wait, &r.Completed, &r.Failed} {
		out = append(out, &h.Sum)
		for i := range h.Counts {
			out = append(out, &h.Counts[i])
		}
	}
	for i := range r.Ended {
		out = append(out, &r.Ended[i])
	}
	return out
}

// encode writes the sums as varints.
func (r *Rollup) encode() []byte {
	out := make([]byte, 0, 256)
	for _, f := range r.fields() {
		out = binary.AppendVarint(out, *f)
	}
	return out
}

// addEncoded adds sums that were stored, also by a version that has fewer.
func (r *Rollup) addEncoded(b []byte) error {
	for _, f := range r.fields() {
		if len(b) == 0 {
			return nil
		}
		v, n := binary.Varint(b)
		if n <= 0 {
			return fmt.Errorf("%w: a roll-up cannot be read", ErrCorrupt)
		}
		*f += v
		b = b[n:]
	}
	return nil
}
