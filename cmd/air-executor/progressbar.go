package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
)

// progress is the block below the lines: a bar, and what runs now.
func (w *watcher) progress() string {
	j := w.seen.State
	ended, total := j.Tasks.Completed+j.Tasks.Failed, j.Tasks.Total()
	counts := fmt.Sprintf(" %d/%d tasks", ended, total)
	if j.Tasks.Failed > 0 {
		counts += fmt.Sprintf(", %d failed", j.Tasks.Failed)
	}
	counts += "  " + took(time.Since(w.begin))
	width := w.ui.width()
	name := shorten(j.Name, max(width/3, 10))
	room := min(width-text.StringWidth(name)-text.StringWidth(counts)-2, 40)
	var b strings.Builder
	if room >= 5 {
		fmt.Fprintf(&b, "%s %s%s\n", name, w.bar(room, ended, j.Tasks.Failed, total), counts)
	} else {
		fmt.Fprintf(&b, "%s\n", shorten(name+counts, width))
	}
	for _, s := range w.seen.Running {
		fmt.Fprintf(&b, "  %s  %s\n", shorten(oneLine(s.Task), max(width-12, 8)), took(time.Since(s.StartedAt)))
	}
	return b.String()
}

// bar shows ended of total, the failed ones in red.
func (w *watcher) bar(width, ended, failed, total int) painted {
	if total == 0 {
		total = 1
	}
	bad := (failed*width + total - 1) / total
	good := max(ended*width/total-bad, 0)
	rest := max(width-good-bad, 0)
	return w.paint(strings.Repeat(marks().bar, good), green) + w.paint(strings.Repeat(marks().bar, bad), red) + w.paint(strings.Repeat(marks().rest, rest), grey)
}

func (w *watcher) paint(s, code string) painted {
	if s == "" || !colour(w.ui.out) {
		return painted(s)
	}
	return painted(paint(s, code))
}
