//go:build failpoints

package faults

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/air-executor/air-executor/job"
)

// killsOfRetries is how often something is killed. AIR_EXECUTOR_KILLS, 300 say, makes it
// the long version.
func killsOfRetries(t *testing.T) (kills, jobs int) {
	n, err := strconv.Atoi(os.Getenv("AIR_EXECUTOR_KILLS"))
	if err != nil {
		return 25, 12
	}
	t.Logf("%d kills", n)
	return n, 50
}

// retriedJob is a job of one task, which fails for so long.
type retriedJob struct {
	name    string
	retries int
	policy  job.Retry
}

// While tasks of many jobs are tried again, the manager, a runner or both are killed, at
// moments that follow from the seed. No attempt is too many or too few, none starts
// before its time, and none is forgotten.
func TestRetriesOutliveKills(t *testing.T) {
	t.Parallel()
	kills, n := killsOfRetries(t)
	seed := uint64(time.Now().UnixNano())
	if s, err := strconv.ParseUint(os.Getenv("AIR_EXECUTOR_SEED"), 10, 64); err == nil {
		seed = s
	}
	t.Logf("AIR_EXECUTOR_SEED=%d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	w := newWorld(t, "max_concurrent_runners: 10")
	jobs := w.retriedJobs(n, kills)
	w.start()
	for range kills {
		time.Sleep(time.Duration(random.IntN(120)) * time.Millisecond)
		what := random.IntN(3)
		if what != 0 {
			w.killAnyRunner(random)
		}
		if what != 1 {
			w.manager.kill()
			w.start()
		}
	}
	w.until("every job has ended", func() bool {
		return w.sql("SELECT count(*) FROM job WHERE state NOT IN ('completed', 'failed')") == "0"
	})
	ran := 0
	for _, j := range jobs {
		ran += w.checkRetries(j)
	}
	t.Logf("%d attempts", ran)
}

// retriedJobs queues jobs of which half succeed in the end.
func (w *world) retriedJobs(n, kills int) (jobs []retriedJob) {
	for i := range n {
		j := retriedJob{
			name: fmt.Sprint("r", i), retries: 6 + kills/n,
			policy: job.Retry{Delay: 100 * time.Millisecond, Backoff: 1.5, MaxDelay: 800 * time.Millisecond, Jitter: 20},
		}
		script := "sleep 0.0" + strconv.Itoa(i%10) + "; exit 7"
		if i%2 == 0 { // after its third failure that was no loss
			script = `f=$SCRATCH/$AIR_EXECUTOR_JOB; test -e $f.2 && exit 0; test -e $f.1 && touch $f.2; touch $f.1; exit 7`
		}
		flags := []string{"--retries", fmt.Sprint(j.retries), "--retry-delay", "100ms", "--retry-backoff", "1.5", "--retry-max-delay", "800ms", "--retry-jitter", "20"}
		w.run(0, slices.Insert(w.enqueueArgs(j.name, "1", script), 1, flags...)...)
		w.acked = append(w.acked, [2]string{j.name, "1"})
		jobs = append(jobs, j)
	}
	return jobs
}

// killRunner kills one of the runners that have a task, if there is one.
func (w *world) killAnyRunner(random *rand.Rand) {
	w.Helper()
	n, _ := strconv.Atoi(w.sql("SELECT count(*) FROM attempt WHERE slot IS NOT NULL"))
	if n == 0 {
		return
	}
	pid, err := strconv.Atoi(w.sql("SELECT pid FROM attempt WHERE slot IS NOT NULL ORDER BY id LIMIT 1 OFFSET ?", random.IntN(n)))
	if err == nil && pid > 1 {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

// triedAttempt is an attempt by its row.
type triedAttempt struct {
	number         int
	status, token  string
	started, ended time.Time
}

// attemptsOf are those of the task of a job.
func (w *world) attemptsOf(name string) (all []triedAttempt) {
	w.Helper()
	d, err := sql.Open("sqlite", "file:"+w.base+"/air-executor.db?_pragma=busy_timeout(30000)")
	w.must(err)
	defer d.Close()
	rows, err := d.Query(`SELECT number, status, token, started_at, ended_at FROM attempt WHERE job = (SELECT id FROM job WHERE name = ?) ORDER BY number`, name)
	w.must(err)
	defer rows.Close()
	for rows.Next() {
		var a triedAttempt
		var started, ended int64
		w.must(rows.Scan(&a.number, &a.status, &a.token, &started, &ended))
		a.started, a.ended = time.UnixMicro(started), time.UnixMicro(ended)
		all = append(all, a)
	}
	w.must(rows.Err())
	return all
}

// checkRetries compares the attempts of a job with what was asked for.
func (w *world) checkRetries(j retriedJob) (attempts int) {
	w.Helper()
	all := w.attemptsOf(j.name)
	status := w.sql("SELECT status FROM task WHERE job = (SELECT id FROM job WHERE name = ?)", j.name)
	tries, _ := strconv.Atoi(w.sql("SELECT tries FROM task WHERE job = (SELECT id FROM job WHERE name = ?)", j.name))
	failed := 0
	for i, a := range all {
		if a.number != i+1 {
			w.Errorf("%s: attempt %d at place %d", j.name, a.number, i+1)
		}
		if i > 0 {
			due := all[i-1].ended.Add(j.policy.Wait(i, all[i-1].token))
			if a.started.Before(due.Truncate(time.Microsecond)) {
				w.Errorf("%s: attempt %d started %s early", j.name, a.number, due.Sub(a.started))
			}
		}
		if a.status == "failed" {
			failed++
		}
	}
	want := j.retries + 1 // if all have failed
	if status == "completed" {
		want = len(all) - 1
	}
	if failed != want || tries != failed || failed > j.retries+1 {
		w.Errorf("%s is %s after %d attempts, %d failed, %d counted, of %d retries", j.name, status, len(all), failed, tries, j.retries)
	}
	return len(all)
}
