// Package process runs one command to its end, and makes sure that nothing of
// it is left. It knows processes, groups and signals, and no database.
package process

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/air-executor/air-executor/internal/failpoint"
)

// Command says what to run and under which limits.
type Command struct {
	Name    string   // a path if it contains a slash, else looked up in the PATH of Env
	Args    []string // without the name
	Dir     string   // working directory
	Env     []string // "KEY=VALUE", the whole environment
	Output  *os.File // standard output and standard error
	Timeout time.Duration
	Grace   time.Duration // between SIGTERM and SIGKILL

	MaxOutput int64 // bytes that Output may grow to; 0: any number
}

// Exit says how a command ended.
type Exit struct {
	StartErr  error          // not nil: the command could not be started; nothing else is set
	Code      int            // exit code, if Signal is 0
	Signal    syscall.Signal // that ended the command; 0: it exited by itself
	TimedOut  bool           // it was ended because of its Timeout
	Cancelled bool           // it was ended because the caller asked
	TooMuch   bool           // it was ended because of its MaxOutput
	Leftover  int            // processes that had to be killed after the command had ended
	Stuck     int            // processes that did not even die of SIGKILL
	User      time.Duration  // CPU time of the command and its descendants
	System    time.Duration
	MaxRSS    int64 // bytes, of the largest single process
}

// Run runs the command in a process group of its own, with standard input
// from /dev/null, and returns when it and all its descendants are gone. When
// the timeout is over or cancel is closed, the whole tree gets SIGTERM, and
// after the grace SIGKILL. Descendants that outlive the command itself are
// ended too. The caller must be a subreaper (see [Subreaper]) and have no
// other children.
func Run(c Command, cancel <-chan struct{}) Exit {
	p, err := start(c)
	if err != nil {
		return Exit{StartErr: err}
	}
	failpoint.Hit("runner.after_exec")
	var e Exit
	var watching sync.WaitGroup
	ended := make(chan struct{})
	watching.Go(func() { e.watch(c, p.Pid, cancel, ended) })
	state, err := p.Wait()
	close(ended)
	watching.Wait()
	if err != nil {
		return Exit{StartErr: fmt.Errorf("wait for the command: %w", err)}
	}
	e.read(state)
	grace := time.Second // for what a command that ended by itself has left behind
	if e.TimedOut || e.Cancelled || e.TooMuch {
		grace = 0
	}
	e.sweep(p.Pid, grace)
	return e
}

// watch ends the command if it takes too long, writes too much or is cancelled.
func (e *Exit) watch(c Command, pid int, cancel, ended <-chan struct{}) {
	if !e.mustEnd(c, cancel, ended) {
		return
	}
	signalTree(pid, unix.SIGTERM)
	grace := time.NewTimer(c.Grace)
	defer grace.Stop()
	select {
	case <-ended:
	case <-grace.C:
		signalTree(pid, unix.SIGKILL)
	}
}

// mustEnd waits until the command has ended, or until there is a reason to end
// it, which it notes.
func (e *Exit) mustEnd(c Command, cancel, ended <-chan struct{}) bool {
	timer := time.NewTimer(c.Timeout)
	defer timer.Stop()
	every, size := lookFirst, int64(0)
	look := time.NewTimer(every)
	defer look.Stop()
	for {
		select {
		case <-ended:
			return false
		case <-timer.C:
			e.TimedOut = true
			return true
		case <-cancel:
			e.Cancelled = true
			return true
		case <-look.C:
			info, err := c.Output.Stat()
			if err != nil || c.MaxOutput == 0 {
				continue // not to be watched
			}
			if info.Size() > c.MaxOutput {
				e.TooMuch = true
				return true
			}
			if every = min(2*every, lookMost); info.Size() > size+1<<20 {
				every = lookFirst
			}
			size = info.Size()
			look.Reset(every)
		}
	}
}

// How often to look at the size of the output: often at first and while it
// grows fast, for a command can write a gigabyte in a second.
const (
	lookFirst = 10 * time.Millisecond
	lookMost  = 250 * time.Millisecond
)

// start starts the command, or says in words for its user why it could not.
func start(c Command) (*os.Process, error) {
	info, err := os.Stat(c.Dir)
	if err != nil {
		return nil, fmt.Errorf("working directory: %w", err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("working directory: %s is not a directory", c.Dir)
	}
	path, err := lookPath(c.Name, c.Dir, c.Env)
	if err != nil {
		return nil, err
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	CloseOnExec()
	var p *os.Process
	WithSlack(UsualSlack, func() {
		p, err = os.StartProcess(path, append([]string{c.Name}, c.Args...), &os.ProcAttr{
			Dir:   c.Dir,
			Env:   c.Env,
			Files: []*os.File{null, c.Output, c.Output},
			Sys:   &syscall.SysProcAttr{Setpgid: true},
		})
	})
	switch {
	case errors.Is(err, unix.ENOEXEC):
		return nil, fmt.Errorf("%s: not a program of this machine, and no script with a #! line", path)
	case errors.Is(err, unix.ENOENT):
		return nil, fmt.Errorf("%s: the interpreter that its first line names does not exist", path)
	case errors.Is(err, unix.E2BIG):
		return nil, fmt.Errorf("%s: arguments and environment are larger than the system allows (%w)", path, unix.E2BIG)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", path, errors.Unwrap(err))
	}
	return p, nil
}

// read takes over what the kernel says of the ended command.
func (e *Exit) read(state *os.ProcessState) {
	ws := state.Sys().(syscall.WaitStatus)
	if ws.Signaled() {
		e.Signal = ws.Signal()
	} else {
		e.Code = ws.ExitStatus()
	}
	ru := state.SysUsage().(*syscall.Rusage)
	e.account(ru)
}

// account adds the use of a process and of the descendants that it waited for.
func (e *Exit) account(ru *syscall.Rusage) {
	e.User += time.Duration(ru.Utime.Nano())
	e.System += time.Duration(ru.Stime.Nano())
	e.MaxRSS = max(e.MaxRSS, int64(ru.Maxrss)*maxRSSUnit)
}

// sweep ends what the command has left behind: SIGTERM, and SIGKILL after the
// grace. As all orphaned descendants are children of a subreaper, there is
// nothing left when the kernel says that we have no children.
func (e *Exit) sweep(pgid int, grace time.Duration) {
	const patience = 10 * time.Second // for processes that are stuck in the kernel
	begin := time.Now()
	sig := unix.SIGTERM
	for round := 0; ; round++ {
		if e.reap() {
			return
		}
		if time.Since(begin) > grace {
			sig = unix.SIGKILL
		}
		n := 0
		if round == 0 || sig == unix.SIGKILL {
			n = signalTree(pgid, sig)
		}
		e.Leftover = max(e.Leftover, n)
		if time.Since(begin) > grace+patience {
			e.Stuck = n
			return
		}
		time.Sleep(min(time.Duration(round+1)*time.Millisecond, 20*time.Millisecond))
	}
}

// reap collects children that have ended and reports whether there are none left.
func (e *Exit) reap() bool {
	for {
		var ws syscall.WaitStatus
		var ru syscall.Rusage
		pid, err := syscall.Wait4(-1, &ws, syscall.WNOHANG, &ru)
		switch {
		case err == syscall.EINTR:
		case err != nil:
			return true // ECHILD
		case pid == 0:
			return false
		default:
			e.account(&ru)
		}
	}
}
