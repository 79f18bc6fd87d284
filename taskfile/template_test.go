package taskfile_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/taskfile"
)

// parsedWith reads a file that is said to be in a folder.
func parsedWith(t *testing.T, folder, text string, o taskfile.JobOptions) *taskfile.JobFile {
	t.Helper()
	o.Dir = folder
	f, err := taskfile.ParseJobWith(filepath.Join(folder, "f.yaml"), []byte(text), o)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// lines is the tasks of a file in a line each.
func linesOf(f *taskfile.JobFile) (out []string) {
	for _, t := range f.Tasks {
		line := t.ID + ": " + strings.Join(append([]string{t.Command}, t.Args...), " ")
		if len(t.Dependencies) > 0 {
			line += " < " + strings.Join(t.Dependencies, " ")
		}
		out = append(out, line)
	}
	return out
}

func wantLines(t *testing.T, f *taskfile.JobFile, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, linesOf(f)); diff != "" {
		t.Errorf("tasks (-want +got):\n%s", diff)
	}
}

const withParameters = `
name: report-{{ day }}
labels: {team: search, day: "{{ day }}"}
parameters:
  day:
  size: {type: int, default: 5}
  ratio: {type: float, default: 0.5}
  deep: {type: bool, default: no-such, required: false}
  mode: {choices: [fast, slow], default: fast, help: How much it does.}
defaults:
  priority: "{{ size }}"
  env: {MODE: "{{ mode }}", LEVEL: 1}
  labels: {kind: part}
tasks:
  - id: fetch-{{ day }}
    command: curl
    args: ["{{mode}}", "{{ ratio }}/{{size}}", "{{{{ day }}", "--format={{.Names}}", 5]
    env: {LEVEL: 2}
    labels: {kind: fetch}
  - id: pack
    command: tar
    priority: 1
    dependencies: ["fetch-{{ day }}"]
`

func TestParametersAreFilledIn(t *testing.T) {
	text := strings.Replace(withParameters, "default: no-such, required: false", "required: false", 1)
	f := parsedWith(t, "/jobs", text, taskfile.JobOptions{Params: []string{"day=2026-01-31", "size=007"}})
	wantLines(t, f, "fetch-2026-01-31: curl fast 0.5/7 {{ day }} --format={{.Names}} 5", "pack: tar < fetch-2026-01-31")
	if f.Name != "report-2026-01-31" || !slices.Equal(f.Labels, []string{"day=2026-01-31", "team=search"}) {
		t.Errorf("job %s, labels %q", f.Name, f.Labels)
	}
	a, b := f.Tasks[0], f.Tasks[1]
	if a.Priority != 7 || b.Priority != 1 || !slices.Equal(a.AddEnv, []string{"MODE=fast", "LEVEL=2"}) || !slices.Equal(b.AddEnv, []string{"MODE=fast", "LEVEL=1"}) {
		t.Errorf("defaults: %d %d %q %q", a.Priority, b.Priority, a.AddEnv, b.AddEnv)
	}
	if !slices.Equal(a.Labels, []string{"kind=fetch"}) || !slices.Equal(b.Labels, []string{"kind=part"}) {
		t.Errorf("labels: %q %q", a.Labels, b.Labels)
	}
	if len(f.Parameters) != 5 || f.Parameters[0].Name != "day" || !f.Parameters[0].Required || f.Parameters[2].Required || f.Parameters[4].Type != "enum" {
		t.Errorf("parameters: %+v", f.Parameters)
	}
}

func TestACheckNeedsNoParameters(t *testing.T) {
	text := strings.Replace(withParameters, "default: no-such, required: false", "type: bool", 1)
	text = strings.Replace(text, "{type: bool, type: bool}", "{type: bool}", 1)
	f := parsedWith(t, "/jobs", text, taskfile.JobOptions{Check: true})
	if !slices.Equal(f.Unset, []string{"day", "deep"}) || f.Name != "report-day" {
		t.Errorf("without values: %q, job %s", f.Unset, f.Name)
	}
}

