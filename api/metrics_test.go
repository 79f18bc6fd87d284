package api

import (
	"bufio"
	"context"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/internal/testkit"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/queue"
)

var succeeded = job.Result{Status: job.Completed, ExitCode: new(0)}

// family is a metric as a reader of the text form understands it.
type family struct {
	kind    string
	samples map[string]float64 // by what stands before the value
}

var sampleLine = regexp.MustCompile(`^([a-z_]+)(\{(?:[a-z_]+="(?:[^"\\\n]|\\[\\n"])*",?)+\})? (\S+)$`)

// metrics reads the text form, strictly. Where promtool is installed, it judges, too.
func (s *served) metrics(query string) map[string]family {
	s.t.Helper()
	g := s.get("/metrics" + query)
	out := map[string]family{}
	name, helped := "", ""
	lines := bufio.NewScanner(strings.NewReader(string(g.body)))
	for lines.Scan() {
		line := lines.Text()
		words := strings.SplitN(line, " ", 4)
		switch {
		case strings.HasPrefix(line, "# HELP "):
			helped = words[2]
		case strings.HasPrefix(line, "# TYPE "):
			if name = words[2]; name != helped || out[name].kind != "" {
				s.t.Errorf("%q", line)
			}
			out[name] = family{words[3], map[string]float64{}}
		default:
			m := sampleLine.FindStringSubmatch(line)
			if m == nil {
				s.t.Fatalf("%q is no sample", line)
			}
			base := m[1]
			if out[name].kind == "histogram" {
				base = regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(base, "")
			}
			value, err := strconv.ParseFloat(m[3], 64)
			if _, twice := out[name].samples[m[1]+m[2]]; err != nil || base != name || twice {
				s.t.Errorf("%q in %s: %v", line, name, err)
			}
			out[name].samples[m[1]+m[2]] = value
		}
	}
	if tool, err := exec.LookPath("promtool"); err == nil {
		cmd := exec.Command(tool, "check", "metrics")
		cmd.Stdin = strings.NewReader(string(g.body))
		if text, err := cmd.CombinedOutput(); err != nil || len(text) > 0 {
			s.t.Errorf("promtool: %v\n%s", err, text)
		}
	}
	return out
}

// counted counts all events for the statistics.
func (s *served) counted() {
	s.t.Helper()
	for more := true; more; {
		var err error
		if more, err = s.queue.DB.Fold(context.Background()); err != nil {
			s.t.Fatal(err)
		}
	}
}

// The table of docs/metrics.md, as far as it does not depend on the system.
var wantedKinds = map[string]string{
	"air_executor_build_info": "gauge", "air_executor_manager_running": "gauge", "air_executor_runners_running": "gauge",
	"air_executor_runners_limit": "gauge", "air_executor_jobs": "gauge", "air_executor_tasks": "gauge",
	"air_executor_tasks_added_total": "counter", "air_executor_attempts_started_total": "counter", "air_executor_attempts_ended_total": "counter",
	"air_executor_task_wait_seconds": "histogram", "air_executor_task_run_seconds": "histogram", "air_executor_task_cpu_seconds_total": "counter",
	"air_executor_oldest_ready_task_age_seconds": "gauge", "air_executor_database_size_bytes": "gauge", "air_executor_database_wal_size_bytes": "gauge",
	"air_executor_base_path_free_bytes": "gauge", "air_executor_stats_lag_seconds": "gauge", "air_executor_http_requests_total": "counter",
	"air_executor_http_request_duration_seconds": "histogram", "air_executor_event_clients": "gauge", "air_executor_event_resyncs_total": "counter",
	"air_executor_job_tasks": "gauge", "air_executor_job_attempts_ended_total": "counter",
}

