package manager

import (
	"log/slog"
	"strconv"
	"testing"

	"github.com/air-executor/air-executor/config"
	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/runner"
)

// Three tasks wait for three runners that are starting. The second and the third
// are ready while the claim for the first is under way, and get theirs after it.
func TestRunnersThatAreReadyDuringAClaimGetATask(t *testing.T) {
	d, err := db.Open(t.Context(), t.TempDir(), db.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for n := range 2 { // the first is in the claim
		task := job.Spec{ID: "1", Command: "true"}
		_, err := d.Enqueue(t.Context(), db.Batch{Job: "j" + strconv.Itoa(n), Tasks: func(yield func(job.Spec, error) bool) { yield(task, nil) }})
		if err != nil {
			t.Fatal(err)
		}
	}
	m := &Manager{
		config: &config.Config{MaxConcurrentRunners: 10}, log: slog.New(slog.DiscardHandler), db: d,
		pool: pool{}, claims: claims{asked: make(chan []*runner.Process, 1)}, wanting: 3,
	}
	var runners []*runner.Process
	for range 6 { // so many that it needs to start none
		r := &runner.Process{}
		m.pool[r] = starting
		runners = append(runners, r)
	}
	m.handle(t.Context(), event{runners[0], runner.Ready})
	first := <-m.claims.asked
	m.handle(t.Context(), event{runners[1], runner.Ready})
	m.handle(t.Context(), event{runners[2], runner.Ready})
	m.assign(t.Context(), claimed{runners: first, tasks: []*db.Assignment{{}}})
	select {
	case next := <-m.claims.asked:
		if len(next) != 2 {
			t.Errorf("a task is claimed for %d runners, not for both", len(next))
		}
	default:
		t.Error("no task is claimed for the runners that wait")
	}
}
