package process

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// run follows one command from its start until nothing of it is left. One loop waits in
// poll(2) for its output, its exit and the clock.
type run struct {
	c     Command
	e     Exit
	drain drain
	// theirs is the write end of the pipe, for the command. Our copy of it stays open,
	// so that the pipe never reaches end of file, which would only be one more thing to
	// handle.
	theirs  *os.File
	wake    wake
	reaper  reaper
	tree    tree
	ends    int // readable when the command has exited; -1: it has exited, or the system has no such descriptor
	cancel  <-chan struct{}
	cancels atomic.Bool
	gone    chan struct{} // closed when no process is left
	helpers sync.WaitGroup
	fds     [3]unix.PollFd

	settleAt      time.Time // when to start the helpers; zero: they are running
	warnAt, endAt time.Time // zero: never
	frost         frost     // while the clock of these two stands still
	ending        time.Time // when the tree was first asked to end; zero: not yet
	killing       time.Time // when the tree was first sent SIGKILL; zero: not yet
	lookAt        time.Time // when to look next for processes that are left
	pause         time.Duration
	stuck         []Survivor // as last reported
}

func newRun(c Command) (*run, error) {
	r := &run{c: c, ends: -1, gone: make(chan struct{})}
	var err error
	if r.wake, err = newWake(); err != nil {
		return nil, fmt.Errorf("wake: %w", err)
	}
	var pipe int
	if pipe, r.theirs, err = newPipe(); err != nil {
		r.wake.close()
		return nil, fmt.Errorf("pipe for the output: %w", err)
	}
	r.drain = newDrain(pipe, c.Output, c.MaxOutput)
	return r, nil
}

func (r *run) close() {
	r.theirs.Close()
	r.drain.close()
	r.wake.close()
	if r.ends >= 0 {
		unix.Close(r.ends)
	}
}

// settled is how long a command runs before other goroutines are started to reap its
// orphans and to watch for a cancel. Most commands exit before that, and need only one
// thread, which waits in poll(2): a second thread costs more than everything else here.
const settled = 50 * time.Millisecond

// follow returns when no process of the command is left.
func (r *run) follow(pid int, cancel <-chan struct{}) Exit {
	now := time.Now()
	r.setTimes(now)
	r.tree = newTree(pid)
	r.reaper.leader, r.reaper.tell = pid, r.wake.poke
	r.cancel, r.settleAt = cancel, now.Add(settled)
	r.ends = notice(pid)
	if r.ends < 0 {
		r.settle()
	}
	for !r.over() {
		r.act(time.Now())
		r.wait()
	}
	close(r.gone)
	r.helpers.Wait()
	r.drain.rest()
	if len(r.stuck) > 0 {
		r.tellStuck(nil)
	}
	return r.exit()
}

// settle starts the goroutines besides the loop.
func (r *run) settle() {
	if r.settleAt.IsZero() {
		return
	}
	r.settleAt = time.Time{}
	if c := r.c.Control; c != nil {
		c.mu.Lock()
		c.poke = r.wake.poke
		c.mu.Unlock()
	}
	r.helpers.Go(r.reaper.run)
	if r.c.Beside != nil {
		r.helpers.Go(func() { r.c.Beside(r.gone) })
	}
	if r.cancel != nil {
		r.helpers.Go(func() {
			select {
			case <-r.cancel:
				r.cancels.Store(true)
				r.wake.poke()
			case <-r.gone:
			}
		})
	}
}

// collect records the exit of the command.
func (r *run) collect() {
	unix.Close(r.ends)
	r.ends = -1
	if !r.settleAt.IsZero() && !r.reaper.try() {
		r.settle() // it has left processes behind
	}
}

// over reports whether no process of the command is left.
func (r *run) over() bool {
	_, childless := r.reaper.news()
	return childless && !r.tree.lives()
}

