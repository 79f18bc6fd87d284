package taskfile_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"

	"github.com/air-executor/air-executor/taskfile"
)

// unsaid are the sentences for what a JSON Schema cannot say, or this one does not;
// see JSONSchema.
var unsaid = regexp.MustCompile(strings.Join([]string{
	`is already set on line`, `is already that of the task`, `names ".*" twice`, // keys, ids and dependencies occur once
	`there is no task`, `dependency cycle`, `depends on itself`,
	`255 are allowed`, `200 are allowed`, `unprintable character U\+200[CD]`, `shows as nothing`,
	`cron line`, `time zone .* is not known`, `contradict each other`,
	`no task comes before it`, `depends on no task that`,
	`bad time`, `want at least 1ms`, `seconds are too long`, `a time above zero .*"[+0-9a-zµμ.]+"$`,
	`want a whole number from .* got "-?[0-9]+"$`,
	`want a whole number from .* got [0-9.]+[eE]`, // too exact for a float64
	`job name "[-0-9.e]+" contains '.'`,           // a number in a job file
	`"default": want`, `is an enum and has no choices`, `has choices, and is`, `so cannot have a default`, `has no value; give --param`,
	`is not a pattern`, `no such file|file name too long`, `there is nothing to do`, `items 1 and`, // what there is
	`unknown key, did you mean`, `nested deeper`, `file's own name does not make one`,
}, "|"))

// form is how a form is read, and what it is in a JSON Schema.
type corpusForm struct {
	schema string
	read   func(data []byte) error
	values func(data []byte) ([]any, error) // none: it is not JSON or YAML, of which a schema has nothing to say
}

var corpusForms = map[string]corpusForm{
	"tasks": {"tasks", func(data []byte) error {
		_, err := taskfile.ParseTasks("f", "j", data)
		return err
	}, oneJSON},
	"state": {"state", func(data []byte) error {
		_, err := taskfile.ParseState("f", data)
		return err
	}, oneJSON},
	"lines": {"enqueue", func(data []byte) error {
		_, err := readSpecs(bytes.NewReader(data))
		return err
	}, manyJSON},
	"job": {"job", func(data []byte) error {
		_, err := taskfile.ParseJobWith("f.yaml", data, taskfile.JobOptions{Check: true})
		return err
	}, oneYAML},
}

func oneJSON(data []byte) ([]any, error) {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(trimBOM(data)))
	return []any{v}, err
}

func manyJSON(data []byte) (all []any, err error) {
	d := json.NewDecoder(bytes.NewReader(trimBOM(data)))
	d.UseNumber()
	for {
		var v any
		err := d.Decode(&v)
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	if len(all) > 1 {
		return []any{all}, nil // lines are as an array of them
	}
	return all, nil
}

func oneYAML(data []byte) ([]any, error) {
	if json.Valid(data) {
		return oneJSON(data)
	}
	var v any
	if err := yaml.Unmarshal(trimBOM(data), &v); err != nil {
		return nil, err
	}
	b, err := json.Marshal(asJSON(v))
	if err != nil {
		return nil, err
	}
	return oneJSON(b)
}

// asJSON makes text of dates, which they are for us.
func asJSON(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key := range v {
			v[key] = asJSON(v[key])
		}
	case []any:
		for i := range v {
			v[i] = asJSON(v[i])
		}
	case time.Time:
		return v.Format(time.DateOnly)
	}
	return v
}

