package manager

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/lock"
	"github.com/air-executor/air-executor/manager/dispatch"
	"github.com/air-executor/air-executor/runner"
	"github.com/air-executor/air-executor/runner/process"
)

// Of two attempts, the runner of the first holds its lock, and that of the second
// none.
func TestARecoveryLosesWhatHasNoRunner(t *testing.T) {
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
	for n := range int64(2) {
		if _, err := d.Claim(t.Context(), db.Runner{Lock: n + 1, BootID: boot}, 2, ""); err != nil {
			t.Fatal(err)
		}
	}
	r := &recovery{
		db: d, log: slog.New(slog.DiscardHandler), files: &files{db: d, prober: prober}, prober: prober, bootID: boot,
		stuck: map[string]string{}, unseen: map[string]bool{}, asked: make(chan dispatch.Look, 1), found: make(chan dispatch.Looked, 1),
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- r.Run(ctx) }()
	r.asked <- dispatch.Look{}
	found := <-r.found
	if len(found.Attempts) != 1 || found.Attempts[0].Runner != 1 || found.Failed {
		t.Errorf("%+v", found)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	lost := 0
	for _, name := range []string{"j0", "j1"} {
		if j, err := d.Job(t.Context(), name); err != nil {
			t.Error(err)
		} else if j.State == job.StateFailed {
			lost++
		}
	}
	if lost != 1 {
		t.Errorf("%d tasks are lost", lost)
	}
	// What is to be postponed is taken for alive.
	held.Close()
	if left, err := r.pass(t.Context(), func() bool { return true }); err != nil || len(left) != 1 {
		t.Errorf("%+v, %v", left, err)
	}
}
