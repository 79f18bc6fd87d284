package schedule_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/schedule"
)

func times(t *testing.T, cron, zone string) schedule.Times {
	t.Helper()
	s, err := schedule.NewTimes(cron, zone, time.Date(2026, 1, 1, 0, 0, 0, 5, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func instant(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse("2006-01-02T15:04:05-07:00", text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// short is a time as the tables below have it.
func short(at time.Time) string { return at.Format("02 15:04 -07") }

// The table in docs/schedules.md.
func TestNightsOnWhichClocksChange(t *testing.T) {
	for _, c := range []struct{ zone, after, cron, want string }{
		// 2:00 to 3:00 is left out.
		{"Europe/Berlin", "2026-03-28T23:00:00+01:00", "30 1 * * *", "29 01:30 +01, 30 01:30 +02"},
		{"Europe/Berlin", "2026-03-28T23:00:00+01:00", "0 2 * * *", "29 03:00 +02, 30 02:00 +02"},
		{"Europe/Berlin", "2026-03-28T23:00:00+01:00", "30 2 * * *", "29 03:00 +02, 30 02:30 +02"},
		{"Europe/Berlin", "2026-03-28T23:00:00+01:00", "15,45 2 * * *", "29 03:00 +02, 30 02:15 +02"},
		{"Europe/Berlin", "2026-03-28T23:00:00+01:00", "0 3 * * *", "29 03:00 +02, 30 03:00 +02"},
		{"Europe/Berlin", "2026-03-28T23:00:00+01:00", "0 2,3 * * *", "29 03:00 +02, 30 02:00 +02"},
		{"Europe/Berlin", "2026-03-29T00:30:00+01:00", "0 */2 * * *", "29 03:00 +02, 29 04:00 +02"},
		{"Europe/Berlin", "2026-03-29T01:20:00+01:00", "*/30 * * * *", "29 01:30 +01, 29 03:00 +02, 29 03:30 +02"},
		{"Europe/Berlin", "2026-03-29T01:20:00+01:00", "40 * * * *", "29 01:40 +01, 29 03:40 +02"},
		{"Europe/Berlin", "2026-03-29T01:20:00+01:00", "@hourly", "29 03:00 +02, 29 04:00 +02"},
		{"Europe/Berlin", "2026-03-28T23:00:00+01:00", "30 2 29 3 *", "29 03:00 +02, 29 02:30 +02"}, // of the next year
		// 2:00 to 3:00 comes twice.
		{"Europe/Berlin", "2026-10-24T23:00:00+02:00", "30 1 * * *", "25 01:30 +02, 26 01:30 +01"},
		{"Europe/Berlin", "2026-10-24T23:00:00+02:00", "0 2 * * *", "25 02:00 +02, 26 02:00 +01"},
		{"Europe/Berlin", "2026-10-24T23:00:00+02:00", "30 2 * * *", "25 02:30 +02, 26 02:30 +01"},
		{"Europe/Berlin", "2026-10-24T23:00:00+02:00", "0 3 * * *", "25 03:00 +01, 26 03:00 +01"},
		{"Europe/Berlin", "2026-10-24T23:00:00+02:00", "0 2,3 * * *", "25 02:00 +02, 25 03:00 +01"},
		{"Europe/Berlin", "2026-10-25T01:45:00+02:00", "*/30 * * * *", "25 02:00 +02, 25 02:30 +02, 25 02:00 +01, 25 02:30 +01, 25 03:00 +01"},
		{"Europe/Berlin", "2026-10-25T01:45:00+02:00", "@hourly", "25 02:00 +02, 25 02:00 +01, 25 03:00 +01"},
		{"Europe/Berlin", "2026-10-25T02:10:00+01:00", "30 2 * * *", "26 02:30 +01"},
		// 2:00 to 3:00 is left out, and 1:00 to 2:00 comes twice.
		{"America/New_York", "2026-03-07T23:00:00-05:00", "30 2 * * *", "08 03:00 -04, 09 02:30 -04"},
		{"America/New_York", "2026-03-07T23:00:00-05:00", "0 3 * * *", "08 03:00 -04, 09 03:00 -04"},
		{"America/New_York", "2026-03-08T01:20:00-05:00", "*/30 * * * *", "08 01:30 -05, 08 03:00 -04"},
		{"America/New_York", "2026-10-31T23:00:00-04:00", "30 1 * * *", "01 01:30 -04, 02 01:30 -05"},
		{"America/New_York", "2026-10-31T23:00:00-04:00", "30 2 * * *", "01 02:30 -05, 02 02:30 -05"},
		{"America/New_York", "2026-11-01T00:45:00-04:00", "*/30 * * * *", "01 01:00 -04, 01 01:30 -04, 01 01:00 -05, 01 01:30 -05, 01 02:00 -05"},
		// Half an hour; midnight that is not there; a day that is not there.
		{"Australia/Lord_Howe", "2026-10-03T23:00:00+10:30", "15 2 * * *", "04 02:30 +11, 05 02:15 +11"},
		{"America/Santiago", "2026-09-05T12:00:00-04:00", "@daily", "06 01:00 -03, 07 00:00 -03"},
		{"Pacific/Apia", "2011-12-29T12:00:00-10:00", "0 8 * * *", "31 00:00 +14, 31 08:00 +14"},
	} {
		n := strings.Count(c.want, ",") + 1
		var got []string
		for _, at := range times(t, c.cron, c.zone).NextTimes(instant(t, c.after), n) {
			got = append(got, short(at))
		}
		if s := strings.Join(got, ", "); s != c.want {
			t.Errorf("%s %q after %s:\n got %s\nwant %s", c.zone, c.cron, c.after, s, c.want)
		}
	}
}

func TestTimesOfLines(t *testing.T) {
	for _, c := range []struct{ cron, after, want string }{
		{"15 3 * * 1-5", "2026-11-27T03:15:00+00:00", "Mon 30 Nov 03:15:00"},
		{"15 3 * * mon-fri", "2026-11-27T03:14:59+00:00", "Fri 27 Nov 03:15:00"},
		{"*/20 8-9 * * *", "2026-11-27T08:41:00+00:00", "Fri 27 Nov 09:00:00"},
		{"5/20 * * * *", "2026-11-27T08:26:00+00:00", "Fri 27 Nov 08:45:00"},
		{"0 0 29 feb *", "2026-11-27T08:41:00+00:00", "Tue 29 Feb 00:00:00"},
		{"0 0 13 * 5", "2026-11-27T08:41:00+00:00", "Fri 04 Dec 00:00:00"}, // one of them is enough
		{"0 0 * * 7", "2026-11-27T08:41:00+00:00", "Sun 29 Nov 00:00:00"},
		{"0 0 * * 5-7", "2026-11-28T08:41:00+00:00", "Sun 29 Nov 00:00:00"},
		{"0 0 * * */3", "2026-11-29T08:41:00+00:00", "Wed 02 Dec 00:00:00"},
		{"10,40 30 3 * * *", "2026-11-27T03:30:10+00:00", "Fri 27 Nov 03:30:40"},
		{"10 59 23 31 12 *", "2026-11-27T03:30:10+00:00", "Thu 31 Dec 23:59:10"},
		{"@every 90s", "2026-01-01T00:01:30+00:00", "Thu 01 Jan 00:03:00"},
		{"@every 24h", "2025-12-31T12:00:00+00:00", "Thu 01 Jan 00:00:00"},
		{"@yearly", "2026-11-27T08:41:00+00:00", "Fri 01 Jan 00:00:00"},
		{"@weekly", "2026-11-27T08:41:00+00:00", "Sun 29 Nov 00:00:00"},
	} {
		got := times(t, c.cron, "UTC").Next(instant(t, c.after)).Format("Mon 02 Jan 15:04:05")
		if got != c.want {
			t.Errorf("%q after %s is %s, want %s", c.cron, c.after, got, c.want)
		}
	}
	if at := times(t, "@reboot", "").Next(time.Now()); !at.IsZero() {
		t.Errorf("@reboot fires at %s", at)
	}
}

func TestAWrongLineIsToldWithItsPlace(t *testing.T) {
	for line, want := range map[string]string{
		"":                ": it has 0 fields, not 5",
		"* * * *":         ": it has 4 fields, not 5",
		"61 * * * *":      `, column 1: minute "61" is not 0 to 59`,
		"5  25 * * *":     `, column 4: hour "25" is not 0 to 23`,
		"0 3 * * 1,8":     `, column 11: day of the week "8" is not 0 to 7`,
		"0 3 * * fri-mon": `, column 9: day of the week "fri-mon" goes backwards`,
		"0 3 0 * *":       `, column 5: day of the month "0" is not 1 to 31`,
		"0 3 L * *":       `, column 5: day of the month "L" is not 1 to 31`,
		"0 3 31 feb *":    ", column 5: there is no such day in any of these months",
		"*/0 * * * *":     `, column 1: minute "*/0": the step is not 1 to 59`,
		"1,,2 * * * *":    `, column 3: minute "" is not 0 to 59`,
		"+1 * * * *":      `, column 1: minute "+1" is not 0 to 59`,
		"-1 * * * *":      `, column 1: minute "" is not 0 to 59`,
		"@often":          `, column 1: unknown word "@often"`,
		"@daily 3":        ", column 8: nothing may follow @daily",
		"@every soon":     `, column 8: "soon" is no duration`,
		"@every 10ms":     ", column 8: want whole seconds",
		"@every":          `, column 7: "" is no duration`,
	} {
		_, err := schedule.Parse(line)
		var at *schedule.SyntaxError
		if !errors.As(err, &at) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), schedule.Example) {
			t.Errorf("%q: error %v, want %q", line, err, want)
		}
	}
	if _, err := schedule.LoadZone("Europe/Berln"); err == nil || !strings.Contains(err.Error(), `"Europe/Berln"`) {
		t.Errorf("error %v", err)
	}
}

func TestWhatBecomesOfTimesThatWereMissed(t *testing.T) {
	daily := times(t, "15 3 * * *", "UTC")
	at := func(text string) time.Time { return instant(t, "2026-11-"+text+":00+00:00") }
	day := 24 * time.Hour
	for _, c := range []struct {
		name             string
		due, now         time.Time
		missed           schedule.Missed
		catchUp          time.Duration
		fire, next, lost string
	}{
		{"in time", at("20T03:15"), at("20T03:15"), schedule.None, day, "20 03:15", "21 03:15", ""},
		{"a minute late", at("20T03:15"), at("20T03:16"), schedule.None, 0, "20 03:15", "21 03:15", ""},
		{"an hour, none", at("20T03:15"), at("20T04:15"), schedule.None, day, "", "21 03:15", "20 03:15"},
		{"an hour, one", at("20T03:15"), at("20T04:15"), schedule.One, day, "20 03:15", "21 03:15", ""},
		{"a week, one", at("20T03:15"), at("27T10:00"), schedule.One, day, "27 03:15", "28 03:15", "26 03:15"},
		{"a week, none", at("20T03:15"), at("27T10:00"), schedule.None, day, "", "28 03:15", "27 03:15"},
		{"a week, none, and now", at("20T03:15"), at("27T03:15"), schedule.None, day, "27 03:15", "28 03:15", "26 03:15"},
		{"a week, all", at("20T03:15"), at("27T10:00"), schedule.All, 3 * day, "25 03:15", "26 03:15", "24 03:15"},
		{"two days, all", at("20T03:15"), at("21T10:00"), schedule.All, 3 * day, "20 03:15", "21 03:15", ""},
		{"too old, one", at("20T03:15"), at("20T10:00"), schedule.One, time.Hour, "", "21 03:15", "20 03:15"},
		{"too old, all", at("20T03:15"), at("20T10:00"), schedule.All, time.Hour, "", "21 03:15", "20 03:15"},
		{"no catching up, in time", at("20T03:15"), at("20T03:15"), schedule.One, 0, "20 03:15", "21 03:15", ""},
	} {
		d := daily.Decide(c.due, c.now, c.missed, c.catchUp)
		got := []string{shown(d.Fire), shown(d.Next), shown(d.Lost)}
		if diff := cmp.Diff([]string{c.fire, c.next, c.lost}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func shown(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format("02 15:04")
}

// A year of seconds is not gone through one by one.
func TestAYearOfEachSecondIsDecidedAtOnce(t *testing.T) {
	s := times(t, "* * * * * *", "Europe/Berlin")
	due := instant(t, "2025-06-01T00:00:00+00:00")
	now := due.AddDate(1, 0, 0)
	if d := s.Decide(due, now, schedule.One, time.Hour); !d.Fire.Equal(now) || !d.Lost.Equal(now.Add(-time.Second)) || !d.Next.Equal(now.Add(time.Second)) {
		t.Errorf("%+v", d)
	}
}

func TestNamesOfFirings(t *testing.T) {
	zone, err := schedule.LoadZone("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ at, task, job string }{
		{"2026-03-29T03:15:00+02:00", "n@2026-03-29T03:15+02:00", "n-20260329T0315"},
		{"2026-03-29T03:15:07+02:00", "n@2026-03-29T03:15:07+02:00", "n-20260329T031507"},
		{"2026-10-25T02:30:00+02:00", "n@2026-10-25T02:30+02:00", "n-20261025T0230"},
		{"2026-10-25T02:30:00+01:00", "n@2026-10-25T02:30+01:00", "n-20261025T0230-2"},
		{"2026-10-25T03:00:00+01:00", "n@2026-10-25T03:00+01:00", "n-20261025T0300"},
	} {
		at := instant(t, c.at).In(zone)
		if task, job := schedule.TaskID("n", at), schedule.JobName("n", at); task != c.task || job != c.job {
			t.Errorf("%s: %s and %s, want %s and %s", c.at, task, job, c.task, c.job)
		}
	}
	for _, name := range []string{"", "a b", "-a", strings.Repeat("n", schedule.MaxName+1)} {
		if err := schedule.CheckName(name); err == nil || !strings.HasPrefix(err.Error(), "schedule name") {
			t.Errorf("%q: error %v", name, err)
		}
	}
}

func FuzzLine(f *testing.F) {
	for _, line := range []string{"15 3 * * 1-5", "*/7 2 29 2 *", "@every 10m", "59 59 23 31 12 sun", "@daily"} {
		f.Add(line, int64(1774746000))
	}
	berlin, err := schedule.LoadZone("Europe/Berlin")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string, unix int64) {
		line, err := schedule.Parse(text)
		if err != nil || unix < 0 || unix > 1<<34 {
			return
		}
		at := time.Unix(unix, 0)
		s := schedule.Times{Line: line, Zone: berlin, Base: time.Unix(1<<30, 0)}
		for _, next := range s.NextTimes(at, 5) {
			if !next.After(at) {
				t.Fatalf("%q: %s is not after %s", text, next, at)
			}
			if last := s.Last(at, next); !last.Equal(next) {
				t.Fatalf("%q: the last after %s until %s is %s", text, at, next, last)
			}
			at = next
		}
	})
}