// compareWithSchema fails where the program and the schema do not agree about a
// document, and says what it found.
func compareWithSchema(t *testing.T, schemas map[string]*jsonschema.Schema, form string, data []byte) (verdict string) {
	t.Helper()
	f := corpusForms[form]
	values, err := f.values(data)
	if err != nil || len(values) == 0 || values[0] == nil {
		return "neither JSON nor YAML"
	}
	refused := f.read(data)
	var bySchema error
	for _, v := range values {
		if bySchema == nil {
			bySchema = schemas[f.schema].Validate(v)
		}
	}
	switch {
	case refused == nil && bySchema != nil:
		t.Errorf("%s: accepted, but the schema refuses %.300q: %v", form, data, bySchema)
	case refused == nil:
		return "accepted"
	case bySchema != nil:
		return "refused"
	case form == "job" && bytes.Contains(data, []byte("{{")): // what comes out of templates
		return "refused for what a schema cannot say"
	case unsaid.MatchString(refused.Error()), strings.Contains(refused.Error(), "not valid"), strings.Contains(refused.Error(), "not allowed"):
		return "refused for what a schema cannot say"
	default:
		t.Errorf("%s: the schema accepts %.300q, but %v", form, data, refused)
	}
	return "disagreed"
}

func compileSchemas(t *testing.T) map[string]*jsonschema.Schema {
	t.Helper()
	out := map[string]*jsonschema.Schema{}
	for _, p := range taskfile.Published {
		text, err := taskfile.JSONSchema(p.Name)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		c := jsonschema.NewCompiler()
		if err := c.AddResource(p.Name, doc); err != nil {
			t.Fatal(err)
		}
		if out[p.Name], err = c.Compile(p.Name); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// The schemas accept and refuse what the program does: all documents of the tests of
// this package, of the stories of the commands, and the examples.
func TestSchemasAgreeWithTheProgramOverTheCorpus(t *testing.T) {
	schemas := compileSchemas(t)
	verdicts := map[string]int{}
	for form, documents := range corpus(t) {
		for _, d := range documents {
			verdicts[compareWithSchema(t, schemas, form, []byte(d))]++
		}
	}
	t.Log(verdicts)
	if verdicts["accepted"] < 90 || verdicts["refused"] < 100 {
		t.Errorf("the corpus is too small: %v", verdicts)
	}
}

// So they do for every key with a value of every type.
func TestSchemasAgreeWithTheProgramOverEveryKey(t *testing.T) {
	schemas := compileSchemas(t)
	verdicts := map[string]int{}
	for _, key := range []string{
		"id", "job_name", "command", "args", "dependencies", "status", "created_at", "started_at", "completed_at", "error", "attempts",
		"exit_code", "signal", "reason", "priority", "timeout", "working_directory", "env", "parent", "name", "state", "updated_at", "tasks", "other",
		"labels", "unique", "unique_for", "foreach", "parameters", "env_file", "defaults",
	} {
		for _, v := range sampleValues() {
			for form, frame := range map[string]string{
				"tasks": `[{%s}]`, "lines": `{%s}`, "job": `{"tasks":[{%s}]}`, "state": `{%s}`,
			} {
				members := map[string]string{"id": `"x"`, "command": `"y"`}
				if form == "state" {
					members = map[string]string{"id": `"x"`, "name": `"y"`}
				}
				members[key] = v
				if key == "reason" {
					members["status"] = `"failed"`
				}
				var list []string
				for k, v := range members {
					list = append(list, fmt.Sprintf("%q:%s", k, v))
				}
				verdicts[compareWithSchema(t, schemas, form, fmt.Appendf(nil, frame, strings.Join(list, ",")))]++
			}
			verdicts[compareWithSchema(t, schemas, "job", fmt.Appendf(nil, `{%q:%s,"tasks":[{"id":"a","command":"x"}]}`, key, v))]++
		}
	}
	t.Log(verdicts)
}

func sampleValues() []string {
	values := []string{
		`null`, `true`, `false`, `[]`, `{}`, `["a"]`, `["a",1]`, `[null]`, `[[]]`, `["a","a"]`, `["x\u0000"]`, `[""]`, `["x"]`, `{"A":"b"}`, `{"A":1}`, `{"A":null}`,
		`{"":"b"}`, `{"A=B":"b"}`, `{"A":"\u0000"}`, `{"A":"1","A":"2"}`,
	}
	for _, n := range []string{"0", "-0", "1", "-1", "1.0", "1.5", "-1.5", "1e1", "1e-2", "1e-9", "0.0004", "0.001", "2147483647", "2147483648", "-2147483648", "-2147483649",
		"4294967295", "4294967296", "9223372036", "9223372036.5", "9223372037", "20000000001", "99999999999999999999", "1e30", "20000000000000", "20000000000001"} {
		values = append(values, n, `"`+n+`"`)
	}
	for _, s := range []string{"", "a", "a b", "ä-1_Ⅷ", "-x", "x y\t", "x\u0000", "\u200b", "x\u200d", " ", "~", "~/x", "~x", "/x", "x/~", "90s", "1h5m", "1.5h", ".5s", "0s", "500ns", "-5s", "+5s", "5 m",
		"s", "none", "None", "0x10", "010", "05", "9999999999h", "pending", "running", "completed", "failed", "done", "lost", "imported", "waiting", "working",
		"2025-10-02", "2025-10-02T10:30:15.123456Z", "2025-10-02 10:30:15.123456+00:00", "2025-10-02T10:30:15,5Z", "2025-13-02", "2025-02-30", "2025-10-02T24:00:00",
		"2025-10-02T10:30:15.1234567891Z", "2025-10-02T10:30:15+5:00", strings.Repeat("x", 100), strings.Repeat("x", 101), strings.Repeat("x", 200), strings.Repeat("x", 201), strings.Repeat("x", 255), strings.Repeat("x", 256), strings.Repeat("é", 128)} {
		b, _ := json.Marshal(s)
		values = append(values, string(b))
	}
	return values
}

// corpus returns documents by their form.
func corpus(t *testing.T) map[string][]string {
	t.Helper()
	out := map[string][]string{"tasks": {oldTasks, lenientTasks}, "state": {oldState}}
	for _, r := range acceptedLines() {
		out["lines"] = append(out["lines"], r.in)
	}
	for _, r := range refusedTasks() {
		out["tasks"] = append(out["tasks"], r.in)
		out["lines"] = append(out["lines"], r.in)
	}
	for _, r := range refusedLines() {
		out["lines"] = append(out["lines"], r.in)
	}
	for _, r := range refusedStates() {
		out["state"] = append(out["state"], r.in)
	}
	for _, r := range refusedJobs() {
		out["job"] = append(out["job"], r.give)
	}
	for _, r := range brokenTemplates() {
		out["job"] = append(out["job"], r.give)
	}
	out["job"] = append(out["job"], goodTemplates()...)
	scripts, err := filepath.Glob("../cmd/air-executor/testdata/script/*.txtar")
	if err != nil || len(scripts) < 50 {
		t.Fatalf("%d scripts, %v", len(scripts), err)
	}
	for _, path := range scripts {
		a, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range a.Files {
			if form := formOf(f.Name, f.Data); form != "" {
				out[form] = append(out[form], string(f.Data))
			}
		}
	}
	examples, err := filepath.Glob("../examples/*.yaml")
	if err != nil || len(examples) == 0 {
		t.Fatalf("%d examples, %v", len(examples), err)
	}
	for _, path := range examples {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		out["job"] = append(out["job"], string(data))
	}
	return out
}

// formOf guesses what a file of a story is.
func formOf(name string, data []byte) string {
	switch base := filepath.Base(name); {
	case base == "tasks.json":
		return "tasks"
	case base == "state.json":
		return "state"
	case strings.HasSuffix(base, ".jsonl"):
		return "lines"
	case strings.Contains(string(data), "tasks:") && filepath.Ext(base) == ".yaml", strings.Contains(string(data), `"tasks"`):
		return "job"
	case strings.HasSuffix(base, ".json") && strings.HasPrefix(string(data), "["):
		return "lines"
	}
	return ""
}
