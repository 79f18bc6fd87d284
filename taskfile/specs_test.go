package taskfile_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/taskfile"
)

// readSpecs reads all that r gives, and the error at the end, but for io.EOF.
func readSpecs(r io.Reader) ([]job.Spec, error) {
	specs := taskfile.NewSpecReader("f", r)
	var all []job.Spec
	for {
		s, err := specs.Next()
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		all = append(all, s)
	}
}

// acceptedLine is a file that is read, and what is in it.
type acceptedLine struct {
	name, in string
	want     []job.Spec
}

func acceptedLines() []acceptedLine {
	a, b := job.Spec{Command: "a"}, job.Spec{ID: "2", Command: "b"}
	return []acceptedLine{
		{"nothing", "", nil},
		{"blanks", " \n\t\r\n", nil},
		{"only a byte order mark", "\xef\xbb\xbf", nil},
		{"an empty array", " [ ] ", nil},
		{"lines", "{\"command\":\"a\"}\n{\"id\":\"2\",\"command\":\"b\"}\n", []job.Spec{a, b}},
		{"lines after a byte order mark", "\xef\xbb\xbf\r\n{\"command\":\"a\"}\r\n", []job.Spec{a}},
		{"no newline at the end", `{"command":"a"}`, []job.Spec{a}},
		{"no newlines at all", `{"command":"a"}{"command":"b","id":"2"}`, []job.Spec{a, b}},
		{"empty lines", "\n\n{\"command\":\"a\"}\n\n\n{\"command\":\"b\",\"id\":\"2\"}\n\n", []job.Spec{a, b}},
		{"an object on many lines", "{\n\"id\":\n\"2\",\n\"command\":\"b\"\n}\n", []job.Spec{b}},
		{"an array", "[{\"command\":\"a\"},\n{\"id\":\"2\",\"command\":\"b\"}]\n", []job.Spec{a, b}},
		{"nulls", `{"id":null,"command":"a","args":null,"dependencies":null,"priority":null,"timeout":null,"working_directory":null,"env":null}`, []job.Spec{a}},
		{"no time limit", `{"command":"a","timeout":"none"} {"command":"a","timeout":"90s"}`, []job.Spec{{Command: "a", Timeout: job.NoTimeout}, {Command: "a", Timeout: 90 * time.Second}}},
		{"everything", `{"command":"c","args":["\u00e9","",""],"dependencies":["x","y"],"priority":-3,"timeout":0.25,
			"working_directory":"/srv","env":{"B":"1=2","A":"","\u00c4":"x"},"id":"i"}`,
			[]job.Spec{{
				ID: "i", Command: "c", Args: []string{"é", "", ""}, Dependencies: []string{"x", "y"}, Priority: -3,
				Timeout: 250 * time.Millisecond, Dir: "/srv", Env: []string{"B=1=2", "A=", "Ä=x"},
			}}},
		{"keys of an earlier run, of any type", `{"command":"a","job_name":"j","status":"pending","created_at":"x","started_at":{},"completed_at":null,
			"error":[],"attempts":"","exit_code":-1.5,"signal":true,"reason":"?","parent":"\u0000"}`, []job.Spec{a}},
	}
}

