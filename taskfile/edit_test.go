package taskfile_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/taskfile"
)

// fullTask has a value for each key that can be changed.
func fullTask() job.Spec {
	return job.Spec{
		ID: "a", Command: "c", Args: []string{"x", ""}, Dependencies: []string{"b"}, AfterAny: []string{"c"}, RunIf: job.RunAlways,
		Priority: -3, Timeout: 1500 * time.Millisecond, Pools: []string{"disk", "gpu:2"}, Dir: "/d", Env: []string{"A=1"},
		Labels: []string{"k=v", "l="}, Unique: "key", UniqueFor: job.UniqueFor(time.Minute), Retries: 3,
		Retry: job.Retry{Delay: time.Second, Backoff: 1.5, MaxDelay: time.Hour, Jitter: job.NoJitter, On: []string{"7", "signal"}, NotOn: []string{"none"}},
		Due:   time.Date(2030, 3, 4, 5, 6, 7, 8000, time.UTC),
		Hooks: job.Hooks{OnSuccess: job.ShellHook("echo done"), OnFailure: job.Hook{"mail", "me"}, OnEnd: job.Hook{}},
	}
}

func TestAnUneditedTaskStaysAsItIs(t *testing.T) {
	nasty := fullTask()
	nasty.Command, nasty.Dir = "é\u2028\x7f\u0085 # no: 'comment' \\ {{ x }}", "/\ufeff \t\"\n"
	nasty.Args = []string{"null", "~", "- a", "\x01", "5", "😀", "\u00ad\u200b", "&a *b !c", "|\n  x\n"}
	for name, s := range map[string]job.Spec{"one key": {ID: "a", Command: "true"}, "every key": fullTask(), "nasty texts": nasty} {
		text := taskfile.EditText(s, "a comment")
		got := s
		given, err := taskfile.ParseEdit("f.yaml", text, &got)
		if err != nil || !given {
			t.Errorf("%s: %t, %v, in\n%s", name, given, err, text)
			continue
		}
		s.Due = s.Due.Local()
		got.Due = got.Due.Local()
		if diff := cmp.Diff(s, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if keys := taskfile.EditedKeys(s, got); len(keys) > 0 {
			t.Errorf("%s: changed %q", name, keys)
		}
	}
}

// A key that somebody adds to the table has to be thought of here: whether it can be
// changed, and whether the change is stored.
func TestEachKeyThatCanBeChangedIsInTheFile(t *testing.T) {
	text := string(taskfile.EditText(fullTask()))
	for _, key := range taskfile.EditKeys() {
		switch key {
		case "env", "delay": // they are secret, or counted from now on
			continue
		}
		if !strings.Contains("\n"+text, "\n"+key+": ") {
			t.Errorf("%s has no value in\n%s", key, text)
		}
	}
	var e taskfile.Editing
	for _, key := range taskfile.EditKeys() {
		if key == "command" || key == "env" {
			continue
		}
		if err := e.Unset(key); err != nil {
			t.Error(err)
		}
	}
	got := fullTask()
	if err := e.Apply(&got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(job.Spec{ID: "a", Command: "c", Env: []string{"A=1"}}, got); diff != "" {
		t.Errorf("with everything taken away (-want +got):\n%s", diff)
	}
}

func TestTasksAreEditedByFlags(t *testing.T) {
	for _, c := range []struct {
		set    []string
		change func(*job.Spec)
	}{
		{[]string{"priority=5"}, func(s *job.Spec) { s.Priority = 5 }},
		{[]string{"priority="}, func(s *job.Spec) { s.Priority = 0 }},
		{[]string{"command=[a]=b"}, func(s *job.Spec) { s.Command = "[a]=b" }},
		{[]string{"args=[a, 'b c', 5]"}, func(s *job.Spec) { s.Args = []string{"a", "b c", "5"} }},
		{[]string{"args=a b"}, func(s *job.Spec) { s.Args = []string{"a b"} }},
		{[]string{"dependencies=x"}, func(s *job.Spec) { s.Dependencies = []string{"x"} }},
		{[]string{"timeout=none"}, func(s *job.Spec) { s.Timeout = job.NoTimeout }},
		{[]string{"pools=gpu"}, func(s *job.Spec) { s.Pools = []string{"gpu"} }},
		{[]string{"pools=[gpu, a]"}, func(s *job.Spec) { s.Pools = []string{"a", "gpu"} }},
		{[]string{"retries=0", "retry_on=1,2"}, func(s *job.Spec) { s.Retries, s.Retry.On = job.NoRetries, []string{"1", "2"} }},
		{[]string{"labels.k=w", "labels.a="}, func(s *job.Spec) { s.Labels = []string{"a=", "k=w", "l="} }},
		{[]string{"labels={z: y}"}, func(s *job.Spec) { s.Labels = []string{"z=y"} }},
		{[]string{"env.A=2", "env.B="}, func(s *job.Spec) { s.Env = []string{"A=2", "B="} }},
		{[]string{"env={B: x=y}"}, func(s *job.Spec) { s.Env = []string{"A=1", "B=x=y"} }},
		{[]string{"delay=5m"}, func(s *job.Spec) { s.Delay, s.Due = 5*time.Minute, time.Time{} }},
		{[]string{"at=2031-01-02T03:04:05Z"}, func(s *job.Spec) { s.Due = time.Date(2031, 1, 2, 3, 4, 5, 0, time.UTC) }},
	} {
		var e taskfile.Editing
		for _, text := range c.set {
			if err := e.Set(text); err != nil {
				t.Errorf("%q: %v", text, err)
			}
		}
		want, got := fullTask(), fullTask()
		c.change(&want)
		if err := e.Apply(&got); err != nil {
			t.Errorf("%q: %v", c.set, err)
		}
		got.Due = got.Due.UTC()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", c.set, diff)
		}
	}
	var e taskfile.Editing
	for _, name := range []string{"labels.k", "env.A", "at"} {
		if err := e.Unset(name); err != nil {
			t.Error(err)
		}
	}
	got := fullTask()
	if err := e.Apply(&got); err != nil || len(got.Env) != 0 || !cmp.Equal(got.Labels, []string{"l="}) || !got.Due.IsZero() {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestBadEditsAreRefused(t *testing.T) {
	for set, want := range map[string]string{
		"priority":               `want KEY=VALUE, got "priority"; an example: priority=5`,
		"priority=high":          `priority: want a whole number from -2147483648 to 2147483647, got "high"`,
		"prioritty=5":            `"prioritty": unknown key, did you mean "priority"?`,
		"id=b":                   `id cannot be changed`,
		"status=failed":          `status cannot be changed`,
		"command=":               `command cannot be taken away: a task needs one`,
		"args=[a":                `args: not valid YAML: `,
		"env=A":                  `env: want an object such as {NAME: VALUE}, or one with env.NAME=VALUE, got "A"`,
		"env=":                   `env cannot be taken away as a whole; env.NAME is one variable`,
		"labels.=x":              `labels: `,
		"retry_backoff=0":        `retry_backoff: want a number from 1 to 100, got "0"`,
		"run_if=sometimes":       `run_if: unknown condition "sometimes", want `,
		"working_directory=~/x":  `working_directory: ~ does not stand for`,
		"at=2031-13-01T00:00:00": `at: `,
	} {
		var e taskfile.Editing
		if err := e.Set(set); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", set, err, want)
		}
	}
	for want, set := range map[string][]string{
		"unique_for: goes with unique":     {"unique="},
		"at: does not go with delay":       {"delay=1m", "at=+1h"},
		"run_if: failure, and it depends":  {"run_if=failure", "dependencies=", "after_any="},
		"dependencies: task \"a\" depends": {"dependencies=a"},
	} {
		var e taskfile.Editing
		for _, s := range set {
			if err := e.Set(s); err != nil {
				t.Fatal(err)
			}
		}
		s := fullTask()
		if err := e.Apply(&s); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %s", set, err, want)
		}
	}
	var e taskfile.Editing
	if err := e.Set("env.A=1"); err != nil {
		t.Fatal(err)
	}
	if err := e.Apply(&job.Spec{ID: "a", Command: "true"}); err == nil || !strings.Contains(err.Error(), "no environment is stored") {
		t.Error(err)
	}
}

func TestBadEditedFilesAreRefused(t *testing.T) {
	for in, want := range map[string]string{
		"command: a\nid: b\n":                      `f.yaml:2: key "id": cannot be changed`,
		"# c\n\ncommand: a\npriorty: 1\n":          `f.yaml:4: key "priorty": unknown key, did you mean "priority"?`,
		"command: a\npriority: high\n":             `f.yaml:2: key "priority": want a whole number from`,
		"priority: 1\n":                            `f.yaml:1: key "command": is missing`,
		"command: a\nargs:\n- b\n- [c]\n":          `f.yaml:4: key "args": argument 2: want a string, got an array`,
		"command: a\nargs: [b\n":                   `f.yaml:2: not valid YAML`,
		"- a\n":                                    `f.yaml:1: `,
		"command: a\ndelay: 1m\nat: +1h\n":         `f.yaml:3: key "at": does not go with delay`,
		"command: a\nrun_if: failure\n":            `f.yaml:2: key "run_if": failure, and it depends`,
		"command: a\nunique_for: pending\n":        `f.yaml:2: key "unique_for": goes with unique`,
		"command: a\nenv:\n  A: b\n":               `f.yaml:3: key "env": no environment is stored`,
		"command: a\ncommand: b\n":                 `f.yaml:2: `,
		"command: a\ndependencies: [b, a, b]\n":    `f.yaml:2: key "dependencies": names "b" twice`,
		"command: a\nlabels: {x: y}\nlabels: {}\n": `f.yaml:3: `,
	} {
		s := job.Spec{ID: "a", Command: "true"}
		before := s
		if _, err := taskfile.ParseEdit("f.yaml", []byte(in), &s); err == nil || !strings.HasPrefix(noColumn(err, want), want) {
			t.Errorf("%q:\n got %v\nwant %s", in, err, want)
		}
		if diff := cmp.Diff(before, s); diff != "" {
			t.Errorf("%q changed the task:\n%s", in, diff)
		}
	}
	for _, in := range []string{"", "# nothing\n", "\n\n"} {
		s := fullTask()
		if given, err := taskfile.ParseEdit("f.yaml", []byte(in), &s); given || err != nil || !cmp.Equal(s, fullTask()) {
			t.Errorf("%q: %t, %v", in, given, err)
		}
	}
}
