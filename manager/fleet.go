package manager

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/manager/dispatch"
	"github.com/air-executor/air-executor/runner"
	"github.com/air-executor/air-executor/runner/process"
)

// fleet holds the processes of this manager's runners. The dispatcher knows what they
// are doing.
type fleet struct {
	exe     string
	setup   runner.Setup
	self    db.Runner
	stderr  *os.File // where they write their log
	runners map[dispatch.ID]*runner.Process
	events  chan runnerEvent
}

// runnerEvent is an event of a runner.
type runnerEvent struct {
	runner *runner.Process
	what   runner.Event
}

func newFleet(exe string, s runner.Setup, self db.Runner, stderr *os.File) fleet {
	return fleet{exe, s, self, stderr, map[dispatch.ID]*runner.Process{}, make(chan runnerEvent, 64)}
}

func id(r *runner.Process) dispatch.ID { return dispatch.ID(r.Lock) }

// spawn starts a runner.
func (f *fleet) spawn() (*runner.Process, error) {
	r, err := runner.Spawn(f.exe, f.setup, f.self, f.stderr, func(p *runner.Process, what runner.Event) {
		f.events <- runnerEvent{p, what}
	})
	if err == nil {
		f.runners[id(r)] = r
	}
	return r, err
}

// these returns the runners with these ids.
func (f *fleet) these(ids []dispatch.ID) []*runner.Process {
	out := make([]*runner.Process, len(ids))
	for i, id := range ids {
		out[i] = f.runners[id]
	}
	return out
}

// isInit reports whether this is process 1, as in a container: the kernel hands it all
// orphans and, when it exits, kills everything that is left.
func isInit() bool { return os.Getpid() == 1 }

// reap collects the orphans that the kernel hands to process 1.
func (f *fleet) reap() {
	if !isInit() {
		return
	}
	ours := map[int]bool{}
	for _, r := range f.runners {
		ours[r.PID] = true // its exit is awaited elsewhere
	}
	process.ReapOrphans(func(pid int) bool { return !ours[pid] })
}

// endsAtOnce describes why runners keep exiting before they have a task; this is the
// latest of them.
func endsAtOnce(r *runner.Process, ready bool) error {
	words := r.LastWords()
	switch {
	case words != "":
		return errors.New(words)
	case ready:
		return fmt.Errorf("each ends while it waits for its task (%s)", r.Ended)
	case strings.HasPrefix(r.Ended, "signal: "):
		return fmt.Errorf("each is ended by a signal as soon as it has started (%s)", r.Ended)
	}
	return fmt.Errorf("each ends at once (%s); a limit of this user (ulimit -u, -v, -n) may be too low", r.Ended)
}
