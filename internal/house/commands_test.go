package house_test

import (
	"go/ast"
	"slices"
	"strings"
	"testing"
)

// commandLine is the folder of the commands.
const commandLine = "cmd/air-executor"

// composing are the files that put the commands together, and know all of them.
var composing = []string{"main.go", "cli.go", "plain.go"}

// declared are the names that a file declares for the package.
func (f *file) declared() (names []string) {
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil {
				names = append(names, d.Name.Name)
			}
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					names = append(names, s.Name.Name)
				case *ast.ValueSpec:
					for _, n := range s.Names {
						names = append(names, n.Name)
					}
				}
			}
		}
	}
	return names
}

// receivers are the types of which a file has methods.
func (f *file) receivers() (types []string) {
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv != nil {
			t := fn.Recv.List[0].Type
			if star, ok := t.(*ast.StarExpr); ok {
				t = star.X
			}
			if name, ok := t.(*ast.Ident); ok {
				types = append(types, name.Name)
			}
		}
	}
	return types
}

// commandsOf says to which command each file of the command line belongs: the one
// that it declares, or of whose types it has methods. Others are shared.
func commandsOf(all []*file, home map[string]*file) map[*file]string {
	of := map[*file]string{}
	for _, f := range all {
		for _, name := range f.declared() {
			if command, ok := strings.CutSuffix(name, "Cmd"); ok && of[f] == "" {
				of[f] = command
			}
		}
	}
	for changed := true; changed; {
		changed = false
		for _, f := range all {
			for _, t := range f.receivers() {
				if at := home[t]; of[f] == "" && at != nil && of[at] != "" {
					of[f], changed = of[at], true
				}
			}
		}
	}
	return of
}

// Inside the command line too, what is shared is below what shares it: a command
// can be read, changed and removed without a look at the others.
func TestCommandsDoNotKnowOneAnother(t *testing.T) {
	var all []*file
	home := map[string]*file{}
	for _, f := range files(t) {
		if f.folder != commandLine || f.test || slices.Contains(composing, strings.TrimPrefix(f.path, commandLine+"/")) {
			continue
		}
		all = append(all, f)
		for _, name := range f.declared() {
			home[name] = f
		}
	}
	of := commandsOf(all, home)
	if of[home["waitCmd"]] != "wait" || len(of) < 15 {
		t.Fatalf("found the commands %v", of)
	}
	for _, f := range all {
		for _, n := range f.Unresolved {
			at := home[n.Name]
			if at == nil || at == f || of[at] == "" || of[at] == of[f] {
				continue
			}
			t.Errorf("%s uses %s of command %s (%s)", f.at(n), n.Name, of[at], at.path)
		}
	}
}
