package db_test

import (
	"bytes"
	"compress/flate"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/air-executor/air-executor/db"
)

// What happens on a disk that is really full, TestDiskFull in faults shows.
func TestTheReserveIsFilledAgainByWhoeverWritesFirst(t *testing.T) {
	s := open(t)
	reserve := filepath.Join(s.Base, "reserve")
	s.MustEnqueue("j", task("a"), task("b"))
	if _, err := os.Lstat(reserve); err == nil {
		t.Fatal("somebody has made a reserve without being asked")
	}
	size := func() int64 {
		t.Helper()
		info, err := os.Lstat(reserve)
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	if err := s.KeepReserve(); err != nil {
		t.Fatal(err)
	}
	full := size()
	if full == 0 {
		t.Fatal("the reserve is empty")
	}
	// A result is recorded without asking for room, and claims no further task.
	a := s.MustClaim()
	if err := os.Truncate(reserve, 0); err != nil {
		t.Fatal(err)
	}
	done, err := s.Finish(ctx, a, success, true)
	if err != nil || done.Next != nil || !done.Ready {
		t.Errorf("Finish: %+v, %v", done, err)
	}
	if n := size(); n != 0 {
		t.Errorf("a result has filled the reserve with %d bytes", n)
	}
	s.MustEnqueue("j", task("c"))
	if n := size(); n != full {
		t.Errorf("after an enqueue the reserve has %d bytes, not %d", n, full)
	}
	if s.MustClaim().Task != "b" {
		t.Error("the next task was not claimed")
	}
	s.Sound()
}

func TestTheReserveTakesItsRoomOnDisksThatCompress(t *testing.T) {
	s := open(t)
	if err := s.KeepReserve(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(s.Base, "reserve"))
	if err != nil {
		t.Fatal(err)
	}
	var compressed bytes.Buffer
	w, err := flate.NewWriter(&compressed, flate.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if compressed.Len() < len(content) {
		t.Errorf("the %d bytes of the reserve become %d", len(content), compressed.Len())
	}
}

func TestAResultClaimsNothingIfTheReserveIsSpentMeanwhile(t *testing.T) {
	s := open(t)
	reserve := filepath.Join(s.Base, "reserve")
	if err := s.KeepReserve(); err != nil {
		t.Fatal(err)
	}
	s.MustEnqueue("j", task("a"), task("b"))
	a := s.MustClaim()
	late, err := db.Open(ctx, s.Base, db.Options{Clock: func() time.Time { // asked when a transaction begins
		if err := os.Truncate(reserve, 0); err != nil {
			t.Error(err)
		}
		return time.Now()
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer late.Close()
	done, err := late.Finish(ctx, a, success, true)
	if err != nil || done.Next != nil || !done.Ready {
		t.Errorf("Finish: %+v, %v", done, err)
	}
	s.Sound()
}

func TestAFileOfTheUsersCalledReserveIsNotOverwritten(t *testing.T) {
	s := open(t)
	reserve := filepath.Join(s.Base, "reserve")
	const theirs = "seats: 12\n"
	if err := os.WriteFile(reserve, []byte(theirs), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := s.KeepReserve(); !errors.Is(err, db.ErrTaken) {
		t.Errorf("KeepReserve: %v, want ErrTaken", err)
	}
	if got, err := os.ReadFile(reserve); err != nil || string(got) != theirs {
		t.Errorf("it holds %q now, %v", got, err)
	}
}

func TestNoLinkIsFollowedToTheReserve(t *testing.T) {
	s := open(t)
	victim := filepath.Join(t.TempDir(), "victim")
	if err := os.WriteFile(victim, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(victim, filepath.Join(s.Base, "reserve")); err != nil {
		t.Fatal(err)
	}
	if err := s.KeepReserve(); !errors.Is(err, db.ErrTaken) {
		t.Errorf("KeepReserve: %v, want ErrTaken", err)
	}
	if info, err := os.Stat(victim); err != nil || info.Size() > 0 {
		t.Errorf("the file behind the link has changed: %v, %v", info.Size(), err)
	}
}

func TestNoDatabaseIsMadeBesideFilesOfOthersThatAreInTheWay(t *testing.T) {
	for _, name := range []string{"reserve", "wake"} {
		base := t.TempDir()
		if err := os.WriteFile(filepath.Join(base, name), []byte("theirs"), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Open(ctx, base, db.Options{}); !errors.Is(err, db.ErrTaken) {
			t.Errorf("%s: %v, want ErrTaken", name, err)
		}
		if entries, err := os.ReadDir(base); err != nil || len(entries) != 1 {
			t.Errorf("%s: there is more than it: %v, %v", name, entries, err)
		}
	}
}

func TestANamedPipeCalledReserveIsNotWaitedFor(t *testing.T) {
	s := open(t)
	if err := syscall.Mkfifo(filepath.Join(s.Base, "reserve"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.KeepReserve(); !errors.Is(err, db.ErrTaken) {
		t.Errorf("KeepReserve: %v, want ErrTaken", err)
	}
}
