package taskfile_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/taskfile"
)

func TestParseJob(t *testing.T) {
	got, err := taskfile.ParseJob("/jobs/nightly.yaml", []byte(`# comment
name: build_all

tasks:
  - id: fetch
    command: curl
    args: [-fsS, 1, 2.50, true, 2025-10-02, "", "5"]
    env: {MODE: release, LEVEL: 3, EMPTY: "", NO: yes}
    working_directory: ../data
    timeout: 90s
    priority: -3

  - command: "true"
    id: 7
    dependencies: [fetch]
    timeout: 90
    working_directory: /abs/x
  - {id: last one, command: false, dependencies: [7, fetch]}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := &taskfile.JobFile{
		Name: "build_all",
		Tasks: []taskfile.JobTask{
			{
				Spec: job.Spec{
					ID: "fetch", Command: "curl", Args: []string{"-fsS", "1", "2.50", "true", "2025-10-02", "", "5"},
					Dir: "/data", Priority: -3, Timeout: 90 * time.Second,
				},
				AddEnv: []string{"MODE=release", "LEVEL=3", "EMPTY=", "NO=yes"},
				Line:   5,
			},
			{
				Spec: job.Spec{
					ID: "7", Command: "true", Dependencies: []string{"fetch"}, Dir: "/abs/x", Timeout: 90 * time.Second,
				},
				Line: 13,
			},
			{
				Spec: job.Spec{ID: "last one", Command: "false", Dependencies: []string{"7", "fetch"}},
				Line: 18,
			},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("file (-want +got):\n%s", diff)
	}
}

func TestParseJobInJSON(t *testing.T) {
	got, err := taskfile.ParseJob("/jobs/nightly.json", []byte(
		"{\n\t\"tasks\":[\n\t\t{\"id\":\"\\ud83d\\ude80\",\"command\":\"sh\",\"args\":[\"-c\",\"echo \\\"x\\\"\\n\",1.0],\"env\":{\"A\":\"b\"}}\n\t]\n}\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := &taskfile.JobFile{
		Name: "nightly",
		Tasks: []taskfile.JobTask{{
			Spec:   job.Spec{ID: "🚀", Command: "sh", Args: []string{"-c", "echo \"x\"\n", "1.0"}},
			AddEnv: []string{"A=b"},
			Line:   3,
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("file (-want +got):\n%s", diff)
	}
}

// refusedJobs are documents that are refused, and why.
func refusedJobs() []struct{ name, give, want string } {
	// one returns a file whose only task has the lines given, from line 4 on.
	one := func(lines string) string {
		return "tasks:\n  - id: a\n    command: x\n    " + strings.ReplaceAll(lines, "\n", "\n    ") + "\n"
	}
	return []struct{ name, give, want string }{
		{"empty", "# nothing\n", `f.yaml: the file is empty, want an object with tasks`},
		{"no tasks", "name: x\n", `f.yaml:1: key "tasks": is missing`},
		{"list at the root", "- id: a\n", `f.yaml:1: want an object, got an array`},
		{"unknown key", "task: []\n", `f.yaml:1: key "task": unknown key, did you mean "tasks"?`},
		{"other unknown key", "tasks: []\nversion: 3\n", `f.yaml:2: key "version": unknown key, want name, schedule, retry_holds, labels, parameters, env_file, defaults, on_failure, hooks, parallel, priority or tasks`},
		{"tasks null", "tasks:\n", `f.yaml:1: key "tasks": want an array of tasks, got null`},
		{"tasks mapping", "tasks: {a: x}\n", `f.yaml:1: key "tasks": want an array of tasks, got an object`},
		{"tasks empty", "tasks: []\n", `f.yaml:1: key "tasks": want at least one task`},
		{"task text", "tasks:\n  - make\n", `f.yaml:2: task at index 0: want an object, got a string`},
		{"bad name", "name: a b\ntasks: []\n", `f.yaml:1: key "name": job name "a b" contains ' ': only letters, digits, - and _ are allowed`},
		{"empty name", "name: ''\ntasks: []\n", `f.yaml:1: key "name": job name is empty`},
		{"null name", "name:\ntasks: []\n", `f.yaml:1: key "name": want a string, got null`},
		{"no id", "tasks:\n  - command: x\n", `f.yaml:2: task at index 0: key "id": is missing`},
		{"no command", "tasks:\n  - id: a\n", `f.yaml:2: task at index 0 ("a"): key "command": is missing`},
		{"empty id", "tasks:\n  - id: ''\n    command: x\n", `f.yaml:2: task at index 0: key "id": task id is empty`},
		{"empty command", "tasks:\n  - id: a\n    command: ''\n", `f.yaml:3: task at index 0 ("a"): key "command": command is empty`},
		{"null command", "tasks:\n  - id: a\n    command: null\n", `f.yaml:3: task at index 0 ("a"): key "command": want a string, got null`},
		{"command list", "tasks:\n  - id: a\n    command: [x]\n", `f.yaml:3: task at index 0 ("a"): key "command": want a string, got an array`},
		{"id with a line break", "tasks:\n  - id: \"a\\nb\"\n    command: x\n", `f.yaml:2: task at index 0 ("a\nb"): key "id": task id "a\nb" contains the unprintable character U+000A`},
		{"same id", "tasks:\n  - {id: a, command: x}\n  - {id: b, command: x}\n  - {id: a, command: x}\n", `f.yaml:4: task at index 2 ("a"): key "id": task id "a" is already that of the task on line 2`},
		{"same id as a number", "tasks:\n  - {id: 1, command: x}\n  - {id: \"1\", command: x}\n", `f.yaml:3: task at index 1 ("1"): key "id": task id "1" is already that of the task on line 2`},
		{"unknown task key", one("arg: [x]"), `f.yaml:4: task at index 0 ("a"): key "arg": unknown key, did you mean "args"?`},
		{"args text", one("args: x y"), `f.yaml:4: task at index 0 ("a"): key "args": want an array of strings, got a string`},
		{"args null inside", one("args: [x, ~]"), `f.yaml:4: task at index 0 ("a"): key "args": argument 2: want a string, got null`},
		{"args list inside", one("args: [x, [y]]"), `f.yaml:4: task at index 0 ("a"): key "args": argument 2: want a string, got an array`},
		{"args NUL", one(`args: [x, "y\0"]`), `f.yaml:4: task at index 0 ("a"): key "args": argument 2: the string contains a NUL byte at position 1`},
		{"dependencies text", one("dependencies: b"), `f.yaml:4: task at index 0 ("a"): key "dependencies": want an array of strings, got a string`},
		{"dependency twice", one("dependencies: [b, b]"), `f.yaml:4: task at index 0 ("a"): key "dependencies": names "b" twice`},
		{"dependency on itself", one("dependencies: [a]"), `f.yaml:4: task at index 0 ("a"): key "dependencies": task "a" depends on itself`},
		{"dependency unknown", one("dependencies: [fetch]"), `f.yaml:4: task at index 0 ("a"): key "dependencies": there is no task "fetch"`},
		{"dependency misspelt", "tasks:\n  - {id: fetch, command: x}\n  - {id: b, command: x, dependencies: [fecth]}\n", `f.yaml:3: task at index 1 ("b"): key "dependencies": there is no task "fecth", did you mean "fetch"?`},
		{"priority text", one("priority: high"), `f.yaml:4: task at index 0 ("a"): key "priority": want a whole number from -2147483648 to 2147483647, got "high"`},
		{"priority huge", one("priority: 3000000000"), `f.yaml:4: task at index 0 ("a"): key "priority": want a whole number from -2147483648 to 2147483647, got 3000000000`},
		{"timeout zero", one("timeout: 0"), `f.yaml:4: task at index 0 ("a"): key "timeout": want a time above zero such as 90s or 5m or none, got 0`},
		{"timeout negative", one("timeout: -5s"), `f.yaml:4: task at index 0 ("a"): key "timeout": want a time above zero such as 90s or 5m or none, got "-5s"`},
		{"timeout fraction", one("timeout: 1.5"), `f.yaml:4: task at index 0 ("a"): key "timeout": want a time above zero such as 90s or 5m or none, got 1.5`},
		{"timeout short", one("timeout: 500ns"), `f.yaml:4: task at index 0 ("a"): key "timeout": want at least 1ms, got 500ns`},
		{"timeout words", one("timeout: 5 minutes"), `f.yaml:4: task at index 0 ("a"): key "timeout": want a time above zero such as 90s or 5m or none, got "5 minutes"`},
		{"timeout null", one("timeout: ~"), `f.yaml:4: task at index 0 ("a"): key "timeout": want a time above zero such as 90s or 5m or none, got null`},
		{"timeout too large", one("timeout: 9223372037"), `f.yaml:4: task at index 0 ("a"): key "timeout": 9223372037 seconds are too long`},
		{"folder empty", one("working_directory: ''"), `f.yaml:4: task at index 0 ("a"): key "working_directory": must not be empty`},
		{"folder home", one("working_directory: ~/x"), `f.yaml:4: task at index 0 ("a"): key "working_directory": ~ does not stand for the home folder here; write "~/x" in full`},
		{"env list", one("env: [A=b]"), `f.yaml:4: task at index 0 ("a"): key "env": want an object of strings, got an array`},
		{"env null", one("env:\n  A:"), `f.yaml:5: task at index 0 ("a"): key "env": variable "A": want a string, got null`},
		{"env bad name", one("env: {A=B: c}"), `f.yaml:4: task at index 0 ("a"): key "env": "A=B" cannot be the name of a variable`},
		{"env empty name", one("env: {'': c}"), `f.yaml:4: task at index 0 ("a"): key "env": "" cannot be the name of a variable`},
		{"env NUL", one(`env: {A: "b\0"}`), `f.yaml:4: task at index 0 ("a"): key "env": variable "A": the string contains a NUL byte at position 1`},
		{"env twice", one("env: {A: b, A: c}"), `f.yaml:4: task at index 0 ("a"): key "env": variable "A": is already set on line 4`},
		{"cycle of two", "tasks:\n  - {id: a, command: x, dependencies: [b]}\n  - {id: b, command: x, dependencies: [a]}\n", `f.yaml:2: task at index 0 ("a"): key "dependencies": dependency cycle: a → b → a`},
		{"cycle with a way in", "tasks:\n  - {id: a, command: x, dependencies: [b]}\n  - {id: b, command: x, dependencies: [c]}\n  - {id: c, command: x, dependencies: [d, b]}\n  - {id: d, command: x}\n", `f.yaml:3: task at index 1 ("b"): key "dependencies": dependency cycle: b → c → b`},
		{"not YAML", "tasks:\n  - id: a\n   command: x\n", `f.yaml:3: not valid YAML: did not find expected '-' indicator (while parsing a block collection that begins on line 2)`},
	}
}

func TestParseJobRefuses(t *testing.T) {
	for _, tt := range refusedJobs() {
		t.Run(tt.name, func(t *testing.T) {
			_, err := taskfile.ParseJob("f.yaml", []byte(tt.give))
			checkJobError(t, err, tt.want)
		})
	}
}

func TestNameFromFile(t *testing.T) {
	content := []byte("tasks: [{id: a, command: x}]")
	for path, want := range map[string]string{
		"/x/nightly.yaml": "nightly", "nightly-2.json": "nightly-2", "nightly": "nightly", "/x.y/täglich.yml": "täglich",
	} {
		f, err := taskfile.ParseJob(path, content)
		if err != nil || f.Name != want {
			t.Errorf("name from %s = %v, %v; want %s", path, f, err, want)
		}
	}
	_, err := taskfile.ParseJob("my job.yaml", content)
	checkJobError(t, err, `my job.yaml: key "name": is missing, and the file's own name does not make one `+
		`(job name "my job" contains ' ': only letters, digits, - and _ are allowed); add name:`)
	_, err = taskfile.ParseJob(".yaml", content)
	checkJobError(t, err, `.yaml: key "name": is missing, and the file's own name does not make one (job name is empty); add name:`)
	_, err = taskfile.ParseJob("-", content)
	checkJobError(t, err, `standard input: key "name": is missing`)
}

func TestAWantedNameMakesUpForAFileNameThatIsNone(t *testing.T) {
	const tasks = "tasks: [{id: a, command: x}]"
	p := filepath.Join(t.TempDir(), "my job.yaml")
	if err := os.WriteFile(p, []byte(tasks), 0o600); err != nil {
		t.Fatal(err)
	}
	if f, err := taskfile.LoadJob(p, "mine"); err != nil || f.Name != "mine" {
		t.Errorf("Load as mine = %v, %v", f, err)
	}
	if err := os.WriteFile(p, []byte("name: my job\n"+tasks), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := taskfile.LoadJob(p, "mine")
	checkJobError(t, err, p+`:1: key "name": job name "my job" contains ' ': only letters, digits, - and _ are allowed`)
}

func TestLoadJob(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "nightly.yaml")
	if err := os.WriteFile(path, []byte("tasks: [{id: a, command: x, working_directory: sub}]"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	for _, p := range []string{path, "nightly.yaml"} {
		f, err := taskfile.LoadJob(p, "")
		if err != nil {
			t.Fatal(err)
		}
		if want := filepath.Join(dir, "sub"); f.Tasks[0].Dir != want {
			t.Errorf("working directory of %s = %s, want %s", p, f.Tasks[0].Dir, want)
		}
	}
	_, err := taskfile.LoadJob("missing.yaml", "")
	checkJobError(t, err, "missing.yaml: no such file")
	_, err = taskfile.LoadJob(dir, "")
	checkJobError(t, err, dir+": is a folder, not a file")
}

func TestLoadJobStdin(t *testing.T) {
	path := filepath.Join(t.TempDir(), "in")
	if err := os.WriteFile(path, []byte("name: piped\ntasks: [{id: a, command: x}]"), 0o600); err != nil {
		t.Fatal(err)
	}
	in, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	old := os.Stdin
	os.Stdin = in
	defer func() { os.Stdin = old }()
	f, err := taskfile.LoadJob("-", "")
	if err != nil || f.Name != "piped" || len(f.Tasks) != 1 {
		t.Errorf("Load of the standard input = %v, %v; want the job piped", f, err)
	}
}

func TestLargeArgument(t *testing.T) {
	arg := strings.Repeat("0123456789abcdef", 2<<20/16)
	for _, format := range []string{
		"tasks:\n  - id: a\n    command: x\n    args:\n      - |-\n        %s\n",
		"tasks: [{id: a, command: x, args: [%s]}]",
		`{"tasks": [{"id": "a", "command": "x", "args": ["%s"]}]}`,
	} {
		f, err := taskfile.ParseJob("f.yaml", fmt.Appendf(nil, format, arg))
		if err != nil {
			t.Fatalf("%.80v", err)
		}
		if got := f.Tasks[0].Args; len(got) != 1 || got[0] != arg {
			t.Errorf("%d arguments came back from %.30q, or another one", len(got), format)
		}
	}
}

func TestLongChainIsNoCycle(t *testing.T) {
	const n = 10_000
	var b strings.Builder
	b.WriteString(`{"tasks":[{"id":"0","command":"x"}`)
	for i := 1; i < n; i++ {
		fmt.Fprintf(&b, `,{"id":"%d","command":"x","dependencies":["%d"]}`, i, i-1)
	}
	f, err := taskfile.ParseJob("f.json", []byte(b.String()+"]}"))
	if err != nil || len(f.Tasks) != n {
		t.Fatalf("Parse = %.80v; want %d tasks", err, n)
	}
	closed := strings.Replace(b.String(), `"command":"x"`, fmt.Sprintf(`"command":"x","dependencies":["%d"]`, n-1), 1)
	_, err = taskfile.ParseJob("f.json", []byte(closed+"]}"))
	checkJobError(t, err, `f.json:1: task at index 0 ("0"): key "dependencies": dependency cycle: `+
		"0 → 9999 → 9998 → 9997 → 9996 → 9995 → 9994 → 9993 → 9992 → 9991 → … → 0 (10000 tasks)")
}

func TestExamples(t *testing.T) {
	for name, tasks := range map[string]int{"hello": 1, "pipeline": 5} {
		f, err := taskfile.LoadJob(filepath.Join("..", "examples", name+".yaml"), "")
		if err != nil {
			t.Fatal(err)
		}
		if f.Name != name || len(f.Tasks) != tasks {
			t.Errorf("job %s with %d tasks, want %s with %d", f.Name, len(f.Tasks), name, tasks)
		}
	}
}

// checkError compares an error, which must be a *taskfile.Error, with its text.
func checkJobError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error, want", want)
	}
	checkFileError(t, err)
	if got := noColumn(err, want); got != want {
		t.Errorf("error\n%s\nwant\n%s", got, want)
	}
}

// YAML has true in three ways.
func TestTruthIsTrueHoweverItIsWritten(t *testing.T) {
	for written, want := range map[string]bool{"true": true, "True": true, "TRUE": true, "false": false, "False": false, "FALSE": false} {
		f, err := taskfile.ParseJob("f.yaml", []byte("retry_holds: "+written+"\ntasks: [{id: a, command: x}]\n"))
		if err != nil || f.RetryHolds == nil || *f.RetryHolds != want {
			t.Errorf("%s: %+v, %v", written, f, err)
		}
	}
}
