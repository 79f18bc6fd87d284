package api

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/air-executor/air-executor/job"
)

func TestTheSummary(t *testing.T) {
	s := serve(t, Options{})
	if v := read[SummaryAt](s.get("/api/v1/summary")); v.Jobs.Total != 0 || v.Manager.Running || v.PausedAt != nil || len(v.SummaryForm.LastHour) != 60 {
		t.Errorf("empty: %+v", v)
	}
	s.enqueue("j", append(command("a", "b", "c"), job.Spec{ID: "d", Command: "true", Dependencies: []string{"c"}})...)
	s.enqueue("other", command("x")...)
	s.ran("j", "one\nBang: no such file \xff\n\n", failed)
	s.ran("j", "", job.Result{Status: job.Completed, ExitCode: new(0)})
	s.claim("other")
	v := read[SummaryAt](s.get("/api/v1/summary"))
	if v.Jobs.Total != 2 || v.Jobs.Working != 2 || v.Tasks.Total != 5 || v.Tasks.Pending != 2 || v.Tasks.Blocked != 1 || v.Tasks.Running != 1 || v.Tasks.Failed != 1 || v.Tasks.Completed != 1 {
		t.Errorf("totals: %+v %+v", v.Jobs, v.Tasks)
	}
	if v.Slots.Used != 1 || v.Slots.Limit != 10 {
		t.Errorf("slots: %+v", v.Slots)
	}
	if len(v.Running) != 1 || v.Running[0].Task != "x" || !strings.HasSuffix(v.Running[0].URL, strings.TrimPrefix(s.keyOf("other", "x"), "/api/v1")) {
		t.Errorf("running: %+v", v.Running)
	}
	if len(v.LastFailures) != 1 || *v.LastFailures[0].LastLine != "Bang: no such file \uFFFD" || *v.LastFailures[0].ExitCode != 3 {
		t.Errorf("failures: %+v", v.LastFailures)
	}
	completed, fails := 0, 0
	for _, m := range v.LastHour {
		completed, fails = completed+m.Completed, fails+m.Failed
	}
	if completed != 1 || fails != 1 {
		t.Errorf("last hour: %d completed, %d failed", completed, fails)
	}
	if _, err := s.queue.DB.PauseAll(context.Background(), false); err != nil {
		t.Fatal(err)
	}
	if v := read[SummaryAt](s.get("/api/v1/summary")); v.PausedAt == nil {
		t.Error("a pause of all jobs does not show")
	}
}

// Of a thousand failures the last ten are shown, and of a long line its beginning.
func TestTheSummaryIsBounded(t *testing.T) {
	s := serve(t, Options{})
	for range 15 {
		s.enqueue("j", command("")...)
	}
	for range 15 {
		s.ran("j", "x\n"+strings.Repeat("ä", 1000), failed)
	}
	v := read[SummaryAt](s.get("/api/v1/summary"))
	if len(v.LastFailures) != 10 || v.LastFailures[0].Task != "15" || *v.LastFailures[0].LastLine != strings.Repeat("ä", 150) {
		t.Errorf("%+v", v.LastFailures)
	}
}

// What was counted of a minute that is long over is not counted again.
func TestMinutesThatAreOverAreCountedOnce(t *testing.T) {
	s := serve(t, Options{})
	s.enqueue("j", command("a")...)
	s.ran("j", "", failed)
	v := read[SummaryAt](s.get("/api/v1/summary"))
	again := read[SummaryAt](s.get("/api/v1/summary"))
	at := func(m SummaryAt) (sum int) {
		for _, m := range m.LastHour {
			sum += m.Failed
		}
		return sum
	}
	if at(v) != 1 || at(again) != 1 {
		t.Errorf("%d, then %d", at(v), at(again))
	}
	from, err := time.Parse(time.RFC3339Nano, v.LastHour[59].From)
	if err != nil || from.Second() != 0 {
		t.Errorf("%s: %v", v.LastHour[59].From, err)
	}
}
