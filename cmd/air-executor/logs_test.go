package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/air-executor/air-executor/queue"
)

// forbidden is what no filter may let through, once colours are taken away.
var (
	colours   = regexp.MustCompile("\x1b\\[[0-9;:]*m")
	erasings  = regexp.MustCompile("\x1b\\[[0-2]?K")
	forbidden = regexp.MustCompile("[\x00-\x08\x0b-\x1f\x7f\u0080-\u009f\u2028-\u202e\u2066-\u2069]")
)

// FuzzVisible holds that no output does more to a terminal than print and
// change colours, and that what is plain stays as it is.
func FuzzVisible(f *testing.F) {
	f.Add([]byte("plain\ttext\r\n\x1b[1;31mred\x1b[0m"))
	f.Add([]byte("\x1b[2J\x1b]0;title\a\x1b[31\x1b\x9b\xc2\x9b\xc2"))
	f.Add([]byte("é\u202e日本\x00\x7f\xff\xfe\r\r\n\b"))
	f.Fuzz(func(t *testing.T, b []byte) {
		out := visible(b)
		if found := forbidden.Find(colours.ReplaceAll(out, nil)); found != nil {
			t.Errorf("%q becomes %q, in which %q is left", b, out, found)
		}
		if !forbidden.Match(b) && utf8.Valid(b) && !bytes.Equal(out, b) {
			t.Errorf("%q, which is harmless, becomes %q", b, out)
		}
	})
}

// FuzzFilter holds that a terminal gets text, colours and what edits a line, and
// nothing else, in however many parts the output comes.
func FuzzFilter(f *testing.F) {
	f.Add([]byte("10%\r\x1b[K20%\b\b30%\x1b[2K\x1b[38;5;1mx\x1b[m\r\n"), 3)
	f.Add([]byte("\x1b]0;title\a\x1bP1$r\x1b\\\x1b[2J\x1b[1;1H\x1b[10A\x1b(0\x0e\x9b2J"), 1)
	f.Add([]byte("é日本\u202eevil\u2066\xc2\x9b\xe2\x80"), 2)
	f.Add([]byte("\x1b["+strings.Repeat("1;", 100)+"m\x1b[3K\x1b[1;1K"), 7)
	f.Fuzz(func(t *testing.T, b []byte, part int) {
		whole := &filter{edits: true}
		want := whole.end(whole.add(nil, b))
		var got []byte
		parts := &filter{edits: true}
		for rest := b; len(rest) > 0; {
			n := min(max(part, 1), len(rest))
			got = parts.add(got, rest[:n])
			rest = rest[n:]
		}
		got = parts.end(got)
		if !bytes.Equal(got, want) {
			t.Errorf("%q in parts of %d becomes %q, as a whole %q", b, part, got, want)
		}
		left := erasings.ReplaceAll(colours.ReplaceAll(got, []byte("-")), []byte("-"))
		text := strings.NewReplacer("\r", "", "\b", "").Replace(string(left))
		if found := forbidden.FindString(text); found != "" {
			t.Errorf("%q becomes %q, in which %q is left", b, got, found)
		}
	})
}

func TestAProgressBarReachesATerminal(t *testing.T) {
	const bar = "10%\r\x1b[K\x1b[32m20%\x1b[0m\b\b\b30%\r\n"
	f := &filter{edits: true}
	if got := string(f.end(f.add(nil, []byte(bar)))); got != bar {
		t.Errorf("%q becomes %q", bar, got)
	}
}

