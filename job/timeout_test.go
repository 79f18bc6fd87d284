package job_test

import (
	"testing"
	"time"

	"github.com/air-executor/air-executor/job"
)

func TestNoTimeoutSurvivesItsWayThroughTheDatabase(t *testing.T) {
	stored := job.NoTimeout.Microseconds()
	if stored <= 0 {
		t.Errorf("stored as %d; the column must be above 0", stored)
	}
	if got := time.Duration(stored) * time.Microsecond; got != job.NoTimeout {
		t.Errorf("read back as %d, not %d", got, job.NoTimeout)
	}
}

func TestTimeoutForPeople(t *testing.T) {
	for d, want := range map[time.Duration]string{90 * time.Second: "1m30s", job.NoTimeout: "none"} {
		if got := job.TimeoutText(d); got != want {
			t.Errorf("%d: %q, want %q", d, got, want)
		}
	}
}
