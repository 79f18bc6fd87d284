package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// printer is the result of a group, in whatever form.
type printer interface {
	print(w io.Writer, name string, markdown bool)
}

// table is the result of a group.
type table struct {
	unit  string
	rows  []row
	floor string // name of the row that ratios are taken against; empty: none
	extra string // head of a second column of figures; empty: none
}

// row is one contender with its figure of each round.
type row struct {
	name    string
	figures []float64
	extra   []float64 // of the second column
	note    string
}

// add adds a figure to the row of that name.
func (t *table) add(name string, figure float64) {
	for i := range t.rows {
		if t.rows[i].name == name {
			t.rows[i].figures = append(t.rows[i].figures, figure)
			return
		}
	}
	t.rows = append(t.rows, row{name: name, figures: []float64{figure}})
}

// addExtra adds a figure of the second column to a row that is there.
func (t *table) addExtra(name string, figure float64) {
	for i := range t.rows {
		if t.rows[i].name == name {
			t.rows[i].extra = append(t.rows[i].extra, figure)
		}
	}
}

// without adds a row that has no figures, and says why.
func (t *table) without(name, why string) { t.rows = append(t.rows, row{name: name, note: why}) }

// remark puts a note beside the row of that name.
func (t *table) remark(name, format string, args ...any) {
	for i := range t.rows {
		if t.rows[i].name == name {
			t.rows[i].note = fmt.Sprintf(format, args...)
		}
	}
}

func median(figures []float64) float64 {
	s := slices.Sorted(slices.Values(figures))
	if n := len(s); n%2 == 0 {
		return (s[n/2-1] + s[n/2]) / 2
	}
	return s[len(s)/2]
}

// ratio is how a row stands against the floor.
func (t *table) ratio(r row) string {
	for _, f := range t.rows {
		if f.name == t.floor {
			return fmt.Sprintf("%.2f", median(r.figures)/median(f.figures))
		}
	}
	return ""
}

func (t *table) print(w io.Writer, name string, markdown bool) {
	head := []string{"", t.unit + " (median)", "smallest", "largest"}
	if t.floor != "" {
		head = append(head, "× "+t.floor)
	}
	if t.extra != "" {
		head = append(head, t.extra)
	}
	head = append(head, "note")
	var lines [][]string
	for _, r := range t.rows {
		cells := make([]string, len(head))
		cells[0], cells[len(cells)-1] = r.name, r.note
		if len(r.figures) > 0 {
			cells[1], cells[2], cells[3] = figure(median(r.figures)), figure(slices.Min(r.figures)), figure(slices.Max(r.figures))
			if t.floor != "" {
				cells[4] = t.ratio(r)
			}
			if len(r.extra) > 0 {
				cells[len(cells)-2] = figure(median(r.extra))
			}
		}
		lines = append(lines, cells)
	}
	printLines(w, name, head, lines, markdown)
}

// report is a table of words.
type report struct {
	head  []string
	lines [][]string
}

func (r *report) add(cells ...string) { r.lines = append(r.lines, cells) }

func (r *report) print(w io.Writer, name string, markdown bool) {
	printLines(w, name, r.head, r.lines, markdown)
}

func printLines(w io.Writer, name string, head []string, lines [][]string, markdown bool) {
	if markdown {
		printMarkdown(w, name, head, lines)
		return
	}
	fmt.Fprintln(w, name)
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, cells := range append([][]string{head}, lines...) {
		fmt.Fprintln(tw, "  "+strings.Join(cells, "\t"))
	}
	tw.Flush()
	fmt.Fprintln(w)
}

func printMarkdown(w io.Writer, name string, head []string, lines [][]string) {
	fmt.Fprintf(w, "### %s\n\n| %s |\n|%s\n", name, strings.Join(head, " | "), strings.Repeat("---|", len(head)))
	for _, cells := range lines {
		fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | "))
	}
	fmt.Fprintln(w)
}

// figure writes a number with three digits that count.
func figure(f float64) string {
	switch {
	case f >= 100:
		return fmt.Sprintf("%.0f", f)
	case f >= 10:
		return fmt.Sprintf("%.1f", f)
	}
	return fmt.Sprintf("%.2f", f)
}
