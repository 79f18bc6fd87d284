package api

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// lines is a body with a task a line.
func lines(text string) with {
	return func(r *http.Request) {
		body(text)(r)
		r.Header.Set("Content-Type", "application/x-ndjson")
	}
}

// faults are those of an answer, each as POINTER: MESSAGE.
func faults(g *got) (out []string) {
	if p := read[Problem](g); p.Errors != nil {
		for _, f := range *p.Errors {
			out = append(out, f.Pointer+": "+f.Message)
		}
	}
	return out
}

func same(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestAJobIsAdded(t *testing.T) {
	s := serve(t, Options{})
	const text = `{"name": "build", "labels": {"team": "web"}, "parallel": 2, "parameters": {"n": {"type": "int"}}, "params": {"n": 5},
		"defaults": {"timeout": "2m"}, "tasks": [
		{"id": "a", "command": "sleep", "args": ["{{ n }}"]},
		{"id": "b", "command": "true", "dependencies": ["a"], "env": {"X": "1"}, "working_directory": "/tmp", "labels": {"k": "v"}}]}`
	a := read[Added](s.full("POST", "/api/v1/jobs", body(text)).want(201))
	if a.Job != "build" || a.Added != 2 || a.Tasks == nil || len(*a.Tasks) != 2 || (*a.Tasks)[1].ID != "b" {
		t.Fatalf("%+v", a)
	}
	b := read[TaskAt](s.get(fmt.Sprintf("/api/v1/tasks/%d", (*a.Tasks)[1].Key)))
	if *b.WorkingDirectory != "/tmp" || !slices.Equal(b.EnvNames, []string{"X"}) || *b.Timeout != 120 || b.Labels["k"] != "v" {
		t.Errorf("%+v", b)
	}
	if first := read[TaskAt](s.get(fmt.Sprintf("/api/v1/tasks/%d", (*a.Tasks)[0].Key))); !slices.Equal(first.Args, []string{"5"}) || first.EnvNames != nil {
		t.Errorf("%+v", first)
	}
	if j := read[JobAt](s.get("/api/v1/jobs/build")); j.Labels["team"] != "web" {
		t.Errorf("%+v", j)
	}
	s.full("POST", "/api/v1/jobs", body(text)).problem(contradicts)
	for then, want := range map[string]string{"number": "build-2", "append": "build"} {
		other := strings.Replace(strings.ReplaceAll(text, `"id": "`, `"id": "x`), `["a"]`, `["xa"]`, 1)
		a := read[Added](s.full("POST", "/api/v1/jobs", body(strings.Replace(other, "{", `{"if_exists": "`+then+`",`, 1))).want(201))
		if a.Job != want {
			t.Errorf("%s: %+v", then, a)
		}
	}
}

func TestAllThatIsWrongWithAJobIsNamed(t *testing.T) {
	s := serve(t, Options{})
	g := s.full("POST", "/api/v1/jobs", body(`{"name": "bad name", "if_exist": "append", "lables": {}, "schedule": "@daily", "env_file": ".env",
		"tasks": [
		{"id": "a", "command": "true", "argss": [], "timeout": "soon"},
		{"id": "b", "command": "true", "dependencies": ["a", "none"], "working_directory": "here"},
		{"id": "c", "comand": "true"},
		{"id": "d", "command": "true", "dependencies": ["a", "e"]},
		{"id": "d", "command": "true", "foreach": {"command": "ls"}},
		5]}`)).problem(invalid)
	same(t, faults(g),
		`/if_exist: unknown key, did you mean "if_exists"?`,
		`/lables: unknown key, did you mean "labels"?`,
		`/name: job name "bad name" contains ' ': only letters, digits, - and _ are allowed`,
		`/env_file: is for job files; give env in defaults`,
		`/schedule: is for job files; a schedule is added by itself`,
		`/tasks/0/argss: unknown key, did you mean "args"?`,
		`/tasks/0/timeout: want a time above zero such as 90s or 5m or none, got "soon"`,
		`/tasks/1/working_directory: want an absolute path, got "here"`,
		`/tasks/2/comand: unknown key, did you mean "command"?`,
		`/tasks/4/foreach: want a list; what looks for items is for job files`,
		`/tasks/5: want an object, got a number`,
		`/tasks/3/dependencies: there is no task "e"`)
	same(t, faults(s.full("POST", "/api/v1/jobs", body(`{"name": "j", "taks": []}`)).problem(invalid)), `/taks: unknown key, did you mean "tasks"?`)
	s.full("POST", "/api/v1/jobs", body(`{"name": "j", "tasks": []}`)).problem(invalid)
	s.full("POST", "/api/v1/jobs", body(`{"name": "j"}`)).problem(invalid)
	s.full("POST", "/api/v1/jobs", body(`{"tasks": [{"id": "a", "command": "true"}]}`)).problem(invalid)
	s.full("POST", "/api/v1/jobs", body(`[]`)).problem(invalid)
	s.full("POST", "/api/v1/jobs", body(`null`)).problem(invalid)
	s.full("POST", "/api/v1/jobs", body(`{"name": `)).problem(badBody)
	s.full("POST", "/api/v1/jobs", body(``)).problem(badBody)
	s.full("POST", "/api/v1/jobs", lines(`{}`)).problem(wrongType)
	if n := len(names(read[JobPage](s.get("/api/v1/jobs")))); n != 0 {
		t.Errorf("%d jobs were stored", n)
	}
}

func TestTasksAreAdded(t *testing.T) {
	s := serve(t, Options{})
	const to = "/api/v1/jobs/j/tasks"
	one := read[Added](s.full("POST", to, body(`{"command": "true"}`)).want(201))
	if one.Job != "j" || one.Added != 1 || (*one.Tasks)[0].ID != "1" {
		t.Errorf("%+v", one)
	}
	two := read[Added](s.full("POST", to, body(`[{"id": "b", "command": "true", "dependencies": ["c"]}, {"id": "c", "command": "true"}]`)).want(201))
	if two.Added != 2 || len(*two.Tasks) != 2 {
		t.Errorf("%+v", two)
	}
	again := read[Added](s.full("POST", to+"?if_absent=true", lines("{\"id\": \"c\", \"command\": \"true\"}\n\n{\"id\": \"d\", \"command\": \"true\"}\n")).want(201))
	if again.Added != 1 || (*again.Tasks)[0] != (AddedTask{Key: (*two.Tasks)[1].Key, ID: "c"}) || !(*again.Tasks)[1].Added {
		t.Errorf("%+v", again)
	}
	s.full("POST", to, body(`{"id": "c", "command": "true"}`)).problem(contradicts)
	s.full("POST", "/api/v1/jobs/bad%20name/tasks", body(`{"command": "true"}`)).problem(noSuchJob)
}

func TestAllThatIsWrongWithTasksIsNamed(t *testing.T) {
	s := serve(t, Options{})
	const to = "/api/v1/jobs/j/tasks"
	same(t, faults(s.full("POST", to, body(`[{"id": "a", "command": "true", "argss": []}, {"timeout": "soon", "comand": "x"}, {"id": "a/b", "command": "x", "working_directory": "here"}, 5]`)).problem(invalid)),
		`/0/argss: unknown key, did you mean "args"?`,
		`/1/timeout: want a time above zero such as 90s or 5m or none, got "soon"`,
		`/1/comand: unknown key, did you mean "command"?`,
		`/2/working_directory: want an absolute path, got "here"`,
		`/3: want an object, got a number`)
	same(t, faults(s.full("POST", to, body(`{"id": "a", "command": "true", "dependencies": ["nobody"]}`)).problem(invalid)), `/dependencies: there is no task "nobody"`)
	same(t, faults(s.full("POST", to, body(`[{"id": "a", "command": "true", "dependencies": ["b"]}, {"id": "b", "command": "x", "dependencies": ["a"]}]`)).problem(invalid)), "/0/dependencies: dependency cycle: a → b → a")
	same(t, faults(s.full("POST", to+"?if_absent=true", body(`{"command": "true"}`)).problem(invalid)),
		"/id: is missing; with if_absent every task needs one, because a task without an id is always new")
	same(t, faults(s.full("POST", to, body(`{"command": "true", "pools": ["none:3"]}`)).problem(invalid)), `: task "1": there is no pool none`)
	s.full("POST", to, body(`[]`)).problem(invalid)
	s.full("POST", to, body(`5`)).problem(invalid)
	s.full("POST", to, body(`{"command": "true"} {"command": "true"}`)).problem(badBody)
	s.full("POST", to, lines(``)).problem(invalid)
	s.full("GET", "/api/v1/jobs/j").problem(noSuchJob)
}

func TestManyLinesAreStoredOrNone(t *testing.T) {
	s := serve(t, Options{})
	const to = "/api/v1/jobs/j/tasks"
	many := strings.Repeat("{\"command\": \"true\"}\n", 20_000)
	same(t, faults(s.full("POST", to, lines(many+`{"command": 5}`)).problem(invalid)), `/20000/command: line 20001: want a string, got a number`)
	same(t, faults(s.full("POST", to, lines(many+`{"command": `)).problem(badBody)), `/20000: line 20001: not valid JSON: unexpected end of the file`)
	s.full("GET", "/api/v1/jobs/j").problem(noSuchJob)
	if a := read[Added](s.full("POST", to, lines(many)).want(201)); a.Added != 20_000 || a.Tasks != nil {
		t.Errorf("%+v", a)
	}
	s.full("POST", to, body(many)).problem(badBody)
	s.full("POST", to, body("["+strings.Repeat(" ", maxBody)+"]")).problem(tooLarge)
}

func TestAJobIsChanged(t *testing.T) {
	s := serve(t, Options{})
	s.enqueue("j", command("a")...)
	const to = "/api/v1/jobs/j"
	s.full("PATCH", to, body(`{"labels": {"a": "1", "b": "2"}, "parallel": 3, "priority": -5, "retry_holds": false, "defaults": {"timeout": "2m", "retries": 3}}`)).want(200)
	is := read[JobSettings](s.full("PATCH", to, body(`{"labels": {"a": null, "c": ""}, "defaults": {"timeout": null, "retry_delay": "1m"}}`)).want(200))
	if jsonText(is.Labels) != `{"b":"2","c":""}` || is.Parallel != 3 || is.Priority != -5 || is.RetryHolds || strings.Join(strings.Fields(string(is.Defaults)), "") != `{"retries":3,"retry_delay":60}` {
		t.Errorf("%+v %s", is, is.Defaults)
	}
	if is = read[JobSettings](s.full("PATCH", to, body(`{"hooks": {"on_end": "date", "on_failure": ["mail", "me"]}}`)).want(200)); !slices.Equal(is.Hooks.OnFailure, []string{"mail", "me"}) || len(is.Hooks.OnEnd) != 3 {
		t.Errorf("%+v", is)
	}
	if is = read[JobSettings](s.full("PATCH", to, body(`{"hooks": null}`)).want(200)); is.Hooks.OnEnd != nil {
		t.Errorf("%+v", is)
	}
	same(t, faults(s.full("PATCH", to, body(`{"hooks": {"on_ende": "x"}}`)).problem(invalid)), `/hooks: "on_ende": unknown key, did you mean "on_end"?`)
	if is = read[JobSettings](s.full("PATCH", to, body(`{"defaults": null}`)).want(200)); string(is.Defaults) != "{}" || is.Parallel != 3 {
		t.Errorf("%+v %s", is, is.Defaults)
	}
	same(t, faults(s.full("PATCH", to, body(`{"labels": {"a b": "1"}, "parallel": 0, "priority": 3000000000, "defaults": {"timeot": "1m", "retries": -1, "env": {}}}`)).problem(invalid)),
		`/labels/a b: label "a b" contains ' ': only letters, digits, -, _, . and / are allowed in a key`,
		`/parallel: want 1 to 10000, got 0`,
		`/priority: want a whole number from -2147483648 to 2147483647, got "3000000000"`,
		`/defaults/retries: want a whole number from 0 to 10000, got -1`,
		`/defaults/timeot: unknown key, did you mean "timeout"?`,
		`/defaults/env: unknown key, want timeout, pools, retries, retry_delay, retry_backoff, retry_max_delay, retry_jitter, retry_on or no_retry_on`)
	s.full("PATCH", to, body(`{"lables": {}}`)).problem(invalid)
	s.full("PATCH", "/api/v1/jobs/none", body(`{"parallel": 1}`)).problem(noSuchJob)
}

func TestWhatIsAddedWithAKeyIsAddedOnce(t *testing.T) {
	s := serve(t, Options{})
	key := header(keyHeader, "k1")
	const text = `{"name": "j", "if_exists": "number", "tasks": [{"id": "a", "command": "true"}]}`
	first := s.full("POST", "/api/v1/jobs", body(text), key).want(201)
	again := s.full("POST", "/api/v1/jobs", body(text), key).want(201)
	if string(first.body) != string(again.body) || first.header.Get("Idempotent-Replayed") != "" || again.header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("%s\n%s", first.body, again.body)
	}
	s.full("POST", "/api/v1/jobs", body(strings.Replace(text, "true", "false", 1)), key).problem(keyReused)
	s.full("POST", "/api/v1/jobs/j/tasks", body(`{"command": "true"}`), key).problem(keyReused)
	s.full("POST", "/api/v1/jobs", body(text), header(keyHeader, "k2")).want(201)
	for _, wrong := range []string{"", strings.Repeat("x", 201), "ä", "a\tb"} {
		s.full("POST", "/api/v1/jobs", body(text), header(keyHeader, wrong)).problem(badParameter)
	}
	// What was refused may be tried again.
	key = header(keyHeader, "k3")
	s.full("POST", "/api/v1/jobs/x/tasks", body(`{"command": "true", "id": "b", "dependencies": ["a"]}`), key).problem(invalid)
	s.enqueue("x", command("a")...)
	s.full("POST", "/api/v1/jobs/x/tasks", body(`{"command": "true", "id": "b", "dependencies": ["a"]}`), key).want(201)
	if all := names(read[JobPage](s.get("/api/v1/jobs"))); !slices.Equal(all, []string{"j", "j-2", "x"}) {

		t.Errorf("%v", all)
	}
}
