// Package job defines the terms of air-executor: jobs, tasks and attempts, the states
// they pass through, and the rules for their names, times and limits. It does no I/O,
// and of our packages imports only internal/words.
package job

import (
	"math"
	"time"
)

// State is the state of a job.
//
//	waiting    nothing has been claimed since the job was created, reopened or reset
//	working    at least one task was claimed, and more can still run
//	completed  nothing is left to run and no task failed
//	failed     nothing is left to run and at least one task failed
//
// Enqueue and reset move a completed or failed job to waiting. The first claim moves it
// from waiting to working, and the end of the last runnable task from working to
// completed or failed. A dismissed failure does not count: dismiss moves a job from
// failed to completed, or to waiting if something depends on the failed task.
type State string

// The four job states.
const (
	StateWaiting   State = "waiting"
	StateWorking   State = "working"
	StateCompleted State = "completed"
	StateFailed    State = "failed"
)

// States lists every job state.
var States = []State{StateWaiting, StateWorking, StateCompleted, StateFailed}

// Ended reports whether the job has nothing left to run.
func (s State) Ended() bool { return s == StateCompleted || s == StateFailed }

// Status is the status of a task.
//
//	pending    waits for its dependencies, its turn or a runner
//	running    an attempt holds it; entered by a claim only
//	completed  its command ended with exit code 0
//	failed     anything else; Reason says what
type Status string

// The four task statuses.
const (
	Pending   Status = "pending"
	Running   Status = "running"
	Completed Status = "completed"
	Failed    Status = "failed"
)

// Statuses lists every task status.
var Statuses = []Status{Pending, Running, Completed, Failed}

// Ended reports whether the task has its result.
func (s Status) Ended() bool { return s == Completed || s == Failed }

// Reason says why a failed task failed. It is empty for tasks with any other status.
type Reason string

// The reasons for a failure.
const (
	// Exited: the command ended by itself with a non-zero exit code.
	Exited Reason = "exited"
	// Signaled: the command was ended by a signal that air-executor did not send.
	Signaled Reason = "signaled"
	// TimedOut: the command was ended because it reached its time limit.
	TimedOut Reason = "timed_out"
	// Cancelled: a user cancelled the task, before or while it ran.
	Cancelled Reason = "cancelled"
	// Lost: the runner died without recording a result. The command may not have run,
	// may have run partly, or may have finished.
	Lost Reason = "lost"
	// TooMuchOutput: the command was ended because its log grew beyond max_log_size.
	TooMuchOutput Reason = "too_much_output"
	// NotStarted: the command could not be started, for example because the file does
	// not exist.
	NotStarted Reason = "not_started"
	// Imported: the failure was read from a tasks.json that gives no reason.
	Imported Reason = "imported"
	// Skipped: the task was to run if something had failed, and nothing has; or it
	// depends on such a task. It is dismissed at once.
	Skipped Reason = "skipped"
)

// Reasons lists every reason for a failure.
var Reasons = []Reason{Exited, Signaled, TimedOut, Cancelled, Lost, TooMuchOutput, NotStarted, Imported, Skipped}

// Spec is what a user asks for when queueing a task.
type Spec struct {
	ID           string        // unique in its job; empty: the job's next free number
	Command      string        // program: a path, or a name looked up in the task's PATH
	Args         []string      // arguments, without the command itself
	Dependencies []string      // ids of tasks of the same job that must complete first; see RunIf
	AfterAny     []string      // ids of tasks of the same job that must have ended first, in whatever way, or can never run
	RunIf        RunIf         // which ends of its dependencies let it run; empty: RunOnSuccess
	Dir          string        // absolute working directory; empty: the folder that holds the base path
	Env          []string      // "KEY=VALUE" pairs; nil: the environment of the manager
	Priority     int           // higher runs first; 0 is the default
	Timeout      time.Duration // time limit; 0: task_timeout of the configuration; NoTimeout: none
	Pools        []string      // places that it needs while it runs, as NormalPools returns them
	Retries      int           // attempts that may follow a failed one; 0: as its job or the configuration says; NoRetries: none
	Retry        Retry         // how they follow
	Due          time.Time     // it does not start before; zero: at once
	DueNote      string        // what is odd about Due, for whoever queues the task; it is not stored
	Delay        time.Duration // it does not start before so much time has passed since it was queued, instead of Due; 0: at once
	Extra        []byte        // JSON object of keys that belong to other tools; nil: none
	Labels       []string      // "KEY=VALUE" pairs, sorted by key; nil: none
	Unique       string        // while a task of the job has this key, it is not queued; empty: it has none
	UniqueFor    UniqueFor     // how long it has it
	Hooks        Hooks         // what runs when it has ended
}

