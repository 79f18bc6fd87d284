package taskfile_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/taskfile"
)

// FuzzJobFile holds that any bytes either are an error that names the file,
// or a job that can be queued as it is.
func FuzzJobFile(f *testing.F) {
	f.Add([]byte("name: x\ntasks:\n  - id: a\n    command: sh\n    args: [-c, 1, 2.50]\n    timeout: 5m\n"))
	f.Add([]byte(`{"tasks":[{"id":"a","command":"x","dependencies":["b"]},{"id":"b","command":"\ud83d\ude00","env":{"A":1}}]}`))
	f.Add([]byte("tasks: [{id: a, command: x, dependencies: [b]}, {id: b, command: x, dependencies: [a]}]"))
	f.Add([]byte("tasks:\n- &x {id: *x, <<: !y ~}\n---\n"))
	f.Add([]byte("\xef\xbb\xbftasks:\r\n- {id: a, command: x, priority: -0, working_directory: ./y}\r\n"))
	f.Add([]byte("parameters: {a: {default: 1}, b: {type: int, required: false}}\ndefaults: {env: {A: '{{ a }}'}, labels: {a: b}}\ntasks: [{id: a, command: '{{{{{{a}}', foreach: [x, '{{ a }}', x]}, {id: 'b{{ item }}', command: x, foreach: {lines: /dev/null}, dependencies: [a]}]"))
	f.Add([]byte("name: '{{ b }}'\nparameters: {b: {choices: [x], default: x}}\nlabels: {a: '{{b}}'}\nenv_file: []\ntasks:\n- {id: a, command: x, args: ['{{.x}}', \"{{ index }}\"], foreach: [é]}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := taskfile.ParseJob("/jobs/f.yaml", data)
		if err != nil {
			var e *taskfile.Error
			if !errors.As(err, &e) || !strings.HasPrefix(err.Error(), "/jobs/f.yaml:") {
				t.Fatalf("error %v (%T) does not name the file", err, err)
			}
			if lines := 1 + strings.Count(string(data), "\n") + strings.Count(string(data), "\r"); e.Line > lines && !otherBreaks(data) {
				t.Fatalf("error %v is beyond the %d lines of the file", err, lines)
			}
			return
		}
		checkFile(t, file)
	})
}

// otherBreaks reports whether data holds line breaks of Unicode's own.
func otherBreaks(data []byte) bool { return strings.ContainsAny(string(data), "\u0085\u2028\u2029") }

// checkFile fails unless the file keeps what File promises.
func checkFile(t *testing.T, file *taskfile.JobFile) {
	t.Helper()
	if err := job.CheckName(file.Name); err != nil || len(file.Tasks) == 0 {
		t.Fatalf("job %q with %d tasks: %v", file.Name, len(file.Tasks), err)
	}
	ids := make(map[string]bool)
	for _, task := range file.Tasks {
		if err := task.Check(); err != nil || task.ID == "" || ids[task.ID] || task.Timeout < 0 {
			t.Fatalf("task %+v: %v", task, err)
		}
		if task.Dir != "" && !strings.HasPrefix(task.Dir, "/") {
			t.Fatalf("working directory %q is relative", task.Dir)
		}
		ids[task.ID] = true
	}
	for _, task := range file.Tasks {
		if slices.ContainsFunc(task.Dependencies, func(id string) bool { return !ids[id] }) {
			t.Fatalf("task %+v depends on one that is not there", task)
		}
	}
}
