package queue

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// endless is a pipe into which somebody writes for ever.
type endless struct{ read int64 }

func (e *endless) Read(b []byte) (int, error) {
	e.read += int64(len(b))
	return len(b), nil
}

func TestAPipeIsReadToItsEndAndNoFurtherThanALimit(t *testing.T) {
	const text = "0123456789abcdef"
	for memory := range int64(20) {
		base := filepath.Join(t.TempDir(), "base")
		in, err := spool(strings.NewReader(text), "standard input", base, memory, int64(len(text)))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(in); err != nil || string(got) != text {
			t.Errorf("%d bytes in memory: %q, %v", memory, got, err)
		}
		in.Close()
		if left, _ := filepath.Glob(filepath.Join(base, "[^.]*")); len(left) > 0 {
			t.Errorf("%d bytes in memory: %v is left", memory, left)
		}
		if _, err := os.Stat(base); memory > int64(len(text)) && err == nil {
			t.Errorf("%d bytes in memory: nothing was to be written, and the base path is there", memory)
		}
	}
	e := &endless{}
	_, err := spool(e, "standard input", t.TempDir(), 1<<10, 1<<20)
	if want := "keep standard input until its end: more than 1048576 bytes came; give them as a file, or in several parts"; err == nil || err.Error() != want {
		t.Errorf("a pipe without end: %v", err)
	}
	if e.read > 2<<20 {
		t.Errorf("%d bytes were read", e.read)
	}
}