func TestMetricsAreThoseOfTheTable(t *testing.T) {
	s := serve(t, Options{})
	s.enqueue("a", job.Spec{ID: "1", Command: "true"}, job.Spec{ID: "2", Command: "true", Dependencies: []string{"1"}}, job.Spec{ID: "3", Command: "true"})
	s.ran("a", "", succeeded)
	s.ran("a", "", failed)
	s.counted()
	s.server.api.meters.eventResync()
	gone, stays := s.server.api.meters.eventClient(pollClient), s.server.api.meters.eventClient(socketClient)
	gone()
	defer stays()
	got := s.metrics("?job=a&job=a&job=nobody")
	kinds := map[string]string{}
	for name, f := range got {
		if !strings.HasPrefix(name, "process_") {
			kinds[name] = f.kind
		}
	}
	if diff := cmp.Diff(wantedKinds, kinds); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for sample, want := range map[string]float64{
		`air_executor_build_info{version="test",go_version="` + runtime.Version() + `"}`: 1,
		`air_executor_manager_running`:                                       0,
		`air_executor_runners_limit`:                                         10,
		`air_executor_tasks{status="pending"}`:                               1,
		`air_executor_tasks{status="blocked"}`:                               0,
		`air_executor_tasks{status="completed"}`:                             1,
		`air_executor_tasks{status="failed"}`:                                1,
		`air_executor_jobs{state="working"}`:                                 1,
		`air_executor_tasks_added_total`:                                     3,
		`air_executor_attempts_started_total`:                                2,
		`air_executor_attempts_ended_total{status="completed",reason=""}`:    1,
		`air_executor_attempts_ended_total{status="failed",reason="exited"}`: 1,
		`air_executor_attempts_ended_total{status="failed",reason="lost"}`:   0,
		`air_executor_task_wait_seconds_count`:                               2,
		`air_executor_task_run_seconds_bucket{status="failed",le="+Inf"}`:    1,
		`air_executor_task_run_seconds_count{status="completed"}`:            1,
		`air_executor_event_clients{kind="poll"}`:                            0,
		`air_executor_event_clients{kind="websocket"}`:                       1,
		`air_executor_event_resyncs_total`:                                   1,
		`air_executor_job_tasks{job="a",status="pending"}`:                   1,
		`air_executor_job_attempts_ended_total{job="a",status="failed"}`:     1,
	} {
		name, _, _ := strings.Cut(sample, "{")
		name = regexp.MustCompile(`_(bucket|count)$`).ReplaceAllString(name, "")
		if v, ok := got[name].samples[sample]; !ok || v != want {
			t.Errorf("%s is %v (%t), want %v", sample, v, ok, want)
		}
	}
	if n := len(got["air_executor_job_tasks"].samples); n != 5 {
		t.Errorf("%d samples about jobs", n)
	}
}

func TestBoundsOfDurationsArePowersOfTwo(t *testing.T) {
	s := serve(t, Options{})
	le := regexp.MustCompile(`le="([^"]+)"`)
	n := 0
	for sample := range s.metrics("")["air_executor_task_wait_seconds"].samples {
		m := le.FindStringSubmatch(sample)
		if m == nil || m[1] == "+Inf" {
			continue
		}
		bound, err := strconv.ParseFloat(m[1], 64)
		if exponent := math.Log2(bound * 1000); err != nil || math.Abs(exponent-math.Round(exponent)) > 1e-9 {
			t.Errorf("a bound is %s", m[1])
		}
		n++
	}
	if n != 24 {
		t.Errorf("%d bounds", n)
	}
}

