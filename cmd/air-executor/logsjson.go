package main

import (
	"bufio"
	"context"
	"io"
	"unicode/utf8"

	"github.com/air-executor/air-executor/queue"
)

// printJSON prints an array with an object for each log. The text of a log is
// written as it is read: logs may be larger than memory.
func (c *logsCmd) printJSON(ctx context.Context, ui *ui, logs []*queue.Log) error {
	out := bufio.NewWriterSize(ui.out, 64<<10)
	io.WriteString(out, "[")
	for i, l := range logs {
		if i > 0 {
			io.WriteString(out, ",")
		}
		io.WriteString(out, "\n  ")
		if err := c.oneJSON(out, l); err != nil {
			return err
		}
	}
	if len(logs) > 0 {
		io.WriteString(out, "\n")
	}
	io.WriteString(out, "]\n")
	return out.Flush() // it remembers the first error
}

func (c *logsCmd) oneJSON(out *bufio.Writer, l *queue.Log) error {
	_ = l.Check() // it may be compressed, and then has another path; an error comes when it is read
	form, err := marshalJSON(l.Form(), "", "")
	if err != nil {
		return err
	}
	if c.Path {
		_, err = out.Write(form)
		return err
	}
	const null = "null}"
	out.Write(form[:len(form)-len(null)])
	text := jsonText{out: out}
	io.WriteString(out, `"`)
	if err := c.print(&logPrinter{out: &text}, []*queue.Log{l}); err != nil {
		return err
	}
	text.flush()
	_, err = io.WriteString(out, `"}`)
	return err
}

// printPiece prints added output as JSON, a line for each piece.
func printPiece(ui *ui) func(*queue.Log, []byte) error {
	return func(l *queue.Log, b []byte) error {
		form := l.Form()
		text := string(b)
		form.Log = &text
		return writeLine(ui.out, form)
	}
}

// jsonText writes text as the inside of a JSON string. What is not UTF-8
// becomes U+FFFD.
type jsonText struct {
	out  *bufio.Writer
	held []byte // beginning of a character whose rest has not come yet
}

// Write writes what is whole of b.
func (t *jsonText) Write(b []byte) (int, error) {
	text := append(t.held, b...)
	cut := len(text)
	for i := 1; i <= min(len(text), utf8.UTFMax); i++ {
		if c := text[len(text)-i]; utf8.RuneStart(c) {
			if !utf8.FullRune(text[len(text)-i:]) {
				cut = len(text) - i
			}
			break
		}
	}
	t.held = append([]byte(nil), text[cut:]...)
	return len(b), t.put(text[:cut])
}

func (t *jsonText) put(b []byte) error {
	quoted, err := marshalJSON(string(b), "", "")
	if err != nil {
		return err
	}
	_, err = t.out.Write(quoted[1 : len(quoted)-1])
	return err
}

func (t *jsonText) flush() {
	_ = t.put(t.held) // an error shows when out is flushed
	t.held = nil
}
