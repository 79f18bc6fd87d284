package manager

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/schedule"
	"github.com/air-executor/air-executor/taskfile"
)

// clocked is a database with schedules, and a clock that the test sets.
type clocked struct {
	*schedules
	t    *testing.T
	base string
	mu   sync.Mutex
	at   time.Time
	said bytes.Buffer
	to   *slog.Logger // of all managers
}

func newClocked(t *testing.T, at string) *clocked {
	c := &clocked{t: t, base: t.TempDir()}
	c.to = slog.New(slog.NewTextHandler(&c.said, nil))
	c.set(at)
	c.schedules = c.manager()
	return c
}

// manager is the service of another manager of the base path.
func (c *clocked) manager() *schedules {
	d, err := db.Open(c.t.Context(), c.base, db.Options{Durability: "normal", Clock: c.read})
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { d.Close() })
	return &schedules{db: d, log: c.to, boot: "this one", now: c.read, changed: make(chan struct{}, 1),
		folder: &scheduleFolder{db: d, log: c.to, boot: "this one", now: c.read}}
}

func (c *clocked) read() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clocked) set(at string) {
	c.t.Helper()
	t, err := time.Parse("2006-01-02T15:04:05Z07:00", at)
	if err != nil {
		c.t.Fatal(err)
	}
	c.setTime(t)
}

func (c *clocked) setTime(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = at
}

// add adds the schedule n, whose tasks wait: nothing runs them.
func (c *clocked) add(cron, zone string, missed schedule.Missed) {
	c.t.Helper()
	spec, err := (&taskfile.Scheduled{Task: taskOf("true")}).Encode()
	if err != nil {
		c.t.Fatal(err)
	}
	s := db.Schedule{
		Name: "n", Cron: cron, TimeZone: zone, Overlap: "queue", Missed: string(missed), CatchUp: 7 * 24 * time.Hour,
		Job: "n", Spec: spec, CreatedAt: c.read(), Boot: "this one",
	}
	if err := Retime(&s, c.read()); err != nil {
		c.t.Fatal(err)
	}
	if err := c.db.AddSchedule(c.t.Context(), s); err != nil {
		c.t.Fatal(err)
	}
}

// goOn lets time go by until an instant, as a manager has it: it sleeps until the next
// time that it knows.
func (c *clocked) goOn(until string) {
	c.t.Helper()
	end, err := time.Parse(time.RFC3339, until)
	if err != nil {
		c.t.Fatal(err)
	}
	for {
		next := c.pass(c.t.Context())
		if next.IsZero() || next.After(end) {
			break
		}
		c.setTime(next.Add(3 * time.Millisecond))
	}
	c.setTime(end)
}

// fired are the times for which tasks are stored, in the order in which they were.
func (c *clocked) fired() string {
	c.t.Helper()
	tasks, err := c.db.Tasks(c.t.Context(), "n")
	if err != nil {
		return err.Error()
	}
	slices.SortFunc(tasks, func(a, b job.Task) int { return strings.Compare(instantOf(a.ID), instantOf(b.ID)) })
	var out []string
	for _, t := range tasks {
		out = append(out, strings.TrimPrefix(t.ID, "n@2026-"))
	}
	return strings.Join(out, " ")
}

// The nights on which clocks change, with a manager that runs all the time.
func TestSchedulesOverNightsOnWhichClocksChange(t *testing.T) {
	for _, c := range []struct{ zone, from, until, cron, want string }{
		{"Europe/Berlin", "2026-03-28T12:00:00+01:00", "2026-03-30T12:00:00+02:00", "30 2 * * *", "03-29T03:00+02:00 03-30T02:30+02:00"},
		{"Europe/Berlin", "2026-03-29T01:00:00+01:00", "2026-03-29T04:00:00+02:00", "*/30 * * * *", "03-29T01:30+01:00 03-29T03:00+02:00 03-29T03:30+02:00 03-29T04:00+02:00"},
		{"Europe/Berlin", "2026-10-24T12:00:00+02:00", "2026-10-26T12:00:00+01:00", "30 2 * * *", "10-25T02:30+02:00 10-26T02:30+01:00"},
		{"Europe/Berlin", "2026-10-25T01:45:00+02:00", "2026-10-25T03:00:00+01:00", "*/30 * * * *", "10-25T02:00+02:00 10-25T02:30+02:00 10-25T02:00+01:00 10-25T02:30+01:00 10-25T03:00+01:00"},
		{"America/New_York", "2026-03-07T12:00:00-05:00", "2026-03-09T12:00:00-04:00", "30 2 * * *", "03-08T03:00-04:00 03-09T02:30-04:00"},
		{"America/New_York", "2026-10-31T12:00:00-04:00", "2026-11-02T12:00:00-05:00", "30 1 * * *", "11-01T01:30-04:00 11-02T01:30-05:00"},
		{"America/New_York", "2026-11-01T00:45:00-04:00", "2026-11-01T02:00:00-05:00", "@hourly", "11-01T01:00-04:00 11-01T01:00-05:00 11-01T02:00-05:00"},
	} {
		m := newClocked(t, c.from)
		m.add(c.cron, c.zone, schedule.One)
		m.goOn(c.until)
		if got := m.fired(); got != c.want {
			t.Errorf("%s %s:\n got %s\nwant %s", c.zone, c.cron, got, c.want)
		}
	}
}

