package job

// RunIf says which ends of the tasks that a task depends on let it run.
type RunIf string

// The conditions. Each but RunOnSuccess waits until all tasks that are needed have
// ended, in whatever way, or can never run because something that they need has
// failed.
const (
	RunOnSuccess RunIf = "success" // all have completed
	RunOnFailure RunIf = "failure" // at least one has failed, or can never run; else the task is skipped
	RunAlways    RunIf = "always"  // whatever the ends
)

// RunIfs lists every condition.
var RunIfs = []RunIf{RunOnSuccess, RunOnFailure, RunAlways}

// Any reports whether whatever end of a dependency lets go of the task.
func (r RunIf) Any() bool { return r == RunOnFailure || r == RunAlways }
