package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/air-executor/air-executor/db"
)

// block is some lines at the bottom of a terminal that are written again and
// again in place.
type block struct {
	out   *os.File
	lines int // lines that stand there now
}

// draw replaces the block by the text, cut to the size of the terminal.
func (b *block) draw(text string) {
	width, height := terminalSize(b.out)
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if room := max(height-1, 1); len(lines) > room {
		hidden := len(lines) - (room - 1)
		lines = append(lines[:room-1], fmt.Sprintf("… %d more lines", hidden))
	}
	var buf bytes.Buffer
	b.home(&buf)
	for _, l := range lines {
		buf.WriteString(fit(l, width))
		buf.WriteString("\x1b[K\n") // clear to the end of the line
	}
	buf.WriteString("\x1b[J") // and below
	b.lines = len(lines)
	_, _ = b.out.Write(buf.Bytes())
}

// clear takes the block away, so that other lines can be printed.
func (b *block) clear() {
	var buf bytes.Buffer
	b.home(&buf)
	buf.WriteString("\x1b[J")
	b.lines = 0
	_, _ = b.out.Write(buf.Bytes())
}

// home moves the cursor to the first line of the block.
func (b *block) home(w io.Writer) {
	if b.lines > 0 {
		fmt.Fprintf(w, "\x1b[%dA\r", b.lines)
	}
}

// terminalSize is the size of a terminal, or the usual one where it does not
// know: serial lines and some programs that play terminal have none.
func terminalSize(f *os.File) (width, height int) {
	width, height, err := term.GetSize(int(f.Fd()))
	if err != nil || width <= 0 || height <= 0 {
		return 80, 24
	}
	return width, height
}

// fit cuts a line to the width. A line in colour is let be, for it was made to fit.
func fit(line string, width int) string {
	if strings.Contains(line, "\x1b") {
		return line
	}
	return shorten(line, width)
}

// How often the database is asked whether anything has changed.
const (
	watchEvery = 50 * time.Millisecond
	redraw     = time.Second // because times on the screen go on
)

// watch shows something at once and after every change, until Ctrl-C: in place
// on a terminal, one below the other elsewhere.
func watch(a *app, d *db.DB, show func(io.Writer) error) error {
	screen := block{out: a.out}
	terminal := isTerminal(a.out) && !a.json()
	last, shown := int64(-1), time.Time{}
	for {
		now, err := d.Changes(a.ctx)
		if err != nil {
			return err
		}
		if now != last || terminal && time.Since(shown) > redraw {
			last, shown = now, time.Now()
			if err := showOnce(a, &screen, terminal, show); err != nil {
				return err
			}
		}
		select {
		case <-a.ctx.Done():
			return a.ctx.Err()
		case <-time.After(watchEvery):
		}
	}
}

func showOnce(a *app, screen *block, terminal bool, show func(io.Writer) error) error {
	if !terminal {
		return show(a.out)
	}
	var b bytes.Buffer
	if err := show(&b); err != nil {
		return err
	}
	screen.draw(b.String())
	return nil
}
