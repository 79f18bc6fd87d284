package manager

import (
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/air-executor/air-executor/config"
	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/lock"
	"github.com/air-executor/air-executor/runner"
	"github.com/air-executor/air-executor/runner/process"
)

// Three tasks wait for three runners that are starting. The second and the third
// are ready while the claim for the first is under way, and get theirs after it.
func TestRunnersThatAreReadyDuringAClaimGetATask(t *testing.T) {
	d := openWithTasks(t, t.TempDir(), 2) // the first of the three is in the claim
	m := &Manager{
		config: &config.Config{MaxConcurrentRunners: 10}, log: slog.New(slog.DiscardHandler), db: d,
		pool: pool{}, claims: claims{asked: make(chan []*runner.Process, 1)}, wanting: 3,
	}
	var runners []*runner.Process
	for range 6 { // so many that it needs to start none
		r := &runner.Process{Spawned: time.Now()}
		m.pool[r] = starting
		runners = append(runners, r)
	}
	m.handle(t.Context(), event{runners[0], runner.Ready})
	first := <-m.claims.asked
	m.handle(t.Context(), event{runners[1], runner.Ready})
	m.handle(t.Context(), event{runners[2], runner.Ready})
	m.assign(t.Context(), claimed{runners: first, tasks: map[int64]*db.Assignment{first[0].Lock: {}}})
	select {
	case next := <-m.claims.asked:
		if len(next) != 2 {
			t.Errorf("a task is claimed for %d runners, not for both", len(next))
		}
	default:
		t.Error("no task is claimed for the runners that wait")
	}
}

// Another manager has taken the only place since the last look. A task that is
// refused because of that must not wait for the poll when the place is free.
func TestPlacesAreCountedAgainWhenAClaimIsRefused(t *testing.T) {
	base := t.TempDir()
	d := openWithTasks(t, base, 2)
	locks := filepath.Join(base, runner.LocksName)
	held, err := lock.Hold(locks, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	prober, err := lock.NewProber(locks)
	if err != nil {
		t.Fatal(err)
	}
	defer prober.Close()
	boot, err := process.BootID()
	if err != nil {
		t.Fatal(err)
	}
	r := &runner.Process{}
	m := &Manager{
		config: &config.Config{MaxConcurrentRunners: 1}, log: slog.New(slog.DiscardHandler), db: d, prober: prober,
		setup: runner.Setup{BootID: boot}, pool: pool{r: going, &runner.Process{}: idle, &runner.Process{}: idle}, claims: claims{busy: true},
	}
	if _, err := d.Claim(t.Context(), db.Runner{Lock: 1, BootID: boot}, 1, ""); err != nil {
		t.Fatal(err)
	}
	m.assign(t.Context(), claimed{runners: []*runner.Process{r}})
	if m.adopted != 1 || m.free() != 0 {
		t.Errorf("%d attempts of others are known, and %d places taken to be free", m.adopted, m.free())
	}
}

// openWithTasks opens a new database with n jobs that have a task each.
func openWithTasks(t *testing.T, base string, n int) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), base, db.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	for i := range n {
		task := job.Spec{ID: "1", Command: "true"}
		_, err := d.Enqueue(t.Context(), db.Batch{Job: "j" + strconv.Itoa(i), Tasks: func(yield func(job.Spec, error) bool) { yield(task, nil) }})
		if err != nil {
			t.Fatal(err)
		}
	}
	return d
}

func TestARunnerThatHangsAtItsStartIsNotWaitedFor(t *testing.T) {
	exe, err := exec.LookPath("true")
	if err != nil {
		t.Fatal(err)
	}
	hangs := &runner.Process{Spawned: time.Now().Add(-time.Minute)}
	m := &Manager{
		log: slog.New(slog.DiscardHandler), exe: exe, setup: runner.Setup{BasePath: t.TempDir()}, stderr: os.Stderr,
		pool: pool{hangs: starting}, events: make(chan event, 1),
	}
	for range 2 {
		m.start(1)
	}
	if n := m.pool.count(starting); n != 2 {
		t.Fatalf("%d runners are starting, not one beside the one that hangs", n)
	}
	<-m.events // it ends
}
