package taskfile_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/schedule"
	"github.com/air-executor/air-executor/taskfile"
)

const oneTask = "\ntasks: [{id: a, command: 'true'}]\n"

func TestTheScheduleOfAJobFile(t *testing.T) {
	for text, want := range map[string]*schedule.Rules{
		"name: n":              nil,
		"schedule: 15 3 * * *": {Cron: "15 3 * * *", Overlap: schedule.Skip, Missed: schedule.One, CatchUp: 24 * time.Hour},
		"schedule: {cron: '@daily', timezone: Europe/Berlin, missed: all, catch_up: 90m}": {
			Cron: "@daily", TimeZone: "Europe/Berlin", Overlap: schedule.Queue, Missed: schedule.All, CatchUp: 90 * time.Minute},
		"schedule: {cron: 0 0 0 1 1 *, overlap: queue, missed: none, catch_up: 60}": {
			Cron: "0 0 0 1 1 *", Overlap: schedule.Queue, Missed: schedule.None, CatchUp: time.Minute},
	} {
		f, err := taskfile.ParseJob("f.yaml", []byte(text+oneTask))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if diff := cmp.Diff(want, f.Schedule); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

func TestAWrongScheduleOfAJobFile(t *testing.T) {
	for text, want := range map[string]string{
		"schedule: 61 * * * *":                                   `f.yaml:1: key "schedule": cron line "61 * * * *", column 1: minute "61" is not 0 to 59; want one such as '15 3 * * 1-5' or @daily`,
		"schedule:\n  cron: '@often'":                            `f.yaml:2: key "schedule": "cron": cron line "@often", column 1: unknown word "@often", there are @every 10m, @hourly, @daily, @weekly, @monthly, @yearly and @reboot; want one such as '15 3 * * 1-5' or @daily`,
		"schedule:\n  timezone: UTC":                             `f.yaml:1: key "schedule": "cron": is missing`,
		"schedule:\n  cron: '@daily'\n  timezone: Mars/Olympus":  `f.yaml:3: key "schedule": "timezone": time zone "Mars/Olympus" is not known, want one such as Europe/Berlin or UTC`,
		"schedule:\n  cron: '@daily'\n  overlap: wait":           `f.yaml:3: key "schedule": "overlap": unknown overlap "wait", want skip or queue`,
		"schedule:\n  cron: '@daily'\n  zone: UTC":               `f.yaml:3: key "schedule": "zone": unknown key, want cron, timezone, overlap, missed or catch_up`,
		"schedule: {cron: '@daily', missed: all, overlap: skip}": `f.yaml:1: key "schedule": missed all and overlap skip contradict each other: of what was missed, the second would be skipped; want overlap queue`,
		"schedule: [a]": `f.yaml:1: key "schedule": want a cron line, or an object with cron, got an array`,
	} {
		_, err := taskfile.ParseJob("f.yaml", []byte(text+oneTask))
		if err == nil {
			t.Errorf("%s: no error", text)
			continue
		}
		if diff := cmp.Diff(want, noColumn(err, want)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

func TestATaskOfAScheduleIsReadAsItWasWritten(t *testing.T) {
	for _, want := range []job.Spec{
		{Command: "true"},
		{Command: "sh", Args: []string{"-c", "echo 'a\nb' <&>"}, Dir: "/tmp", Priority: -3, Timeout: 90 * time.Second},
		{Command: "sleep", Args: []string{"9"}, Timeout: job.NoTimeout},
	} {
		got, err := taskfile.ParseSpec("task", taskfile.FormatSpec(&want))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}
