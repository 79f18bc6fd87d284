package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// grid is a table as commands print it: a heading, columns two blanks apart, no
// borders, so that it reads well and cuts well. The column flex is shortened
// where the terminal is too narrow for all.
type grid struct {
	head []string
	rows [][]string
	flex int
}

func (g *grid) add(cells ...string) { g.rows = append(g.rows, cells) }

// print writes the table; width is that of the terminal, 0 for none. Where it
// is too narrow, headings wrap, and then the columns flex and first are cut.
func (g *grid) print(w io.Writer, width int) error {
	t := table.NewWriter()
	t.SetStyle(table.Style{
		Box:     table.BoxStyle{PaddingRight: "  "},
		Options: table.OptionsNoBordersAndSeparators,
	})
	t.SuppressTrailingSpaces()
	t.AppendHeader(row(g.head))
	for _, r := range g.rows {
		t.AppendRow(row(r))
	}
	out := t.Render()
	if width > 0 && text.LongestLineLen(out) > width {
		t.SetColumnConfigs(g.fit(width))
		out = t.Render()
	}
	_, err := io.WriteString(w, out+"\n")
	return err
}

// fit says how wide each column may be.
func (g *grid) fit(width int) []table.ColumnConfig {
	over := 2*len(g.head) - width
	configs := make([]table.ColumnConfig, len(g.head))
	for i := range g.head {
		configs[i] = table.ColumnConfig{Number: i + 1, WidthMax: g.widest(i), WidthMaxEnforcer: text.WrapSoft}
		over += configs[i].WidthMax
	}
	for _, i := range []int{g.flex, 0} {
		const least = 8
		cut := min(max(over, 0), max(configs[i].WidthMax-least, 0))
		configs[i].WidthMax -= cut
		configs[i].WidthMaxEnforcer = shorten
		over -= cut
	}
	return configs
}

// widest is how wide a column is if its heading may wrap.
func (g *grid) widest(column int) int {
	n := 0
	for word := range strings.FieldsSeq(g.head[column]) {
		n = max(n, text.StringWidth(word))
	}
	for _, r := range g.rows {
		n = max(n, text.StringWidth(r[column]))
	}
	return n
}

func row(cells []string) table.Row {
	r := make(table.Row, len(cells))
	for i, c := range cells {
		r[i] = oneLine(c)
	}
	return r
}

// shorten cuts s to that many columns, and shows that it did.
func shorten(s string, width int) string {
	return text.Snip(s, max(width, 1), "…")
}

// when is an instant as people read it, in local time.
func when(t time.Time, width int) string {
	switch {
	case t.IsZero():
		return "-"
	case width == 0 || width >= 80:
		return t.Local().Format(time.DateTime)
	case time.Since(t) < 20*time.Hour:
		return t.Local().Format(time.TimeOnly)
	}
	return t.Local().Format("Jan _2 15:04")
}

// took is a duration as people read it.
func took(d time.Duration) string {
	switch {
	case d < 0:
		return "-"
	case d < time.Second:
		return fmt.Sprintf("%dms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
}

// writeLine writes v as one line of JSON.
func writeLine(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// oneLine makes control characters visible, newline and escape among them, so
// that what a user has stored cannot play with a terminal or a line-wise reader.
func oneLine(s string) string {
	if !strings.ContainsFunc(s, unicode.IsControl) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case unicode.IsControl(r):
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
