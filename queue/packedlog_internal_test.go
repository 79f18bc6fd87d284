package queue

import (
	"bytes"
	"strings"
	"testing"

	"os"
	"path/filepath"

	"github.com/air-executor/air-executor/runner"
)

// taken is a sink that keeps what it gets.
type taken struct{ bytes.Buffer }

func (s *taken) Output(_ *Log, b []byte) error { s.Write(b); return nil }
func (s *taken) Again(*Log, string)            {}

// What is compressed is read in the same pieces as what is not.
func TestTheTailOfACompressedLogIsThatOfTheLog(t *testing.T) {
	long := strings.Repeat(strings.Repeat("line ", 20)+"\n", 3000) + "last, without an end"
	for _, text := range []string{"one\n", "one", "\n\n\n", "one\ntwo\nthree\n", "one\ntwo\nthree", long} {
		base := t.TempDir()
		path := runner.LogPath(base, "j", "t")
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		lines := []int{-1, 0, 1, 2, 3, 100, 5000}
		var want []string
		for _, n := range lines {
			want = append(want, tail(t, base, n))
		}
		saved, err := runner.CompressLog(base, "j", "t", 1, true, func(swap func() error) error { return swap() })
		if err != nil || text == long && saved <= 0 {
			t.Fatal(saved, err)
		}
		if _, err := os.Lstat(path); err == nil {
			t.Error("the log is still there")
		}
		for i, n := range lines {
			if got := tail(t, base, n); got != want[i] {
				t.Errorf("the last %d lines of %.20q: %.40q, want %.40q", n, text, got, want[i])
			}
		}
	}
}

func tail(t *testing.T, base string, lines int) string {
	t.Helper()
	l := NewLog(base, "j", "t")
	l.Attempt = 1
	var s taken
	if err := l.Tail(&s, lines); err != nil {
		t.Fatal(err)
	}
	return s.String()
}
