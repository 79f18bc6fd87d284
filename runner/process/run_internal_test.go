package process

import (
	"testing"
	"time"

	"github.com/air-executor/air-executor/job"
)

func TestACommandIsWarnedShortlyBeforeItsTimeLimit(t *testing.T) {
	for _, c := range []struct{ limit, left time.Duration }{
		{time.Second, 0}, // not at all
		{2*time.Minute - 1, 0},
		{2 * time.Minute, 12 * time.Second},
		{5 * time.Minute, 30 * time.Second},
		{10 * time.Minute, time.Minute},
		{30 * time.Minute, time.Minute},
		{48 * time.Hour, time.Minute},
		{job.NoTimeout, 0},
	} {
		var told []time.Duration
		r := &run{c: Command{Timeout: c.limit, Warn: func(left time.Duration) { told = append(told, left) }}}
		begin := time.Now()
		r.setTimes(begin)
		for _, before := range []time.Duration{c.left + time.Second, c.left, c.left / 2} {
			if c.left > 0 && r.mustEnd(begin.Add(c.limit-before)) {
				t.Errorf("limit %s: it strikes %s early", c.limit, before)
			}
			if want := c.left > 0 && before <= c.left; want != (len(told) == 1) {
				t.Errorf("limit %s, %s before it: warned %v", c.limit, before, told)
			}
		}
		if c.left > 0 && told[0] != c.left {
			t.Errorf("limit %s: warned of %s, want %s", c.limit, told[0], c.left)
		}
		if strikes := r.mustEnd(begin.Add(min(c.limit, 1000*time.Hour))); strikes != (c.limit != job.NoTimeout) {
			t.Errorf("limit %s: that it strikes is %t", c.limit, strikes)
		}
	}
}
