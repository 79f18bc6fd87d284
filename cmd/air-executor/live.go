package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// block is some lines at the bottom of a terminal that are written again and
// again in place.
type block struct {
	out   *os.File
	lines int // lines that are shown now
}

// draw replaces the block by the text, cut to the size of the terminal.
func (b *block) draw(text string) {
	b.drawLines(strings.Split(strings.TrimSuffix(text, "\n"), "\n"))
}

// drawLines replaces the block by the lines, cut to the size of the terminal.
func (b *block) drawLines(lines []string) {
	width, height := terminalSize(b.out)
	if room := max(height-1, 1); len(lines) > room {
		hidden := len(lines) - (room - 1)
		lines = append(lines[:room-1:room-1], fmt.Sprintf("%s %d more lines", marks().more, hidden))
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

// terminalSize returns the size of a terminal, or the usual one if it is unknown, as
// for serial lines and some terminal emulators.
func terminalSize(f *os.File) (width, height int) {
	width, height, err := term.GetSize(int(f.Fd()))
	if err != nil || width <= 0 || height <= 0 {
		return 80, 24
	}
	return width, height
}

// fit cuts a line to the width. A line in colour is left alone, because it was made to fit.
func fit(line string, width int) string {
	if strings.Contains(line, "\x1b") {
		return line
	}
	return shorten(line, width)
}

// reset clears the screen: after a change of its size, the position of the lines is
// unknown.
func (b *block) reset() {
	b.lines = 0
	_, _ = io.WriteString(b.out, "\x1b[H\x1b[2J")
}