// NoTimeout is the Timeout of a task that may run forever. It is a whole number of
// microseconds, as the database stores it, and so long (292 years) that a program that
// does not know it also treats it correctly.
const NoTimeout = time.Duration(math.MaxInt64 / 1000 * 1000)

// TimeoutText formats a time limit for messages: "none" for NoTimeout.
func TimeoutText(d time.Duration) string {
	if d >= NoTimeout {
		return "none"
	}
	return d.String()
}

// Job is a named queue of tasks with its counters.
type Job struct {
	UUID      string // identity of the job in state.json
	Name      string
	State     State
	Tasks     Counts
	Blocked   int // pending tasks that are waiting for a dependency
	CreatedAt time.Time
	UpdatedAt time.Time

	RetryHolds *bool     // whether its other tasks wait while one waits for its retry; nil: they do
	Parallel   int       // how many of its tasks may run at once; 0: one
	Priority   int       // added to that of each of its tasks
	Defaults   []byte    // JSON object of task keys: what its tasks are queued with; nil: nothing
	PausedAt   time.Time // since when none of its tasks may start; zero: it is not paused
	Hooks      Hooks     // what runs when the job has ended

	Extra  []byte   // JSON object of state.json keys that belong to other tools; nil: none
	Labels []string // "KEY=VALUE" pairs, sorted by key; nil: none
}

// Counts says how many tasks of a job are in each status. Dismissed failures are
// counted separately.
type Counts struct {
	Pending, Running, Completed, Failed, Dismissed int
}

// Total is the number of tasks in any status.
func (c Counts) Total() int { return c.Pending + c.Running + c.Completed + c.Failed + c.Dismissed }

// Task is a task as it is stored, with the outcome of its latest attempt.
type Task struct {
	Spec
	Job         string
	Status      Status
	Reason      Reason // only when Status is Failed
	Parent      string // id of the task that queued this one, if it is of the same job; else empty
	Place       int64  // order among tasks of the same priority, lower first; those of the same place by age
	Attempts    int    // number of attempts started
	Tries       int    // failed attempts that count against Retries, since it was queued or reset
	ExitCode    *int   // nil: the command did not exit by itself, or is not done
	Signal      string // name of the signal that ended the command; empty: none
	Error       string // what went wrong, for messages; empty: nothing
	Stuck       string // why a running task does not end although it should, for messages; empty: it is not stuck
	CreatedAt   time.Time
	StartedAt   time.Time // start of the latest attempt; zero: none
	CompletedAt time.Time // end of the latest attempt, or of a cancelled task; zero: not ended
	DismissedAt time.Time // when the failure was dismissed; zero: it counts
}

// Attempt is one run of a task by one runner.
type Attempt struct {
	Job, Task  string
	Number     int // 1 for the first attempt
	Status     Status
	Reason     Reason
	ExitCode   *int
	Signal     string
	Error      string
	StartedAt  time.Time
	EndedAt    time.Time // zero: still running
	RunnerPID  int
	UserTime   time.Duration // CPU time in user mode of the command and its children
	SystemTime time.Duration // CPU time in the kernel of the command and its children
	MaxRSS     int64         // peak memory of the largest process of the command, bytes
}

// Result is what a runner records at the end of an attempt.
type Result struct {
	Status     Status // Completed or Failed
	Reason     Reason
	ExitCode   *int
	Signal     string
	Error      string
	UserTime   time.Duration
	SystemTime time.Duration
	MaxRSS     int64 // bytes
}
