//go:build linux

package lock_test

import (
	"bufio"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/air-executor/air-executor/internal/testkit"
	"github.com/air-executor/air-executor/lock"
)

const (
	never  = time.Millisecond // for locks that are not given up
	surely = time.Minute      // for locks that will be
)

func open(t *testing.T, path string) *lock.File {
	t.Helper()
	l, err := lock.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func lockPath(t *testing.T) string { return filepath.Join(t.TempDir(), "test.lock") }

func wantHeld(t *testing.T, path string, want bool) {
	t.Helper()
	got, err := lock.Held(path)
	if err != nil || got != want {
		t.Fatalf("Held: %t, %v, want %t", got, err, want)
	}
}

func TestFileIsHeldWhileItsProcessLives(t *testing.T) {
	path := lockPath(t)
	holder := start(t, "lock "+path)
	l := open(t, path)
	if err := l.TryLock(); !errors.Is(err, lock.ErrHeld) {
		t.Fatalf("TryLock while another process holds it: %v, want ErrHeld", err)
	}
	wantHeld(t, path, true)
	if got := l.Holder(); got != holder.Process.Pid {
		t.Errorf("Holder: %d, want %d", got, holder.Process.Pid)
	}
}

func TestFileIsFreeAfterItsProcessWasKilled(t *testing.T) {
	path := lockPath(t)
	start(t, "lock "+path).Kill()
	wantHeld(t, path, false)
	l := open(t, path)
	if got := l.Holder(); got != 0 {
		t.Errorf("Holder of a free lock: %d, want 0", got)
	}
	if err := l.TryLock(); err != nil {
		t.Errorf("TryLock: %v", err)
	}
}

func TestLockGivesUpAfterItsWaitAndCanBeTakenLater(t *testing.T) {
	path := lockPath(t)
	holder := start(t, "lock "+path)
	l := open(t, path)
	for range 3 {
		if err := l.Lock(t.Context(), never); !errors.Is(err, lock.ErrHeld) {
			t.Fatalf("Lock while another process holds it: %v, want ErrHeld", err)
		}
	}
	holder.Kill()
	// The waiters that were given up may get it now, and must drop it.
	if err := l.Lock(t.Context(), surely); err != nil {
		t.Fatalf("Lock after the holder is gone: %v", err)
	}
	wantHeld(t, path, true)
	if err := l.Unlock(); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "the lock is free", func() bool {
		held, err := lock.Held(path)
		return err == nil && !held
	})
}

func TestLockWaitsUntilTheHolderLetsGo(t *testing.T) {
	for _, ending := range endings {
		t.Run(ending.name, func(t *testing.T) {
			path := lockPath(t)
			holder := start(t, "lock "+path)
			l := open(t, path)
			got := make(chan error, 1)
			go func() { got <- l.Lock(t.Context(), surely) }()
			testkit.Eventually(t, "the kernel has a waiter", func() bool { return waiters(t, path) == 1 })
			select {
			case err := <-got:
				t.Fatalf("Lock returned %v before the lock was free", err)
			default:
			}
			ending.how(holder)
			if err := <-got; err != nil {
				t.Fatalf("Lock: %v", err)
			}
			wantHeld(t, path, true)
			if got := l.Holder(); got != os.Getpid() {
				t.Errorf("Holder: %d, want this process, %d", got, os.Getpid())
			}
		})
	}
}

func TestWaitersAreServedInTheOrderInWhichTheyCame(t *testing.T) {
	path := lockPath(t)
	holder := start(t, "lock "+path)
	var queue []*testkit.Process
	for n := 1; n <= 4; n++ {
		queue = append(queue, launch(t, "lock "+path))
		testkit.Eventually(t, "one more waits", func() bool { return waiters(t, path) == n })
	}
	l := open(t, path)
	for _, next := range queue {
		holder.End()
		if err := ready(next); err != nil {
			t.Fatal(err)
		}
		if got := l.Holder(); got != next.Process.Pid {
			t.Fatalf("the lock went to process %d, the first to come was %d", got, next.Process.Pid)
		}
		holder = next
	}
}

// waiters counts those whom the kernel has queued for the lock, see proc_locks(5).
func waiters(t *testing.T, path string) (n int) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	inode := ":" + strconv.FormatUint(info.Sys().(*syscall.Stat_t).Ino, 10) + " "
	f, err := os.Open("/proc/locks")
	if err != nil {
		t.Skip("this system does not show its locks: ", err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if l := lines.Text(); strings.Contains(l, "->") && strings.Contains(l, inode) {
			n++
		}
	}
	return n
}

