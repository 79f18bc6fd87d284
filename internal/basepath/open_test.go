package basepath_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/air-executor/air-executor/internal/basepath"
)

func TestOpenTakesRegularFilesOnly(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := errors.Join(
		os.WriteFile(at("file"), []byte("x"), 0o600),
		os.Symlink("file", at("link")), os.Symlink("loop", at("loop")),
		syscall.Mkfifo(at("pipe"), 0o600), os.Mkdir(at("folder"), 0o700),
	); err != nil {
		t.Fatal(err)
	}
	for _, flag := range []int{os.O_RDONLY, os.O_WRONLY | os.O_APPEND, os.O_RDWR | os.O_CREATE} {
		f, err := basepath.Open(at("file"), flag, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if on, err := unix.FcntlInt(f.Fd(), unix.F_GETFL, 0); err != nil || on&unix.O_NONBLOCK != 0 {
			t.Errorf("it is left non-blocking: %#x, %v", on, err)
		}
		f.Close()
		for name, kind := range map[string]string{"link": "a symbolic link", "loop": "a symbolic link", "pipe": "a named pipe"} {
			_, err := basepath.Open(at(name), flag, 0o600)
			if want := at(name) + " is " + kind + ", not a regular file"; err == nil || err.Error() != want || !errors.Is(err, basepath.ErrNotRegular) {
				t.Errorf("flags %#x: %v, want %s", flag, err, want)
			}
		}
		if _, err := basepath.Open(at("folder"), flag, 0o600); err == nil {
			t.Errorf("flags %#x: a folder was opened", flag)
		}
		if _, err := basepath.Open(os.DevNull, flag, 0); !errors.Is(err, basepath.ErrNotRegular) {
			t.Errorf("flags %#x: a device: %v", flag, err)
		}
	}
	if _, err := basepath.Open(at("none"), os.O_RDONLY, 0); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("one that is not there: %v", err)
	}
}
