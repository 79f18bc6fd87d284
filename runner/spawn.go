package runner

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/internal/failpoint"
	"github.com/air-executor/air-executor/lock"
	"github.com/air-executor/air-executor/runner/process"
)

// LocksName is the file in the base path where runners hold their locks.
const LocksName = db.LocksName

// Argument is the command line argument that makes the program a runner.
const Argument = "run-task"

// MarkArgs are arguments that only the runner with this lock was started with.
func MarkArgs(lock int64) []string { return []string{Argument, lockArg(lock)} }

// Event is something that a runner reports to its manager.
type Event int

// The events. Ready is the first event of a runner that could start, Exited the last of
// every runner. In between come More or Last, if it recorded a result.
const (
	Ready Event = iota // a task may be claimed for it
	More               // the result is recorded; its job has another ready task
	Last               // the result is recorded; its job has no other
	Exited
)

// Process is a runner as seen by its manager.
type Process struct {
	db.Runner // as the rows of its attempts name it
	Spawned   time.Time
	// Ended is how the process ended, such as "signal: killed". It is set before Exited
	// is reported, and empty if it could not be found out.
	Ended string

	link  *os.File
	sent  chan struct{} // closed when its task is sent; nil: it has none
	words *lastWords    // what it writes before it is ready
}

// Slack is how late the timers of runners and managers may fire: time limits, periodic
// checks.
const Slack = 2 * time.Millisecond

// Spawn starts a runner. The program is exe, its log goes to stderr, and self holds the
// columns of its attempts' rows that are not about its process. Its events are passed
// to report, from another goroutine, one at a time.
func Spawn(exe string, s Setup, self db.Runner, stderr *os.File, report func(*Process, Event)) (*Process, error) {
	s.Lock = rand.Int64N(1 << 62)
	held, err := lock.Hold(filepath.Join(s.BasePath, LocksName), s.Lock)
	if err != nil {
		return nil, fmt.Errorf("runner lock: %w", err)
	}
	// The runner has inherited the lock; our copy must not outlive it.
	defer held.Close()
	failpoint.Hit("spawn.after_lock")
	ours, theirs, err := linkPair()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		ours.Close()
		return nil, err
	}
	defer null.Close()
	words, mouth, err := newLastWords()
	if err != nil {
		ours.Close()
		return nil, err
	}
	defer mouth.Close()
	var env []string
	env, s.tuned = tune(os.Environ())
	var proc *os.Process
	process.WithSlack(failpoint.Haste(Slack), func() {
		proc, err = os.StartProcess(exe, append([]string{"air-executor"}, s.args()...), &os.ProcAttr{
			Dir:   "/",
			Env:   env,
			Files: []*os.File{null, stderr, mouth, held, theirs, stderr},
			Sys:   &syscall.SysProcAttr{Setsid: true},
		})
	})
	if err != nil {
		ours.Close()
		words.close()
		return nil, fmt.Errorf("start runner: %w", err)
	}
	failpoint.Hit("spawn.after_fork")
	p := &Process{link: ours, Runner: self, Spawned: time.Now(), words: words}
	p.Lock, p.PID = s.Lock, proc.Pid
	if p.PIDStart, err = process.StartTime(proc.Pid); err != nil {
		ours.Close() // the runner exits
		words.close()
		go proc.Wait()
		return nil, fmt.Errorf("start time of a runner: %w", err)
	}
	go p.listen(proc, report)
	return p, nil
}

// linkPair returns two connected sockets; the first is for this process.
func linkPair() (ours, theirs *os.File, err error) {
	syscall.ForkLock.RLock()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err == nil {
		unix.CloseOnExec(fds[0])
		unix.CloseOnExec(fds[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, fmt.Errorf("link: %w", err)
	}
	if err := unix.SetNonblock(fds[0], true); err != nil {
		unix.Close(fds[0])
		unix.Close(fds[1])
		return nil, nil, fmt.Errorf("link: %w", err)
	}
	return os.NewFile(uintptr(fds[0]), "link"), os.NewFile(uintptr(fds[1]), "link"), nil
}

// listen reports the runner's messages, and then its exit.
func (p *Process) listen(proc *os.Process, report func(*Process, Event)) {
	var b [1]byte
	for {
		n, err := p.link.Read(b[:])
		if err != nil || n == 0 {
			break
		}
		if e, ok := said(b[0]).event(); ok {
			p.words.close()
			report(p, e)
		}
	}
	if state, err := proc.Wait(); err == nil {
		p.Ended = state.String() // on error it stays empty: the recorded result matters more
	}
	p.words.read()
	p.link.Close()
	report(p, Exited)
}

// Assign sends the runner the task that was claimed for it, without waiting until it is
// read. Errors are ignored: a dead runner is noticed by its free lock.
func (p *Process) Assign(a *db.Assignment) {
	p.sent = make(chan struct{})
	go func() {
		defer close(p.sent)
		_, _ = p.link.Write(packet(a))
	}()
}

// Dismiss tells the runner to exit after its current task, if any.
func (p *Process) Dismiss() {
	if p.sent == nil {
		_, _ = p.link.Write(none) // small enough to fit into the buffer
		p.endLink()
		return
	}
	go func() {
		<-p.sent
		p.endLink()
	}()
}

// endLink lets the runner read what was sent, followed by end of file.
func (p *Process) endLink() {
	raw, err := p.link.SyscallConn()
	if err != nil {
		return // closed: the runner has exited
	}
	_ = raw.Control(func(fd uintptr) { _ = unix.Shutdown(int(fd), unix.SHUT_WR) })
}
