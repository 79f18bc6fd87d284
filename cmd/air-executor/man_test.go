package main

import (
	"io"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// model returns the grammar of all commands.
func model(t *testing.T) *kong.Application {
	t.Helper()
	k, err := kong.New(new(commandLine), kong.Name("air-executor"), kong.Description(description), kong.Writers(io.Discard, io.Discard))
	if err != nil {
		t.Fatal(err)
	}
	return k.Model
}

func TestEveryCommandAndFlagHasItsPlaceInTheManPages(t *testing.T) {
	m := model(t)
	pages := manPages(m)
	var check func(n *kong.Node)
	check = func(n *kong.Node) {
		page, ok := pages[manName(n)]
		if !ok {
			t.Errorf("no page for %s", n.FullPath())
			return
		}
		for _, group := range n.AllFlags(true) {
			for _, f := range group {
				if !strings.Contains(page, `\fB`+escaped("--"+f.Name)+`\fR`) {
					t.Errorf("the page of %s has no --%s", n.FullPath(), f.Name)
				}
			}
		}
		for _, child := range n.Children {
			if child.Hidden {
				continue
			}
			if !strings.Contains(page, `\fB`+escaped(child.Name)+`\fR`) {
				t.Errorf("the page of %s has no %s", n.FullPath(), child.Name)
			}
			check(child)
		}
	}
	check(m.Node)
	for name, page := range pages {
		if !strings.Contains(page, ".SH \"EXIT STATUS\"") && len(strings.Split(name, "-")) < 4 && name != "air-executor-config" {
			t.Errorf("%s has no exit status", name)
		}
	}
}

func TestTextIsNotTakenForTheLanguageOfManPages(t *testing.T) {
	for text, want := range map[string]string{
		".air-executor is a folder": `\&.air\-executor is a folder`,
		"'quoted'":                  `\&'quoted'`,
		`a\b`:                       `a\eb`,
		`say "no"`:                  `say \(dqno\(dq`,
	} {
		if got := escaped(text); got != want {
			t.Errorf("escaped(%q) = %q, want %q", text, got, want)
		}
	}
}
