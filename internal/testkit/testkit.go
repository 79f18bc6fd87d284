// Package testkit is what tests of several packages need. The program must not
// import it.
package testkit

import (
	"compress/gzip"
	"io"
	"os"
	"testing"
	"time"
)

// Eventually waits for something that no event announces, until ok returns true. The
// test fails if that takes half a minute; what names it in the message.
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
func Gunzip(t *testing.T, packed, to string) {
	t.Helper()
	f, err := os.Open(packed)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, content, 0o600); err != nil {
		t.Fatal(err)
	}
}
