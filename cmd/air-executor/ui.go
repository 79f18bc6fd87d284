package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// ui is the output of a command.
//
// The rules: results go to stdout, everything else to stderr. An error is one line in
// lower case, with the program's name in front; a hint is on its own line. Colour and
// redrawing are only used on a terminal, and no colour with NO_COLOR. With --json,
// stdout has only JSON, and an error is one JSON object on stderr (see complain).
type ui struct {
	out, err  *os.File
	asJSON    bool
	hurried   bool  // remarks may get lost, see remark
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

// notef prints a remark that is not a result: one line, without control characters. On
// a terminal, a long remark is wrapped at blanks.
func (ui *ui) notef(format string, args ...any) {
	line := fmt.Sprintf("air-executor: "+format, clean(args)...)
	if isTerminal(ui.err) {
		width, _ := terminalSize(ui.err)
		line = strings.Join(fold(line, width, 4), "\n")
	}
	ui.remark([]byte(line + "\n"))
}

// remark writes to stderr. In a manager's process it waits at most a second, because
// stderr, like the log, may not be read, and the process must exit.
func (ui *ui) remark(text []byte) {
	if !ui.hurried {
		_, _ = ui.err.Write(text) // there is no way to report an error
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

// canRedraw reports whether lines can be overwritten in place.
func canRedraw(f *os.File) bool { return isTerminal(f) && os.Getenv("TERM") != "dumb" }
