package taskfile_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/taskfile"
)

// A mistake is one sentence, in whichever file it is, with file, line and key. The
// task with the mistake is on line 3 of each file, but for what the list says.
func TestEachMistakeIsOneSentenceInEveryForm(t *testing.T) {
	const want = `file:3: task at index 1 ("b"): key `
	tests := []struct {
		name     string
		members  string // of the second task, after its id; as JSON, and so as YAML
		key, msg string
		not      string // forms in which it is no mistake
	}{
		{"unknown key", `"comand":"x"`, "comand", `unknown key, did you mean "command"?`, ""},
		{"unknown key, of those that may be missing", `"command":"x","time_out":1`, "time_out", `unknown key, did you mean "timeout"?`, "tasks"},
		{"wrong type", `"command":"x","args":"y"`, "args", `want an array of strings, got a string`, ""},
		{"wrong type of an element", `"command":"x","args":["y",["z"]]`, "args", `argument 2: want a string, got an array`, ""},
		{"wrong type of a number", `"command":"x","priority":"high"`, "priority", `want a whole number from -2147483648 to 2147483647, got "high"`, ""},
		{"out of range", `"command":"x","priority":3000000000`, "priority", `want a whole number from -2147483648 to 2147483647, got 3000000000`, ""},
		{"fraction", `"command":"x","priority":1.5`, "priority", `want a whole number from -2147483648 to 2147483647, got 1.5`, ""},
		{"duplicate key", `"command":"x","command":"y"`, "command", `is already set on line 3`, ""},
		{"missing command", `"args":[]`, "command", `is missing`, ""},
		{"empty command", `"command":""`, "command", `command is empty`, ""},
		{"NUL byte", `"command":"x\u0000"`, "command", `the string contains a NUL byte at position 1`, ""},
		{"wrong status", `"command":"x","status":"done"`, "status", `unknown status "done", want pending, running, completed or failed`, "job"},
		{"bad duration", `"command":"x","timeout":"5 minutes"`, "timeout", `want a time above zero such as 90s or 5m or none, got "5 minutes"`, ""},
		{"duration of another type", `"command":"x","timeout":[]`, "timeout", `want a time above zero such as 90s or 5m or none, got an array`, ""},
		{"duration of zero", `"command":"x","timeout":0`, "timeout", `want a time above zero such as 90s or 5m or none, got 0`, ""},
		{"duration too short", `"command":"x","timeout":"500ns"`, "timeout", `want at least 1ms, got 500ns`, ""},
		{"duration too long", `"command":"x","timeout":9223372037`, "timeout", `9223372037 seconds are too long`, ""},
		{"home folder", `"command":"x","working_directory":"~/x"`, "working_directory", `~ does not stand for the home folder here; write "~/x" in full`, "tasks"},
		{"variable of another type", `"command":"x","env":{"A":[]}`, "env", `variable "A": want a string, got an array`, "tasks"},
		{"variable twice", `"command":"x","env":{"A":"1","A":"2"}`, "env", `variable "A": is already set on line 3`, "tasks"},
		{"name of a variable", `"command":"x","env":{"A=B":"1"}`, "env", `"A=B" cannot be the name of a variable`, "tasks"},
		{"bad id of a dependency", `"command":"x","dependencies":[""]`, "dependencies", `dependency 1: task id is empty`, ""},
		{"delay of another type", `"command":"x","retry_delay":"soon"`, "retry_delay", `want a time above zero such as 90s or 5m, got "soon"`, ""},
		{"delay of zero", `"command":"x","delay":0`, "delay", `want a time above zero such as 90s or 5m, got 0`, "tasks"},
		{"first delay beyond the longest", `"command":"x","retry_delay":"2m","retry_max_delay":"1m"`, "retry_max_delay", `1m0s is less than the first delay, which is 2m0s`, "tasks"},
		{"tried again, and not", `"command":"x","retry_on":[7],"no_retry_on":"7"`, "no_retry_on", `"7" is also to be tried again`, "tasks"},
		{"depends on itself", `"command":"x","dependencies":["b"]`, "dependencies", `task "b" depends on itself`, ""},
	}
	for _, tt := range tests {
		for form, read := range formsOfTasks {
			file := "[\n{\"id\":\"fetch\",\"command\":\"x\"},\n{\"id\":\"b\"," + tt.members + "}]"
			if strings.Contains(tt.not, form) {
				if form != "job" { // there it is an unknown key
					checkTaken(t, tt.name+" in "+form, read(file))
				}
				continue
			}
			checkError(t, tt.name+" in "+form, read(file), want+`"`+tt.key+`": `+tt.msg)
		}
	}
}

// What more than one task shows is one sentence too.
func TestMistakesBetweenTasksAreOneSentenceInEveryForm(t *testing.T) {
	tests := []struct{ name, file, want, not string }{
		{"duplicate id", "[\n{\"id\":\"a\",\"command\":\"x\"},\n{\"id\":\"a\",\"command\":\"y\"}]",
			`file:3: task at index 1 ("a"): key "id": task id "a" is already that of the task on line 2`, ""},
		{"unknown dependency", "[\n{\"id\":\"fetch\",\"command\":\"x\"},\n{\"id\":\"b\",\"command\":\"x\",\"dependencies\":[\"fecth\"]}]",
			`file:3: task at index 1 ("b"): key "dependencies": there is no task "fecth", did you mean "fetch"?`, "tasks"},
		{"unknown task in after_any", "[\n{\"id\":\"fetch\",\"command\":\"x\"},\n{\"id\":\"b\",\"command\":\"x\",\"dependencies\":[\"fetch\"],\"after_any\":[\"gone\"]}]",
			`file:3: task at index 1 ("b"): key "after_any": there is no task "gone"`, "tasks"},
		{"cycle over after_any", "[\n{\"id\":\"a\",\"command\":\"x\",\n\"after_any\":[\"b\"]},\n{\"id\":\"b\",\"command\":\"x\",\"dependencies\":[\"a\"]}]",
			`file:3: task at index 0 ("a"): key "after_any": dependency cycle: a → b → a`, ""},
		{"cycle", "[{\"id\":\"fetch\",\"command\":\"x\"},\n{\"id\":\"a\",\"command\":\"x\",\n\"dependencies\":[\"b\"]},\n{\"id\":\"b\",\"command\":\"x\",\"dependencies\":[\"a\"]}]",
			`file:3: task at index 1 ("a"): key "dependencies": dependency cycle: a → b → a`, ""},
	}
	for _, tt := range tests {
		for form, read := range formsOfTasks {
			if strings.Contains(tt.not, form) {
				checkTaken(t, tt.name+" in "+form, read(tt.file))
				continue
			}
			checkError(t, tt.name+" in "+form, read(tt.file), tt.want)
		}
	}
}

