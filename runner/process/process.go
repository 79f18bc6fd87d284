// Package process runs one command to its end, and makes sure that none of its
// processes is left. It deals with processes, groups and signals, and does not know the
// database.
package process

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/air-executor/air-executor/internal/failpoint"
)

// Command says what to run, and with which limits.
type Command struct {
	Name    string   // a path if it contains a slash, else looked up in the PATH of Env
	Args    []string // without the name
	Dir     string   // working directory
	Env     []string // "KEY=VALUE", the whole environment
	Input   *os.File // standard input; nil: /dev/null
	Output  *os.File // receives standard output and standard error; not opened with O_APPEND
	Timeout time.Duration
	Grace   time.Duration // between SIGTERM and SIGKILL, for every process of the tree

	MaxOutput int64 // limit of the output in bytes; 0: none

	// Beside, if not nil, is called in its own goroutine once the command has run for a
	// moment (see settled). It must return when over is closed, which means that
	// nothing of the command is left. Run waits for it to return.
	Beside func(over <-chan struct{})
	// Control, if not nil, is what may be asked of the command in Beside.
	Control *Control
	// Warn, if not nil, is called once, shortly before the timeout.
	Warn func(left time.Duration)
	// Stuck, if not nil, is called when processes do not end although they were sent
	// SIGKILL: with the list of them, again when the list changes, and with an empty
	// list when they have ended.
	Stuck func([]Survivor)
}

// Exit says how a command ended.
type Exit struct {
	StartErr  error          // not nil: the command could not be started; nothing else is set
	Code      int            // exit code, if Signal is 0
	Signal    syscall.Signal // the signal that ended the command; 0: it exited by itself
	Asked     bool           // the caller has sent it that signal, by Control
	TimedOut  bool           // it was ended because of its Timeout
	Cancelled bool           // it was ended because the caller asked for it
	TooMuch   bool           // it was ended because of its MaxOutput
	Leftover  int            // processes that had to be ended after the command had ended by itself
	Waited    string         // processes that could not be killed, and were waited for; empty: none
	Lost      int64          // bytes of output that could not be written
	LostErr   error          // why not; nil: all bytes were written
	User      time.Duration  // CPU time of the command and its descendants
	System    time.Duration
	MaxRSS    int64 // bytes, of the largest single process
}

// Run runs the command in a process group of its own, and returns when it and all its descendants are gone. When the timeout is
// over or cancel is closed, the whole tree gets SIGTERM, and what is left of it after
// the grace period gets SIGKILL. So do descendants that outlive the command itself. If
// the system does not let this process kill one of them, Run waits until it exits. The
// caller must be a subreaper (see [Subreaper]), and must not have other children.
//
// Standard output and standard error are one pipe. Its contents are moved to Output, in
// order, until the last descendant is gone. Output that cannot be written, as on a full
// disk, is dropped and counted, and the command continues.
func Run(c Command, cancel <-chan struct{}) Exit {
	r, err := newRun(c)
	if err != nil {
		return Exit{StartErr: err}
	}
	defer r.close()
	pid, err := start(c, r.theirs)
	if err != nil {
		return Exit{StartErr: err}
	}
	failpoint.Hit("runner.after_exec")
	return r.follow(pid, cancel)
}

// start starts the command and returns its PID, or an error that tells users why it
// could not.
func start(c Command, output *os.File) (pid int, err error) {
	info, err := os.Stat(c.Dir)
	if err != nil {
		return 0, fmt.Errorf("working directory: %w", err)
	}
	if !info.IsDir() {
		return 0, fmt.Errorf("working directory: %s is not a directory", c.Dir)
	}
	path, err := lookPath(c.Name, c.Dir, c.Env)
	if err != nil {
		return 0, err
	}
	in, err := input(c)
	if err != nil {
		return 0, err
	}
	defer in.close()
	CloseOnExec()
	out := output.Fd()
	// Not os.StartProcess: its first call in a process starts another process to test
	// whether the system has pidfds.
	WithSlack(UsualSlack, func() {
		pid, _, err = syscall.StartProcess(path, append([]string{c.Name}, c.Args...), &syscall.ProcAttr{
			Dir:   c.Dir,
			Env:   c.Env,
			Files: []uintptr{in.fd, out, out},
			Sys:   &syscall.SysProcAttr{Setpgid: true},
		})
	})
	runtime.KeepAlive(output)
	runtime.KeepAlive(c.Input)
	switch {
	case errors.Is(err, unix.ENOEXEC):
		return 0, fmt.Errorf("%s: not a program of this machine, and no script with a #! line", path)
	case errors.Is(err, unix.ENOENT):
		return 0, fmt.Errorf("%s: the interpreter that its first line names does not exist", path)
	case errors.Is(err, unix.E2BIG):
		return 0, fmt.Errorf("%s: arguments and environment are larger than the system allows (%w)", path, unix.E2BIG)
	case err != nil:
		return 0, fmt.Errorf("%s: %w", path, err)
	}
	return pid, nil
}
