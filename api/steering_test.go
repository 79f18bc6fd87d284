package api

import (
	"fmt"
	"slices"
	"testing"

	"github.com/air-executor/air-executor/job"
)

// keys are those of the tasks of a job, by id.
func (s *served) keys(name string) map[string]int64 {
	out := map[string]int64{}
	for _, t := range read[TaskPage](s.get("/api/v1/jobs/" + name + "/tasks")).Items {
		out[t.Task] = t.Key
	}
	return out
}

func TestJobsAreSteered(t *testing.T) {
	s := serve(t, Options{})
	s.enqueue("j", command("a", "b")...)
	s.ran("j", "x\n", failed)
	const at = "/api/v1/jobs/j"
	if d := read[Dismissed](s.full("POST", at+"/dismiss").want(200)); d.Dismissed != 1 {
		t.Errorf("%+v", d)
	}
	if r := read[Retried](s.full("POST", at+"/retry").want(200)); r.Retried != 0 || r.Dismissed != 1 {
		t.Errorf("%+v", r)
	}
	if r := read[Rerun](s.full("POST", at+"/rerun", header(keyHeader, "r")).want(201)); r.Job != "j-2" || r.Of != "j" || r.Added != 2 {
		t.Errorf("%+v", r)
	}
	if r := read[Rerun](s.full("POST", at+"/rerun", header(keyHeader, "r")).want(201)); r.Job != "j-2" {
		t.Errorf("%+v", r)
	}
	s.full("POST", at+"/rerun?as=j-2").problem(contradicts)
	s.full("POST", at+"/rerun?as=a%20b").problem(badParameter)
	for _, path := range []string{at, "/api/v1"} {
		if p := read[Paused](s.full("POST", path+"/pause?freeze=true").want(200)); !p.Paused || (p.Job == nil) != (path != at) {
			t.Errorf("%+v", p)
		}
		if p := read[Paused](s.full("POST", path+"/pause").want(200)); p.Paused {
			t.Errorf("again: %+v", p)
		}
		if r := read[Resumed](s.full("POST", path+"/resume").want(200)); !r.Resumed {
			t.Errorf("%+v", r)
		}
	}
	if k := read[Signalled](s.full("POST", at+"/kill?signal=usr1").want(200)); k.Signal != "SIGUSR1" || k.Signalled != 0 {
		t.Errorf("%+v", k)
	}
	s.full("POST", at+"/kill?signal=x").problem(badParameter)
	s.full("POST", "/api/v1/prune").problem(badParameter)
	s.full("POST", "/api/v1/prune?older_than=x").problem(badParameter)
	if p := read[Pruned](s.full("POST", "/api/v1/prune?older_than=0&dry_run=true").want(200)); !p.DryRun {
		t.Errorf("%+v", p)
	}
	if r := read[Removed](s.full("DELETE", "/api/v1/jobs/j-2").want(200)); r.Removed != 2 {
		t.Errorf("%+v", r)
	}
	s.claim("j")
	s.full("DELETE", at).problem(contradicts)
	for _, verb := range []string{"retry", "dismiss", "pause", "resume", "kill", "rerun"} {
		s.full("POST", "/api/v1/jobs/none/"+verb).problem(noSuchJob)
	}
	s.full("DELETE", "/api/v1/jobs/none").problem(noSuchJob)
}

func TestJobsWithALabelAreCancelled(t *testing.T) {
	s := serve(t, Options{})
	for _, text := range []string{
		`{"name": "one", "labels": {"team": "web"}, "tasks": [{"id": "a", "command": "true"}]}`,
		`{"name": "two", "labels": {"team": "web", "x": "y"}, "tasks": [{"id": "a", "command": "true"}]}`,
		`{"name": "other", "tasks": [{"id": "a", "command": "true", "labels": {"team": "web"}}]}`,
	} {
		s.full("POST", "/api/v1/jobs", body(text)).want(201)
	}
	s.claim("two")
	c := read[[]Cancelled](s.full("POST", "/api/v1/cancel?label=team=web&label=x").want(200))
	if len(c) != 1 || c[0].Job != "two" || c[0].Running != 1 {
		t.Errorf("%+v", c)
	}
	c = read[[]Cancelled](s.full("POST", "/api/v1/cancel?label=team&wait=1").want(200))
	if len(c) != 2 || c[0].Job != "one" || c[0].Pending != 1 || c[1].Job != "two" || c[1].Pending != 0 {
		t.Errorf("%+v", c)
	}
	if c = read[[]Cancelled](s.full("POST", "/api/v1/cancel?label=none").want(200)); c == nil || len(c) != 0 {
		t.Errorf("%+v", c)
	}
	s.full("POST", "/api/v1/cancel").problem(badParameter)
	s.full("POST", "/api/v1/cancel?label=a%20b").problem(badParameter)
	if j := read[JobAt](s.get("/api/v1/jobs/other")); j.Counts.Pending != 1 {
		t.Errorf("%+v", j)
	}
}

