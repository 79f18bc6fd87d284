package main

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/alecthomas/kong"
)

type manCmd struct {
	Folder string `arg:"" name:"folder" help:"The folder to write to; it is made if it is not there."`
}

// Help is printed below the summary.
func (*manCmd) Help() string {
	return `Writes a man page for the program and one for each command, as packages ship them: air-executor.1, air-executor-enqueue.1 and so on.

Exit codes: 0 done; 1 error; 2 wrong flags.`
}

// Run writes the pages.
func (c *manCmd) Run(ui *ui, k *kong.Kong) error {
	if err := os.MkdirAll(c.Folder, 0o755); err != nil {
		return err
	}
	pages := manPages(k.Model)
	for name, page := range pages {
		if err := os.WriteFile(filepath.Join(c.Folder, name+".1"), []byte(page), 0o644); err != nil {
			return err
		}
	}
	if ui.json() {
		return ui.printJSON(manJSON{c.Folder, len(pages)})
	}
	ui.printf("%s: %d pages\n", c.Folder, len(pages))
	return nil
}

// manJSON is what man prints with --json.
type manJSON struct {
	Folder string `json:"folder"`
	Pages  int    `json:"pages"`
}

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

// roff collects a page.
type roff struct{ strings.Builder }

func (p *roff) raw(line string) { p.WriteString(line + "\n") }

func (p *roff) macro(name string, args ...string) {
	p.WriteString("." + name)
	for _, arg := range args {
		p.WriteString(` "` + escaped(arg) + `"`)
	}
	p.WriteString("\n")
}

func (p *roff) section(title string) { p.macro("SH", title) }

// item is a word and what it means, indented.
func (p *roff) item(word, means string) {
	p.raw(".TP")
	p.raw(word)
	p.raw(escaped(means))
}

// prose writes paragraphs. Lines that are indented are shown as they are.
func (p *roff) prose(text string) {
	for i, paragraph := range strings.Split(text, "\n\n") {
		if i > 0 {
			p.raw(".PP")
		}
		if strings.HasPrefix(paragraph, " ") {
			p.raw(".nf")
			for line := range strings.Lines(paragraph) {
				p.raw(escaped(strings.TrimSuffix(line, "\n")))
			}
			p.raw(".fi")
			continue
		}
		p.raw(escaped(strings.ReplaceAll(paragraph, "\n", " ")))
	}
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

// escaped keeps text from being taken for commands of the language.
func escaped(text string) string {
	text = strings.NewReplacer(`\`, `\e`, `-`, `\-`, `"`, `\(dq`).Replace(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	return text
}
