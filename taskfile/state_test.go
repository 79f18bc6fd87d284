package taskfile_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/taskfile"
)

const oldState = `{
  "id": "550e8400-e29b-41d4-a716-446655440000",
  "name": "nightly_Übung",
  "state": "working",
  "created_at": "2025-10-02 10:30:15.123456+00:00",
  "updated_at": "2025-10-02T10:31:00"
}`

func TestParseState(t *testing.T) {
	got, err := taskfile.ParseState("state.json", []byte(oldState))
	if err != nil {
		t.Fatal(err)
	}
	want := job.Job{
		UUID:      "550e8400-e29b-41d4-a716-446655440000",
		Name:      "nightly_Übung",
		State:     job.StateWorking,
		CreatedAt: time.Date(2025, 10, 2, 10, 30, 15, 123456000, time.UTC),
		UpdatedAt: time.Date(2025, 10, 2, 10, 31, 0, 0, time.UTC),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestStateKeepsKeysOfOthers(t *testing.T) {
	const in = "\xef\xbb\xbf" + `{"owner":"a<b>&c","id":"x","n":12345678901234567890.10,"name":"j","state":"failed",
		"deep": {"b": [1, {"a": null}], "a": 1e400}, "k\u00e9y":"\u00e9\ud83d\ude80"}`
	j, err := taskfile.ParseState("state.json", []byte(in))
	if err != nil {
		t.Fatal(err)
	}
	got, err := taskfile.FormatState(j)
	if err != nil {
		t.Fatal(err)
	}
	want := `{
  "id": "x",
  "name": "j",
  "state": "failed",
  "created_at": null,
  "updated_at": null,
  "owner": "a<b>&c",
  "n": 12345678901234567890.10,
  "deep": {"b": [1, {"a": null}], "a": 1e400},
  "k\u00e9y": "\u00e9\ud83d\ude80"
}
`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// refusedStates are documents that are refused, and why.
func refusedStates() []struct{ in, want string } {
	return []struct{ in, want string }{
		{``, `s:1:1: the file is empty, want an object`},
		{`[]`, `s:1:1: want an object, got an array`},
		{`{"id":"x"} x`, `s:1: key "name": is missing`},
		{"{\"id\":\"x\",\n\"name\":\"a b\",\"state\":\"failed\"}", `s:2: key "name": job name "a b" contains ' ': only letters, digits, - and _ are allowed`},
		{`{"id":"x","name":null,"state":"failed"}`, `s:1: key "name": is missing`},
		{`{"id":"a\nb","name":"j","state":"failed"}`, `s:1: key "id": job id "a\nb" contains the unprintable character U+000A`},
		{`{"id":7,"name":"j","state":"failed"}`, `s:1: key "id": want a string, got a number`},
		{`{"id":"x","name":"j","state":"done"}`, `s:1: key "state": unknown state "done", want waiting, working, completed or failed`},
		{`{"id":"x","name":"j","state":"failed","created_at":"soon"}`, `s:1: key "created_at": bad time "soon", want a form such as 2025-10-02T10:30:15.123456Z`},
		{`{"id":"x","name":"j","state":"failed","updated_at":{}}`, `s:1: key "updated_at": want a time in a string, or a Unix time, got an object`},
		{`{"id":"x","name":"j","i\u0064":"y"}`, `s:1: key "id": is already set on line 1`},
		{`{"id":"` + strings.Repeat("x", 201) + `"}`, `s:1: key "id": job id "` + strings.Repeat("x", 60) + `"… has 201 bytes, at most 200 are allowed`},
	}
}

func TestParseStateRefuses(t *testing.T) {
	for _, tt := range refusedStates() {
		_, err := taskfile.ParseState("s", []byte(tt.in))
		checkError(t, tt.in, err, tt.want)
	}
}

// A file that somebody wrote by hand has less than those that a tool wrote.
func TestAStateNeedsOnlyAName(t *testing.T) {
	for _, in := range []string{`{"name":"j"}`, `{"id":"","name":"j","state":null}`} {
		j, err := taskfile.ParseState("s", []byte(in))
		if err != nil || len(j.UUID) != 36 || j.Name != "j" || j.State != job.StateWaiting || !j.CreatedAt.IsZero() {
			t.Errorf("%s: %+v, %v", in, j, err)
		}
	}
}

func TestFormatStateRefuses(t *testing.T) {
	good := job.Job{UUID: "x", Name: "j", State: job.StateWaiting}
	tests := []struct {
		name   string
		change func(*job.Job)
	}{
		{"identity", func(j *job.Job) { j.UUID = "" }},
		{"name", func(j *job.Job) { j.Name = "a/b" }},
		{"state", func(j *job.Job) { j.State = "pending" }},
		{"extra", func(j *job.Job) { j.Extra = []byte(`{"a":}`) }},
		{"extra of another type", func(j *job.Job) { j.Extra = []byte(`[1]`) }},
	}
	for _, tt := range tests {
		j := good
		tt.change(&j)
		if got, err := taskfile.FormatState(j); err == nil {
			t.Errorf("%s: written as %s", tt.name, got)
		}
	}
	good.Extra = []byte(`{"state":"failed","mine":1}`)
	got, err := taskfile.FormatState(good)
	if err != nil || strings.Count(string(got), `"state"`) != 1 || !strings.Contains(string(got), `"mine": 1`) {
		t.Errorf("a known key among the others: %s, %v", got, err)
	}
}

func FuzzStateFile(f *testing.F) {
	f.Add([]byte(oldState))
	f.Add([]byte(`{"id":"x","name":"j","state":"failed","extra":[1,2.50,{"a":"\u00e9"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		j, err := taskfile.ParseState("state.json", data)
		if err != nil {
			checkFileError(t, err)
			return
		}
		out, err := taskfile.FormatState(j)
		if err != nil {
			t.Fatalf("%q cannot be written: %v", data, err)
		}
		want, got := decodeAny(t, trimBOM(data)), decodeAny(t, out)
		withTimes(want.(map[string]any), "created_at", "updated_at")
		withDefaults(want.(map[string]any), j)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("the content of %q changed (-read +written):\n%s", data, diff)
		}
		again, err := taskfile.ParseState("state.json", out)
		if err != nil {
			t.Fatalf("%q is not read again: %v", out, err)
		}
		if twice, err := taskfile.FormatState(again); err != nil || string(twice) != string(out) {
			t.Fatalf("%q becomes %q, %v", out, twice, err)
		}
	})
}

// checkError checks the whole text of an error and that it is a *taskfile.Error.
func checkError(t *testing.T, in string, err error, want string) {
	t.Helper()
	if err == nil {
		t.Errorf("%.200q: no error, want %s", in, want)
		return
	}
	if noColumn(err, want) != want {
		t.Errorf("%.200q:\n got %s\nwant %s", in, err, want)
	}
	checkFileError(t, err)
}

func checkFileError(t *testing.T, err error) {
	t.Helper()
	var at *taskfile.Error
	if !errors.As(err, &at) || at.File == "" || at.Msg == "" {
		t.Errorf("error %q does not say where", err)
	}
}

func trimBOM(data []byte) []byte { return []byte(strings.TrimPrefix(string(data), "\xef\xbb\xbf")) }

// decodeAny decodes JSON with numbers as they are written.
func decodeAny(t *testing.T, data []byte) any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(string(data)))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("encoding/json refuses %q: %v", data, err)
	}
	return v
}

// withTimes brings times into the written form, and adds null where there are
// none.
func withTimes(o map[string]any, keys ...string) {
	for _, key := range keys {
		s, ok := o[key].(string)
		if !ok {
			o[key] = nil
			continue
		}
		at, _ := job.ParseTime(s)
		if o[key] = job.FormatTime(at); at.IsZero() {
			o[key] = nil
		}
	}
}

// withDefaults adds what a job gets that its file does not give.
func withDefaults(o map[string]any, j job.Job) {
	for key, value := range map[string]string{"id": j.UUID, "state": string(j.State)} {
		if s, ok := o[key].(string); !ok || s == "" {
			o[key] = value
		}
	}
}
