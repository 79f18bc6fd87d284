package job

import (
	"strings"
	"testing"
	"time"
)

func TestAgesMayBeDaysAndWeeks(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"30d": 30 * 24 * time.Hour, "2w": 14 * 24 * time.Hour, "12h": 12 * time.Hour,
		"90": 90 * time.Second, "0": 0, "0s": 0, "0d": 0, "106751d": 106751 * 24 * time.Hour,
	} {
		if got, err := ParseAge(text); err != nil || got != want {
			t.Errorf("ParseAge(%q) = %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "d", "-1d", "1.5d", "30 d", "month", "999999999999d", "106752d", "-5m"} {
		if got, err := ParseAge(text); err == nil || !strings.Contains(err.Error(), "30d") {
			t.Errorf("ParseAge(%q) = %v, %v, want an error with an example", text, got, err)
		}
	}
}