func TestFileExcludesGoroutinesOfOneProcess(t *testing.T) {
	l := open(t, lockPath(t))
	if err := l.TryLock(); err != nil {
		t.Fatal(err)
	}
	if err := l.TryLock(); !errors.Is(err, lock.ErrHeld) {
		t.Errorf("second TryLock: %v, want ErrHeld", err)
	}
	if err := l.Unlock(); err != nil {
		t.Fatal(err)
	}
	if err := l.TryLock(); err != nil {
		t.Errorf("TryLock after Unlock: %v", err)
	}
}

func TestLockCountsForTwoOpeningsInOneProcess(t *testing.T) {
	path := lockPath(t)
	a, b := open(t, path), open(t, path)
	if err := a.Lock(t.Context(), surely); err != nil {
		t.Fatal(err)
	}
	if err := b.Lock(t.Context(), never); !errors.Is(err, lock.ErrHeld) {
		t.Fatalf("Lock of a second opening: %v, want ErrHeld", err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if err := b.Lock(t.Context(), surely); err != nil {
		t.Errorf("Lock after Close of the holder: %v", err)
	}
}

func TestHeldSaysThatAMissingFileIsFreeAndLeavesNone(t *testing.T) {
	path := lockPath(t)
	wantHeld(t, path, false)
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Held has made the file: %v", err)
	}
}

func TestOpenFollowsNoLink(t *testing.T) {
	path := lockPath(t)
	elsewhere := filepath.Join(t.TempDir(), "elsewhere")
	if err := os.Symlink(elsewhere, path); err != nil {
		t.Fatal(err)
	}
	if l, err := lock.Open(path); err == nil {
		l.Close()
		t.Error("Open went through a symbolic link")
	}
	if _, err := os.Lstat(elsewhere); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Open has made a file where the link leads: %v", err)
	}
}

func TestLockFileIsForItsOwnerAlone(t *testing.T) {
	path := lockPath(t)
	open(t, path)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o600 {
		t.Errorf("mode %o, want 600", got)
	}
}

func TestNoteReplacesTheContents(t *testing.T) {
	path := lockPath(t)
	l := open(t, path)
	for _, who := range []string{"process 123456", "me"} {
		if err := l.Note(who); err != nil {
			t.Fatal(err)
		}
		want := "held by " + who + "\n"
		if got, err := os.ReadFile(path); err != nil || string(got) != want {
			t.Errorf("contents %q, %v, want %q", got, err, want)
		}
		if got, err := lock.ReadNote(path); err != nil || got != want {
			t.Errorf("ReadNote: %q, %v, want %q", got, err, want)
		}
	}
}

func TestNoteKeepsWhatIsNoNote(t *testing.T) {
	path := lockPath(t)
	const theirs = "[[package]]\n"
	if err := os.WriteFile(path, []byte(theirs), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := open(t, path).Note("me"); err == nil {
		t.Error("a file of somebody else was taken for a lock file")
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != theirs {
		t.Errorf("contents %q, %v", got, err)
	}
}

func TestWhatIsNoRegularFileIsRefusedAtOnce(t *testing.T) {
	path := lockPath(t)
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	want := path + " is a named pipe, not a regular file"
	if _, err := lock.Open(path); err == nil || err.Error() != want {
		t.Errorf("Open: %v", err)
	}
	if _, err := lock.Held(path); err == nil || err.Error() != want {
		t.Errorf("Held: %v", err)
	}
}

func TestReplacedNoticesAnotherFileAtThePath(t *testing.T) {
	for _, change := range []struct {
		name string
		how  func(path string) error
		want bool
	}{
		{"untouched", func(string) error { return nil }, false},
		{"rewritten", func(path string) error { return os.WriteFile(path, []byte("x"), 0o600) }, false},
		{"removed", os.Remove, true},
		{"removed and made again", func(path string) error {
			// Kept under another name, so that the new file cannot get its inode.
			return errors.Join(os.Rename(path, path+".old"), os.WriteFile(path, nil, 0o600))
		}, true},
		{"moved, and a link to it left", func(path string) error {
			return errors.Join(os.Rename(path, path+".old"), os.Symlink(path+".old", path))
		}, true},
	} {
		t.Run(change.name, func(t *testing.T) {
			path := lockPath(t)
			l := open(t, path)
			if err := change.how(path); err != nil {
				t.Fatal(err)
			}
			if got := l.Replaced(); got != change.want {
				t.Errorf("Replaced: %t, want %t", got, change.want)
			}
		})
	}
}
