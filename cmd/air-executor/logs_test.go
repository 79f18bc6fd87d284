package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// FuzzVisible holds that no output does more to a terminal than print and
// change colours, and that what is plain stays as it is.
func FuzzVisible(f *testing.F) {
	f.Add([]byte("plain\ttext\r\n\x1b[1;31mred\x1b[0m"))
	f.Add([]byte("\x1b[2J\x1b]0;title\a\x1b[31\x1b\x9b\xc2\x9b\xc2"))
	f.Add([]byte("é\u202e日本\x00\x7f\xff\xfe\r\r\n\b"))
	colour := regexp.MustCompile("\x1b\\[[0-9;]*m")
	control := regexp.MustCompile("[\x00-\x08\x0b-\x1f\x7f\u0080-\u009f]")
	f.Fuzz(func(t *testing.T, b []byte) {
		out := visible(b)
		if found := control.Find(colour.ReplaceAll(out, nil)); found != nil {
			t.Errorf("%q becomes %q, in which %q is left", b, out, found)
		}
		if !control.Match(b) && !bytes.Equal(out, b) {
			t.Errorf("%q, which is harmless, becomes %q", b, out)
		}
	})
}

// A control character was passed on if its bytes came in two parts.
func TestAControlCharacterMayCrossTheEndOfABlock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	write := func(content string) {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, before := range []int{0, 64<<10 - 1, 64 << 10} {
		text := strings.Repeat("x", before)
		var out bytes.Buffer
		p, l := &logPrinter{out: &out, clean: true}, &taskLog{path: path}
		for _, content := range []string{text + "\xc2", text + "\xc2\x9b2J", text + "\xc2\x9b2J."} {
			write(content)
			if err := p.rest(l); err != nil {
				t.Fatal(err)
			}
		}
		if want := text + `\u009b2J.`; out.String() != want {
			t.Errorf("after %d bytes: %.20q, want %.20q", before, strings.TrimLeft(out.String(), "x"), strings.TrimLeft(want, "x"))
		}
	}
}
