// Package house tests the house rules: which package may import which, where the
// process may exit, what needs a comment, and how long functions and files may be.
package house_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/air-executor/air-executor/"

// anything is for folders that may import every other.
const anything = "*"

// layers says which packages of ours each package may import: those below it.
var layers = map[string][]string{
	"job":        {"internal/words"},
	"lock":       {"internal/basepath"},
	"migrations": {},

	"internal/basepath":   {},
	"internal/words":      {},
	"internal/testkit":    {}, // for tests
	"internal/strictyaml": {"internal/words"},
	"internal/plainjson":  {},
	"internal/failpoint":  {},

	"internal/traceparent": {},

	"schedule": {"job"}, // it decides without clock and database
	"config":   {"internal/basepath", "internal/strictyaml", "internal/words", "job"},
	"taskfile": {"internal/strictyaml", "internal/words", "job", "schedule"},
	// An engine tells whether a runner lives: SQLite's, on the machine that it runs on.
	"db/engine":      {},
	"db/sqlite":      {"db/engine", "internal/basepath", "internal/failpoint", "lock", "migrations", "runner/process"},
	"db/dbfill":      {"db"},        // for bench
	"db/dbtest":      {"db", "job"}, // tests, which db's own call
	"db":             {"db/engine", "db/sqlite", "internal/failpoint", "job", "migrations"},
	"runner/process": {"internal/failpoint"},
	"runner":         {"internal/basepath", "internal/failpoint", "internal/traceparent", "db", "job", "lock", "runner/process"},
	"jobfolder":      {"internal/basepath", "db", "job", "runner/process", "taskfile"},
	"queue":          {"internal/basepath", "config", "db", "job", "jobfolder", "lock", "manager", "runner", "schedule", "taskfile"},
	"manager":        {"internal/basepath", "internal/failpoint", "config", "db", "job", "jobfolder", "lock", "manager/dispatch", "runner", "runner/process", "schedule", "taskfile"},

	// As thin as the command line: of db it uses errors, and what queries of queue say.
	"api": {"db", "internal/basepath", "internal/plainjson", "internal/words", "job", "lock", "queue", "schedule", "taskfile"},

	// Spans, for a collector.
	"traces": {"db", "internal/traceparent", "job"},

	"manager/dispatch": {}, // it decides without process, database and clock

	"cmd":         {anything},
	"bench":       {anything},
	"faults":      {anything},
	"tools/spans": {}, // a module of its own
}

// forTests are packages that the program must not import.
var forTests = []string{"db/dbtest", "internal/testkit"}

// The limits of size, in lines.
const (
	maxFile     = 600
	maxFunction = 60
)

// exceptions are places that break a rule, and why they may.
var exceptions = map[string]string{}

// file is a Go file of the module.
type file struct {
	path   string // from the root, with slashes
	folder string
	test   bool // a _test file
	tests  bool // one that has tests, also those of a package that others call
	lines  int
	set    *token.FileSet
	*ast.File
}

func (f *file) at(n ast.Node) string {
	return fmt.Sprintf("%s:%d", f.path, f.set.Position(n.Pos()).Line)
}

// excused reports whether the file may break a rule, and notes that it does.
func (f *file) excused(what string, used map[string]bool) bool {
	key := f.path + ": " + what
	used[key] = true
	return exceptions[key] != ""
}

