package queue

import (
	"os"
	"path/filepath"
	"testing"
)

func writeLog(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestALogThatWasReplacedIsNoticed(t *testing.T) {
	l := NewLog(t.TempDir(), "j", "a")
	path := l.Path
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	writeLog(t, path, "one\n")
	if _, err := l.open(); err != nil || l.replaced() {
		t.Fatalf("open: %v; replaced: %t", err, l.replaced())
	}
	writeLog(t, path+".new", "two\n")
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
	if !l.replaced() {
		t.Error("it was replaced")
	}
}
