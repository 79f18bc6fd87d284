package manager

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/internal/failpoint"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/runner"
	"github.com/air-executor/air-executor/runner/process"
)

// recover goes through the attempts that are under way according to their rows. Those
// whose runner is gone are lost. Those of other managers' runners are counted, and so
// are those of runners of this manager that are not known to have a task.
func (m *Manager) recover(ctx context.Context) error {
	active, err := m.db.Active(ctx)
	if err != nil {
		return err
	}
	// Runners hold their locks in the file that had the name when they started.
	if err := m.replaced(); err != nil {
		return err
	}
	counted := map[int64]bool{} // among those that have a task, or are about to
	for p, where := range m.pool {
		counted[p.Lock] = where == busy || where == going
	}
	m.adopted, m.elsewhere = 0, 0
	for _, a := range active {
		alive := true
		if !m.told(ctx) { // else it is counted, and looked at later
			if alive, err = m.alive(a); err != nil {
				return err
			}
		}
		if !alive {
			err := m.lose(ctx, a)
			if err == nil {
				delete(m.stuck, a.Token)
				delete(m.unseen, a.Token)
				continue
			}
			m.unseen[a.Token] = errors.As(err, new(*unseenError))
			m.noteStuck(ctx, a, err) // it keeps its place, and the others can proceed
		}
		if !counted[a.Runner.Lock] {
			m.adopted++
			if m.unseen[a.Token] {
				m.elsewhere++
			}
		}
	}
	return nil
}

// alive reports whether the runner of an attempt is alive. After a restart of the
// machine it cannot be; otherwise its kernel lock tells.
func (m *Manager) alive(a db.Active) (bool, error) {
	if a.Runner.BootID != m.setup.BootID {
		return false, nil
	}
	return m.prober.Held(a.Runner.Lock)
}

// lose ends an attempt whose runner is gone: first it kills what is left of the
// command, then it updates the row.
func (m *Manager) lose(ctx context.Context, a db.Active) error {
	if err := m.seen(a); err != nil {
		return fmt.Errorf("task %q: %w", a.Task, err)
	}
	if err := m.killRest(a); err != nil {
		return err
	}
	return m.recordLoss(ctx, a, lossText(a, m.setup.BootID))
}

// lossText says why an attempt without a runner has ended, in agreement with the
// reason that the database gives it.
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

// killRest kills the processes of an attempt that has no runner any more. If
// the runner is alive after all, because the file with its lock was removed, it is
// killed too, before it can start the command. While a process of the attempt
// cannot be killed, the attempt stays under way, so that nothing else of its job
// starts, and its row says why.
func (m *Manager) killRest(a db.Active) error {
	mark := process.Mark{
		Setting: runner.Mark(a.Token), Args: runner.MarkArgs(a.Runner.Lock),
	}
	same := a.Runner.Namespace == 0 || a.Runner.Namespace == m.self.Namespace
	if a.Runner.BootID == m.setup.BootID && same { // elsewhere the number names another
		mark.Session, mark.SessionStart = a.Runner.PID, a.Runner.PIDStart
	}
	// The kernel may take a moment to end a large process. What has not ended by
	// then is checked again later; other attempts must not wait for it.
	patience := 5 * time.Second
	if _, again := m.stuck[a.Token]; again {
		patience = 100 * time.Millisecond
	}
	failpoint.Hit("reap.before_sweep")
	killed, err := process.KillMarked(mark, patience)
	failpoint.Hit("reap.after_sweep")
	if err != nil {
		return fmt.Errorf("task %q of job %q: %w", a.Task, a.Job, err)
	}
	if killed > 0 {
		m.log.Warn("ended what a dead runner left behind", "job", a.Job, "task", a.Task, "processes", killed)
	}
	return nil
}

// noteStuck says once in the log, and in the row of the attempt, why a lost
// attempt stays under way.
func (m *Manager) noteStuck(ctx context.Context, a db.Active, why error) {
	text := runner.StuckText(process.Survivors(why))
	if unseen := new(unseenError); errors.As(why, &unseen) {
		text = unseen.stuckText()
	}
	if text != "" && m.stuck[a.Token] == text {
		return
	}
	m.log.Error("cannot end a lost attempt", "job", a.Job, "task", a.Task, "attempt", a.Number, "error", why)
	if text == "" {
		return
	}
	m.stuck[a.Token] = text
	if err := m.db.SetStuck(ctx, a.Token, text); err != nil {
		m.log.Error("status cannot say what a task waits for", "job", a.Job, "task", a.Task, "error", err)
	}
}

// recordLoss records the loss, unless the attempt has ended otherwise meanwhile.
func (m *Manager) recordLoss(ctx context.Context, a db.Active, why string) error {
	lost, err := m.db.Lose(ctx, a, why)
	if err == nil && lost {
		m.log.Warn("task lost", "job", a.Job, "task", a.Task, "attempt", a.Number, "runner", a.Runner.PID)
	}
	return err
}
