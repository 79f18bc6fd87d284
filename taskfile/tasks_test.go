package taskfile_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/taskfile"
)

const oldTasks = `[
  {
    "id": "a",
    "job_name": "nightly",
    "command": "sh",
    "args": [
      "-c",
      "echo <b> & \"q\" \\ \t\u0001 ü 🚀"
    ],
    "dependencies": [],
    "status": "completed",
    "created_at": "2025-10-02T10:30:15.123456Z",
    "started_at": "2025-10-02T10:30:16.000000Z",
    "completed_at": "2025-10-02T10:30:17.000000Z",
    "error": null
  },
  {
    "id": "b",
    "job_name": "nightly",
    "command": "make",
    "args": [],
    "dependencies": [
      "a",
      "c"
    ],
    "status": "failed",
    "created_at": "2025-10-02T10:30:15.123456Z",
    "started_at": null,
    "completed_at": null,
    "error": "exit code 2",
    "attempts": 3,
    "exit_code": 2,
    "signal": "SIGKILL",
    "reason": "timed_out",
    "priority": -5,
    "timeout": 1.5,
    "working_directory": "/tmp",
    "parent": "a",
    "tags": [],
    "big": 123456789012345678901234567890,
    "float": 1.50e-7
  }
]
`

func TestParseTasks(t *testing.T) {
	got, err := taskfile.ParseTasks("tasks.json", "nightly", []byte(oldTasks))
	if err != nil {
		t.Fatal(err)
	}
	created := time.Date(2025, 10, 2, 10, 30, 15, 123456000, time.UTC)
	two := 2
	want := []job.Task{{
		Spec:        job.Spec{ID: "a", Command: "sh", Args: []string{"-c", "echo <b> & \"q\" \\ \t\x01 ü 🚀"}},
		Job:         "nightly",
		Status:      job.Completed,
		CreatedAt:   created,
		StartedAt:   time.Date(2025, 10, 2, 10, 30, 16, 0, time.UTC),
		CompletedAt: time.Date(2025, 10, 2, 10, 30, 17, 0, time.UTC),
	}, {
		Spec: job.Spec{
			ID: "b", Command: "make", Dependencies: []string{"a", "c"}, Dir: "/tmp", Priority: -5,
			Timeout: 1500 * time.Millisecond,
			Extra:   []byte(`{"tags":[],"big":123456789012345678901234567890,"float":1.50e-7}`),
		},
		Job: "nightly", Status: job.Failed, Reason: job.TimedOut, Parent: "a", Attempts: 3, ExitCode: &two,
		Signal: "SIGKILL", Error: "exit code 2", CreatedAt: created,
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	out, err := taskfile.FormatTasks("nightly", got)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(oldTasks, string(out)); diff != "" {
		t.Errorf("written again (-read +written):\n%s", diff)
	}
}

// lenientTasks is what files of other tools may leave out.
const lenientTasks = "\xef\xbb\xbf [ {\"id\":\"a\",\"command\":\"x\",\"status\":\"failed\",\"job_name\":\"\",\"args\":null," +
	"\"error\":null,\"started_at\":null,\"dependencies\":[\"later\",\"absent\",\"later\"],\"timeout\":1e1,\"exit_code\":0},\n" +
	"{\"id\":\"later\",\"command\":\"y\",\"status\":\"running\",\"job_name\":\"j\"} ]\n\n"

// TestParseTasksLeniently holds what files of other tools may leave out.
func TestParseTasksLeniently(t *testing.T) {
	got, err := taskfile.ParseTasks("t", "j", []byte(lenientTasks))
	if err != nil {
		t.Fatal(err)
	}
	zero := 0
	want := []job.Task{
		{
			Spec: job.Spec{ID: "a", Command: "x", Dependencies: []string{"later", "absent", "later"}, Timeout: 10 * time.Second},
			Job:  "j", Status: job.Failed, Reason: job.Imported, ExitCode: &zero,
		},
		{Spec: job.Spec{ID: "later", Command: "y"}, Job: "j", Status: job.Running},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestParseTasksLearnsTheJob(t *testing.T) {
	const one, other = `{"id":"a","command":"x","status":"pending","job_name":"j"}`, `{"id":"b","command":"x","status":"pending","job_name":"k"}`
	got, err := taskfile.ParseTasks("t", "", []byte("["+one+"]"))
	if err != nil || len(got) != 1 || got[0].Job != "j" {
		t.Errorf("got %v, %v", got, err)
	}
	got, err = taskfile.ParseTasks("t", "", []byte("["+one+","+other+"]"))
	if err != nil || len(got) != 2 || got[1].Job != "j" {
		t.Errorf("got %v, %v", got, err)
	}
}

// What always worked in the tool that wrote these files first goes on to work,
// and is said once.
func TestOddTasksAreTakenWithARemark(t *testing.T) {
	r := taskfile.NewTaskReader("t", "j", strings.NewReader(`[{"id":"a","command":"x","job_name":"k"},
 {"id":"b","command":"x","job_name":"l","status":null},
 {"id":"c","command":"x","job_name":"m","status":"completed","created_at":1759400000.25,"started_at":1759400000250,"completed_at":"2025-10-02"}]`))
	var last job.Task
	for i := range 3 {
		task, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if want := []job.Status{job.Pending, job.Pending, job.Completed}[i]; task.Status != want || task.Job != "j" {
			t.Errorf("task %s of %s is %s, want %s", task.ID, task.Job, task.Status, want)
		}
		last = task
	}
	var got []string
	for _, remark := range r.Remarks() {
		got = append(got, remark.String())
	}
	want := []string{
		`t:1: task at index 0 ("a"): key "job_name": "k" is another job than "j", to which the task is added; and 2 more like it`,
		`t:1: task at index 0 ("a"): key "status": is missing; the task counts as pending; and 1 more like it`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("remarks (-want +got):\n%s", diff)
	}
	for want, got := range map[string]time.Time{
		"2025-10-02T10:13:20.250000Z": last.CreatedAt, "2025-10-02T10:13:20.250000Z ": last.StartedAt, "2025-10-02T00:00:00.000000Z": last.CompletedAt,
	} {
		if s := job.FormatTime(got); s != strings.TrimSpace(want) {
			t.Errorf("time %s, want %s", s, want)
		}
	}
}

// task is a good task but for what is added or replaced.
func task(members string) string {
	return `{"id":"a","command":"x","status":"pending"` + members + `}`
}

// refusedTasks are documents that are refused, and why.
func refusedTasks() []struct{ in, want string } {
	const at = `t:1: task at index 0 ("a"): key `
	return []struct{ in, want string }{
		{``, `t:1:1: the file is empty, want an array of tasks`},
		{" \n", `t:2:1: the file is empty, want an array of tasks`},
		{`{}`, `t:1:1: want an array of tasks, got an object`},
		{`"x"`, `t:1:1: want an array of tasks, got a string`},
		{`tasks`, `t:1:2: not valid JSON: invalid character 'a' in literal true (expecting 'r'); want an array of tasks`},
		{`true`, `t:1:1: want an array of tasks, got a boolean`},
		{`[false]`, `t:1:2: task at index 0: want an object, got a boolean`},
		{`# no`, `t:1:1: not valid JSON: invalid character '#' at start of value; want an array of tasks`},
		{"\xff\xfe[", `t:1:1: not valid JSON: invalid character '\xff' at start of value; want an array of tasks`},
		{`[`, `t:1:2: task at index 0: not valid JSON: unexpected end of the file`},
		{`[1]`, `t:1:2: task at index 0: want an object, got a number`},
		{`[null]`, `t:1:2: task at index 0: want an object, got null`},
		{`[,]`, `t:1:2: task at index 0: not valid JSON: invalid character ',' at start of value`},
		{`[]]`, `t:1:3: something follows the array`},
		{"[" + task("") + "\n" + task("") + "]", `t:2:1: task at index 1: not valid JSON: invalid character '{' after array element (expecting ',' or ']')`},
		{"[" + task("") + ",\n]", `t:1:45: task at index 1: not valid JSON: invalid character ',' at start of value`},
		{`[{"id":"a"`, `t:1:11: task at index 0: not valid JSON: unexpected end of the file`},
		{"[{\n'id':1}]", `t:2:1: task at index 0: not valid JSON: invalid character '\'' at start of string (expecting '"')`},
		{"[{\"id\":\"a\",\n}]", `t:2:1: task at index 0: not valid JSON: invalid character '}' at start of string (expecting '"')`},
		{`[{"id" "a"}]`, `t:1:8: task at index 0: not valid JSON: invalid character '"' after object name (expecting ':')`},
		{`[{"x":}]`, `t:1:7: task at index 0: not valid JSON: invalid character '}' at start of value`},
		{`[{"x":[1 2]}]`, `t:1:10: task at index 0: not valid JSON: invalid character '2' after array element (expecting ',' or ']')`},
		{`[{"x":[1,]}]`, `t:1:10: task at index 0: not valid JSON: invalid character ']' at start of value`},
		{`[{"x":nil}]`, `t:1:8: task at index 0: not valid JSON: invalid character 'i' in literal null (expecting 'u')`},
		{`[{"x":01}]`, `t:1:8: task at index 0: not valid JSON: invalid character '1' after object value (expecting ',' or '}')`},
		{`[{"x":-}]`, `t:1:8: task at index 0: not valid JSON: invalid character '}' in number (expecting digit)`},
		{`[{"x":1.}]`, `t:1:9: task at index 0: not valid JSON: invalid character '}' in number (expecting digit)`},
		{`[{"x":1e+}]`, `t:1:10: task at index 0: not valid JSON: invalid character '}' in number (expecting digit)`},
		{`[{"x":+1}]`, `t:1:7: task at index 0: not valid JSON: invalid character '+' at start of value`},
		{`[{"x":é}]`, `t:1:7: task at index 0: not valid JSON: invalid character 'é' at start of value`},
		{`[{"x":"é` + "\n", `t:1:10: task at index 0: not valid JSON: invalid character '\n' in string (expecting non-control character)`},
		{`[{"x":"\x41"}]`, "t:1:8: task at index 0: not valid JSON: invalid escape sequence `\\x` in string"},
		{`[{"x":"\u12g4"}]`, "t:1:8: task at index 0: not valid JSON: invalid escape sequence `\\u12g4` in string"},
		{`[{"x":"\u12`, `t:1:8: task at index 0: not valid JSON: unexpected end of the file`},
		{`[{"x":"\`, `t:1:8: task at index 0: not valid JSON: unexpected end of the file`},
		{`[{"x":"\ud83d"}]`, `t:1:8: task at index 0: not valid JSON: a lone surrogate in a string`},
		{`[{"x":"\ud83dabcdef"}]`, `t:1:8: task at index 0: not valid JSON: a lone surrogate in a string`},
		{`[{"x":"\ud83d\u0041"}]`, `t:1:8: task at index 0: not valid JSON: a lone surrogate in a string`},
		{`[{"x":"\ude80"}]`, `t:1:8: task at index 0: not valid JSON: a lone surrogate in a string`},
		{"[{\"x\":\"a\xff\"}]", `t:1: task at index 0: key "x": is not valid UTF-8`},
		{"[{\"x\":\"\xed\xa0\x80\"}]", `t:1: task at index 0: key "x": is not valid UTF-8`},
		{"[{\"x\":\"\xe4\xbb", `t:1:8: task at index 0: not valid JSON: unexpected end of the file`},
		{`[{"x":1,"x":2}]`, `t:1: task at index 0: key "x": is already set on line 1`},
		{`[{"id":"a","i\u0064":"b"}]`, `t:1: task at index 0 ("a"): key "id": is already set on line 1`},
		{`[{"x":` + strings.Repeat("[", 1000), `t:1:1007: task at index 0: not valid JSON: unexpected end of the file`},
		{`[{"x":` + strings.Repeat(`{"":`, 1000), `t:1:4007: task at index 0: not valid JSON: unexpected end of the file`},

		{`[{"command":"x","status":"pending"}]`, `t:1: task at index 0: key "id": is missing`},
		{`[{"id":"a","status":"pending"}]`, at + `"command": is missing`},
		{`[{"id":"a","command":null,"status":"pending"}]`, at + `"command": is missing`},
		{`[{"id":"a","command":"","status":"pending"}]`, at + `"command": command is empty`},
		{`[{"id":"","command":"x","status":"pending"}]`, `t:1: task at index 0: key "id": task id is empty`},
		{`[{"id":7,"command":"x","status":"pending"}]`, `t:1: task at index 0: key "id": want a string, got a number`},
		{`[{"id":"a\u0007"}]`, `t:1: task at index 0 ("a\a"): key "id": task id "a\a" contains the unprintable character U+0007`},
		{"[{\"id\":\"a\",\n\n\"status\":\n\"done\"}]", `t:4: task at index 0 ("a"): key "status": unknown status "done", want pending, running, completed or failed`},
		{`[{"status":"` + strings.Repeat("x", 99) + `","id":"a"}]`, at + `"status": unknown status "` + strings.Repeat("x", 60) + `"…, want pending, running, completed or failed`},
		{"[" + task(`,"created_at":1e30`) + "]", at + `"created_at": bad time "1e30", want seconds since 1970`},
		{"[" + task(`,"args":"x"`) + "]", at + `"args": want an array of strings, got a string`},
		{"[" + task(`,"args":["a" , 1]`) + "]", at + `"args": argument 2: want a string, got a number`},
		{"[" + task(`,"args":["a","b\u0000c"]`) + "]", at + `"args": argument 2: the string contains a NUL byte at position 1`},
		{"[" + task(`,"dependencies":{}`) + "]", at + `"dependencies": want an array of strings, got an object`},
		{"[" + task(`,"dependencies":["b","a"]`) + "]", at + `"dependencies": task "a" depends on itself`},
		{"[" + task(`,"dependencies":["b",""]`) + "]", at + `"dependencies": dependency 2: task id is empty`},
		{"[" + task(`,"created_at":"x"`) + "]", at + `"created_at": bad time "x", want a form such as 2025-10-02T10:30:15.123456Z`},
		{"[" + task(`,"started_at":false`) + "]", at + `"started_at": want a time in a string, or a Unix time, got a boolean`},
		{"[" + task(`,"completed_at":[]`) + "]", at + `"completed_at": want a time in a string, or a Unix time, got an array`},
		{"[" + task(`,"error":{}`) + "]", at + `"error": want a string, got an object`},
		{"[" + task(`,"error":"\u0000"`) + "]", at + `"error": the string contains a NUL byte at position 0`},
		{"[" + task(`,"attempts":-1`) + "]", at + `"attempts": want a whole number from 0 to 2147483647, got -1`},
		{"[" + task(`,"exit_code":"1"`) + "]", at + `"exit_code": want a whole number from -2147483648 to 4294967295, got "1"`},
		{"[" + task(`,"priority":1.5`) + "]", at + `"priority": want a whole number from -2147483648 to 2147483647, got 1.5`},
		{"[" + task(`,"priority":99999999999999999999`) + "]", at + `"priority": want a whole number from -2147483648 to 2147483647, got 99999999999999999999`},
		{"[" + task(`,"timeout":0`) + "]", at + `"timeout": want a time above zero such as 90s or 5m or none, got 0`},
		{"[" + task(`,"timeout":-1.5`) + "]", at + `"timeout": want a time above zero such as 90s or 5m or none, got -1.5`},
		{"[" + task(`,"timeout":1e30`) + "]", at + `"timeout": 1e30 seconds are too long`},
		{"[" + task(`,"timeout":"5 m"`) + "]", at + `"timeout": want a time above zero such as 90s or 5m or none, got "5 m"`},
		{"[" + task(`,"timeout":true`) + "]", at + `"timeout": want a time above zero such as 90s or 5m or none, got true`},
		{"[" + task(`,"reason":"bad luck"`) + "]", at + `"reason": unknown reason "bad luck", want exited, signaled, timed_out, cancelled, lost, too_much_output, not_started, imported or skipped`},
		{"[" + task(`,"reason":"lost"`) + "]", at + `"reason": a task that is pending has no reason for a failure`},
		{"[" + task(`,"parent":"\u200b"`) + "]", at + `"parent": task id "\u200b" contains the unprintable character U+200B`},
		{"[" + task(``) + ",\n" + `{"id":"b","command":"x","status":"pending"},` + "\n" + task(``) + "]", `t:3: task at index 2 ("a"): key "id": task id "a" is already that of the task on line 1`},
	}
}

func TestParseTasksRefuses(t *testing.T) {
	for _, tt := range refusedTasks() {
		for name, r := range map[string]io.Reader{
			"whole":         strings.NewReader(tt.in),
			"byte by byte":  iotest.OneByteReader(strings.NewReader(tt.in)),
			"data with EOF": iotest.DataErrReader(strings.NewReader(tt.in)),
		} {
			tasks := taskfile.NewTaskReader("t", "j", r)
			err := drain(tasks)
			checkError(t, name+" "+tt.in, err, tt.want)
			if _, again := tasks.Next(); again != err {
				t.Errorf("%.200q: the next error is %v", tt.in, again)
			}
		}
	}
}

// drain reads all tasks and returns the error at the end, but for io.EOF.
func drain(r *taskfile.TaskReader) error {
	for {
		if _, err := r.Next(); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

func TestParseTasksRefusesCycles(t *testing.T) {
	chain := func(ids ...string) string {
		var tasks []string
		for i, id := range ids {
			tasks = append(tasks, fmt.Sprintf(`{"id":%q,"command":"x","status":"pending","dependencies":[%q]}`, id, ids[(i+1)%len(ids)]))
		}
		return strings.Join(tasks, ",")
	}
	_, err := taskfile.ParseTasks("t", "j", []byte("["+task("")+","+chain("b", "c")+"]"))
	checkError(t, "b, c", err, `t:1: task at index 1 ("b"): key "dependencies": dependency cycle: b → c → b`)

	var ids []string
	for i := range 100_000 {
		ids = append(ids, fmt.Sprint(i))
	}
	_, err = taskfile.ParseTasks("t", "j", []byte("["+chain(ids...)+"]"))
	checkError(t, "a long cycle", err, `t:1: task at index 0 ("0"): key "dependencies": dependency cycle: `+
		`0 → 1 → 2 → 3 → 4 → 5 → 6 → 7 → 8 → 9 → … → 0 (100000 tasks)`)
}

func TestParseTasksAcceptsDeepNesting(t *testing.T) {
	in := "[" + task(`,"x":`+strings.Repeat("[", 999)+strings.Repeat("]", 999)) + "]"
	if _, err := taskfile.ParseTasks("t", "j", []byte(in)); err != nil {
		t.Error(err)
	}
}

func TestTaskReaderPassesOnReadErrors(t *testing.T) {
	broken := errors.New("broken disk")
	for _, read := range []string{"", "[", "[" + task(""), "[" + task("") + ",", "[" + task("") + "]", `[{"id":"a`, `[{"x":"\u00`} {
		r := taskfile.NewTaskReader("t", "j", io.MultiReader(strings.NewReader(read), iotest.ErrReader(broken)))
		if err := drain(r); !errors.Is(err, broken) || err.Error() != "read t: broken disk" {
			t.Errorf("after %q: %v", read, err)
		}
	}
	if err := drain(taskfile.NewTaskReader("t", "j", noProgress{})); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("a reader that never reads: %v", err)
	}
}

type noProgress struct{}

func (noProgress) Read([]byte) (int, error) { return 0, nil }

func TestTaskReaderAt(t *testing.T) {
	r := taskfile.NewTaskReader("t", "j", strings.NewReader("[\n"+task(",\n\"args\":[]")+"]"))
	if _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{
		"args":  `t:3: task at index 0 ("a"): key "args": too few`,
		"error": `t:2: task at index 0 ("a"): key "error": too few`,
	} {
		checkError(t, key, r.At(key, errors.New("too few")), want)
	}
}

func TestTaskWriter(t *testing.T) {
	var b bytes.Buffer
	w := taskfile.NewTaskWriter(&b, "j")
	if err := w.Close(); err != nil || b.String() != "[]\n" {
		t.Errorf("no tasks: %q, %v", b.String(), err)
	}

	b.Reset()
	w = taskfile.NewTaskWriter(&b, "j")
	const many = 3000
	for i := range many {
		if err := w.Write(job.Task{Spec: job.Spec{ID: fmt.Sprint(i), Command: "x"}, Status: job.Pending}); err != nil {
			t.Fatal(err)
		}
		if i == many-1 && b.Len() == 0 {
			t.Error("nothing is written before Close")
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	tasks, err := taskfile.ParseTasks("t", "j", b.Bytes())
	if err != nil || len(tasks) != many || tasks[many-1].ID != fmt.Sprint(many-1) {
		t.Errorf("%d tasks, %v", len(tasks), err)
	}
}

func TestTaskWriterFails(t *testing.T) {
	bad := job.Task{Spec: job.Spec{ID: "a", Command: "x", Extra: []byte(`{"a":1`)}, Status: job.Pending}
	_, err := taskfile.FormatTasks("j", []job.Task{bad})
	if err == nil || !strings.Contains(err.Error(), `task "a": keys of other tools: `) {
		t.Errorf("bad extra keys: %v", err)
	}
	full := errors.New("disk full")
	w := taskfile.NewTaskWriter(failing{full}, "j")
	if err := w.Write(job.Task{Spec: job.Spec{ID: "a"}}); err != nil {
		t.Errorf("the first small task is not buffered: %v", err)
	}
	if err := w.Close(); !errors.Is(err, full) {
		t.Errorf("Close: %v", err)
	}
	if err := w.Write(job.Task{}); !errors.Is(err, full) {
		t.Errorf("Write after that: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestFormatTasksLeavesOutWhatIsNotSet(t *testing.T) {
	task := job.Task{
		Spec:   job.Spec{ID: "a", Command: "c\xffd", Extra: []byte(` { "status" : 1 , "x" : [ 1,  2 ] } `), Timeout: 90*time.Minute + 1},
		Status: job.Failed, Reason: job.Imported,
	}
	got, err := taskfile.FormatTasks("j", []job.Task{task})
	if err != nil {
		t.Fatal(err)
	}
	want := `[
  {
    "id": "a",
    "job_name": "j",
    "command": "c` + "\ufffd" + `d",
    "args": [],
    "dependencies": [],
    "status": "failed",
    "created_at": null,
    "started_at": null,
    "completed_at": null,
    "error": null,
    "timeout": 5400.000000001,
    "x": [ 1,  2 ]
  }
]
`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func FuzzTasksFile(f *testing.F) {
	f.Add([]byte(oldTasks))
	f.Add([]byte("[" + task(`,"timeout":1.5,"x":{"y":[1e5,"\ud83d\ude80"]}`) + "]"))
	f.Add([]byte("[" + task(`,"status":"failed","reason":"lost","dependencies":["b"]`) + "]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		tasks, err := taskfile.ParseTasks("tasks.json", "j", data)
		slow := drain(taskfile.NewTaskReader("tasks.json", "j", iotest.OneByteReader(bytes.NewReader(data))))
		if fmt.Sprint(err) != fmt.Sprint(slow) {
			t.Fatalf("%q: at once %v, byte by byte %v", data, err, slow)
		}
		if err != nil {
			checkFileError(t, err)
			return
		}
		out, err := taskfile.FormatTasks("j", tasks)
		if err != nil {
			t.Fatalf("%q cannot be written: %v", data, err)
		}
		want, got := decodeAny(t, trimBOM(data)).([]any), decodeAny(t, out).([]any)
		for _, o := range want {
			normal(o.(map[string]any))
		}
		for _, o := range got {
			normal(o.(map[string]any))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("the content of %q changed (-read +written):\n%s", data, diff)
		}
		again, err := taskfile.ParseTasks("tasks.json", "j", out)
		if err != nil {
			t.Fatalf("%q is not read again: %v", out, err)
		}
		if twice, err := taskfile.FormatTasks("j", again); err != nil || string(twice) != string(out) {
			t.Fatalf("%q becomes %q, %v", out, twice, err)
		}
	})
}

// normal brings a task into the form that writing gives it: what is not set is
// null or empty in the keys of all tools, and missing in ours.
func normal(o map[string]any) {
	o["job_name"] = "j"
	for _, key := range []string{"args", "dependencies"} {
		if o[key] == nil {
			o[key] = []any{}
		}
	}
	withTimes(o, "created_at", "started_at", "completed_at")
	if o["error"] == "" || o["error"] == nil {
		o["error"] = nil
	}
	for _, key := range []string{"attempts", "exit_code", "signal", "reason", "priority", "timeout", "working_directory", "parent"} {
		switch v := o[key].(type) {
		case nil:
			delete(o, key)
		case string:
			if v == "" || key == "reason" && v == "imported" {
				delete(o, key)
			}
		case json.Number:
			n, _ := v.Float64()
			if o[key] = fmt.Sprintf("%.6g", n); n == 0 && key != "exit_code" {
				delete(o, key)
			}
		}
	}
}

func BenchmarkTaskWriter(b *testing.B) {
	task := job.Task{
		Spec:      job.Spec{ID: "task-000001", Command: "sh", Args: []string{"-c", "echo hello"}, Dependencies: []string{"task-000000"}},
		Status:    job.Completed,
		CreatedAt: time.Date(2025, 10, 2, 10, 30, 15, 123456000, time.UTC),
	}
	w := taskfile.NewTaskWriter(io.Discard, "j")
	for b.Loop() {
		if err := w.Write(task); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tasks/s")
}
