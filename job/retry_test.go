package job_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/job"
)

func TestDelaysGrowUpToTheLongest(t *testing.T) {
	r := job.Retry{Delay: time.Second, Backoff: 3, MaxDelay: 20 * time.Second, Jitter: job.NoJitter}
	var got []time.Duration
	for n := range 5 {
		got = append(got, r.Wait(n+1, "seed"))
	}
	want := []time.Duration{time.Second, 3 * time.Second, 9 * time.Second, 20 * time.Second, 20 * time.Second}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("delays (-want +got):\n%s", diff)
	}
	if got := r.Wait(100_000, "seed"); got != 20*time.Second {
		t.Errorf("after very many: %s", got)
	}
	usual := job.Retry{Jitter: job.NoJitter}
	if a, b, c := usual.Wait(1, ""), usual.Wait(2, ""), usual.Wait(50, ""); a != 10*time.Second || b != 20*time.Second || c != time.Hour {
		t.Errorf("usually: %s, %s, …, %s", a, b, c)
	}
	long := job.Retry{Delay: 2 * time.Hour, Jitter: job.NoJitter}
	if a, b := long.Wait(1, ""), long.Wait(2, ""); a != 2*time.Hour || b != 2*time.Hour {
		t.Errorf("a first delay beyond the usual longest one: %s, %s", a, b)
	}
}

func TestWhatARetrySaysMustNotContradictItself(t *testing.T) {
	for _, c := range []struct {
		retry job.Retry
		want  string
	}{
		{job.Retry{}, ""},
		{job.Retry{Delay: 2 * time.Hour}, ""},
		{job.Retry{MaxDelay: time.Second}, ""},
		{job.Retry{Delay: time.Minute, MaxDelay: time.Minute}, ""},
		{job.Retry{Delay: time.Hour, MaxDelay: time.Minute}, "1m0s is less than the first delay, which is 1h0m0s"},
		{job.Retry{On: []string{"7"}, NotOn: []string{"8"}}, ""},
		{job.Retry{On: []string{"signal", "7"}, NotOn: []string{"100", "7"}}, `"7" is also to be tried again`},
	} {
		got := ""
		if err := c.retry.Check(); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%+v: %q, want %q", c.retry, got, c.want)
		}
	}
}

func TestTheLongestDelayOfTheConfigurationBoundsThatOfATask(t *testing.T) {
	s := job.Spec{Retry: job.Retry{Delay: time.Hour}}
	s.DefaultRetries(job.Spec{}, job.Spec{Retry: job.Retry{MaxDelay: time.Minute}})
	if err := s.Retry.Check(); err != nil || s.Retry.Delay != time.Minute {
		t.Errorf("delay %s: %v", s.Retry.Delay, err)
	}
}

func TestJitterIsWithinItsPercentAndFollowsFromTheSeed(t *testing.T) {
	r := job.Retry{Delay: 100 * time.Second, Jitter: 10}
	seen := map[time.Duration]bool{}
	shorter, longer := 0, 0
	for i := range 200 {
		seed := job.NewUUID()
		d := r.Wait(1, seed)
		if d < 90*time.Second || d > 110*time.Second {
			t.Errorf("%d: %s is not within 10%% of 100s", i, d)
		}
		if d != r.Wait(1, seed) {
			t.Errorf("seed %s makes two delays", seed)
		}
		if d < 100*time.Second {
			shorter++
		} else {
			longer++
		}
		seen[d] = true
	}
	if len(seen) < 190 || shorter < 50 || longer < 50 {
		t.Errorf("%d different delays, %d shorter, %d longer", len(seen), shorter, longer)
	}
}

func TestFailuresHaveNames(t *testing.T) {
	for _, s := range []string{"1", "255", "signal", "timeout", "lost", "output", "not-started"} {
		if err := job.CheckFailure(s); err != nil {
			t.Error(err)
		}
	}
	for _, s := range []string{"", "0", "256", "-1", "07", "+7", "7.0", "cancelled", "none", "Signal"} {
		if job.CheckFailure(s) == nil {
			t.Errorf("%q names a failure", s)
		}
	}
}
