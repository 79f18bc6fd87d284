package db_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/lock"
)

// A million tasks take longer to store than a write waits for another.
func TestAWriteWaitsForALargeOneThatGetsOn(t *testing.T) {
	base := t.TempDir()
	s := openAt(t, base, db.Options{Wait: time.Second})
	gate := holdGate(t, base)
	released := make(chan struct{})
	go func() {
		defer close(released)
		for n, end := 0, time.Now().Add(2500*time.Millisecond); time.Now().Before(end); n++ {
			note(t, gate, n)
			time.Sleep(time.Millisecond)
		}
		if err := gate.Unlock(); err != nil {
			t.Error(err)
		}
	}()
	s.MustEnqueue("j", task("a"))
	<-released
}

func TestALargeWriteThatStandsStillIsNotWaitedForForEver(t *testing.T) {
	base := t.TempDir()
	s := openAt(t, base, db.Options{Wait: 10 * time.Millisecond})
	gate := holdGate(t, base)
	note(t, gate, 20_000)
	_, err := s.Enqueue(ctx, db.Batch{Job: "j", Tasks: specs(task("a"))})
	if !errors.Is(err, db.ErrStuck) || !strings.Contains(err.Error(), "and gets no further: it stores tasks, 20000 so far") {
		t.Errorf("error %v, want ErrStuck that says how far it is", err)
	}
	// What a process has left that was killed says nothing of the next one.
	if err := gate.Note("process 1: stores tasks, 20000 so far"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Enqueue(ctx, db.Batch{Job: "j", Tasks: specs(task("a"))}); !errors.Is(err, db.ErrStuck) || strings.Contains(err.Error(), "20000") {
		t.Errorf("error %v, want ErrStuck without the note of another process", err)
	}
}

func holdGate(t *testing.T, base string) *lock.File {
	t.Helper()
	gate, err := lock.Open(filepath.Join(base, "write.lock"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { gate.Close() })
	if err := gate.TryLock(); err != nil {
		t.Fatal(err)
	}
	return gate
}

func note(t *testing.T, gate *lock.File, n int) {
	t.Helper()
	if err := gate.Note(fmt.Sprintf("process %d: stores tasks, %d so far", os.Getpid(), n)); err != nil {
		t.Error(err)
	}
}

// The note is there while the tasks are stored, and gone afterwards.
func TestALargeWriteSaysHowFarItIs(t *testing.T) {
	s := open(t)
	path := filepath.Join(s.Base, "write.lock")
	var during string
	_, err := s.Enqueue(ctx, db.Batch{Job: "j", Tasks: func(yield func(job.Spec, error) bool) {
		for range 10_001 {
			if b, _ := os.ReadFile(path); len(b) > 0 {
				during = string(b)
			}
			if !yield(job.Spec{Command: "true"}, nil) {
				return
			}
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("held by process %d: stores tasks, 10000 so far\n", os.Getpid()); during != want {
		t.Errorf("it said %q, want %q", during, want)
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "held by nobody\n" {
		t.Errorf("afterwards it says %q, %v", b, err)
	}
}

// What no job of this one depends on is no business of its.
func TestDependenciesOfOtherJobsStayAsTheyAre(t *testing.T) {
	s := open(t)
	s.MustImport("old", aTask("waits", "x"))
	s.MustEnqueue("new", task("y"))
	s.MustEnqueue("new", task("x"), task("z", "y", "x"))
	s.WantJob("old", job.StateWaiting, job.Counts{Pending: 1}, 1)
	s.MustEnqueue("old", task("x"))
	if got := s.Refused(db.Batch{Job: "new", Tasks: specs(task("v", "none"))}); !errors.Is(got, db.ErrNoTask) {
		t.Errorf("error %v, want ErrNoTask", got)
	}
	s.Sound()
}

func TestALongCycleIsNamedInOneShortLine(t *testing.T) {
	const n = 2000
	s := open(t)
	err := s.Refused(db.Batch{Job: "j", Tasks: func(yield func(job.Spec, error) bool) {
		for i := range n {
			if !yield(task(fmt.Sprint("t", i), fmt.Sprint("t", (i+1)%n)), nil) {
				return
			}
		}
	}})
	if !errors.Is(err, db.ErrCycle) || len(err.Error()) > 200 || !strings.Contains(err.Error(), "(2000 tasks)") {
		t.Errorf("error %.300v", err)
	}
}