// files parses all Go files of the module.
func files(t *testing.T) (out []*file) {
	t.Helper()
	const root = "../.."
	err := filepath.WalkDir(root, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() && name != root && (e.Name() == "testdata" || strings.HasPrefix(e.Name(), ".") || strings.HasPrefix(e.Name(), "_")) {
			return filepath.SkipDir
		}
		if e.IsDir() || !strings.HasSuffix(name, ".go") {
			return nil
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		set := token.NewFileSet()
		parsed, err := parser.ParseFile(set, name, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		out = append(out, &file{
			path: rel, folder: path.Dir(rel), test: strings.HasSuffix(rel, "_test.go"),
			tests: strings.HasSuffix(rel, "_test.go") || slices.Contains(forTests, path.Dir(rel)),
			lines: set.File(parsed.Pos()).LineCount(), set: set, File: parsed,
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) < 20 {
		t.Fatalf("found only %d files", len(out))
	}
	return out
}

// layer finds the entry for a folder, its own or that of a folder above it.
func layer(folder string) (allowed []string, ok bool) {
	if allowed, ok = layers[folder]; ok {
		return allowed, true
	}
	top, _, _ := strings.Cut(folder, "/")
	allowed, ok = layers[top]
	return allowed, ok && slices.Contains(allowed, anything)
}

func TestPackagesImportOnlyWhatIsBelowThem(t *testing.T) {
	for _, f := range files(t) {
		if f.test {
			continue
		}
		allowed, ok := layer(f.folder)
		if !ok {
			t.Errorf("%s: say in the layers of this test what package %s may import", f.path, f.folder)
			continue
		}
		for _, i := range f.Imports {
			name, ours := strings.CutPrefix(imported(i), module)
			if ours && (!slices.Contains(allowed, anything) && !slices.Contains(allowed, name) || slices.Contains(forTests, name)) {
				t.Errorf("%s: %s must not import %s", f.at(i), f.folder, name)
			}
		}
	}
}

func imported(i *ast.ImportSpec) string {
	name, _ := strconv.Unquote(i.Path.Value)
	return name
}

// inStore reports whether a folder is that of db, or of one of its engines.
func inStore(folder string) bool { return folder == "db" || strings.HasPrefix(folder, "db/") }

func TestOnlyDBSpeaksToADatabase(t *testing.T) {
	drivers := regexp.MustCompile(`^(database/sql|modernc\.org/sqlite|github\.com/jmoiron/sqlx|github\.com/pressly/goose|github\.com/mattn/go-sqlite3|github\.com/lib/pq|github\.com/jackc/pgx)\b`)
	for _, f := range files(t) {
		// Tests of the whole program forge rows, and count them behind its back.
		outside := f.test && (f.folder == "faults" || f.folder == "cmd/air-executor")
		for _, i := range f.Imports {
			if drivers.MatchString(imported(i)) && !inStore(f.folder) && !outside {
				t.Errorf("%s: only db may import %s", f.at(i), imported(i))
			}
		}
	}
}

func TestSQLStandsInDBAndMigrations(t *testing.T) {
	sql := regexp.MustCompile(`^\s*(SELECT|INSERT|UPDATE|DELETE|PRAGMA|CREATE TABLE|BEGIN IMMEDIATE)\s`)
	found := 0
	for _, f := range files(t) {
		if f.test {
			continue
		}
		ast.Inspect(f.File, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			text, _ := strconv.Unquote(lit.Value)
			if !sql.MatchString(text) {
				return true
			}
			if found++; !inStore(f.folder) && f.folder != "migrations" {
				t.Errorf("%s: SQL outside db: %.60q", f.at(lit), text)
			}
			return true
		})
	}
	if found < 10 {
		t.Errorf("the test knows only %d statements by sight", found)
	}
}

func TestEveryPackageHasAComment(t *testing.T) {
	comments := map[string]string{}
	for _, f := range files(t) {
		if _, seen := comments[f.folder]; !seen {
			comments[f.folder] = ""
		}
		if f.Doc != nil {
			comments[f.folder] = f.Doc.Text()
		}
	}
	for folder, text := range comments {
		want := "Package " + path.Base(folder) + " "
		if strings.HasPrefix(text, "Command ") {
			want = "Command "
		}
		if !strings.HasPrefix(text, want) {
			t.Errorf("%s: the package comment is %.60q, want one that begins with %q", folder, text, want)
		}
	}
}

func TestEveryExportedSymbolHasAComment(t *testing.T) {
	for _, f := range files(t) {
		if f.test {
			continue
		}
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && d.Doc == nil && exportedReceiver(d) {
					t.Errorf("%s: %s has no comment", f.at(d), d.Name.Name)
				}
			case *ast.GenDecl:
				for _, name := range uncommented(d) {
					t.Errorf("%s: %s has no comment", f.at(name), name.Name)
				}
			}
		}
	}
}

// exportedReceiver reports whether a function is none of an unexported type.
func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	e := d.Recv.List[0].Type
	if p, ok := e.(*ast.StarExpr); ok {
		e = p.X
	}
	name, ok := e.(*ast.Ident)
	return !ok || name.IsExported()
}

