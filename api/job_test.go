package api

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/air-executor/air-executor/job"
)

var failed = job.Result{Status: job.Failed, Reason: job.Exited, ExitCode: new(3)}

// names returns the names on a page of jobs.
func names(p JobPage) (out []string) {
	for _, j := range p.Items {
		out = append(out, j.Job)
	}
	return out
}

func TestJobsAreListedPageByPage(t *testing.T) {
	s := serve(t, Options{})
	var all []string
	for i := range 25 {
		name := fmt.Sprintf("j%02d", i)
		all = append(all, name)
		s.enqueue(name, command("a", "b")...)
	}
	for i := range 5 {
		s.ran(fmt.Sprintf("j%02d", i), "x\n", failed)
	}
	for _, sort := range []string{"name", "updated", "created", "failed"} {
		whole := names(read[JobPage](s.get("/api/v1/jobs?sort=" + sort)))
		if len(whole) != 25 {
			t.Fatalf("sort=%s: %v", sort, whole)
		}
		var forth, back []string
		var last JobPage
		for at := ""; ; at = "&cursor=" + *last.Next {
			last = read[JobPage](s.get("/api/v1/jobs?limit=4&sort=" + sort + at))
			forth = append(forth, names(last)...)
			if last.Total == nil || *last.Total != 25 {
				t.Fatalf("total: %v", last.Total)
			}
			if last.Next == nil {
				break
			}
		}
		back = names(last)
		for last.Prev != nil {
			last = read[JobPage](s.get("/api/v1/jobs?limit=4&sort=" + sort + "&cursor=" + *last.Prev))
			back = append(names(last), back...)
		}
		if !slices.Equal(forth, whole) || !slices.Equal(back, whole) {
			t.Errorf("sort=%s\nwhole %v\nforth %v\nback  %v", sort, whole, forth, back)
		}
	}
	if got := names(read[JobPage](s.get("/api/v1/jobs?q=J1"))); !slices.Equal(got, all[10:20]) {
		t.Errorf("q: %v", got)
	}
	if got := names(read[JobPage](s.get("/api/v1/jobs?name=j03&name=none&name=j01"))); !slices.Equal(got, []string{"j03", "j01"}) {
		t.Errorf("by name: %v", got)
	}
	if got := read[JobPage](s.get("/api/v1/jobs?state=completed")); len(got.Items) != 0 || *got.Total != 0 {
		t.Errorf("completed: %v", got)
	}
}

func TestWrongParametersAreNamed(t *testing.T) {
	s := serve(t, Options{})
	s.enqueue("j", command("a")...)
	many := strings.Repeat("&name=x", 201)[1:]
	for query, want := range map[string]string{
		"jobs?limit=0":               "limit must be a whole number from 1 to 1000, not \"0\"",
		"jobs?limit=x":               "limit must be a whole number from 1 to 1000, not \"x\"",
		"jobs?limit=1&limit=2":       "limit is given more than once",
		"jobs?stat=failed":           "stat is no parameter of this; did you mean state?",
		"jobs?state=ended":           "state must be waiting, working, completed or failed, not \"ended\"",
		"jobs?q=":                    "q is empty",
		"jobs?cursor=x":              "cursor is not one of this list",
		"jobs?" + many:               "name may be given at most 200 times",
		"jobs?q=%ff":                 "q is not valid UTF-8",
		"jobs?q=%zz":                 "the query cannot be read: invalid URL escape \"%zz\"",
		"jobs/j/tasks?at=1.5":        "at must be a number from 0 to 1, not \"1.5\"",
		"jobs/j/tasks?at=NaN":        "at must be a number from 0 to 1, not \"NaN\"",
		"tasks/1/attempts/1/log?a=b": "a is no parameter of this",
	} {
		g := s.request("GET", "/api/v1/"+query, s.bearer(reader)).problem(badParameter)
		if got := read[Problem](g).Detail; got != want {
			t.Errorf("%.60s: %s\nwant %s", query, got, want)
		}
	}
	p := read[Problem](s.request("GET", "/api/v1/jobs?limit=0&x=1", s.bearer(reader)).problem(badParameter))
	if p.Errors == nil || len(*p.Errors) != 2 {
		t.Errorf("all faults are named: %+v", p)
	}
}

func TestOneJob(t *testing.T) {
	s := serve(t, Options{})
	for _, name := range []string{"plain", "A-b_1"} {
		s.enqueue(name, command("a", "b")...)
		j := read[JobAt](s.get("/api/v1/jobs/" + url.PathEscape(name)))
		if j.Job.Job != name || j.Counts.Pending != 2 || j.URL != s.server.Address()+"/jobs/"+url.PathEscape(name) {
			t.Errorf("%+v", j)
		}
	}
	s.full("GET", "/api/v1/jobs/none").problem(noSuchJob)
}

func TestAJobIsCancelledAndReset(t *testing.T) {
	s := serve(t, Options{})
	s.enqueue("j", command("a", "b", "c")...)
	s.claim("j")
	c := read[Cancelled](s.full("POST", "/api/v1/jobs/j/cancel").want(200))
	if c.Pending != 2 || c.Running != 1 || c.Task != nil {
		t.Errorf("%+v", c)
	}
	if c = read[Cancelled](s.full("POST", "/api/v1/jobs/j/cancel").want(200)); c.Pending != 0 || c.Running != 1 {
		t.Errorf("again: %+v", c)
	}
	if r := read[Reset](s.full("POST", "/api/v1/jobs/j/reset").want(200)); r.Reset != 0 || r.Cancelled != 2 {
		t.Errorf("%+v", r)
	}
	if r := read[Reset](s.full("POST", "/api/v1/jobs/j/reset?cancelled=true").want(200)); r.Reset != 2 {
		t.Errorf("%+v", r)
	}
	if r := read[Reset](s.full("POST", "/api/v1/jobs/j/reset").want(200)); r.Reset != 0 {
		t.Errorf("again: %+v", r)
	}
	for _, verb := range []string{"cancel", "reset"} {
		s.full("POST", "/api/v1/jobs/none/"+verb).problem(noSuchJob)
	}
}
