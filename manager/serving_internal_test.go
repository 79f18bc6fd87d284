package manager

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/air-executor/air-executor/internal/testkit"
)

// A runner that is being started has the lock of its manager open for a moment.
func TestAChildWithTheManagersLockIsNoManager(t *testing.T) {
	if _, err := os.Stat("/proc/self/fdinfo"); err != nil {
		t.Skip(err)
	}
	base, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(base, LockName)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	if got := servedBy(os.Getpid()); got != base {
		t.Errorf("the holder serves %q", got)
	}
	cat := exec.Command("cat")
	cat.ExtraFiles = []*os.File{f}
	child := testkit.Start(t, cat)
	if got := servedBy(child.Process.Pid); got != "" {
		t.Errorf("its child serves %q", got)
	}
	child.In.Close()
	if err := child.Wait(); err != nil {
		t.Error(err)
	}
}
