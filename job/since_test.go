package job_test

import (
	"strings"
	"testing"
	"time"

	"github.com/air-executor/air-executor/job"
)

func TestSince(t *testing.T) {
	zone := time.FixedZone("", 2*60*60)
	now := time.Date(2026, 3, 10, 9, 0, 0, 0, zone)
	for text, want := range map[string]string{
		"90m":                       "2026-03-10T07:30:00+02:00",
		"2d":                        "2026-03-08T09:00:00+02:00",
		"1w":                        "2026-03-03T09:00:00+02:00",
		"1d12h":                     "2026-03-08T21:00:00+02:00",
		"30s":                       "2026-03-10T08:59:30+02:00",
		"today":                     "2026-03-10T00:00:00+02:00",
		"yesterday":                 "2026-03-09T00:00:00+02:00",
		"08:30":                     "2026-03-10T08:30:00+02:00",
		"22:15":                     "2026-03-09T22:15:00+02:00",
		"2026-03-01":                "2026-03-01T00:00:00+02:00",
		"2026-03-01 08:30":          "2026-03-01T08:30:00+02:00",
		"2026-03-01T08:30:05":       "2026-03-01T08:30:05+02:00",
		"2026-03-01T08:30:00Z":      "2026-03-01T08:30:00Z",
		"2026-03-01T08:30:00.5Z":    "2026-03-01T08:30:00Z",
		"2026-03-01T08:30:00-05:00": "2026-03-01T08:30:00-05:00",
	} {
		got, err := job.ParseSince(text, now)
		if err != nil || got.Format(time.RFC3339) != want {
			t.Errorf("%q: %s, %v, want %s", text, got.Format(time.RFC3339), err, want)
		}
	}
	for _, text := range []string{"", "2", "d", "2x", "-2d", "tomorrow", "25:00", "2026-02-30", "12345678901d"} {
		if got, err := job.ParseSince(text, now); err == nil || !strings.Contains(err.Error(), "got ") {
			t.Errorf("%q: %s, %v, want an error", text, got, err)
		}
	}
}
