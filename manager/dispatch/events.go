package dispatch

import "time"

// Event is something that has happened: one of the types below.
type Event interface{ happen(*Dispatcher) }

// Woken says that there may be work: at the start, and after a wake-up.
type Woken struct{}

// Tick comes every second, and Poll every poll_interval. Both make up for lost
// messages.
type (
	Tick struct{}
	Poll struct{}
)

// Due comes when the time of [Dispatcher.Next] is reached.
type Due struct{}

// Started says that a runner was started, in answer to [Start].
type Started struct{ Runner ID }

// NotStarted says that one could not be started.
type NotStarted struct{}

// Ready says that a runner is waiting for its task.
type Ready struct{ Runner ID }

// Finished says that a runner has recorded the result of its task, and is about to
// exit.
type Finished struct {
	Runner ID
	More   bool // its job has another ready task
}

// Exited says that the process of a runner has ended.
type Exited struct{ Runner ID }

// Counted answers [Count].
type Counted struct {
	Ready  int
	Due    time.Time // the first time that a task waits for; zero: none does
	Failed bool      // the answer is unknown
}

// Parked answers [CountParked].
type Parked struct {
	Attempts int
	Failed   bool // the answer is unknown
}

// Claimed answers [Claim], some time later.
type Claimed struct {
	Runners  []ID
	HasTask  map[ID]bool
	HoldNone map[ID]bool // runners without their lock: they are dead
	Unknown  bool        // whether anything was claimed is unknown
	Failed   bool        // with an error
	GivenUp  bool        // with an error, because the manager is stopping
}

// Attempt is an attempt that is running according to its row.
type Attempt struct {
	Runner    ID
	Elsewhere bool // lost, but this manager cannot end it: its processes are out of sight, or the database is damaged
}

// Looked answers [Look], some time later.
type Looked struct {
	Attempts []Attempt // the running attempts, after lost ones have been ended
	Parked   int       // how many attempts are still parked, if Freed
	Freed    bool      // places were taken back
	Failed   bool      // the answer is unknown
}

// LetGone answers [LetGo], some time later.
type LetGone struct {
	Holds  int       // so many have ended
	Due    time.Time // the first time that is left; zero: none is
	Failed bool      // nobody knows
}

// Stop says that the manager is to stop, or to stop in another way.
type Stop struct{ Leave bool } // do not wait for what runs

// Release says that the manager is about to exit: no runner will get another task.
type Release struct{}

// Order is something to be done: one of the types below.
type Order interface{ order() }

// Count asks how many jobs have a task to claim, counting up to Limit.
type Count struct{ Limit int }

// CountParked asks how many attempts are parked: their commands are waiting for other
// tasks, so they do not occupy their places.
type CountParked struct{}

// Start asks for this many new runners.
type Start struct{ Runners int }

// Claim asks for a task for each of these runners.
type Claim struct{ Runners []ID }

// Assign hands a runner the task that was claimed for it.
type Assign struct{ Runner ID }

// Dismiss tells a runner to exit after its current task, if any.
type Dismiss struct{ Runner ID }

// Look asks for lost attempts to be ended and recorded, and then for the attempts that
// are still running.
type Look struct {
	Parked bool // some are parked: also take back the places of those whose waiting command has died
}

// LetGo asks to let go of the tasks whose time has come.
type LetGo struct{}

// Warn asks for a log line about a runner that has exited too early.
type Warn struct {
	Runner  ID
	HadTask bool
}

// Blame asks to report that no task can start because runners exit too early; this is
// the latest of them.
type Blame struct {
	Runner   ID
	WasReady bool
}

func (Count) order()       {}
func (CountParked) order() {}
func (Start) order()       {}
func (Claim) order()       {}
func (Assign) order()      {}
func (Dismiss) order()     {}
func (Look) order()        {}
func (LetGo) order()       {}
func (Warn) order()        {}
func (Blame) order()       {}
