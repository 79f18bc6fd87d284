package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// ui is the way out: what a command prints, and how.
//
// The rules of what is printed: results go to stdout, all else to stderr. An
// error is one line in lower case, with the program's name in front; what to do
// about it is a line of its own. Colour and redrawing only on a terminal, and
// no colour with NO_COLOR. With --json, stdout has JSON and nothing else, and an
// error is one JSON object on stderr (see complain).
type ui struct {
	out, err  *os.File
	asJSON    bool
	hurried   bool  // what is said may get lost, see remark
	unprinted error // why a result could not be printed
}

// printf prints a result, as it is or, on a terminal, without control characters.
func (ui *ui) printf(format string, args ...any) {
	if isTerminal(ui.out) {
		args = clean(args)
	}
	if _, err := fmt.Fprintf(ui.out, format, args...); err != nil && ui.unprinted == nil {
		ui.unprinted = err
	}
}

// notef prints a remark that is not a result: one line, without control characters.
// On a terminal, one that is too long is broken at blanks.
func (ui *ui) notef(format string, args ...any) {
	line := fmt.Sprintf("air-executor: "+format, clean(args)...)
	if isTerminal(ui.err) {
		width, _ := terminalSize(ui.err)
		line = strings.Join(fold(line, width, 4), "\n")
	}
	ui.remark([]byte(line + "\n"))
}

// remark writes to stderr. In a manager's process it does not wait longer than a
// second: as for the log, nobody may read it, and the process is to end.
func (ui *ui) remark(text []byte) {
	if !ui.hurried {
		_, _ = ui.err.Write(text) // there is nowhere to say that it failed
		return
	}
	written := make(chan struct{})
	go func() {
		_, _ = ui.err.Write(text)
		close(written)
	}()
	select {
	case <-written:
	case <-time.After(time.Second):
	}
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// width is the width of the terminal, or 0 if out is none.
func (ui *ui) width() int {
	if !isTerminal(ui.out) {
		return 0
	}
	w, _ := terminalSize(ui.out)
	return w
}

// colour reports whether f may be written to in colour.
func colour(f *os.File) bool {
	return isTerminal(f) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// canRedraw reports whether lines can be written over in place.
func canRedraw(f *os.File) bool { return isTerminal(f) && os.Getenv("TERM") != "dumb" }
