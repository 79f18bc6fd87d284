package db_test

import (
	"os"
	"path/filepath"
	"testing"
)

// What happens on a disk that is really full, TestDiskFull in faults shows.
func TestTheReserveIsFilledAgainByWhoeverWritesFirst(t *testing.T) {
	s := open(t)
	reserve := filepath.Join(s.base, "reserve")
	s.enqueue("j", task("a"), task("b"))
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
	a := s.claim()
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
	s.enqueue("j", task("c"))
	if n := size(); n != full {
		t.Errorf("after an enqueue the reserve has %d bytes, not %d", n, full)
	}
	if s.claim().Task != "b" {
		t.Error("the next task was not claimed")
	}
	s.sound()
}