// A laptop sleeps for a week: the clock leaps, and no timer goes off.
func TestSchedulesAfterAWeekOfSuspend(t *testing.T) {
	for missed, want := range map[schedule.Missed]string{
		schedule.One:  "11-20T03:15+00:00 11-27T03:15+00:00 11-28T03:15+00:00",
		schedule.None: "11-20T03:15+00:00 11-28T03:15+00:00",
		schedule.All:  "11-20T03:15+00:00 11-21T03:15+00:00 11-22T03:15+00:00 11-23T03:15+00:00 11-24T03:15+00:00 11-25T03:15+00:00 11-26T03:15+00:00 11-27T03:15+00:00 11-28T03:15+00:00",
	} {
		m := newClocked(t, "2026-11-19T12:00:00Z")
		m.add("15 3 * * *", "UTC", missed)
		m.goOn("2026-11-20T12:00:00Z")
		m.set("2026-11-27T12:00:00Z")
		m.goOn("2026-11-28T12:00:00Z")
		if diff := cmp.Diff(want, m.fired()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", missed, diff)
		}
	}
}

func TestSchedulesWhoseClockIsSet(t *testing.T) {
	for _, c := range []struct{ name, to, until, want string }{
		// The times from 9:30 to 12:00 have fired; they do not come again.
		{"back 3 h", "2026-11-20T09:10:00Z", "2026-11-20T13:00:00Z", "11:00 11:30 12:00 12:30 13:00"},
		// Those from 12:30 to 15:00 were missed: the last of them fires.
		{"forward 3 h", "2026-11-20T15:10:00Z", "2026-11-20T16:00:00Z", "11:00 11:30 12:00 15:00 15:30 16:00"},
	} {
		m := newClocked(t, "2026-11-20T10:45:00Z")
		m.add("*/30 * * * *", "UTC", schedule.One)
		m.goOn("2026-11-20T12:10:00Z")
		m.set(c.to)
		m.goOn(c.until)
		got := strings.NewReplacer("11-20T", "", "+00:00", "").Replace(m.fired())
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// A manager that should have ended has read what is due, and fires after its successor.
func TestTwoManagersFireATimeOnce(t *testing.T) {
	m := newClocked(t, "2026-11-20T10:45:00Z")
	m.add("*/30 * * * *", "UTC", schedule.One)
	m.set("2026-11-20T11:00:01Z")
	old, err := m.db.Schedule(t.Context(), "n")
	if err != nil {
		t.Fatal(err)
	}
	late := decided(old, m.read())
	var all sync.WaitGroup
	for range 4 {
		s := m.manager()
		all.Go(func() { s.pass(t.Context()) })
	}
	all.Wait()
	// It would store a task of another name.
	late.At = late.At.Add(time.Second)
	if err := setBatch(&late); err != nil {
		t.Fatal(err)
	}
	if err := m.carryOut(t.Context(), late); err != nil {
		t.Fatal(err)
	}
	if got := m.fired(); got != "11-20T11:00+00:00" {
		t.Errorf("fired %s", got)
	}
}

// They are the same as those of a task that is queued by hand.
func TestTheTasksOfAScheduleHaveTheRetriesOfTheConfiguration(t *testing.T) {
	m := newClocked(t, "2026-11-20T10:45:00Z")
	m.retries = job.Spec{Retries: 4, Retry: job.Retry{Delay: time.Minute}}
	m.add("*/30 * * * *", "UTC", schedule.One)
	m.goOn("2026-11-20T11:10:00Z")
	s, err := m.db.Schedule(t.Context(), "n")
	if err == nil {
		_, err = FireNow(t.Context(), m.db, s, m.retries, m.read())
	}
	if err != nil {
		t.Fatal(err)
	}
	tasks, err := m.db.Tasks(t.Context(), "n")
	if err != nil || len(tasks) != 2 {
		t.Fatalf("%d tasks, %v", len(tasks), err)
	}
	for _, task := range tasks {
		if task.Retries != 4 || task.Retry.Delay != time.Minute {
			t.Errorf("%s: %d retries, %+v", task.ID, task.Retries, task.Retry)
		}
	}
}

func TestWhatCannotBeStoredIsToldAndDoesNotHoldUpTheRest(t *testing.T) {
	m := newClocked(t, "2026-11-20T10:45:00Z")
	m.add("*/30 * * * *", "UTC", schedule.One)
	for name, spec := range map[string]string{"wrong": `{"file": "tasks: 5", "path": "/f.yaml"}`, "cycle": `{"task": {"command": ""}}`} {
		err := m.db.AddSchedule(t.Context(), db.Schedule{
			Name: name, Cron: "*/30 * * * *", TimeZone: "UTC", Overlap: "skip", Missed: "one", Spec: spec, NextAt: m.read()})
		if err != nil {
			t.Fatal(err)
		}
	}
	m.goOn("2026-11-20T11:10:00Z")
	if got := m.fired(); got != "11-20T11:00+00:00" {
		t.Errorf("fired %s", got)
	}
	for _, name := range []string{"wrong", "cycle"} {
		if s, err := m.db.Schedule(t.Context(), name); err != nil || s.Error == "" || s.NextAt.Format("15:04") != "11:30" {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
}

func TestWhatFiresAtAStartOfTheMachineDoesSoOnce(t *testing.T) {
	m := newClocked(t, "2026-11-20T10:45:00Z")
	m.add("@reboot", "UTC", schedule.One)
	m.started(t.Context())
	if got := m.fired(); !strings.Contains(got, "no such job") {
		t.Errorf("without a start it fired %s", got)
	}
	m.boot = "the next one"
	for range 2 {
		m.set("2026-11-21T10:45:00Z")
		m.started(t.Context())
	}
	if got := m.fired(); got != "11-21T10:45+00:00" {
		t.Errorf("fired %s", got)
	}
}

func TestTheFolderOfSchedules(t *testing.T) {
	m := newClocked(t, "2026-11-20T10:45:00Z")
	f := m.folder
	f.path = t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(f.path, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	look := func() string {
		t.Helper()
		f.read(t.Context())
		all, err := m.db.Schedules(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, s := range all {
			text := s.Name + " " + s.Cron
			if !s.PausedAt.IsZero() {
				text += " paused"
			}
			out = append(out, text)
		}
		return strings.Join(out, ", ")
	}
	want := func(want, said string) {
		t.Helper()
		m.said.Reset()
		if got := look(); got != want {
			t.Errorf("there are %q, want %q", got, want)
		}
		if !strings.Contains(m.said.String(), said) || said == "" && m.said.Len() > 0 {
			t.Errorf("it said %s", m.said.String())
		}
	}
	const tasks = "\ntasks: [{id: a, command: 'true'}]\n"
	m.add("@hourly", "UTC", schedule.One)
	write("a.yaml", "schedule: '@daily'"+tasks)
	write("b.yml", "name: other\nschedule: {cron: '@weekly'}"+tasks)
	write("plain.yaml", tasks)
	write("notes.txt", "no job file")
	want("a @daily, n @hourly, other @weekly", "schedule added")
	want("a @daily, n @hourly, other @weekly", "")
	write("a.yaml", "schedule: '@monthly'"+tasks)
	want("a @monthly, n @hourly, other @weekly", "schedule changed")
	write("a.yaml", "schedule: '@monthly'\ntasks: none\n")
	want("a @monthly, n @hourly, other @weekly", "stays as it was")
	write("n.yaml", "schedule: '@monthly'"+tasks)
	want("a @monthly, n @hourly, other @weekly", "added by hand")
	if err := os.Remove(filepath.Join(f.path, "a.yaml")); err != nil {
		t.Fatal(err)
	}
	want("a @monthly paused, n @hourly, other @weekly", "its file is gone")
	write("a.yaml", "schedule: '@yearly'"+tasks)
	want("a @yearly, n @hourly, other @weekly", "schedule changed")
	whole := f.path
	f.path = filepath.Join(whole, "none")
	want("a @yearly, n @hourly, other @weekly", "cannot be read")
	f.path = ""
	want("a @yearly paused, n @hourly, other @weekly paused", "its file is gone")
}

func taskOf(command string) job.Spec { return job.Spec{Command: command} }

// instantOf makes the ids of tasks sort by their times.
func instantOf(id string) string {
	_, text, _ := strings.Cut(id, "@")
	at, err := time.Parse("2006-01-02T15:04Z07:00", text)
	if err != nil {
		return id
	}
	return at.UTC().Format(time.RFC3339)
}
