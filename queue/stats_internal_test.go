package queue

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestPercentilesAreValuesThatThereWere(t *testing.T) {
	var d []time.Duration
	for i := range 200 {
		d = append(d, time.Duration(i+1))
	}
	for _, c := range []struct {
		n    int
		want Percentiles
	}{{0, Percentiles{}}, {1, Percentiles{1, 1, 1, 1}}, {2, Percentiles{2, 1, 2, 2}}, {100, Percentiles{100, 50, 95, 99}}, {200, Percentiles{200, 100, 190, 198}}} {
		if diff := cmp.Diff(c.want, percentiles(d[:c.n])); diff != "" {
			t.Errorf("of %d (-want +got):\n%s", c.n, diff)
		}
	}
}

func TestASpanIsDividedInPeriodsThatFitOnAScreen(t *testing.T) {
	until := time.Date(2026, 3, 10, 9, 20, 0, 0, time.UTC)
	for span, want := range map[time.Duration]time.Duration{
		time.Minute: 5 * time.Minute, time.Hour: 5 * time.Minute, 24 * time.Hour: time.Hour,
		7 * 24 * time.Hour: 12 * time.Hour, 365 * 24 * time.Hour: 28 * 24 * time.Hour,
	} {
		s := Stats{Since: until.Add(-span), Until: until}
		s.count(s.Since)
		s.count(until.Add(-time.Second))
		n := len(s.Periods)
		if s.Size != want || n > mostPeriods || s.Periods[0].From.After(s.Since) || !s.Periods[n-1].From.Before(until) {
			t.Errorf("%s: %d of %s, want of %s: %+v", span, n, s.Size, want, s.Periods)
		}
		if got := s.Periods[0].Count + s.Periods[n-1].Count; n > 1 && got != 2 {
			t.Errorf("%s: counted %d, want 2", span, got)
		}
	}
}
