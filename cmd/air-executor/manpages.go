package main

import (
	"strings"

	"github.com/alecthomas/kong"
)

// manPages returns the man page of the program and of each command that its help
// lists, by name.
func manPages(model *kong.Application) map[string]string {
	pages := map[string]string{model.Name: manPage(model.Node, description)}
	var visit func(n *kong.Node)
	visit = func(n *kong.Node) {
		for _, child := range n.Children {
			if !child.Hidden {
				pages[manName(child)] = manPage(child, child.Detail)
				visit(child)
			}
		}
	}
	visit(model.Node)
	return pages
}

// manName is the name of a command's page, such as air-executor-config-show.
func manName(n *kong.Node) string { return strings.ReplaceAll(n.FullPath(), " ", "-") }

// manPage writes a page in the language of man(7). The text is that of the help.
func manPage(n *kong.Node, text string) string {
	p := new(roff)
	name := manName(n)
	p.macro("TH", strings.ToUpper(name), "1", "", "air-executor "+programVersion(), "air-executor")
	summary, details := n.Help, text
	if n.Type == kong.ApplicationNode {
		summary, details, _ = strings.Cut(text, "\n\n")
	}
	p.section("NAME")
	p.raw(escaped(name) + ` \- ` + escaped(strings.TrimSuffix(summary, ".")))
	p.section("SYNOPSIS")
	p.raw(`\fB` + escaped(n.FullPath()) + `\fR ` + escaped(strings.TrimSpace(strings.TrimPrefix(n.Summary(), n.Path()))))
	details, exits, _ := strings.Cut(details, "Exit codes: ")
	if details = strings.TrimSpace(details); details != "" {
		p.section("DESCRIPTION")
		p.prose(details)
	}
	p.commands(n)
	p.options(n)
	if exits != "" {
		p.section("EXIT STATUS")
		for _, one := range strings.Split(strings.TrimSuffix(strings.TrimSpace(exits), "."), "; ") {
			code, means, _ := strings.Cut(one, " ")
			p.item(`\fB`+escaped(code)+`\fR`, means)
		}
	}
	p.section("SEE ALSO")
	if n.Parent == nil {
		p.raw(escaped("Every command has a page: air-executor-run(1), air-executor-enqueue(1) and so on."))
	} else {
		p.raw(escaped(manName(n.Parent) + "(1)"))
	}
	return p.String()
}

func (p *roff) commands(n *kong.Node) {
	if len(n.Children) == 0 {
		return
	}
	p.section("COMMANDS")
	for _, child := range n.Children {
		if !child.Hidden {
			p.item(`\fB`+escaped(child.Name)+`\fR`, child.Help)
		}
	}
}

// options writes the arguments and flags: its own first, then those that every
// command has.
func (p *roff) options(n *kong.Node) {
	if len(n.Positional) > 0 {
		p.section("ARGUMENTS")
		for _, arg := range n.Positional {
			p.item(escaped(arg.Summary()), arg.Help)
		}
	}
	var own, everywhere []*kong.Flag
	for _, group := range n.AllFlags(true) {
		for _, f := range group {
			if f.Group != nil || n.Parent == nil {
				everywhere = append(everywhere, f)
			} else {
				own = append(own, f)
			}
		}
	}
	p.flags("OPTIONS", own)
	p.flags("OPTIONS OF EVERY COMMAND", everywhere)
}

func (p *roff) flags(title string, flags []*kong.Flag) {
	if len(flags) == 0 {
		return
	}
	p.section(title)
	for _, f := range flags {
		word := `\fB` + escaped("--"+f.Name) + `\fR`
		if f.Short != 0 {
			word = `\fB` + escaped("-"+string(f.Short)) + `\fR, ` + word
		}
		if !f.IsBool() && !f.IsCounter() {
			word += `=\fI` + escaped(f.FormatPlaceHolder()) + `\fR`
		}
		p.item(word, f.Help)
	}
}
