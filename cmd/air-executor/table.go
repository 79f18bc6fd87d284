package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jedib0t/go-pretty/v6/text"
)

// grid is a table as commands print it: a heading, columns two blanks apart, no
// borders, so that it is easy to read and to process with cut. If the terminal is too
// narrow, the steps of squeeze are applied one after the other until it fits.
type grid struct {
	head    []string
	rows    [][]cell
	squeeze []step
	wrap    int  // number of the column, from 1, whose cells continue on further lines; 0: none
	names   int  // number of the column, from 1, whose cells are cut in their middle; 0: none
	colours bool // as the cells say
}

// cell is a text in a colour, or in none.
type cell struct{ text, colour string }

// step makes a column narrower, down to a width; 0 omits it.
type step struct{ column, to int }

// gap is between columns.
const gap = 2

func (g *grid) add(cells ...string) {
	row := make([]cell, len(cells))
	for i, c := range cells {
		row[i].text = c
	}
	g.addRow(row...)
}

func (g *grid) addRow(cells ...cell) {
	for i := range cells {
		cells[i].text = oneLine(cells[i].text)
	}
	g.rows = append(g.rows, cells)
}

// print writes the table; width is that of the terminal, 0 for none.
func (g *grid) print(w io.Writer, width int) error {
	out := bufio.NewWriter(w)
	for _, line := range g.lines(width) {
		out.WriteString(line)
		out.WriteByte('\n')
	}
	return out.Flush()
}

// lines is the table, with its heading.
func (g *grid) lines(width int) []string {
	widths := g.natural()
	if width > 0 && total(widths) > width {
		widths = g.fit(width)
	}
	head := make([]cell, len(g.head))
	for i, h := range g.head {
		head[i].text = h
	}
	lines := g.render(nil, head, widths, true)
	for _, r := range g.rows {
		lines = g.render(lines, r, widths, false)
	}
	return lines
}

// natural returns the natural widths of the columns.
func (g *grid) natural() []int {
	widths := make([]int, len(g.head))
	for i, h := range g.head {
		widths[i] = textWidth(h)
	}
	for _, r := range g.rows {
		for i, c := range r {
			widths[i] = max(widths[i], textWidth(c.text))
		}
	}
	return widths
}

// total is how wide a table is. Columns of width 0 are left out.
func total(widths []int) int {
	n := -gap
	for _, w := range widths {
		if w > 0 {
			n += w + gap
		}
	}
	return n
}

// fit returns the width of each column. First the words of headings are put below each
// other.
func (g *grid) fit(width int) []int {
	widths := g.natural()
	for i, h := range g.head {
		most := 0
		for word := range strings.FieldsSeq(h) {
			most = max(most, textWidth(word))
		}
		for _, r := range g.rows {
			most = max(most, textWidth(r[i].text))
		}
		widths[i] = most
	}
	wanted := 0
	if g.wrap > 0 {
		wanted = widths[g.wrap-1]
	}
	for _, s := range g.squeeze {
		over := total(widths) - width
		if over <= 0 {
			break
		}
		if s.to == 0 {
			widths[s.column-1] = 0
		} else if w := widths[s.column-1]; w > s.to {
			widths[s.column-1] = max(w-over, s.to)
		}
	}
	if room := width - total(widths); g.wrap > 0 && room > 0 && widths[g.wrap-1] > 0 {
		widths[g.wrap-1] = min(widths[g.wrap-1]+room, wanted)
	}
	return widths
}

// render appends the lines of a row.
func (g *grid) render(lines []string, row []cell, widths []int, head bool) []string {
	parts := make([][]string, len(row))
	height := 1
	for i, c := range row {
		switch {
		case widths[i] == 0:
		case textWidth(c.text) <= widths[i]:
			parts[i] = []string{c.text}
		case head || i+1 == g.wrap:
			parts[i] = wrap(c.text, widths[i])
		case i+1 == g.names:
			parts[i] = []string{shortenMiddle(c.text, widths[i])}
		default:
			parts[i] = []string{shorten(c.text, widths[i])}
		}
		height = max(height, len(parts[i]))
	}
	for n := range height {
		var b strings.Builder
		at, end := 0, 0 // where the next column begins, and where the line ends
		for i, p := range parts {
			if widths[i] == 0 {
				continue
			}
			if n < len(p) && p[n] != "" {
				b.WriteString(strings.Repeat(" ", at-end))
				if text := p[n]; g.colours && row[i].colour != "" {
					b.WriteString(paint(text, row[i].colour))
				} else {
					b.WriteString(text)
				}
				end = at + textWidth(p[n])
			}
			at += widths[i] + gap
		}
		lines = append(lines, b.String())
	}
	return lines
}

// textWidth returns how many columns a text takes on a terminal.
func textWidth(s string) int {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return text.StringWidth(s)
		}
	}
	return len(s)
}

// shorten truncates s to this many columns, and marks that.
func shorten(s string, width int) string {
	if textWidth(s) <= width {
		return s
	}
	more := marks().more
	if width < len(more) && len(more) == 3 {
		more = "."
	}
	return prefix(s, max(width-textWidth(more), 0)) + more
}

// shortenMiddle is shorten for names that often only differ at their ends.
func shortenMiddle(s string, width int) string {
	more := marks().more
	room := width - textWidth(more)
	if textWidth(s) <= width || room < 2 {
		return shorten(s, width)
	}
	end := s
	for textWidth(end) > (room+1)/2 {
		_, n := utf8.DecodeRuneInString(end)
		end = end[n:]
	}
	return prefix(s, room-textWidth(end)) + more + end
}

// when formats an instant for users, in local time.
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

// took formats a duration for users.
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
