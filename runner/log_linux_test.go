package runner

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// What the quick way to a log does not make is left to the slow one, which knows
// links that may be there.
func TestTheQuickWayToALogFollowsNoLink(t *testing.T) {
	base, elsewhere := t.TempDir(), t.TempDir()
	at := func(name string) string { return filepath.Join(base, name) }
	for _, dir := range []string{at("jobs/a/logs"), at("jobs/b"), filepath.Join(elsewhere, "logs")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{"jobs/c": elsewhere, "jobs/d": "a", "jobs/b/logs": "../a/logs", "jobs/a/logs/2.log": "there"} {
		if err := os.Symlink(to, at(link)); err != nil {
			t.Fatal(err)
		}
	}
	f, err := createQuick(base, "jobs/a/logs/1.log")
	if errors.Is(err, unix.ENOSYS) {
		t.Skip("a system without openat2(2)")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	for _, name := range []string{"jobs/a/logs/1.log", "jobs/a/logs/2.log", "jobs/b/logs/1.log", "jobs/c/logs/1.log", "jobs/d/logs/3.log", "../1.log", "jobs/none/logs/1.log"} {
		if f, err := createQuick(base, name); err == nil {
			f.Close()
			t.Errorf("%s was made", name)
		}
	}
	if files, _ := filepath.Glob(filepath.Join(elsewhere, "logs", "*")); len(files) > 0 {
		t.Errorf("made elsewhere: %v", files)
	}
}