// exit returns how the command ended.
func (r *run) exit() Exit {
	if err := r.reaper.err; err != nil {
		return Exit{StartErr: fmt.Errorf("wait for the command: %w", err)}
	}
	if ws := r.reaper.status; ws.Signaled() {
		r.e.Signal = ws.Signal()
	} else {
		r.e.Code = ws.ExitStatus()
	}
	if r.drain.tooMuch && !r.e.TimedOut && !r.e.Cancelled {
		r.e.TooMuch = true // it exited before it could be ended for that
	}
	r.e.Lost, r.e.LostErr = r.drain.lost, r.drain.lostErr
	use := &r.reaper.use
	r.e.User, r.e.System, r.e.MaxRSS = use.User, use.System, use.MaxRSS
	return r.e
}

// If the time limit is long enough, the log is warned a minute before it, or a tenth of
// the limit if that is less.
const (
	warnFrom = 2 * time.Minute
	warnMost = time.Minute
)

// setTimes sets when the time limit is reached, and when to warn of it.
func (r *run) setTimes(now time.Time) {
	const forever = 100 * 365 * 24 * time.Hour // adding more could overflow
	if r.c.Timeout > forever {
		return
	}
	r.endAt = now.Add(r.c.Timeout)
	if r.c.Warn != nil && r.c.Timeout >= warnFrom {
		r.warnAt = r.endAt.Add(-min(warnMost, r.c.Timeout/10))
	}
}

// wait waits until there is something to do, and moves the output that has come. It
// allocates nothing.
func (r *run) wait() {
	r.fds[0] = unix.PollFd{Fd: int32(r.wake.fd()), Events: unix.POLLIN}
	r.fds[1] = unix.PollFd{Fd: int32(r.drain.pipe), Events: unix.POLLIN} // ignored if below 0
	r.fds[2] = unix.PollFd{Fd: int32(r.ends), Events: unix.POLLIN}
	if _, err := unix.Poll(r.fds[:], r.patience()); err != nil {
		return // EINTR
	}
	if r.fds[1].Revents != 0 {
		r.drain.step(chunk)
	}
	if r.fds[0].Revents != 0 {
		r.wake.clear()
	}
	if r.fds[2].Revents != 0 {
		r.collect()
	}
}