// uncommented lists the exported names of a declaration that have no comment, neither
// their own nor that of their group.
func uncommented(d *ast.GenDecl) (out []*ast.Ident) {
	for _, s := range d.Specs {
		switch s := s.(type) {
		case *ast.TypeSpec:
			if s.Name.IsExported() && d.Doc == nil && s.Doc == nil {
				out = append(out, s.Name)
			}
		case *ast.ValueSpec:
			for _, n := range s.Names {
				if n.IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil {
					out = append(out, n)
				}
			}
		}
	}
	return out
}

func TestFilesAndFunctionsAreShort(t *testing.T) {
	for _, f := range files(t) {
		if f.lines > maxFile && !strings.HasSuffix(f.path, ".gen.go") {
			t.Errorf("%s: %d lines, split it by concern", f.path, f.lines)
		}
		if f.tests {
			continue
		}
		for _, d := range f.Decls {
			if d, ok := d.(*ast.FuncDecl); ok {
				lines := f.set.Position(d.End()).Line - f.set.Position(d.Pos()).Line + 1
				if lines > maxFunction {
					t.Errorf("%s: %s has %d lines, at most %d are allowed", f.at(d), d.Name.Name, lines, maxFunction)
				}
			}
		}
	}
}

// calls returns the calls of pkg.name in a node, which goes by the name under
// which packages are usually known.
func calls(n ast.Node, pkg string, names ...string) (out []*ast.CallExpr) {
	ast.Inspect(n, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if sel, ok := call.Fun.(*ast.SelectorExpr); ok {
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == pkg && slices.Contains(names, sel.Sel.Name) {
				out = append(out, call)
			}
		}
		return true
	})
	return out
}

func TestOnlyMainExits(t *testing.T) {
	used := map[string]bool{}
	for _, f := range files(t) {
		if f.test || f.Name.Name == "main" && path.Base(f.path) == "main.go" {
			continue
		}
		for _, c := range calls(f.File, "os", "Exit") {
			if !f.excused("os.Exit", used) {
				t.Errorf("%s: only main may end the process", f.at(c))
			}
		}
		for _, c := range calls(f.File, "log", "Fatal", "Fatalf", "Fatalln", "Panic", "Panicf", "Panicln") {
			t.Errorf("%s: only main may end the process", f.at(c))
		}
	}
	for key := range exceptions {
		if !used[key] {
			t.Errorf("the exception %q is not needed any more", key)
		}
	}
}

// A test waits until something holds, and may look at it again and again in a
// loop; it never waits for a time to go by. Only the fault tests must at times
// give a process that is to do nothing the time to do something.
func TestNoTestSleeps(t *testing.T) {
	for _, f := range files(t) {
		if !f.tests || f.folder == "faults" {
			continue
		}
		polls := map[*ast.CallExpr]bool{}
		ast.Inspect(f.File, func(n ast.Node) bool {
			if loop, ok := n.(*ast.ForStmt); ok && loop.Cond != nil {
				for _, c := range calls(loop, "time", "Sleep") {
					polls[c] = true
				}
			}
			return true
		})
		for _, c := range calls(f.File, "time", "Sleep") {
			if !polls[c] {
				t.Errorf("%s: a test that sleeps is slow or fails by chance", f.at(c))
			}
		}
	}
}
