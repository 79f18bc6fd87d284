package main

import (
	"io"
	"strings"

	"github.com/air-executor/air-executor/runner"
)

// withoutNotes passes on a command's output without the lines that its runner has added
// to the log.
type withoutNotes struct {
	out  io.Writer
	held []byte // start of a line that may become a note
	drop bool   // in the middle of a note
	mid  bool   // in the middle of another line
}

// Write passes on b line by line.
func (w *withoutNotes) Write(b []byte) (int, error) {
	var pass []byte
	for _, c := range b {
		switch {
		case w.drop:
		case w.mid:
			pass = append(pass, c)
		default:
			w.held = append(w.held, c)
			if note := runner.NoteMark + " "; string(w.held) == note {
				w.drop, w.held = true, nil
			} else if !strings.HasPrefix(note, string(w.held)) {
				pass = append(pass, w.held...)
				w.mid, w.held = true, nil
			}
		}
		if c == '\n' {
			w.drop, w.mid = false, false
		}
	}
	_, err := w.out.Write(pass)
	return len(b), err
}
