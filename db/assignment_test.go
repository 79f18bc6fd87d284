package db_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/db/dbtest"
	"github.com/air-executor/air-executor/job"
)

// seen is an assignment without what only the package can see.
var seen = cmpopts.IgnoreUnexported(db.Assignment{})

func TestAnAssignmentArrivesAsItWasSent(t *testing.T) {
	s := open(t)
	for _, spec := range []job.Spec{dbtest.Full("full"), {ID: "bare", Command: "true"}, {ID: "empty", Command: "true", Env: []string{}}} {
		s.MustEnqueue("j", spec)
		sent := s.ClaimAny(unlimited)
		got, err := db.DecodeAssignment(sent.Encode())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(sent, got, seen); diff != "" {
			t.Errorf("(-sent +got):\n%s", diff)
		}
		if (sent.Env == nil) != (got.Env == nil) {
			t.Errorf("environment %v became %v", sent.Env, got.Env)
		}
		// What cannot be seen is there too: without it no result is taken.
		s.MustFinish(got, success)
	}
	s.WantJob("j", job.StateCompleted, job.Counts{Completed: 3}, 0)
	s.Sound()
}

func TestAnAssignmentThatIsCutShortIsRefused(t *testing.T) {
	s := open(t)
	s.MustEnqueue("j", dbtest.Full("a"))
	b := s.ClaimAny(unlimited).Encode()
	for n := range b {
		// Without the environment as a whole it would be another assignment.
		if a, err := db.DecodeAssignment(b[:n]); err == nil && a.Env != nil {
			t.Errorf("%d of %d bytes were taken as %+v", n, len(b), a)
		}
	}
	if _, err := db.DecodeAssignment(append(b, 0)); err == nil {
		t.Error("one byte too many was taken")
	}
}

func FuzzDecodeAssignment(f *testing.F) {
	f.Add((&db.Assignment{Job: "j", Task: "t", Args: []string{"a"}, Env: []string{}}).Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := db.DecodeAssignment(b)
		if err != nil {
			return
		}
		again, err := db.DecodeAssignment(a.Encode())
		if diff := cmp.Diff(a, again, seen); err != nil || diff != "" {
			t.Errorf("%v (-first +second):\n%s", err, diff)
		}
	})
}
