package job_test

import (
	"testing"
	"time"

	"github.com/air-executor/air-executor/job"
)

func TestParseTimeout(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"90": 90 * time.Second, "90s": 90 * time.Second, "5m": 5 * time.Minute, "1h30m": 90 * time.Minute, "1ms": time.Millisecond,
		"100000h": 100000 * time.Hour, "none": job.NoTimeout, "9223372036": 9223372036 * time.Second,
	} {
		if got, err := job.ParseTimeout(text); err != nil || got != want {
			t.Errorf("%s: %s, %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{
		"", "0", "0s", "-1s", "-5", "5x", "soon", "None", "500ns", "999us", "18446744074", "9223372037", "99999999999999999999", "10000000h", "1e3", " 5s",
	} {
		if got, err := job.ParseTimeout(text); err == nil {
			t.Errorf("%q: %s, want an error", text, got)
		}
	}
	if got, err := job.ParseDuration("none"); err == nil {
		t.Errorf("a duration of none: %s, want an error", got)
	}
}
