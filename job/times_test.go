package job_test

import (
	"strings"
	"testing"
	"time"

	"github.com/air-executor/air-executor/job"
)

func TestParseTime(t *testing.T) {
	const micro = "2025-10-02T10:30:15.123456Z"
	tests := []struct{ in, want string }{
		{"2025-10-02T10:30:15.123456Z", micro},
		{"2025-10-02T10:30:15.123456", micro},
		{"2025-10-02 10:30:15.123456+00:00", micro},
		{"2025-10-02 10:30:15.123456", micro},
		{"2025-10-02T10:30:15.123456+00:00", micro},
		{"2025-10-02 10:30:15.123456-00:00", micro},
		{"2025-10-02 10:30:15.123456Z", micro},
		{"2025-10-02T12:30:15.123456+02:00", micro},
		{"2025-10-02T05:00:15.123456-05:30", micro},
		{"2025-10-02T10:30:15.123456789Z", micro},
		{"2025-10-02", "2025-10-02T00:00:00.000000Z"},
		{"2025-10-02T10:30:15Z", "2025-10-02T10:30:15.000000Z"},
		{"2025-10-02T10:30:15", "2025-10-02T10:30:15.000000Z"},
		{"2025-10-02 10:30:15+00:00", "2025-10-02T10:30:15.000000Z"},
		{"2025-10-02 10:30:15", "2025-10-02T10:30:15.000000Z"},
		{"2025-10-02T10:30:15.5Z", "2025-10-02T10:30:15.500000Z"},
		{"2025-10-02T10:30:15.000001", "2025-10-02T10:30:15.000001Z"},
		{"2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000000Z"},
		{"2025-01-01T00:30:00+01:00", "2024-12-31T23:30:00.000000Z"},
		{"9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"},
	}
	for _, tt := range tests {
		got, err := job.ParseTime(tt.in)
		if err != nil {
			t.Errorf("ParseTime(%q): %v", tt.in, err)
			continue
		}
		if s := job.FormatTime(got); s != tt.want {
			t.Errorf("ParseTime(%q) = %s, want %s", tt.in, s, tt.want)
		}
		if got.Location() != time.UTC {
			t.Errorf("ParseTime(%q) is in %v, want UTC", tt.in, got.Location())
		}
	}
}

func TestParseTimeKeepsNanoseconds(t *testing.T) {
	got, err := job.ParseTime("2025-10-02T10:30:15.123456789Z")
	if err != nil || got.Nanosecond() != 123456789 {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestParseTimeRefuses(t *testing.T) {
	for _, in := range []string{
		"", "now", "2025-10-2", "2025-13-02", "2025-10-02T10:30", "2025-10-02T10:30:15,5Z", "2025-10-02T10:30:15.Z",
		"2025-10-02T10:30:15.1234567890Z", "2025-10-02t10:30:15z", "2025-10-02T10:30:15z", "2025-10-02T10:30:15+0000",
		"2025-10-02T10:30:15+24:00", "2025-10-02T10:30:15+00:60", "2025-10-02T24:00:00Z", "2025-10-02T10:60:15Z",
		"2025-10-02T10:30:60Z", "2025-02-30T10:30:15Z", "2025-02-29T10:30:15Z", "2025-13-01T10:30:15Z", "2025-00-01T10:30:15Z",
		"2025-10-00T10:30:15Z", "2025-10-2T10:30:15Z", "+025-10-02T10:30:15Z", "2025-10-02  10:30:15", "2025-10-02T10:30:15Z ",
		" 2025-10-02T10:30:15Z", "9999-12-31T23:59:59-00:01", "0000-01-01T00:00:00+00:01", "2025-10-02_10:30:15", "1759401015",
		"2025-10-02T1\u0660:30:15Z",
	} {
		got, err := job.ParseTime(in)
		if err == nil {
			t.Errorf("ParseTime(%q) = %v, want an error", in, got)
		} else if !strings.Contains(err.Error(), `"`+in+`"`) {
			t.Errorf("ParseTime(%q): error %q does not quote the value", in, err)
		}
	}
}

func TestFormatTime(t *testing.T) {
	at := time.Date(2025, 10, 2, 12, 30, 15, 1999, time.FixedZone("", 7200))
	if got, want := job.FormatTime(at), "2025-10-02T10:30:15.000001Z"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// FuzzParseTime holds ParseTime against time.Parse, which must agree wherever
// ParseTime accepts.
func FuzzParseTime(f *testing.F) {
	for _, s := range []string{
		"2025-10-02T10:30:15.123456Z", "2025-10-02T10:30:15", "2025-10-02 10:30:15.1+00:00", "2024-02-29 23:59:59.999999999-23:59",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := job.ParseTime(s)
		if err != nil {
			return
		}
		form := strings.Replace(s, " ", "T", 1)
		if rest := form[len("2006-01-02T15:04:05"):]; !strings.ContainsAny(rest, "Z+-") {
			form += "Z"
		}
		want, err := time.Parse(time.RFC3339Nano, form)
		if err != nil || !got.Equal(want) {
			t.Fatalf("ParseTime(%q) = %v; time.Parse gives %v, %v", s, got, want, err)
		}
		again, err := job.ParseTime(job.FormatTime(got))
		if err != nil || !again.Equal(got.Truncate(time.Microsecond)) {
			t.Fatalf("%q: %v is written as %s and read as %v, %v", s, got, job.FormatTime(got), again, err)
		}
	})
}
