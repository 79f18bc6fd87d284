package api

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

// entries names the entries of a page.
func entries(p AttemptPage) (out []string) {
	for _, e := range p.Items {
		n := 0
		if e.Attempt != nil {
			n = *e.Attempt
		}
		out = append(out, fmt.Sprintf("%s/%s/%d", e.Job, e.Task, n))
	}
	return out
}

// pagesOf reads all pages, forth and back.
func (s *served) pagesOf(query string) (forth, back []string) {
	s.t.Helper()
	var last AttemptPage
	for at := ""; ; at = "&cursor=" + *last.Next {
		last = read[AttemptPage](s.get("/api/v1/attempts?limit=3" + query + at))
		forth = append(forth, entries(last)...)
		if last.Next == nil {
			break
		}
	}
	back = entries(last)
	for last.Prev != nil {
		last = read[AttemptPage](s.get("/api/v1/attempts?limit=3" + query + "&cursor=" + *last.Prev))
		back = append(entries(last), back...)
	}
	return forth, back
}

func TestTheHistoryIsListedPageByPage(t *testing.T) {
	s := serve(t, Options{})
	for i := range 8 {
		spec := job.Spec{ID: fmt.Sprint(i), Command: "/bin/make"}
		if i%2 == 0 {
			spec = job.Spec{ID: fmt.Sprint(i), Command: "true", Labels: []string{"team=a"}}
		}
		s.enqueue("j", spec)
	}
	s.enqueue("other", command("x", "y")...)
	var all, fails, completed []string
	for i := range 6 {
		r, list := failed, &fails
		if i%3 == 0 {
			r, list = job.Result{Status: job.Completed, ExitCode: new(0)}, &completed
		}
		s.ran("j", "", r)
		name := fmt.Sprintf("j/%d/1", i)
		all, *list = append([]string{name}, all...), append([]string{name}, *list...)
	}
	// Both end in the same instant, without an attempt.
	s.full("POST", "/api/v1/jobs/j/cancel").want(200)
	cancelled := []string{"j/7/0", "j/6/0"}
	all, fails = append(slices.Clone(cancelled), all...), append(slices.Clone(cancelled), fails...)
	s.ran("other", "", failed)
	x := []string{"other/x/1"}
	for query, want := range map[string][]string{
		"": append(x, all...), "&job=j": all, "&job=other": x, "&status=failed": append(x, fails...), "&status=completed": completed,
		"&job=j&status=failed": fails, "&reason=cancelled": cancelled, "&reason=lost": nil, "&status=completed&reason=exited": nil,
		"&command=make": {"j/7/0", "j/5/1", "j/3/1", "j/1/1"}, "&command=/bin/make": {"j/7/0", "j/5/1", "j/3/1", "j/1/1"}, "&command=ake": nil,
		"&label=team=a": {"j/6/0", "j/4/1", "j/2/1", "j/0/1"}, "&label=team=b": nil, "&label=team&status=completed": {"j/0/1"},
		"&until=2001-01-01T00:00:00Z": nil, "&since=2001-01-01T00:00:00%2B01:00": append(x, all...),
	} {
		if forth, back := s.pagesOf(query); !slices.Equal(forth, want) || !slices.Equal(back, want) {
			t.Errorf("%s\nwant  %v\nforth %v\nback  %v", query, want, forth, back)
		}
	}
	p := read[AttemptPage](s.get("/api/v1/attempts?limit=1"))
	if e := p.Items[0]; e.LogURL == nil || e.RunSeconds == nil || e.Key == 0 || p.Total != nil || p.AsOf == nil {
		t.Errorf("%+v", p)
	}
	s.full("GET", "/api/v1/attempts?job=none").problem(noSuchJob)
	for _, bad := range []string{"since=today", "since=2026-01-01T00:00:00Z&until=2026-01-01T00:00:00Z", "cursor=x", "label=UP%20PER", "status=running", "until=2026-01-01"} {
		s.full("GET", "/api/v1/attempts?"+bad).problem(badParameter)
	}
}

// With a filter that is rare, pages are short, and lead to what is there.
func TestAPageOfTheHistoryThatAFilterLeavesEmptyGoesOn(t *testing.T) {
	s := serve(t, Options{})
	s.enqueue("j", job.Spec{ID: "needle", Command: "rare"})
	s.ran("j", "", failed)
	var tasks []job.Task
	now := time.Now()       // of all, as after a cancel
	for i := range 20_005 { // more than are looked at for one page
		tasks = append(tasks, job.Task{Spec: job.Spec{ID: fmt.Sprint(i), Command: "true"}, Status: job.Completed, CompletedAt: now})
	}
	err := s.queue.DB.Import(context.Background(), job.Job{UUID: "u", Name: "imported", State: job.StateCompleted}, func(yield func(job.Task, error) bool) {
		for _, task := range tasks {
			if !yield(task, nil) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	page := db.HistoryPage{}
	q := db.HistoryPageQuery{Command: "rare"}
	q.Limit = 5
	calls := 0
	var found []string
	for {
		if page, err = s.queue.DB.HistoryPage(context.Background(), q); err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Items {
			found = append(found, e.Task)
		}
		if calls++; page.Next == nil || calls > 5 {
			break
		}
		q.From = page.Next
	}
	if calls != 2 || !slices.Equal(found, []string{"needle"}) {
		t.Errorf("%d calls: %v", calls, found)
	}
}
