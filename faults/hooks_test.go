//go:build failpoints

package faults

import (
	"os"
	"strings"
	"testing"
)

// hookPoints are where a process is killed between the end of a task and that of its
// hook, and what the hook is told of the task then.
var hookPoints = []struct{ name, points, who, last, want string }{
	{"runner, before it records", "runner.before_finish:kill", runner, "runner.before_finish", "lost"},
	{"runner, before the commit", "hook.after_insert:kill", runner, "hook.after_insert", "lost"},
	{"runner, after the commit", "hook.after_commit:kill", runner, "hook.after_commit", "exited"},
	{"runner, before it leaves", "runner.after_finish:kill", runner, "runner.after_finish", "exited"},
	{"manager, before it looks for processes", "runner.after_exec:kill,reap.before_sweep:kill", manager, "reap.before_sweep", "lost"},
	{"manager, before it records the loss", "runner.after_exec:kill,reap.after_sweep:kill", manager, "reap.after_sweep", "lost"},
	{"manager, before the commit of the loss", "runner.after_exec:kill,hook.after_insert:kill", manager, "hook.after_insert", "lost"},
	{"manager, after the commit of the loss", "runner.after_exec:kill,hook.after_commit:kill", manager, "hook.after_commit", "lost"},
	{"manager, before it claims the hook", "claim.before_commit:kill@2", manager, "claim.before_commit", "exited"},
	{"manager, after it has claimed the hook", "claim.after_commit:kill@2", manager, "claim.after_commit", "exited"},
}

// However a runner or a manager is killed between the end of a task and its hook, the
// hook runs once.
func TestAHookRunsOnceWhoeverIsKilled(t *testing.T) {
	t.Parallel()
	for _, c := range hookPoints {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.run(0, "enqueue", "--job", "one", "--id", "1", "--on-failure", `echo "$AIR_EXECUTOR_HOOK_REASON" >>"$SCRATCH/alarm"`, "--", "sh", "-c", "exit 7")
			w.start(failpoint(c.points)...)
			w.hit(c.last)
			if c.who == manager {
				<-w.manager.ended
				w.start()
			}
			w.until("the hook has run", func() bool {
				return w.sql("SELECT count(*) FROM task t JOIN job j ON j.id = t.job WHERE j.name = 'hooks' AND t.status = 'completed'") == "1"
			})
			if n := w.sql("SELECT count(*) FROM attempt a JOIN job j ON j.id = a.job WHERE j.name = 'hooks'"); n != "1" {
				t.Errorf("the hook has run %s times", n)
			}
			said, err := os.ReadFile(w.scratch + "/alarm")
			if err != nil || strings.TrimSpace(string(said)) != c.want {
				t.Errorf("the hook was told %q, %v, want %q once", said, err, c.want)
			}
		})
	}
}