// A log that ends in red made the prompt after it red.
func TestColoursArePutBackAtTheEndOfALog(t *testing.T) {
	for text, want := range map[string]string{
		"\x1b[31mred":            "\x1b[31mred\x1b[0m",
		"\x1b[31mred\x1b[0m":     "\x1b[31mred\x1b[0m",
		"\x1b[31mred\x1b[m":      "\x1b[31mred\x1b[m",
		"\x1b[1;31mred\x1b[1;0m": "\x1b[1;31mred\x1b[1;0m",
		"\x1b[38;5;10mten":       "\x1b[38;5;10mten\x1b[0m",
	} {
		f := &filter{edits: true}
		if got := string(f.end(f.add(nil, []byte(text)))); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

func writeLog(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// newLog is the log of a task, in a folder that is there.
func newLog(t *testing.T, base string) *queue.Log {
	t.Helper()
	l := queue.NewLog(base, "j", "a")
	if err := os.MkdirAll(filepath.Dir(l.Path), 0o700); err != nil {
		t.Fatal(err)
	}
	return l
}

// A control character was passed on if its bytes came in two parts.
func TestAControlCharacterMayCrossTheEndOfABlock(t *testing.T) {
	base := t.TempDir()
	path := newLog(t, base).Path
	for _, before := range []int{0, 64<<10 - 1, 64 << 10} {
		text := strings.Repeat("x", before)
		var out bytes.Buffer
		p, l := &logPrinter{out: &out, filter: &filter{}}, newLog(t, base)
		for _, content := range []string{text + "\xc2", text + "\xc2\x9b2J", text + "\xc2\x9b2J."} {
			writeLog(t, path, content)
			if err := l.Rest(p); err != nil {
				t.Fatal(err)
			}
		}
		l.Close()
		if want := text + `\u009b2J.`; out.String() != want {
			t.Errorf("after %d bytes: %.20q, want %.20q", before, strings.TrimLeft(out.String(), "x"), strings.TrimLeft(want, "x"))
		}
	}
}

// A follower went on at its old place and showed nothing more.
func TestALogThatWasCutIsPrintedFromItsBeginning(t *testing.T) {
	l := newLog(t, t.TempDir())
	path := l.Path
	var out, notes bytes.Buffer
	p := &logPrinter{out: &out, note: func(format string, args ...any) { fmt.Fprintf(&notes, format+"\n", args...) }}
	defer l.Close()
	for _, content := range []string{"one\ntwo\n", "new\n", "new\nmore\n"} {
		writeLog(t, path, content) // which cuts the file and keeps it
		if err := l.Rest(p); err != nil {
			t.Fatal(err)
		}
	}
	if want := "one\ntwo\nnew\nmore\n"; out.String() != want {
		t.Errorf("printed %q, want %q", out.String(), want)
	}
	if want := "the log of task \"a\" of job \"j\" was cut; it is printed from its beginning\n"; notes.String() != want {
		t.Errorf("remarked %q, want %q", notes.String(), want)
	}
}

// jsonText writes in parts what json.Marshal writes as a whole.
func TestALogIsWrittenAsJSONInParts(t *testing.T) {
	for _, text := range []string{"", "plain\n", "é日本👍\"\\\x00\x1b<>&\u2028", "\xff\xfe", "cut \xe2\x82"} {
		for size := 1; size < 5; size++ {
			var b bytes.Buffer
			out := bufio.NewWriter(&b)
			w := jsonText{out: out}
			for rest := []byte(text); len(rest) > 0; {
				n := min(size, len(rest))
				if _, err := w.Write(rest[:n]); err != nil {
					t.Fatal(err)
				}
				rest = rest[n:]
			}
			w.flush()
			out.Flush()
			var got string
			if err := json.Unmarshal([]byte(`"`+b.String()+`"`), &got); err != nil {
				t.Fatalf("%q in parts of %d: %v", text, size, err)
			}
			if want := strings.ToValidUTF8(text, "\ufffd"); utf8.ValidString(text) && got != want {
				t.Errorf("%q in parts of %d is %q", text, size, got)
			}
		}
	}
}

func TestWhatOthersWroteIsCleaned(t *testing.T) {
	const evil = "a\x1b]0;title\a\x1b[2J\u009b2J\u202e\r\n\xff"
	type name string
	for _, arg := range []any{evil, name(evil), fmt.Errorf("%s", evil)} {
		got := fmt.Sprintf("%v", clean([]any{arg})[0])
		if found := forbidden.FindString(got); found != "" || strings.Contains(got, "\n") || !utf8.ValidString(got) {
			t.Errorf("%T: %q", arg, got)
		}
	}
	for _, plain := range []string{"", "plain text", "é日本 עברית"} {
		if got := oneLine(plain); got != plain {
			t.Errorf("%q becomes %q", plain, got)
		}
	}
	if b, _ := marshalJSON("\u009b\u202e\x7f日", "", ""); string(b) != `"\u009b\u202e\u007f日"` {
		t.Errorf("JSON: %s", b)
	}
}

// Ten lines of a progress bar are ten states of it, of which the last counts.
func TestALineThatWasWrittenOverIsFolded(t *testing.T) {
	for line, want := range map[string]string{"": "", "plain": "plain", "10%\r20%\r30%\r": "30%", "a\rb": "b", "end\r": "end"} {
		if got := string(folded([]byte(line))); got != want {
			t.Errorf("%q becomes %q, want %q", line, got, want)
		}
	}
}
