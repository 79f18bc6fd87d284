package main

import "strings"

// roff builds a page.
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

// escaped escapes text, so that it is not interpreted as roff requests.
func escaped(text string) string {
	text = strings.NewReplacer(`\`, `\e`, `-`, `\-`, `"`, `\(dq`).Replace(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	return text
}