// patience returns the time until something is due, in milliseconds; -1: never.
func (r *run) patience() int {
	var next time.Time
	for _, t := range []time.Time{r.warnAt, r.endAt, r.lookAt, r.settleAt} {
		if !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	if next.IsZero() {
		return -1
	}
	const most = 24 * time.Hour // the kernel counts in 32 bits
	left := min(max(time.Until(next), 0), most)
	return int((left + time.Millisecond - 1) / time.Millisecond)
}

// act does what is due now.
func (r *run) act(now time.Time) {
	if !r.settleAt.IsZero() && !now.Before(r.settleAt) {
		r.settle()
	}
	r.obey(now)
	ended, _ := r.reaper.news()
	if r.ending.IsZero() && (ended || r.mustEnd(now)) {
		r.thaw(now) // a stopped process takes no signal but SIGKILL
		r.warnAt, r.endAt = time.Time{}, time.Time{}
		if r.over() {
			return
		}
		r.ending, r.lookAt, r.pause = now, now, firstPause
	}
	if !r.lookAt.IsZero() && !now.Before(r.lookAt) {
		r.look(now, ended)
	}
}

// mustEnd reports whether there is a reason to end the command, and records the reason.
func (r *run) mustEnd(now time.Time) bool {
	switch {
	case r.cancels.Load():
		r.e.Cancelled = true
	case r.drain.tooMuch:
		r.e.TooMuch = true
	case !r.endAt.IsZero() && !now.Before(r.endAt):
		r.e.TimedOut = true
	default:
		if !r.warnAt.IsZero() && !now.Before(r.warnAt) {
			r.warnAt = time.Time{}
			r.c.Warn(r.endAt.Sub(now))
		}
		return false
	}
	return true
}

// How often to look for remaining or new processes while a tree is ending. No look is
// needed to notice that it is gone.
const (
	firstPause = 5 * time.Millisecond
	mostPause  = 250 * time.Millisecond
	stuckPause = time.Second
	thrift     = 20 // pauses are this many times longer than looks
)

// look signals what is left of the tree: SIGTERM once to each process, and SIGKILL when
// the grace period is over. Processes that a process starts after its SIGTERM, to clean
// up, get SIGTERM when half of the grace period is over.
func (r *run) look(now time.Time, ended bool) {
	sig, killAt := unix.SIGTERM, r.ending.Add(r.c.Grace)
	if !now.Before(killAt) {
		sig = unix.SIGKILL
		if r.killing.IsZero() {
			r.killing, r.pause = now, firstPause
		}
	}
	n, left := r.tree.signal(sig, now.Before(r.ending.Add(r.c.Grace/2)))
	if ended && !r.e.TimedOut && !r.e.Cancelled && !r.e.TooMuch {
		r.e.Leftover = max(r.e.Leftover, n)
	}
	most := mostPause
	if sig == unix.SIGKILL {
		if r.lookStuck(now, left) {
			most = stuckPause
		}
	}
	end := time.Now()
	r.lookAt = end.Add(max(r.pause, thrift*end.Sub(now)))
	for _, t := range []time.Time{r.ending.Add(r.c.Grace / 2), killAt} {
		if now.Before(t) && r.lookAt.After(t) {
			r.lookAt = t
		}
	}
	r.pause = min(2*r.pause, most)
}

// lookStuck finds out which processes do not end, and reports whether there
// are any. The kernel may take a moment to end a large process.
func (r *run) lookStuck(now time.Time, left []stat) bool {
	const moment = 2 * time.Second
	var out []Survivor
	for _, s := range left {
		if s.refused || now.Sub(r.killing) > moment {
			out = append(out, s.survivor())
		}
	}
	if !slices.Equal(out, r.stuck) {
		r.tellStuck(out)
	}
	return len(out) > 0
}

func (r *run) tellStuck(s []Survivor) {
	r.stuck = s
	if len(s) > 0 {
		r.e.Waited = Names(s)
	}
	if r.c.Stuck != nil {
		r.c.Stuck(s)
	}
}

// Survivor is a process that does not end although it was sent SIGKILL.
type Survivor struct {
	PID     int
	Name    string // of its program, as ps(1) shows it
	User    string // owner of the process
	Refused bool   // this process may not signal it; otherwise it hangs in the kernel
}

// String describes the process for messages.
func (s Survivor) String() string { return fmt.Sprintf("PID %d (%s, %s)", s.PID, s.Name, s.User) }

// Names lists a few of the processes for messages.
func Names(list []Survivor) string {
	const few = 3
	text := ""
	for i, s := range list {
		switch {
		case i == few:
			return fmt.Sprintf("%s and %d more", text, len(list)-few)
		case i > 0:
			text += ", "
		}
		text += s.String()
	}
	return text
}

// Mark identifies the processes of a tree whose runner is dead.
type Mark struct {
	Setting string   // "KEY=VALUE", in their environment
	Args    []string // the runner was started with all of these; none: do not check arguments
	// Session is the PID of the runner, which led a session, and SessionStart its start
	// time (see StartTime). They identify processes whose environment this process may
	// not read. 0: no session.
	Session      int
	SessionStart int64
}

// SurvivorsError says which processes could not be killed.
type SurvivorsError struct{ List []Survivor }

// Error names the processes.
func (e *SurvivorsError) Error() string {
	return Names(e.List) + " cannot be ended"
}

// Survivors returns the processes in a SurvivorsError; nil: err is none.
func Survivors(err error) []Survivor {
	var e *SurvivorsError
	if errors.As(err, &e) {
		return e.List
	}
	return nil
}
