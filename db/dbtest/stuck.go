package dbtest

import "testing"

func (e suite) WhatKeepsATaskFromItsEndIsShownWhileItRuns(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("a", Task("1"))
	a := s.ClaimAny(1)
	wantStuck := func(want string) {
		t.Helper()
		if got, err := s.Task(ctx, "a", "1"); got.Stuck != want || err != nil {
			t.Errorf("stuck %q, %v, want %q", got.Stuck, err, want)
		}
	}
	set := func(why string) {
		t.Helper()
		if err := s.SetStuck(ctx, a.Token, why); err != nil {
			t.Fatal(err)
		}
	}
	wantStuck("")
	set("waiting for PID 7 to end")
	wantStuck("waiting for PID 7 to end")
	set("")
	wantStuck("")
	set("waiting for PID 8 to end")
	s.MustFinish(a, Success)
	wantStuck("") // it is no longer of interest
	set("too late")
	wantStuck("")
}
