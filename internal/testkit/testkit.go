// Package testkit has helpers for the tests of several packages. The program must not
// import it.
package testkit

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Eventually waits until ok returns true, for conditions that no event announces. The
// test fails if that takes more than half a minute; the message calls the condition
// what.
func Eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	late := time.After(30 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("never: %s", what)
		}
	}
}

// Gunzip unpacks the file packed into the new file to, with mode 0600.
func Gunzip(t testing.TB, packed, to string) {
	t.Helper()
	content, err := os.ReadFile(packed)
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(content))
	if err == nil {
		content, err = io.ReadAll(z)
	}
	if err != nil {
		t.Fatalf("%s: %v", packed, err)
	}
	Write(t, to, string(content))
}

// Write writes a file with mode 0600, creates its folders, and returns its path.
func Write(t testing.TB, path, content string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// WantError checks that an error is an E with exactly this text.
func WantError[E error](t testing.TB, err error, want string) {
	t.Helper()
	if e, ok := errors.AsType[E](err); !ok {
		t.Fatalf("error is %.200v (%T), want a %T: %s", err, err, e, want)
	}
	if got := err.Error(); got != want {
		t.Errorf("error\n%s\nwant\n%s", got, want)
	}
}