func TestForeach(t *testing.T) {
	folder := t.TempDir()
	for name, content := range map[string]string{
		"list.txt": "one\n\n  \ntwo words\r\n", "b.png": "", "a.png": "", "sub/c.png": "", "[x]/d.png": "",
	} {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var asked []string
	output := func(dir string, command []string) ([]byte, error) {
		asked = append(asked, dir+": "+strings.Join(command, " "))
		return []byte("p\nq\n"), nil
	}
	f := parsedWith(t, folder, `
parameters: {ext: {default: png}}
tasks:
  - {id: list, command: echo, args: ["{{ index }}", "{{ item }}"], foreach: [a, 2, "{{ ext }}", a, "x\ty"]}
  - {id: glob, command: convert, args: ["{{ item }}"], foreach: {glob: "*.{{ ext }}"}}
  - {id: below, command: convert, args: ["{{ item }}"], working_directory: "[x]", foreach: {glob: "*.png"}}
  - {id: "line-{{ index }}", command: echo, args: ["{{ item }}"], foreach: {lines: list.txt}, dependencies: [glob]}
  - {id: shell, command: echo, foreach: {command: "printf 'p\nq\n'"}, dependencies: ["{{ item }}{{ index }}"]}
  - {id: args, command: echo, foreach: {command: [git, ls-files]}}
  - {id: none, command: echo, foreach: []}
  - {id: p1, command: echo}
  - {id: q2, command: echo}
  - {id: all, command: echo, dependencies: [glob, shell, none, glob-a.png]}
`, taskfile.JobOptions{Output: output})
	wantLines(t, f,
		"list-a: echo 1 a", "list-2: echo 2 2", "list-png: echo 3 png", "list-a-4: echo 4 a", "list-x_y: echo 5 x\ty",
		"glob-a.png: convert a.png", "glob-b.png: convert b.png", "below-d.png: convert d.png",
		"line-1: echo one < glob-a.png glob-b.png", "line-2: echo two words < glob-a.png glob-b.png",
		"shell-p: echo < p1", "shell-q: echo < q2", "args-p: echo", "args-q: echo", "p1: echo", "q2: echo",
		"all: echo < glob-a.png glob-b.png shell-p shell-q")
	want := []string{folder + ": /bin/sh -c printf 'p\nq\n'", folder + ": git ls-files"}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("commands (-want +got):\n%s", diff)
	}
}

