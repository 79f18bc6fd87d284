package taskfile_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/air-executor/air-executor/taskfile"
)

var update = flag.Bool("update", false, "write the published schemas anew")

// The published schemas are those that the tables of keys make.
func TestThePublishedSchemasAreCurrent(t *testing.T) {
	for _, p := range taskfile.Published {
		want, err := taskfile.JSONSchema(p.Name)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join("..", "docs", "schema", p.Name+".schema.json")
		if *update {
			if err := os.WriteFile(path, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not current (%v); go test ./taskfile -run Schemas -update", path, err)
		}
	}
}

// docs/job-files.md names every key of a job file and of its tasks.
func TestThePageOfJobFilesNamesEveryKey(t *testing.T) {
	type object struct{ Properties map[string]json.RawMessage }
	text, err := taskfile.JSONSchema("job")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../docs/job-files.md")
	if err != nil {
		t.Fatal(err)
	}
	var of struct {
		object
		Properties struct{ Tasks struct{ Items object } }
	}
	if err := errors.Join(json.Unmarshal(text, &of.object), json.Unmarshal(text, &of)); err != nil {
		t.Fatal(err)
	}
	for _, o := range []object{of.object, of.Properties.Tasks.Items} {
		if len(o.Properties) < 5 {
			t.Fatalf("the schema has %d keys", len(o.Properties))
		}
		for key := range o.Properties {
			if !strings.Contains(string(page), "`"+key+"`") {
				t.Errorf("docs/job-files.md lacks the key `%s`", key)
			}
		}
	}
}
