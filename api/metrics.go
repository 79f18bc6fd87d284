package api

import (
	"context"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/queue"
)

// getMetrics answers with all metrics. Everything is read before it is written.
func getMetrics(c *call) (answer, error) {
	var p GetMetricsParams
	if err := c.parameters(&p); err != nil {
		return answer{}, err
	}
	jobs := slices.Compact(slices.Sorted(slices.Values(or(p.Job, nil))))
	m, err := c.api.queue.Metrics(c.Context(), jobs)
	if err != nil {
		return answer{}, err
	}
	var e exposition
	c.api.gauges(&e, m)
	counters(&e, m)
	c.api.meters.write(&e)
	if len(jobs) > 0 {
		ofJobs(&e, m)
	}
	processMetrics(&e, c.api.started)
	_ = http.NewResponseController(c.w).SetWriteDeadline(time.Now().Add(writeLimit))
	c.w.Header().Set("Content-Type", expositionType)
	c.w.Header().Set("Content-Length", strconv.Itoa(e.text.Len()))
	c.w.WriteHeader(http.StatusOK)
	_, _ = c.w.Write([]byte(e.text.String()))
	return answer{written: true}, nil
}

// count counts events for the statistics while no manager does.
func (a *API) count(ctx context.Context) {
	a.queue.KeepCounting(ctx, func(text string) {
		if text != "" {
			a.log.Warn("events are not counted for the statistics", "error", text)
		}
	})
}

// oneIf is 1 for true.
func oneIf(on bool) float64 {
	if on {
		return 1
	}
	return 0
}

// gauges are what is now.
func (a *API) gauges(e *exposition, m *queue.Metrics) {
	e.family("air_executor_build_info", "gauge", "1, with the version of the server.")
	e.sample(1, label{"version", a.options.Version}, label{"go_version", runtime.Version()})
	e.one("air_executor_manager_running", "gauge", "1 if a manager serves the base path, else 0.", oneIf(m.Managed))
	e.one("air_executor_runners_running", "gauge", "Attempts that run, without those that wait for other tasks.", float64(m.Running))
	e.one("air_executor_runners_limit", "gauge", "How many may run: max_concurrent_runners.", float64(m.Limit))
	e.family("air_executor_jobs", "gauge", "Jobs by state.")
	for _, s := range job.States {
		e.sample(float64(m.Totals.Jobs[s]), label{"state", string(s)})
	}
	e.family("air_executor_tasks", "gauge", "Tasks by status. Blocked are pending ones that wait for tasks, times or pools; failed leaves out dismissed ones.")
	tasksByStatus(e, m.Tasks, m.Blocked)
	e.one("air_executor_oldest_ready_task_age_seconds", "gauge", "How long the task has waited that could run, of the next task of each job that is not paused; 0: none waits.", m.OldestReady.Seconds())
	e.one("air_executor_database_size_bytes", "gauge", "Size of the database.", float64(m.DatabaseSize))
	e.one("air_executor_database_wal_size_bytes", "gauge", "Size of the write-ahead log of the database.", float64(m.WALSize))
	e.one("air_executor_base_path_free_bytes", "gauge", "Free space where the base path is.", float64(m.Free))
	e.one("air_executor_stats_lag_seconds", "gauge", "How old the oldest event is that is not in the counters yet; 0: all are.", m.Lag.Seconds())
}

// tasksByStatus writes numbers of tasks, each in one status.
func tasksByStatus(e *exposition, c job.Counts, blocked int, labels ...label) {
	for _, s := range []struct {
		status string
		n      int
	}{{"pending", c.Pending - blocked}, {"blocked", blocked}, {"running", c.Running}, {"completed", c.Completed}, {"failed", c.Failed}} {
		e.sample(float64(s.n), append(labels[:len(labels):len(labels)], label{"status", s.status})...)
	}
}

const microsecond = 1e-6

// counters are what has happened since statistics are kept.
func counters(e *exposition, m *queue.Metrics) {
	r := &m.Counted
	e.one("air_executor_tasks_added_total", "counter", "Tasks that were queued.", float64(r.Added))
	e.one("air_executor_attempts_started_total", "counter", "Attempts that were started.", float64(r.Started))
	e.family("air_executor_attempts_ended_total", "counter", "Attempts that have ended. The reason is empty for completed ones.")
	for i := range db.Outcomes {
		status, reason := db.Outcome(i)
		e.sample(float64(r.Ended[i]), label{"status", string(status)}, label{"reason", string(reason)})
	}
	e.family("air_executor_task_wait_seconds", "histogram", "From when a task could have run to its start.")
	e.durations(&r.Wait)
	e.family("air_executor_task_run_seconds", "histogram", "From the start of an attempt to its end.")
	e.durations(&r.Completed, label{"status", string(job.Completed)})
	e.durations(&r.Failed, label{"status", string(job.Failed)})
	e.family("air_executor_task_cpu_seconds_total", "counter", "CPU time of attempts that have ended.")
	e.sample(float64(r.UserTime)*microsecond, label{"mode", "user"})
	e.sample(float64(r.SystemTime)*microsecond, label{"mode", "system"})
}

// durations writes a histogram with every second bound: powers of two of a millisecond.
func (e *exposition) durations(h *db.Histogram, labels ...label) {
	var buckets []bucket
	var n int64
	for i, count := range h.Counts {
		n += count
		if i%2 == 0 {
			buckets = append(buckets, bucket{db.BucketBound(i), n})
		}
	}
	e.histogram(buckets, float64(h.Sum)*microsecond, labels...)
}

// ofJobs is about the jobs that were asked for.
func ofJobs(e *exposition, m *queue.Metrics) {
	e.family("air_executor_job_tasks", "gauge", "Tasks of a job by status.")
	for _, j := range m.Jobs {
		tasksByStatus(e, j.Tasks, j.Blocked, label{"job", j.Name})
	}
	e.family("air_executor_job_attempts_ended_total", "counter", "Attempts of a job that have ended.")
	for _, j := range m.Jobs {
		completed := j.Counted.Ended[0]
		e.sample(float64(completed), label{"job", j.Name}, label{"status", string(job.Completed)})
		e.sample(float64(j.Counted.Attempts()-completed), label{"job", j.Name}, label{"status", string(job.Failed)})
	}
}