func TestTasksAreSteered(t *testing.T) {
	s := serve(t, Options{})
	s.enqueue("j", job.Spec{ID: "a", Command: "true"}, job.Spec{ID: "b", Command: "true"}, job.Spec{ID: "c", Command: "true", Dependencies: []string{"b"}})
	keys := s.keys("j")
	at := func(id, rest string) string { return fmt.Sprintf("/api/v1/tasks/%d%s", keys[id], rest) }
	if m := read[Moved](s.full("POST", at("b", "/move?to=first")).want(200)); !slices.Equal(m.Tasks, []string{"b"}) {
		t.Errorf("%+v", m)
	}
	s.full("POST", at("b", fmt.Sprintf("/move?before=%d", keys["a"]))).want(200)
	s.full("POST", at("b", "/move")).problem(badParameter)
	s.full("POST", at("b", "/move?to=last&before=1")).problem(badParameter)
	s.full("POST", at("b", "/move?before=99")).problem(noSuchTask)
	e := read[Edited](s.full("PATCH", at("c", ""), body(`{"timeout": "5m", "args": ["x", "y z"], "labels": {"k": "v"}, "dependencies": ["a"], "priority": 4}`)).want(200))
	if e.Edited != 1 || !slices.Equal(e.Tasks[0].Changed, []string{"args", "dependencies", "priority", "timeout", "labels"}) {
		t.Errorf("%+v", e)
	}
	s.full("PATCH", at("c", ""), body(`{"labels": {"k": null}, "timeout": null}`)).want(200)
	c := read[TaskAt](s.get(at("c", "")))
	if !slices.Equal(c.Args, []string{"x", "y z"}) || len(c.Labels) != 0 || c.Priority != 4 || !slices.Equal(c.Dependencies, []string{"a"}) {
		t.Errorf("%+v", c)
	}
	same(t, faults(s.full("PATCH", at("c", ""), body(`{"timeot": "5m", "priority": "high", "id": "x", "command": null, "labels": {"a b": "c"}}`)).problem(invalid)),
		`/command: cannot be taken away: a task needs one`,
		`/id: cannot be changed`,
		`/labels/a b: label "a b" contains ' ': only letters, digits, -, _, . and / are allowed in a key`,
		`/priority: want a whole number from -2147483648 to 2147483647, got "high"`,
		`/timeot: unknown key, did you mean "timeout"?`)
	same(t, faults(s.full("PATCH", at("c", ""), body(`{"dependencies": ["none"]}`)).problem(invalid)), `: task "c" depends on "none": no such task in job "j"`)
	same(t, faults(s.full("PATCH", at("c", ""), body(`{"working_directory": "x"}`)).problem(invalid)), `/working_directory: want an absolute path, got "x"`)
	s.full("DELETE", at("a", "")).problem(contradicts)
	if r := read[Removed](s.full("DELETE", at("a", "?cascade=true")).want(200)); r.Removed != 2 {
		t.Errorf("%+v", r)
	}
	s.full("POST", at("b", "/kill")).problem(contradicts)
	s.full("POST", at("b", "/retry")).want(200)
	s.full("POST", at("b", "/dismiss")).want(200)
	s.ran("j", "x\n", failed)
	s.full("PATCH", at("b", ""), body(`{"priority": 1}`)).problem(contradicts)
	s.full("POST", at("b", "/move?to=last")).problem(contradicts)
	if d := read[Dismissed](s.full("POST", at("b", "/dismiss")).want(200)); d.Dismissed != 1 {
		t.Errorf("%+v", d)
	}
	if r := read[Retried](s.full("POST", at("b", "/retry")).want(200)); r.Retried != 1 {
		t.Errorf("%+v", r)
	}
	for _, verb := range []string{"/retry", "/dismiss", "/kill", "/move?to=last"} {
		s.full("POST", "/api/v1/tasks/99"+verb).problem(noSuchTask)
	}
}

