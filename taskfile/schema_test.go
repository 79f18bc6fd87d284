package taskfile_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
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
