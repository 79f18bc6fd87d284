package db_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/internal/testkit"
	"github.com/air-executor/air-executor/job"
)

func TestDurationsAreCountedInBucketsOfASquareRootOfTwo(t *testing.T) {
	for i := range db.Buckets {
		bound := db.BucketBound(i)
		for _, c := range []struct {
			seconds float64
			bucket  int
		}{{bound * 0.99, i}, {bound * 1.01, i + 1}} {
			var h db.Histogram
			h.Add(time.Duration(c.seconds * float64(time.Second)))
			if h.Counts[c.bucket] != 1 {
				t.Errorf("%v s: %v", c.seconds, h.Counts)
			}
			if got, _ := h.Quantile(0.5); c.bucket < db.Buckets && (got > db.BucketBound(c.bucket) || got < bound/2) {
				t.Errorf("%v s: quantile %v", c.seconds, got)
			}
		}
	}
	for _, d := range []time.Duration{time.Millisecond, 2 * time.Millisecond, 1024 * time.Millisecond} {
		var h db.Histogram
		h.Add(d)
		if i := int(2 * math.Log2(float64(d.Milliseconds()))); h.Counts[i] != 1 {
			t.Errorf("%v is not in the bucket that it is the bound of", d)
		}
	}
	var h db.Histogram
	if _, any := h.Quantile(0.5); any {
		t.Error("there is a quantile of nothing")
	}
	h.Add(-time.Second)
	h.Add(100 * 24 * time.Hour)
	if h.Counts[0] != 1 || h.Counts[db.Buckets] != 1 || !math.IsInf(db.BucketBound(db.Buckets), 1) {
		t.Errorf("%v", h)
	}
}

// Each reason for which an attempt can fail is counted on its own.
func TestEachOutcomeOfAnAttemptIsCounted(t *testing.T) {
	seen := map[job.Reason]bool{}
	for i := range db.Outcomes {
		_, reason := db.Outcome(i)
		seen[reason] = true
	}
	for _, reason := range job.Reasons {
		if ofTask := reason == job.Imported || reason == job.Skipped; seen[reason] == ofTask {
			t.Errorf("%s: counted %t", reason, seen[reason])
		}
	}
}

// Processes that fold are killed at any moment, several at a time: each event counts once.
func TestEventsCountOnceWhoeverIsKilledWhileFolding(t *testing.T) {
	s := open(t)
	const rounds, each = 12, 60
	for range rounds {
		a, b := start(t, s.Base, "fold"), start(t, s.Base, "fold")
		for _, p := range []*testkit.Process{a, b} {
			p.In.Close()
			if _, err := p.Out.ReadString('\n'); err != nil { // it counts as fast as it can
				t.Fatal(err)
			}
		}
		for range each {
			s.MustEnqueue("j", job.Spec{Command: "true"})
			s.MustFinish(s.MustClaim(), success)
		}
		a.Kill()
		b.Kill()
	}
	if n := s.MustMeters().Counted; n.Attempts() != rounds*each || n.Started != rounds*each || n.Added != rounds*each {
		t.Errorf("%d added, %d started, %d ended, want %d", n.Added, n.Started, n.Attempts(), rounds*each)
	}
}

func TestASpanWithTooMuchIsRefused(t *testing.T) {
	s := open(t)
	s.MustEnqueue("j", job.Spec{Command: "true"})
	s.MustMeters()
	err := s.Rollups(ctx, db.OfJob, time.Time{}, time.Now().Add(time.Hour), 0, func(*db.Span) {})
	if !errors.Is(err, db.ErrTooMuch) {
		t.Errorf("error %v", err)
	}
}