// A diamond lattice and many items are read at once.
func TestLargeJobFiles(t *testing.T) {
	var b strings.Builder
	b.WriteString("tasks:\n")
	const side = 32
	for y := range side {
		for x := range side {
			fmt.Fprintf(&b, "  - {id: n%d-%d, command: x", y, x)
			var needs []string
			if y > 0 {
				needs = append(needs, fmt.Sprintf("n%d-%d", y-1, x))
			}
			if x > 0 {
				needs = append(needs, fmt.Sprintf("n%d-%d", y, x-1))
			}
			fmt.Fprintf(&b, ", dependencies: [%s]}\n", strings.Join(needs, ", "))
		}
	}
	if f := parsedWith(t, "/jobs", b.String(), taskfile.JobOptions{}); len(f.Tasks) != side*side {
		t.Errorf("%d tasks", len(f.Tasks))
	}
	folder := t.TempDir()
	for i := range 500 {
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("f%03d.png", i)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f := parsedWith(t, folder, `
tasks:
  - {id: convert, command: convert, args: ["{{ item }}", "out/{{ item }}"], foreach: {glob: "*.png"}}
  - {id: pack, command: tar, dependencies: [convert]}
`, taskfile.JobOptions{})
	last := f.Tasks[len(f.Tasks)-1]
	if len(f.Tasks) != 501 || len(last.Dependencies) != 500 || last.Dependencies[499] != "convert-f499.png" {
		t.Errorf("%d tasks, the last needs %d", len(f.Tasks), len(last.Dependencies))
	}
}

func TestLongItemsHaveIDsOfTheirOwn(t *testing.T) {
	long := strings.Repeat("é", 200)
	f := parsedWith(t, "/jobs", "tasks: [{id: a, command: x, foreach: ["+long+"1, "+long+"2]}]", taskfile.JobOptions{})
	if a, b := f.Tasks[0].ID, f.Tasks[1].ID; a == b || len(a) > 255 || len(b) > 255 || !strings.HasSuffix(a, "-1") || !strings.HasSuffix(b, "-2") {
		t.Errorf("ids %q and %q", a, b)
	}
}

func TestEnvFile(t *testing.T) {
	folder := t.TempDir()
	write := func(name, content string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("a.env", "\ufeff# comment\n\nexport A=1\nB = 2\n")
	_, err := taskfile.ParseJobWith(filepath.Join(folder, "f.yaml"), []byte("env_file: a.env\ntasks: [{id: a, command: x}]"), taskfile.JobOptions{})
	checkJobError(t, err, filepath.Join(folder, "a.env")+`:4: want KEY=VALUE, got "B = 2"`)

	write("a.env", "\ufeff# comment\n\nexport A=1\r\nB=two words # and more\nC='$x \\n' # c\nD=\"a\\n\\\"b\\\" \\$x\"\nE=\nF=a#b\n")
	write("b.env", "A=9\n")
	f := parsedWith(t, folder, "env_file: [a.env, ./b.env]\ntasks: [{id: a, command: x, env: {Z: 1}}, {id: b, command: x}]", taskfile.JobOptions{})
	common := []string{"A=1", "B=two words", `C=$x \n`, "D=a\n\"b\" $x", "E=", "F=a#b", "A=9"}
	if diff := cmp.Diff(append(common, "Z=1"), f.Tasks[0].AddEnv); diff != "" {
		t.Errorf("variables (-want +got):\n%s", diff)
	}
	if !slices.Equal(common, f.Tasks[1].AddEnv) {
		t.Errorf("variables of b: %q", f.Tasks[1].AddEnv)
	}
	for line, want := range map[string]string{
		"just words":  `want KEY=VALUE, got "just words"`,
		"=x":          `want KEY=VALUE, got "=x"`,
		`A="x`:        `the quote " is not closed on the line`,
		`A='x' y`:     `something follows the value: "y"`,
		`A="\q"`:      `\q is not known in double quotes, want \n, \t, \", \\ or \$`,
		"A=x\x00y":    `the line contains a NUL byte at position 2`,
		"A=\xff":      `the line is not valid UTF-8`,
		`"A"=x`:       `want KEY=VALUE, got "\"A\"=x"`,
		"export A":    `want KEY=VALUE, got "export A"`,
		"A B=x":       `want KEY=VALUE, got "A B=x"`,
		"export  =ab": `want KEY=VALUE, got "export  =ab"`,
	} {
		_, err := taskfile.ParseEnvFile("x.env", []byte("OK=1\n"+line+"\n"))
		checkJobError(t, err, "x.env:2: "+want)
	}
}

// brokenTemplates are files that are refused, by what is in them.
func brokenTemplates() []struct{ name, give, want string } {
	const task = "tasks:\n  - id: a\n    command: x\n"
	return []struct{ name, give, want string }{
		{"unknown name", task + "    args: [\"{{ dya }}\"]\nparameters: {day: {default: x}}\n", `f.yaml:4:13: task at index 0 ("a"): key "args": argument 1: nothing is called "dya", did you mean "day"?`},
		{"unknown name, no parameters", task + "    args: [é, \"a {{{{ {{day}}\"]\n", `f.yaml:4:24: task at index 0 ("a"): key "args": argument 2: nothing is called "day"; parameters: declares names, and two braces are written {{{{`},
		{"in a block", task + "    args:\n      - |\n        one\n        two {{ three }}\n", `f.yaml:7:13: task at index 0 ("a"): key "args": argument 1: nothing is called "three"; parameters: declares names, and two braces are written {{{{`},
		{"no end", task + "    args: ['x {{ y']\n", `f.yaml:4:15: task at index 0 ("a"): key "args": argument 1: {{ has no }} after it; two braces are written {{{{`},
		{"no name", task + "    env: {A: '{{ a | upper }}'}\n", `f.yaml:4:15: task at index 0 ("a"): key "env": variable "A": {{ a | upper }} has no name in it, want one such as {{ day }}; two braces are written {{{{`},
		{"item without foreach", task + "    env: {A: '{{ item }}'}\n", `f.yaml:4:15: task at index 0 ("a"): key "env": variable "A": {{ item }} has a meaning only in a task with foreach`},
		{"in the name", "name: a-{{ day }}\n" + task, `f.yaml:1:9: key "name": nothing is called "day"; parameters: declares names, and two braces are written {{{{`},
		{"without quotes", task + "    working_directory: {{ day }}\n", `f.yaml:4: task at index 0 ("a"): key "working_directory": a key must be text, not a mapping; a text that begins with {{ needs quotes`},
		{"what comes out is wrong", "parameters: {p: {default: high}}\n" + task + "    priority: '{{ p }}'\n", `f.yaml:5: task at index 0 ("a"): key "priority": want a whole number from -2147483648 to 2147483647, got "high"`},
		{"parameters list", "parameters: [day]\n" + task, `f.yaml:1: key "parameters": want an object of parameters, got an array`},
		{"parameter name", "parameters:\n  a b: {}\n" + task, `f.yaml:2: key "parameters": "a b": cannot be the name of a parameter: want letters, digits, _ and -, with a letter first`},
		{"parameter called item", "parameters:\n  item: {}\n" + task, `f.yaml:2: key "parameters": "item": is what a task with foreach calls its own`},
		{"parameter of no known type", "parameters:\n  day: {type: date}\n" + task, `f.yaml:2: key "parameters": "day": "type": unknown type "date", want string, int, float, bool or enum`},
		{"unknown key of a parameter", "parameters:\n  day: {typ: int}\n" + task, `f.yaml:2: key "parameters": "day": "typ": unknown key, did you mean "type"?`},
		{"default of another type", "parameters:\n  n:\n    type: int\n    default: many\n" + task, `f.yaml:3: key "parameters": "n": "default": want a whole number, got "many"`},
		{"required with a default", "parameters:\n  n: {default: 1, required: true}\n" + task, `f.yaml:2: key "parameters": "n": is required, and so cannot have a default`},
		{"enum without choices", "parameters:\n  n: {type: enum}\n" + task, `f.yaml:2: key "parameters": "n": is an enum and has no choices`},
		{"no choices", "parameters:\n  n: {choices: []}\n" + task, `f.yaml:2: key "parameters": "n": "choices": want at least one`},
		{"choices of a number", "parameters:\n  n: {type: int, choices: [1, 2]}\n" + task, `f.yaml:2: key "parameters": "n": has choices, and is int instead of an enum`},
		{"required is no truth", "parameters:\n  n: {required: 1}\n" + task, `f.yaml:2: key "parameters": "n": "required": want true or false, got 1`},
		{"missing parameter", "parameters:\n  n: {type: int}\n" + task, `f.yaml:2: key "parameters": "n" has no value; give --param n=VALUE`},
		{"foreach number", task + "    foreach: 5\n", `f.yaml:4: task at index 0 ("a"): key "foreach": want an array of items, or an object with glob, lines or command, got a number`},
		{"foreach of two", task + "    foreach: {glob: x, lines: y}\n", `f.yaml:4: task at index 0 ("a"): key "foreach": want one of glob, lines or command`},
		{"foreach of nothing", task + "    foreach: {}\n", `f.yaml:4: task at index 0 ("a"): key "foreach": want one of glob, lines or command`},
		{"foreach of an object", task + "    foreach: [{a: b}]\n", `f.yaml:4: task at index 0 ("a"): key "foreach": item 1: want a string, got an object`},
		{"foreach mistyped", task + "    foreach: {globs: x}\n", `f.yaml:4: task at index 0 ("a"): key "foreach": "globs": unknown key, did you mean "glob"?`},
		{"foreach of a bad pattern", task + "    foreach: {glob: '[x'}\n", `f.yaml:4: task at index 0 ("a"): key "foreach": "[x" is not a pattern: syntax error in pattern`},
		{"foreach of no file", task + "    foreach: {lines: no-such.txt}\n", `f.yaml:4: task at index 0 ("a"): key "foreach": no such file: "no-such.txt"`},
		{"foreach of an empty command", task + "    foreach: {command: []}\n", `f.yaml:4: task at index 0 ("a"): key "foreach": "command": want at least a program`},
		{"nothing at all", task + "    foreach: []\n", `f.yaml:1: key "tasks": there is nothing to do: no foreach has an item`},
		{"same id by items", "tasks:\n  - id: \"a-{{ item }}\"\n    command: x\n    foreach: [p, q, p]\n", `f.yaml:2: task at index 0 ("a-p"): key "id": items 1 and 3 both make it "a-p"; put {{ index }} in it, or leave {{ }} out`},
		{"same id as a foreach", "tasks:\n  - {id: a, command: x, foreach: [p]}\n  - {id: a, command: x}\n", `f.yaml:3: task at index 1 ("a"): key "id": task id "a" is already that of the task on line 2`},
		{"two foreach of an id", "tasks:\n  - {id: a, command: x, foreach: [p]}\n  - {id: a, command: x, foreach: [q]}\n", `f.yaml:3: task at index 1 ("a-q"): key "id": task id "a" is already that of the task on line 2`},
		{"foreach on itself", task + "    foreach: [p]\n    dependencies: [a]\n", `f.yaml:5: task at index 0 ("a-p"): key "dependencies": task "a-p" depends on itself`},
		{"cycle through a foreach", "tasks:\n  - {id: a, command: x, foreach: [p], dependencies: [b]}\n  - {id: b, command: x, dependencies: [a]}\n", `f.yaml:2: task at index 0 ("a-p"): key "dependencies": dependency cycle: a-p → b → a-p`},
		{"defaults list", "defaults: []\n" + task, `f.yaml:1: key "defaults": want an object of keys of a task, got an array`},
		{"defaults of an id", "defaults: {id: x}\n" + task, `f.yaml:1: key "defaults": "id": unknown key, want run_if, priority, timeout, pools, working_directory, env, labels, on_success, on_failure, on_end, retries, retry_delay, retry_backoff, retry_max_delay, retry_jitter, retry_on, no_retry_on, delay or at`},
		{"defaults mistyped", "defaults: {time_out: 5}\n" + task, `f.yaml:1: key "defaults": "time_out": unknown key, did you mean "timeout"?`},
		{"defaults of a wrong type", "defaults:\n  timeout: never\n" + task + "    timeout: 5\n", `f.yaml:2: key "defaults": "timeout": want a time above zero such as 90s or 5m or none, got "never"`},
		{"defaults in a template", "defaults:\n  env: {A: '{{ b }}'}\n" + task, `f.yaml:2:13: key "defaults": "env": "A": nothing is called "b"; parameters: declares names, and two braces are written {{{{`},
		{"labels list", task + "    labels: [a]\n", `f.yaml:4: task at index 0 ("a"): key "labels": want an object of strings, got an array`},
		{"label key", task + "    labels: {a b: c}\n", `f.yaml:4: task at index 0 ("a"): key "labels": label "a b" contains ' ': only letters, digits, -, _, . and / are allowed in a key`},
		{"label value", "labels: {a: [c]}\n" + task, `f.yaml:1: key "labels": label "a": want a string, got an array`},
		{"env_file number", "env_file: 5\n" + task, `f.yaml:1: key "env_file": want the path of a file, or an array of them, got a number`},
		{"env_file missing", task + "env_file: /no-such/.env\n", `f.yaml:4: key "env_file": "/no-such/.env": no such file`},
		{"env_file empty", "env_file: ''\n" + task, `f.yaml:1: key "env_file": command is empty`},
	}
}

func TestBrokenTemplates(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, tt := range brokenTemplates() {
		t.Run(tt.name, func(t *testing.T) {
			_, err := taskfile.ParseJob("f.yaml", []byte(tt.give))
			checkJobError(t, err, tt.want)
		})
	}
}

func TestParametersThatAreGivenWrong(t *testing.T) {
	const file = "parameters: {day: {}, n: {type: int, default: 1}, f: {type: float, default: 1}, b: {type: bool, default: true}, e: {choices: [x, y], default: x}}\ntasks: [{id: a, command: x}]\n"
	for give, want := range map[string]string{
		"day":     `"day" is not KEY=VALUE, as in day=2026-01-31`,
		"dya=1":   `"dya" is not one of the file, want day, n, f, b or e`,
		"n=1.5":   `"n": want a whole number, got "1.5"`,
		"f=0x10":  `"f": want a number, got "0x10"`,
		"f=nan":   `"f": want a number, got "nan"`,
		"f=-Inf":  `"f": want a number, got "-Inf"`,
		"b=yes":   `"b": want true or false, got "yes"`,
		"e=z":     `"e": want x or y, got "z"`,
		"day=2 ":  ``,
		"b=FALSE": ``,
	} {
		o := taskfile.JobOptions{Params: []string{"day=1", give}}
		if strings.HasPrefix(give, "day") {
			o.Params = o.Params[1:]
		}
		_, err := taskfile.ParseJobWith("f.yaml", []byte(file), o)
		if want == "" {
			if err != nil {
				t.Errorf("%s: %v", give, err)
			}
			continue
		}
		checkJobError(t, err, "f.yaml: parameter "+want)
	}
	_, err := taskfile.ParseJobWith("f.yaml", []byte(file), taskfile.JobOptions{Params: []string{"day=1", "day=2"}})
	checkJobError(t, err, `f.yaml: parameter "day" is given twice`)
	_, err = taskfile.ParseJobWith("f.yaml", []byte("tasks: [{id: a, command: x}]"), taskfile.JobOptions{Params: []string{"day=1"}})
	checkJobError(t, err, `f.yaml: parameter "day" is not wanted: the file has no parameters`)
}

// What was in job files before templates means what it meant.
func TestBracesOfOtherProgramsStay(t *testing.T) {
	f := parsedWith(t, "/jobs", `tasks: [{id: a, command: docker, args: [ps, --format, "{{.Names}} {{ .ID }}", "{ {x} }", "}}", "${A}"]}]`, taskfile.JobOptions{})
	wantLines(t, f, "a: docker ps --format {{.Names}} {{ .ID }} { {x} } }} ${A}")
}

// goodTemplates are files that are read, for the schema.
func goodTemplates() []string {
	const task = "tasks: [{id: a, command: x}]\n"
	return []string{
		"name: a-{{ day }}\nparameters: {day: {default: 1}}\n" + task,
		"parameters: {a: {type: string, default: 1}, b: {type: int, default: '2'}, c: {type: float, default: 1.5, help: x}, d: {type: bool, default: true}, e: {type: enum, choices: [x, 2], default: x}, f: {default: '', required: false}}\n" + task,
		"labels: {team: search, n: 5, empty: ''}\n" + task,
		"defaults: {priority: 5, timeout: 90s, labels: {a: b}, env: {A: b}, working_directory: x}\n" + task,
		"defaults: {}\nparameters: {}\nlabels: {}\n" + task,
		"parameters: {n: {type: int, default: 5}, t: {default: 5m}}\ntasks: [{id: 'a-{{n}}', command: '{{t}}', priority: '{{ n }}', timeout: '{{ t }}', working_directory: '{{ t }}', env: {A: '{{ n }}'}, labels: {a: '{{ n }}'}}]\n",
		"tasks: [{id: a, command: x, foreach: [a, 1, true]}]\n",
		"tasks: [{id: a, command: x, foreach: []}, {id: b, command: x}]\n",
		"tasks: [{id: a, command: x, foreach: {glob: no-such-*}}, {id: b, command: x}]\n",
		"tasks: [{id: a, command: x, foreach: {lines: /dev/null}}, {id: b, command: x}]\n",
	}
}

func TestGoodTemplates(t *testing.T) {
	for _, text := range goodTemplates() {
		parsedWith(t, t.TempDir(), text, taskfile.JobOptions{})
	}
}
