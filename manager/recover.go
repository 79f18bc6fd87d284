package manager

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/internal/failpoint"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/lock"
	"github.com/air-executor/air-executor/manager/dispatch"
	"github.com/air-executor/air-executor/runner"
	"github.com/air-executor/air-executor/runner/process"
)

// recovery is the service that finds attempts whose runner is dead, ends what is left
// of their commands, and records them as lost. It works on request, in the background,
// because each attempt may take a few seconds.
type recovery struct {
	db        *db.DB
	log       *slog.Logger
	files     *files
	prober    *lock.Prober
	bootID    string
	namespace int64             // the PID namespace of this process; 0: unknown
	stuck     map[string]string // why a lost attempt cannot be ended, by token
	unseen    map[string]bool   // lost attempts that this process cannot end, by token
	asked     chan dispatch.Look
	found     chan dispatch.Looked // one answer to every request
}

func (m *Manager) newRecovery() *recovery {
	return &recovery{
		db: m.db, log: m.log, files: m.files, prober: m.prober, bootID: m.self.BootID, namespace: m.self.Namespace,
		stuck: map[string]string{}, unseen: map[string]bool{}, asked: make(chan dispatch.Look, 1), found: make(chan dispatch.Looked, 1),
	}
}

// Run answers requests. When ctx ends, it finishes the current attempt, and leaves the
// others to the next manager.
func (r *recovery) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case what := <-r.asked:
			r.found <- r.look(context.WithoutCancel(ctx), what, func() bool { return ctx.Err() != nil })
		}
	}
}

// look answers one request.
func (r *recovery) look(ctx context.Context, what dispatch.Look, postpone func() bool) (out dispatch.Looked) {
	if what.Parked {
		out.Parked, out.Freed = r.freeParked(ctx)
	}
	var err error
	if out.Attempts, err = r.pass(ctx, postpone); err != nil {
		r.log.Error("cannot look for lost attempts", "error", err)
		out.Failed = true
	}
	return out
}

// pass goes through the attempts that are running according to their rows. It records
// those whose runner is dead as lost, and returns the others. As soon as postpone
// returns true, it treats the rest as alive.
func (r *recovery) pass(ctx context.Context, postpone func() bool) ([]dispatch.Attempt, error) {
	active, err := r.db.Active(ctx)
	if err != nil {
		return nil, err
	}
	// Runners hold their locks in the file that had this name when they started.
	if err := r.files.replaced(); err != nil {
		return nil, err
	}
	var left []dispatch.Attempt
	for _, a := range active {
		alive := true
		if !postpone() {
			if alive, err = r.db.Alive(a.Runner); err != nil {
				return nil, err
			}
		}
		if !alive {
			err := r.lose(ctx, a)
			if err == nil {
				delete(r.stuck, a.Token)
				delete(r.unseen, a.Token)
				continue
			}
			// Neither can be recorded by waiting, so a manager that stops does not wait for it.
			r.unseen[a.Token] = errors.As(err, new(*unseenError)) || errors.Is(err, db.ErrCorrupt)
			r.noteStuck(ctx, a, err) // it keeps its place, and the others can proceed
		}
		left = append(left, dispatch.Attempt{Runner: dispatch.ID(a.Runner.Lock), Elsewhere: r.unseen[a.Token]})
	}
	return left, nil
}

// lose ends an attempt whose runner is dead: first it kills what is left of the
// command, then it updates the row.
func (r *recovery) lose(ctx context.Context, a db.Active) error {
	if err := r.seen(a); err != nil {
		return fmt.Errorf("task %q: %w", a.Task, err)
	}
	if err := r.killRest(a); err != nil {
		return err
	}
	a.Rebooted = a.Runner.BootID != r.bootID
	return r.recordLoss(ctx, a, lossText(a, r.bootID))
}

// lossText returns the error text of an attempt without a runner. It agrees with the
// reason that the database records.
func lossText(a db.Active, boot string) string {
	what, why := job.Lost, "its runner died"
	if a.Cancelled {
		what = job.Cancelled
	}
	if a.Runner.BootID != boot {
		why = "the machine was restarted"
	}
	return fmt.Sprintf("%s: %s; the command may have run in part", what, why)
}

// killRest kills the remaining processes of an attempt whose runner is dead. If the
// runner is alive after all, because the file with its lock was removed, it is killed
// too, before it can start the command. As long as a process of the attempt cannot be
// killed, the attempt stays running, so that nothing else of its job starts, and its
// row says why.
func (r *recovery) killRest(a db.Active) error {
	mark := process.Mark{
		Setting: runner.Mark(a.Token), Args: runner.MarkArgs(a.Runner.Lock),
	}
	same := a.Runner.Namespace == 0 || a.Runner.Namespace == r.namespace
	if a.Runner.BootID == r.bootID && same { // otherwise the PID belongs to another process
		mark.Session, mark.SessionStart = a.Runner.PID, a.Runner.PIDStart
	}
	// The kernel may take a moment to end a large process. Attempts that have not ended
	// by then are checked again later; the others must not wait for them.
	patience := 5 * time.Second
	if _, again := r.stuck[a.Token]; again {
		patience = 100 * time.Millisecond
	}
	failpoint.Hit("reap.before_sweep")
	killed, err := process.KillMarked(mark, patience)
	failpoint.Hit("reap.after_sweep")
	if err != nil {
		return fmt.Errorf("task %q of job %q: %w", a.Task, a.Job, err)
	}
	if killed > 0 {
		r.log.Warn("ended what a dead runner left behind", "job", a.Job, "task", a.Task, "processes", killed)
	}
	return nil
}

// noteStuck records, once in the log and in the attempt's row, why a lost attempt stays
// running.
func (r *recovery) noteStuck(ctx context.Context, a db.Active, why error) {
	text := runner.StuckText(process.Survivors(why))
	if unseen := new(unseenError); errors.As(why, &unseen) {
		text = unseen.stuckText()
	}
	if text != "" && r.stuck[a.Token] == text {
		return
	}
	r.log.Error("cannot end a lost attempt", "job", a.Job, "task", a.Task, "attempt", a.Number, "error", why)
	if text == "" {
		return
	}
	r.stuck[a.Token] = text
	if err := r.db.SetStuck(ctx, a.Token, text); err != nil {
		r.log.Error("status cannot say what a task waits for", "job", a.Job, "task", a.Task, "error", err)
	}
}

// recordLoss records the loss, unless the attempt has ended in the meantime.
func (r *recovery) recordLoss(ctx context.Context, a db.Active, why string) error {
	lost, err := r.db.Lose(ctx, a, why)
	if err == nil && lost {
		r.log.Warn("task lost", "job", a.Job, "task", a.Task, "attempt", a.Number, "runner", a.Runner.PID)
	}
	return err
}
