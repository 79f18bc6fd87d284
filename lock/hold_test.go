//go:build linux

package lock_test

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/air-executor/air-executor/internal/testkit"
	"github.com/air-executor/air-executor/lock"
)

func hold(t *testing.T, path string, n int64) *os.File {
	t.Helper()
	f, err := lock.Hold(path, n)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func prober(t *testing.T, path string) *lock.Prober {
	t.Helper()
	p, err := lock.NewProber(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func wantNumber(t *testing.T, p *lock.Prober, n int64, want bool) {
	t.Helper()
	got, err := p.Held(n)
	if err != nil || got != want {
		t.Fatalf("Held(%d): %t, %v, want %t", n, got, err, want)
	}
}

func TestNumberedLockIsTakenOnce(t *testing.T) {
	path := lockPath(t)
	f := hold(t, path, 7)
	if _, err := lock.Hold(path, 7); !errors.Is(err, lock.ErrHeld) {
		t.Errorf("second Hold: %v, want ErrHeld", err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	hold(t, path, 7)
}

func TestNumberedLocksAreIndependent(t *testing.T) {
	path := lockPath(t)
	p := prober(t, path)
	taken := []int64{0, 1, 3, 1<<62 - 1}
	for _, n := range taken {
		hold(t, path, n)
	}
	for _, n := range taken {
		wantNumber(t, p, n, true)
	}
	for _, n := range []int64{2, 4, 1<<62 - 2, 1 << 62, math.MaxInt64 - 1} {
		wantNumber(t, p, n, false)
	}
}

func TestProbingDoesNotTakeTheLock(t *testing.T) {
	path := lockPath(t)
	p := prober(t, path)
	wantNumber(t, p, 5, false)
	hold(t, path, 5)
	wantNumber(t, p, 5, true)
	wantNumber(t, prober(t, path), 5, true)
}

func TestNumberedLockLivesWithTheProcessThatInheritsIt(t *testing.T) {
	for _, ending := range endings {
		t.Run(ending.name, func(t *testing.T) {
			path := lockPath(t)
			p := prober(t, path)
			f := hold(t, path, 42)
			runner := start(t, "keep 42", f)
			if err := f.Close(); err != nil { // now it is the runner's alone
				t.Fatal(err)
			}
			wantNumber(t, p, 42, true)
			if _, err := lock.Hold(path, 42); !errors.Is(err, lock.ErrHeld) {
				t.Errorf("Hold beside the runner: %v, want ErrHeld", err)
			}
			ending.how(runner)
			wantNumber(t, p, 42, false)
		})
	}
}

func TestClosingAnotherDescriptorOfTheFileKeepsTheLock(t *testing.T) {
	path := lockPath(t)
	hold(t, path, 1)
	// A lock of the older kind, fcntl(F_SETLK), would be gone after this.
	other := hold(t, path, 2)
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	p := prober(t, path)
	wantNumber(t, p, 1, true)
	wantNumber(t, p, 2, false)
}

func TestInheritedDescriptorKeepsTheLockAfterTheHolderWasKilled(t *testing.T) {
	path := lockPath(t)
	p := prober(t, path)
	f := hold(t, path, 9)
	runner := start(t, "hand-on", f)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	runner.Process.Kill()
	state, err := runner.Process.Wait()
	if state == nil {
		t.Fatal(err)
	}
	wantNumber(t, p, 9, true)
	runner.In.Close() // on which the grandchild ends
	testkit.Eventually(t, "the lock is free after the last copy is closed", func() bool {
		held, err := p.Held(9)
		return err == nil && !held
	})
}

func TestKeepTakesTheLockAgainAndTellsWhenItCannot(t *testing.T) {
	path := lockPath(t)
	f := hold(t, path, 3)
	if _, err := lock.Keep(f, 3); err != nil {
		t.Errorf("Keep of a lock that is held: %v", err)
	}
	stranger, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	if _, err := lock.Keep(stranger, 3); !errors.Is(err, lock.ErrHeld) {
		t.Errorf("Keep through a descriptor that does not hold it: %v, want ErrHeld", err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := lock.Keep(stranger, 3); err != nil {
		t.Errorf("Keep of a free lock: %v", err)
	}
	wantNumber(t, prober(t, path), 3, true)
}

func TestHoldFollowsNoLink(t *testing.T) {
	path := lockPath(t)
	if err := os.Symlink(filepath.Join(t.TempDir(), "elsewhere"), path); err != nil {
		t.Fatal(err)
	}
	if f, err := lock.Hold(path, 1); err == nil {
		f.Close()
		t.Error("Hold went through a symbolic link")
	}
	if p, err := lock.NewProber(path); err == nil {
		p.Close()
		t.Error("NewProber went through a symbolic link")
	}
}

func TestProberNoticesAnotherFileAtThePath(t *testing.T) {
	path := lockPath(t)
	p := prober(t, path)
	if p.Replaced() {
		t.Error("Replaced before anything has changed")
	}
	if err := os.Rename(path, path+".old"); err != nil {
		t.Fatal(err)
	}
	if !p.Replaced() {
		t.Error("not Replaced after the file has moved")
	}
	prober(t, path) // makes a new one
	if !p.Replaced() {
		t.Error("not Replaced after a new file has come")
	}
}

func TestALockThatIsOwnedSurvivesTheGarbageCollector(t *testing.T) {
	path := lockPath(t)
	// A file that only this call knows, as one that a child has inherited.
	own, err := lock.Keep(holdOnly(t, path, 4), 4)
	if err != nil {
		t.Fatal(err)
	}
	p := prober(t, path)
	for range 2 { // what is found is closed by another goroutine
		closed := make(chan struct{})
		runtime.AddCleanup(new([64]byte), func(done chan struct{}) { close(done) }, closed)
		runtime.GC()
		<-closed
	}
	wantNumber(t, p, 4, true)
	if err := own.Check(); err != nil {
		t.Errorf("Check: %v", err)
	}
	if err := own.Close(); err != nil {
		t.Fatal(err)
	}
	wantNumber(t, p, 4, false)
	if err := own.Check(); !errors.Is(err, lock.ErrLost) {
		t.Errorf("Check after Close: %v, want ErrLost", err)
	}
}

// holdOnly is hold without a reference to the file that lasts.
func holdOnly(t *testing.T, path string, n int64) *os.File {
	t.Helper()
	f, err := lock.Hold(path, n)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestADescriptorThatNamesAnotherFileHoldsNoLock(t *testing.T) {
	file := holdOnly(t, lockPath(t), 4)
	own, err := lock.Keep(file, 4)
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	other, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := unix.Dup3(int(other.Fd()), int(file.Fd()), unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	if err := own.Check(); !errors.Is(err, lock.ErrLost) {
		t.Errorf("Check: %v, want ErrLost", err)
	}
}

func TestSharedLockIsHeldUntilTheLastLetsGo(t *testing.T) {
	path := lockPath(t)
	p := prober(t, path)
	share := func() *os.File {
		f, err := lock.Share(path, 8)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	first, second := share(), share()
	wantNumber(t, p, 8, true)
	first.Close()
	wantNumber(t, p, 8, true)
	second.Close()
	wantNumber(t, p, 8, false)
}
