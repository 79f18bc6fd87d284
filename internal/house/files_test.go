package house_test

import (
	"go/ast"
	"go/types"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// opening are the functions after which this process has closed, or replaced,
// a file. If it is one of the database's, SQLite's locks on it are gone with
// it, and two processes can commit over each other: see "How to corrupt", 2.2,
// at sqlite.org. So nobody but SQLite opens them.
var opening = []string{"Open", "OpenFile", "Create", "ReadFile", "WriteFile", "Truncate", "Rename", "Remove", "Link", "Symlink"}

// ofDatabase is how the names of these files are written here.
var ofDatabase = regexp.MustCompile(`\bFileName\b|\.Path\(\)|\bd\.path\b|-wal\b|-shm\b|-journal\b|\bsuffix(es)?\b|\.db\b`)

// dbOpens counts the files that db opens itself.
var dbOpens = map[string]int{
	"db/sqlite/check.go": 1, "db/sqlite/reserve.go": 1, // one that is new: there are no locks on it
	"db/sqlite/filesystem_linux.go": 1, // what is mounted
	"db/sqlite/copy.go":             7, // the copy before an upgrade, its own file, and its folder
	"db/sqlite/wake.go":             2, // the pipe that wakes the manager
}

// T45: no file of the database is opened by anybody but SQLite.
func TestOnlySQLiteOpensTheDatabase(t *testing.T) {
	opens := map[string]int{}
	for _, f := range files(t) {
		top, _, _ := strings.Cut(f.folder, "/")
		if f.test || top == "faults" || top == "bench" {
			continue
		}
		ast.Inspect(f.File, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			sel, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || !slices.Contains(opening, sel.Sel.Name) || slices.Contains([]string{"sql", "sqlx"}, types.ExprString(sel.X)) {
				return true
			}
			for _, arg := range call.Args {
				text := strings.ReplaceAll(types.ExprString(arg), "filepath.Dir(d.path)", "")
				if ofDatabase.MatchString(text) {
					t.Errorf("%s: opens a file of the database: %s", f.at(call), text)
				}
			}
			if inStore(f.folder) && slices.Contains([]string{"os", "basepath"}, types.ExprString(sel.X)) {
				opens[f.path]++
			}
			return true
		})
	}
	if !maps.Equal(opens, dbOpens) {
		t.Errorf("db opens files in these places: %v, want %v", opens, dbOpens)
	}
}

// T45: two copies of SQLite in one process do not know of each other's locks
// either.
func TestThereIsOneSQLite(t *testing.T) {
	b, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range []string{"mattn/go-sqlite3", "ncruces/go-sqlite3", "zombiezen.com/go/sqlite", "crawshaw.io/sqlite", "glebarez/"} {
		if strings.Contains(string(b), other) {
			t.Errorf("go.mod requires %s beside modernc.org/sqlite", other)
		}
	}
}
