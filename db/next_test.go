package db

import (
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/air-executor/air-executor/db/engine"
	"github.com/air-executor/air-executor/migrations"
)

// NextSchema is the version of the schema that a database has after an upgrade by
// the next version of the program.
const NextSchema = LatestSchema + 1

// Next makes Open work as in the next version of the program, which has a
// migration more.
func Next(t *testing.T, o Options) Options {
	t.Helper()
	files := fstest.MapFS{}
	names, err := fs.Glob(migrations.SQLite, "sqlite/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := fs.ReadFile(migrations.SQLite, name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = &fstest.MapFile{Data: text}
	}
	next, err := os.ReadFile("../migrations/testdata/next.sql")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(next), "NEXT", strconv.Itoa(NextSchema))
	files[fmt.Sprintf("sqlite/%05d_next.sql", NextSchema)] = &fstest.MapFile{Data: []byte(text)}
	o.migrations = engine.Source{Files: files, Newest: NextSchema}
	return o
}