// However clients ask, and for whatever, there are as many series as routes, methods and codes.
func TestRequestsMakeFewSeries(t *testing.T) {
	s := serve(t, Options{})
	s.enqueue("a", command("1")...)
	for i := range 30 {
		s.full("GET", fmt.Sprintf("/api/v1/jobs/%d", i)).want(404)
		s.full("GET", fmt.Sprintf("/nothing/%d", i)).want(404)
		s.request(fmt.Sprintf("M%d", i), "/api/v1/jobs/a", s.bearer(owner)).want(405)
		s.request("GET", "/api/v1/jobs/a", host(fmt.Sprintf("h%d", i))).want(421)
	}
	s.full("GET", "/api/v1/jobs/a").want(200)
	got := s.metrics("")["air_executor_http_requests_total"].samples
	want := map[string]float64{
		`air_executor_http_requests_total{route="/api/v1/jobs/{job}",method="GET",code="200"}`:   1,
		`air_executor_http_requests_total{route="/api/v1/jobs/{job}",method="GET",code="404"}`:   30,
		`air_executor_http_requests_total{route="/api/v1/jobs/{job}",method="other",code="405"}`: 30,
		`air_executor_http_requests_total{route="/",method="GET",code="404"}`:                    30,
		`air_executor_http_requests_total{route="other",method="GET",code="421"}`:                30,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLabelsAreEscaped(t *testing.T) {
	var e exposition
	e.family("x", "gauge", "a\nb\\c")
	e.sample(1, label{"job", "a\"b\\c\nd\xff"})
	want := "# HELP x a\\nb\\\\c\n# TYPE x gauge\nx{job=\"a\\\"b\\\\c\\nd\uFFFD\"} 1\n"
	if diff := cmp.Diff(want, e.text.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A server counts events while no manager does.
func TestAServerCountsWithoutAManager(t *testing.T) {
	s := serve(t, Options{})
	s.enqueue("a", command("1")...)
	_ = s.stop()
	s.open(Options{}) // it begins with that
	testkit.Eventually(t, "the events are counted", func() bool {
		return s.metrics("")["air_executor_tasks_added_total"].samples["air_executor_tasks_added_total"] == 1
	})
}

func TestMetricsOfTooManyJobsAreRefused(t *testing.T) {
	s := serve(t, Options{})
	many := url.Values{}
	for i := range 101 {
		many.Add("job", fmt.Sprint(i))
	}
	s.full("GET", "/metrics?"+many.Encode()).problem(badParameter)
	s.request("GET", "/metrics").problem(unauthorized)
	s.full("GET", "/metrics", header("Accept", "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1")).want(http.StatusOK)
}

func TestStatsOfASpan(t *testing.T) {
	s := serve(t, Options{})
	s.enqueue("a", job.Spec{ID: "1", Command: "/bin/true"}, job.Spec{ID: "2", Command: "true"})
	s.enqueue("b", job.Spec{ID: "1", Command: "false"})
	s.ran("a", "", succeeded)
	s.ran("a", "", succeeded)
	s.ran("b", "", failed)
	s.counted()
	all := read[queue.Series](s.get("/api/v1/stats"))
	if len(all.Series) != 1 || all.Series[0].Name != nil || all.Total.Attempts != 3 || all.Total.Added != 3 || all.Total.Failed != 1 || all.Step != 60 || all.Total.Reasons["exited"] != 1 {
		t.Errorf("%+v", all)
	}
	for by, want := range map[string][]string{"job": {"a 2", "b 1"}, "command": {"true 2", "false 1"}} {
		var got []string
		for _, one := range read[queue.Series](s.get("/api/v1/stats?by=" + by)).Series {
			got = append(got, fmt.Sprintf("%s %d", *one.Name, one.Total.Attempts))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("by %s (-want +got):\n%s", by, diff)
		}
	}
	if one := read[queue.Series](s.get("/api/v1/stats?by=job&limit=1")); len(one.Series) != 1 || one.Total.Attempts != 3 {
		t.Errorf("%+v", one)
	}
	long := read[queue.Series](s.get("/api/v1/stats?from=2026-01-01T00:00:00Z&to=2026-06-01T00:00:00Z"))
	if long.Step*1500 < 150*24*3600 || long.Total.Attempts != 0 || len(long.Series) != 1 {
		t.Errorf("%+v", long)
	}
	for _, wrong := range []string{
		"from=yesterday", "to=5", "step=30", "step=61", "by=task", "by=job&step=60", "from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z",
		"from=2020-01-02T00:00:00Z", "from=2026-01-01T00:00:00Z&to=2026-06-01T00:00:00Z&step=60", "limit=0", "limit=101",
	} {
		s.full("GET", "/api/v1/stats?"+wrong).problem(badParameter)
	}
}