func TestSpecReader(t *testing.T) {
	for _, tt := range acceptedLines() {
		for name, r := range map[string]io.Reader{
			"whole":        strings.NewReader(tt.in),
			"byte by byte": iotest.OneByteReader(strings.NewReader(tt.in)),
			"half reads":   iotest.HalfReader(strings.NewReader(tt.in)),
		} {
			got, err := readSpecs(r)
			if err != nil {
				t.Errorf("%s, %s: %v", tt.name, name, err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s, %s (-want +got):\n%s", tt.name, name, diff)
			}
		}
	}
}

func TestSpecReaderReadsAnExport(t *testing.T) {
	theirs := regexp.MustCompile(`,\s*"(tags|big|float)": *[^,\n]*`)
	ended := regexp.MustCompile(`"status": *"(completed|failed)"`)
	got, err := readSpecs(strings.NewReader(theirs.ReplaceAllString(ended.ReplaceAllString(oldTasks, `"status": "pending"`), "")))
	if err != nil || len(got) != 2 || got[1].ID != "b" || got[1].Timeout != 1500*time.Millisecond {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestATaskThatHasRunCannotBeQueuedAgain(t *testing.T) {
	for _, status := range []string{"running", "completed", "failed"} {
		_, err := readSpecs(strings.NewReader(`[{"command":"a"},` + "\n" + `{"id":"b","command":"a","status":"` + status + `"}]`))
		checkError(t, status, err, `f:2: task at index 1 ("b"): key "status": "`+status+`": only tasks that are pending can be queued; air-executor import reads tasks with their results`)
	}
	_, err := readSpecs(strings.NewReader(`{"command":"a","status":"Pending"}`))
	checkError(t, "Pending", err, `f:1: task at index 0: key "status": unknown status "Pending", want pending, running, completed or failed`)
	_, err = readSpecs(strings.NewReader(`{"command":"a","status":7}`))
	checkError(t, "a number", err, `f:1: task at index 0: key "status": want a string, got a number`)
	if got, err := readSpecs(strings.NewReader(`{"command":"a","status":"pending"} {"command":"a","status":null}`)); err != nil || len(got) != 2 {
		t.Errorf("got %v, %v", got, err)
	}
}

// refusedLines are documents that are refused, and why.
func refusedLines() []struct{ in, want string } {
	const at = `f:1: task at index 0: key `
	const ok = "{\"command\":\"a\"}\n"
	return []struct{ in, want string }{
		{`x`, `f:1:1: not valid JSON: invalid character 'x' at start of value; want tasks as JSON lines or as an array`},
		{`"x"`, `f:1:1: want tasks as JSON lines or as an array, got a string`},
		{ok + "[]", `f:2:1: task at index 1: want an object, got an array`},
		{ok + ",", `f:2:1: task at index 1: not valid JSON: invalid character ',' at start of value`},
		{ok + "\x00", `f:2:1: task at index 1: not valid JSON: invalid character '\x00' at start of value`},
		{ok + `{"command":"a"`, `f:2:15: task at index 1: not valid JSON: unexpected end of the file`},
		{ok + ok + `{"command":"a` + "\n" + ok, `f:3:14: task at index 2: not valid JSON: invalid character '\n' in string (expecting non-control character)`},
		{"[" + ok + "]" + ok, `f:2:2: something follows the array`},
		{"[" + ok, `f:2:1: task at index 1: not valid JSON: unexpected end of the file`},
		{ok + "{\n\n\"id\":\"x\"}", `f:2: task at index 1 ("x"): key "command": is missing`},
		{`{"command":""}`, at + `"command": command is empty`},
		{`{"command":"a\u0000"}`, at + `"command": the string contains a NUL byte at position 1`},
		{`{"command":["a","b"]}`, at + `"command": want a string, got an array`},
		{`{"command":"a","id":""}`, at + `"id": task id is empty`},
		{`{"command":"a","id":"x","dependencies":["x"]}`, `f:1: task at index 0 ("x"): key "dependencies": task "x" depends on itself`},
		{`{"command":"a","env":[]}`, at + `"env": want an object of strings, got an array`},
		{`{"command":"a","env":{"A":1}}`, at + `"env": variable "A": want a string, got a number`},
		{`{"command":"a","env":{"A":"\u0000"}}`, at + `"env": variable "A": the string contains a NUL byte at position 0`},
		{`{"command":"a","env":{"A=B":"1"}}`, at + `"env": "A=B" cannot be the name of a variable`},
		{`{"command":"a","env":{"":"1"}}`, at + `"env": "" cannot be the name of a variable`},
		{`{"command":"a","env":{"A":"1","A":"2"}}`, at + `"env": variable "A": is already set on line 1`},
		{`{"command":"a","command":"b"}`, at + `"command": is already set on line 1`},
		{`{"comand":"a"}`, at + `"comand": unknown key, did you mean "command"?`},
		{`{"Command":"a"}`, at + `"Command": unknown key, did you mean "command"?`},
		{`{"commnads":"a"}`, at + `"commnads": unknown key, did you mean "command"?`},
		{`{"command":"a","dependancy":"a","dependancies":[]}`, at + `"dependancy": unknown key, did you mean "dependencies"?`},
		{`{"command":"a","arg":[]}`, at + `"arg": unknown key, did you mean "args"?`},
		{`{"command":"a","agrs":[]}`, at + `"agrs": unknown key, did you mean "args"?`},
		{`{"command":"a","ID":"x"}`, at + `"ID": unknown key, did you mean "id"?`},
		{`{"command":"a","time_out":1}`, at + `"time_out": unknown key, did you mean "timeout"?`},
		{`{"command":"a","workingDirectory":""}`, at + `"workingDirectory": unknown key, did you mean "working_directory"?`},
		{`{"command":"a","priority ":1}`, at + `"priority ": unknown key, did you mean "priority"?`},
		{`{"command":"a",` + numbered(30) + `,"k3":1}`, at + `"k3": is already set on line 1`},
	}
}

func TestSpecReaderRefuses(t *testing.T) {
	for _, tt := range refusedLines() {
		for _, r := range []io.Reader{strings.NewReader(tt.in), iotest.OneByteReader(strings.NewReader(tt.in))} {
			_, err := readSpecs(r)
			checkError(t, tt.in, err, tt.want)
		}
	}
}

// numbered is n members k0 to kn-1 of an object.
func numbered(n int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf(`"k%d":0`, i))
	}
	return strings.Join(list, ",")
}

// An unknown key was kept and not obeyed: the order of tasks and their folders were
// lost without a word.
func TestSpecReaderRefusesUnknownKeys(t *testing.T) {
	for key, meant := range map[string]string{
		"after": "dependencies", "needs": "dependencies", "depends_on": "dependencies", "dependsOn": "dependencies", "depends": "dependencies", "deps": "dependencies",
		"cwd": "working_directory", "workdir": "working_directory", "dir": "working_directory", "working-dir": "working_directory",
		"environment": "env", "ENV": "env", "arguments": "args", "name": "id", "time_limit": "timeout",
		"tags": "labels", "label": "labels", "comment": "", "queue": "", "x": "", "": "", strings.Repeat("é", 99): "",
	} {
		for _, frame := range []string{"{\"command\":\"a\"}\n{\"command\":\"a\",%q:1}", "[{\"command\":\"a\"},\n{\"command\":\"a\",%q:null}]"} {
			_, err := readSpecs(strings.NewReader(fmt.Sprintf(frame, key)))
			want := "unknown key, want id, command, args, dependencies, status, after_any, run_if, priority, timeout, pools, working_directory, env, labels, unique, unique_for, on_success, on_failure, on_end, retries, retry_delay, retry_backoff, retry_max_delay, retry_jitter, retry_on, no_retry_on, delay or at"
			if meant != "" {
				want = fmt.Sprintf("unknown key, did you mean %q?", meant)
			}
			var at *taskfile.Error
			if !errors.As(err, &at) || at.Line != 2 || at.Key != key || at.Msg != want {
				t.Errorf("%q: %v, want %s", key, err, want)
			}
		}
	}
}

func TestSpecReaderPassesOnReadErrors(t *testing.T) {
	broken := errors.New("broken pipe")
	for _, read := range []string{"", "{", `{"command":"a"}`, `{"command":"a"} `, `{"command":"a`} {
		_, err := readSpecs(io.MultiReader(strings.NewReader(read), iotest.ErrReader(broken)))
		if !errors.Is(err, broken) {
			t.Errorf("after %q: %v", read, err)
		}
	}
}

func TestSpecReaderAt(t *testing.T) {
	r := taskfile.NewSpecReader("-", strings.NewReader("{\"command\":\"a\"}\n{\"command\":\"a\",\"id\":\"x\",\n\"dependencies\":[\"y\"]}"))
	for range 2 {
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
	}
	cause := errors.New(`no task "y"`)
	got := r.At("dependencies", cause)
	if !errors.Is(got, cause) {
		t.Errorf("%v does not wrap its cause", got)
	}
	got.Err = nil
	want := &taskfile.Error{File: "-", Index: 1, ID: "x", Line: 3, Key: "dependencies", Msg: `no task "y"`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestSpecReaderHoldsOneTask reads far more than it may keep.
func TestSpecReaderHoldsOneTask(t *testing.T) {
	line := []byte(`{"command":"sh","args":["` + strings.Repeat("x", 4000) + `"]}` + "\n")
	const lines = 5000 // 20 MB
	r := taskfile.NewSpecReader("f", &repeat{line: line, times: lines})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	n := 0
	for ; ; n++ {
		if _, err := r.Next(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if n != lines {
		t.Errorf("read %d tasks, want %d", n, lines)
	}
	if held := int64(after.HeapAlloc) - int64(before.HeapAlloc); held > 4<<20 {
		t.Errorf("after 20 MB the reader holds %d bytes", held)
	}
	runtime.KeepAlive(r)
}

// repeat gives the same line again and again.
type repeat struct {
	line  []byte
	times int
	rest  []byte
}

func (r *repeat) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		if len(r.rest) == 0 {
			if r.times == 0 {
				break
			}
			r.times--
			r.rest = r.line
		}
		c := copy(p[n:], r.rest)
		r.rest = r.rest[c:]
		n += c
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// TestSpecReaderReadsWhatIsLargerThanItsBuffer has objects of all sizes around
// that of the buffer, so that each boundary falls into each part of one.
func TestSpecReaderReadsWhatIsLargerThanItsBuffer(t *testing.T) {
	var in bytes.Buffer
	var want []string
	for i := range 120 {
		want = append(want, strings.Repeat("é🚀\\\n", 1+i*i%12_000))
		o, _ := json.Marshal(map[string]any{"command": want[i], "priority": i})
		in.Write(o)
	}
	got, err := readSpecs(&in)
	if err != nil || len(got) != len(want) {
		t.Fatalf("%d specs, %v", len(got), err)
	}
	for i := range got {
		if got[i].Command != want[i] || got[i].Priority != i {
			t.Fatalf("object %d is not what it was", i)
		}
	}
}

// FuzzSpecReader holds the reader against encoding/json, which must accept what
// it accepts and read the same from it, and against itself fed byte by byte.
func FuzzSpecReader(f *testing.F) {
	f.Add([]byte(`{"command":"a","args":["\u00e9"],"env":{"A":"b"}}` + "\n" + `{"command":"b","x":[1,2.5e-3,null,true]}`))
	f.Add([]byte("\xef\xbb\xbf" + `[{"id":"1","command":"a","timeout":1.5,"priority":2},{"command":"🚀\ud83d\ude80"}]`))
	f.Add([]byte(oldTasks))
	f.Fuzz(func(t *testing.T, data []byte) {
		specs, err := readSpecs(bytes.NewReader(data))
		slow, slowErr := readSpecs(iotest.OneByteReader(bytes.NewReader(data)))
		if fmt.Sprint(err) != fmt.Sprint(slowErr) || !cmp.Equal(specs, slow) {
			t.Fatalf("%q: at once %v, %v; byte by byte %v, %v", data, specs, err, slow, slowErr)
		}
		if err != nil {
			checkFileError(t, err)
			return
		}
		want := decodeSpecs(t, trimBOM(data))
		if len(want) != len(specs) {
			t.Fatalf("%q: %d specs, encoding/json finds %d", data, len(specs), len(want))
		}
		for i, s := range specs {
			if s.Command != want[i].Command || strings.Join(s.Args, "\x00") != strings.Join(want[i].Args, "\x00") || len(s.Env) != len(want[i].Env) {
				t.Fatalf("%q: got %v, encoding/json reads %v", data, s, want[i])
			}
			if err := s.Check(); err != nil {
				t.Fatalf("%q: accepted, but %v", data, err)
			}
			if s.Extra != nil && !json.Valid(s.Extra) {
				t.Fatalf("%q: the other keys are %q", data, s.Extra)
			}
		}
	})
}

type plainSpec struct {
	Command string            `json:"command"`
	Args    []string          `json:"args"`
	Env     map[string]string `json:"env"`
}

// decodeSpecs reads tasks with encoding/json.
func decodeSpecs(t *testing.T, data []byte) (specs []plainSpec) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(data))
	if bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("[")) {
		if err := d.Decode(&specs); err != nil {
			t.Fatalf("encoding/json refuses %q: %v", data, err)
		}
		return specs
	}
	for {
		var s plainSpec
		if err := d.Decode(&s); err == io.EOF {
			return specs
		} else if err != nil {
			t.Fatalf("encoding/json refuses %q: %v", data, err)
		}
		specs = append(specs, s)
	}
}

func BenchmarkSpecReader(b *testing.B) {
	lines := map[string]string{
		"simple":  `{"command": "true"}`,
		"typical": `{"id": "task-000001", "command": "sh", "args": ["-c", "echo \"hello\" > /tmp/out"], "dependencies": ["task-000000"], "priority": 5}`,
		"foreign": `{"id": "task-000001", "command": "convert", "args": ["a.png", "b.jpg"], "comment": "Übung 1", "meta": {"k": [1, 2.5, null]}}`,
	}
	for _, name := range []string{"simple", "typical", "foreign"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			line := []byte(lines[name] + "\n")
			b.SetBytes(int64(len(line)))
			r := taskfile.NewSpecReader("f", &repeat{line: line, times: b.N})
			b.ResetTimer()
			for range b.N {
				if _, err := r.Next(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tasks/s")
		})
	}
}
