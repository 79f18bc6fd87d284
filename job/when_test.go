package job_test

import (
	"strings"
	"testing"
	"time"

	"github.com/air-executor/air-executor/job"
)

func TestWhenReadsWhatPeopleSay(t *testing.T) {
	berlin := zone(t, "Europe/Berlin")
	now := time.Date(2026, 3, 27, 12, 0, 0, 0, berlin) // a Friday
	for text, want := range map[string]string{
		"+90m":                      "2026-03-27T13:30:00+01:00",
		"+1h30m":                    "2026-03-27T13:30:00+01:00",
		"22:30":                     "2026-03-27T22:30:00+01:00",
		"12:00":                     "2026-03-28T12:00:00+01:00",
		"11:59:59":                  "2026-03-28T11:59:59+01:00",
		"today 12:30":               "2026-03-27T12:30:00+01:00",
		"tomorrow 09:00":            "2026-03-28T09:00:00+01:00",
		"Friday 18:00":              "2026-03-27T18:00:00+01:00",
		"friday 09:00":              "2026-04-03T09:00:00+02:00",
		"thu 18:00":                 "2026-04-02T18:00:00+02:00",
		"sunday 12:00":              "2026-03-29T12:00:00+02:00",
		"2026-12-24 18:00":          "2026-12-24T18:00:00+01:00",
		"2026-12-24T18:00:30":       "2026-12-24T18:00:30+01:00",
		"2026-12-24T18:00:00Z":      "2026-12-24T19:00:00+01:00",
		"2026-07-01T18:00:00-04:00": "2026-07-02T00:00:00+02:00",
	} {
		at, note, err := job.When(text, now, berlin)
		if err != nil || note != "" {
			t.Errorf("%s: %q, %v", text, note, err)
		}
		if got := at.In(berlin).Format(time.RFC3339); got != want {
			t.Errorf("%s is %s, want %s", text, got, want)
		}
	}
	for _, text := range []string{"", "soon", "25:00", "9:00", "tomorrow", "friday", "+", "+-5m", "++5m", "-5m", "+5", "yesterday 10:00",
		"2026-02-30 10:00", "2026-02-30T10:00:00Z", "2026-03-29", "22:30 tomorrow", "22:30:60", "2026-03-29T10:00:00+25:00"} {
		if text == "+5" {
			continue // seconds
		}
		if at, _, err := job.When(text, now, berlin); err == nil {
			t.Errorf("%q is %s", text, at)
		} else if !strings.Contains(err.Error(), "want a form such as") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestATimeInThePastSaysSo(t *testing.T) {
	berlin := zone(t, "Europe/Berlin")
	now := time.Date(2026, 3, 27, 12, 0, 0, 0, berlin)
	for _, text := range []string{"today 11:00", "2026-03-27T10:00:00Z", "2020-01-01 00:00"} {
		at, note, err := job.When(text, now, berlin)
		if err != nil || !strings.Contains(note, "in the past: it runs at once") || !at.Before(now) {
			t.Errorf("%s: %s, %q, %v", text, at, note, err)
		}
	}
	_, note, err := job.When("2025-03-30 02:30", now, berlin)
	if err != nil || !strings.HasSuffix(note, "it runs at 03:00:00 CEST, which is in the past: at once") {
		t.Errorf("a time that did not exist: %q, %v", note, err)
	}
}

// In spring a local time does not exist, in autumn one comes twice.
func TestTimesOfTheNightsOnWhichClocksAreSet(t *testing.T) {
	for _, c := range []struct{ zone, text, want, note string }{
		{"Europe/Berlin", "2026-03-29 01:59:59", "2026-03-29T00:59:59Z", ""},
		{"Europe/Berlin", "2026-03-29 02:00", "2026-03-29T01:00:00Z", "does not exist in Europe/Berlin, where clocks are put forward: it runs at 03:00:00 CEST"},
		{"Europe/Berlin", "2026-03-29 02:30", "2026-03-29T01:00:00Z", "does not exist in Europe/Berlin, where clocks are put forward: it runs at 03:00:00 CEST"},
		{"Europe/Berlin", "2026-03-29 03:00", "2026-03-29T01:00:00Z", ""},
		{"Europe/Berlin", "2026-10-25 01:59", "2026-10-24T23:59:00Z", ""},
		{"Europe/Berlin", "2026-10-25 02:30", "2026-10-25T00:30:00Z", "comes twice in Europe/Berlin: it runs at the first, 02:30:00 CEST"},
		{"Europe/Berlin", "2026-10-25 03:00", "2026-10-25T02:00:00Z", ""},
		{"America/New_York", "2026-03-08 02:30", "2026-03-08T07:00:00Z", "does not exist in America/New_York, where clocks are put forward: it runs at 03:00:00 EDT"},
		{"America/New_York", "2026-11-01 01:30", "2026-11-01T05:30:00Z", "comes twice in America/New_York: it runs at the first, 01:30:00 EDT"},
		{"America/New_York", "2026-11-01 02:00", "2026-11-01T07:00:00Z", ""},
		{"Australia/Lord_Howe", "2026-10-04 02:15", "2026-10-03T15:30:00Z", "does not exist"},
		{"Pacific/Apia", "2011-12-30 12:00", "2011-12-30T10:00:00Z", "does not exist"}, // a whole day
		{"UTC", "2026-03-29 02:30", "2026-03-29T02:30:00Z", ""},
	} {
		z := zone(t, c.zone)
		at, note, err := job.When(c.text, time.Date(2010, 1, 1, 0, 0, 0, 0, z), z)
		if got := at.UTC().Format(time.RFC3339); err != nil || got != c.want || !strings.Contains(note, c.note) || (note == "") != (c.note == "") {
			t.Errorf("%s in %s is %s, %q, %v; want %s, %q", c.text, c.zone, got, note, err, c.want, c.note)
		}
	}
}

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Skip(err)
	}
	return z
}