// Bytes that are not UTF-8 are found before anything else is known of a task.
func TestBadUTF8IsOneSentenceInEveryForm(t *testing.T) {
	const want = `file:3: task at index 1`
	for form, read := range formsOfTasks {
		for members, key := range map[string]string{`"id":"b","command":"x` + "\xff" + `"`: `command"`, `"id":"b","args":["y","` + "\xed\xa0\x80" + `"]`: `args": argument 2`, `"id":"` + "\xe4\xbb" + `"`: `id"`} {
			err := read("[\n{\"id\":\"fetch\",\"command\":\"x\"},\n{" + members + "}]")
			checkError(t, members+" in "+form, err, want+`: key "`+key+`: is not valid UTF-8`)
		}
	}
}

// The jobs of a state.json and of a job file share their sentences, and flags those
// of tasks.
func TestTheSentencesOfJobsAndFlags(t *testing.T) {
	for members, want := range map[string]string{
		`"name":"a b"`:             `key "name": job name "a b" contains ' ': only letters, digits, - and _ are allowed`,
		`"name":["a"]`:             `key "name": want a string, got an array`,
		`"name":"a","name":"b"`:    `key "name": is already set on line 2`,
		`"name":"a` + "\xff" + `"`: `key "name": is not valid UTF-8`,
	} {
		_, err := taskfile.ParseState("file", []byte("{\n"+members+"}"))
		checkError(t, members, err, "file:2: "+want)
		_, err = taskfile.ParseJob("file", []byte("{\n"+members+`,"tasks":[{"id":"a","command":"x"}]}`))
		checkError(t, members, err, "file:2: "+want)
	}
	for _, f := range []struct{ key, value, want string }{
		{"priority", "high", `want a whole number from -2147483648 to 2147483647, got "high"`},
		{"priority", "3000000000", `want a whole number from -2147483648 to 2147483647, got "3000000000"`},
		{"timeout", "5 minutes", `want a time above zero such as 90s or 5m or none, got "5 minutes"`},
		{"timeout", "500ns", `want at least 1ms, got 500ns`},
		{"command", "", `command is empty`},
		{"command", "x\xff", `is not valid UTF-8`},
		{"command", "x\x00", `the string contains a NUL byte at position 1`},
		{"working_directory", "~/x", `~ does not stand for the home folder here; write "~/x" in full`},
		{"parent", "a", `no flag is called parent`},
	} {
		var s job.Spec
		if err := taskfile.Flag(f.key, f.value, &s); err == nil || err.Error() != f.want {
			t.Errorf("flag %s %q: %v, want %s", f.key, f.value, err, f.want)
		}
	}
}

// formsOfTasks read an array of tasks in each form; JSON is YAML too. What a
// SpecReader leaves to the database is looked for here as after an enqueue.
var formsOfTasks = map[string]func(array string) error{
	"tasks": func(array string) error {
		_, err := taskfile.ParseTasks("file", "j", []byte(array))
		return err
	},
	"lines":              readLines,
	"lines of one array": func(array string) error { return readLines(sequence(array)) },
	"job": func(array string) error {
		_, err := taskfile.ParseJob("file", []byte(`{"name":"j","tasks":`+array+"}"))
		return err
	},
}

// sequence is an array of tasks without its brackets and commas, on the same lines.
func sequence(array string) string {
	return strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(array, "["), "]"), "},\n", "}\n")
}

func readLines(file string) error {
	r := taskfile.NewSpecReader("file", strings.NewReader(file))
	var specs []job.Spec
	for {
		s, err := r.Next()
		if err == io.EOF {
			break
		} else if err != nil {
			return err
		}
		specs = append(specs, s)
	}
	again := func() taskfile.Again { return taskfile.Again{File: "file", From: bytes.NewReader([]byte(file))} }
	known := map[string]int{}
	for i, s := range specs {
		if _, there := known[s.ID]; there {
			return again().Twice(s.ID, errors.New("stored already"))
		}
		known[s.ID] = i
	}
	for _, s := range specs {
		for _, d := range slices.Concat(s.Dependencies, s.AfterAny) {
			if _, there := known[d]; !there {
				return again().Missing(s.ID, d, errors.New("not stored"))
			}
		}
	}
	loop := job.Cycle(len(specs), func(i int) (next []int) {
		for _, d := range slices.Concat(specs[i].Dependencies, specs[i].AfterAny) {
			next = append(next, known[d])
		}
		return next
	})
	if loop == nil {
		return nil
	}
	var ids []string
	for _, i := range loop {
		ids = append(ids, specs[i].ID)
	}
	return again().Cycle(ids, errors.New("cycle"))
}

func checkTaken(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("%s: %v", what, err)
	}
}