func TestPoolsAreKept(t *testing.T) {
	s := serve(t, Options{})
	if p := read[PoolChanged](s.full("PUT", "/api/v1/pools/gpu", body(`{"capacity": 2}`)).want(200)); *p.Capacity != 2 || p.Before != nil {
		t.Errorf("%+v", p)
	}
	s.full("POST", "/api/v1/jobs/j/tasks", body(`{"command": "true", "pools": ["gpu:2"]}`)).want(201)
	if l := read[[]Pool](s.get("/api/v1/pools")); len(l) != 1 || l[0].Waiting != 1 {
		t.Errorf("%+v", l)
	}
	s.full("PUT", "/api/v1/pools/gpu", body(`{"capacity": 1}`)).problem(contradicts)
	s.full("DELETE", "/api/v1/pools/gpu").problem(contradicts)
	s.full("PUT", "/api/v1/pools/gpu", body(`{}`)).problem(invalid)
	s.full("PUT", "/api/v1/pools/gpu", body(`{"capacity": -1}`)).problem(invalid)
	s.full("PUT", "/api/v1/pools/G%20U", body(`{"capacity": 1}`)).problem(invalid)
	if p := read[PoolChanged](s.full("DELETE", "/api/v1/pools/gpu?force=true").want(200)); p.Stranded != 1 || p.Capacity != nil {
		t.Errorf("%+v", p)
	}
	s.full("DELETE", "/api/v1/pools/gpu").problem(noSuchPool)
}

func TestSchedulesAreKept(t *testing.T) {
	s := serve(t, Options{})
	const at = "/api/v1/schedules"
	const text = `{"schedule": "n", "cron": "@daily", "runs": {"command": "echo", "args": ["x"]}, "env": {"A": "1"}}`
	first := s.full("POST", at, body(text), header(keyHeader, "k")).want(201)
	if n := read[Schedule](first); n.Cron != "@daily" || *n.Job != "n" || n.NextAt == nil {
		t.Errorf("%+v", n)
	}
	if again := s.full("POST", at, body(text), header(keyHeader, "k")).want(201); string(again.body) != string(first.body) {
		t.Errorf("%s", again.body)
	}
	s.full("POST", at, body(text)).problem(contradicts)
	same(t, faults(s.full("POST", at, body(`{"schedule": "m", "overlap": "x", "missed": "y", "catch_up": -1, "runs": {"comand": "x"}, "env": {"": "x"}}`)).problem(invalid)),
		`/catch_up: want seconds above zero`,
		`/overlap: unknown overlap "x", want skip or queue`,
		`/missed: unknown missed "y", want one, none or all`,
		`/runs: comand: unknown key, did you mean "command"?`,
		`/env/: cannot be a variable`,
		`/cron: is missing`)
	same(t, faults(s.full("POST", at, body(`{"schedule": "m", "cron": "x", "runs": {"command": "x"}}`)).problem(invalid)),
		`: cron line "x": it has 1 fields, not 5, or 6 with seconds; want one such as '15 3 * * 1-5' or @daily`)
	s.full("POST", at, body(`{"schedule": "f", "cron": "@daily", "paused": true, "file": {"text": "tasks: [{id: a, command: 'true'}]", "params": {}}}`)).want(201)
	if l := read[[]Schedule](s.get(at)); len(l) != 2 || l[0].File == nil || l[0].PausedAt == nil {
		t.Errorf("%+v", l)
	}
	if f := read[Fired](s.full("POST", at+"/n/run", header(keyHeader, "r")).want(201)); f.Job != "n" || !f.Added || f.Task == nil {
		t.Errorf("%+v", f)
	}
	if f := s.full("POST", at+"/n/run", header(keyHeader, "r")).want(201); f.header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("%s", f.body)
	}
	if n := len(s.keys("n")); n != 1 {
		t.Errorf("%d tasks", n)
	}
	s.full("POST", at+"/f/run").want(201)
	if n := read[Schedule](s.full("PATCH", at+"/n", body(`{"cron": "@hourly", "missed": "none"}`)).want(200)); n.Cron != "@hourly" || n.Missed != "none" || n.Overlap != "skip" {
		t.Errorf("%+v", n)
	}
	s.full("PATCH", at+"/n", body(`{"cron": "x"}`)).problem(invalid)
	if n := read[Schedule](s.full("POST", at+"/n/pause").want(200)); n.PausedAt == nil {
		t.Errorf("%+v", n)
	}
	if n := read[Schedule](s.full("POST", at+"/n/resume").want(200)); n.PausedAt != nil {
		t.Errorf("%+v", n)
	}
	s.full("DELETE", at+"/n").want(204)
	s.full("GET", at+"/n").problem(noSuchSchedule)
	for _, verb := range []string{"pause", "resume", "run"} {
		s.full("POST", at+"/n/"+verb).problem(noSuchSchedule)
	}
	s.full("PATCH", at+"/n", body(`{}`)).problem(noSuchSchedule)
}
