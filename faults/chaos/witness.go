//go:build linux

package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/air-executor/air-executor/faults/internal/subject"
)

// witnessWord makes this program the command of a task.
const witnessWord = "witness"

// The files of a round that tasks use, beside the base path.
const (
	witnessName = "witness"
	slotName    = "slot."
	aloneName   = "job."
)

// task is what a command is to do.
type task struct {
	dir      string // of the round
	slots    int
	sleep    time.Duration
	exit     int
	child    bool // leave a process behind, in a session of its own
	stubborn bool // ignore SIGTERM
	hide     bool // let only root look into it
	enqueue  string
}

func (t task) args() []string {
	args := []string{
		witnessWord, "-dir", t.dir, "-slots", strconv.Itoa(t.slots),
		"-sleep", t.sleep.String(), "-exit", strconv.Itoa(t.exit),
	}
	if t.child {
		args = append(args, "-child")
	}
	if t.stubborn {
		args = append(args, "-stubborn")
	}
	if t.hide {
		args = append(args, "-hide")
	}
	if t.enqueue != "" {
		args = append(args, "-enqueue", t.enqueue)
	}
	return args
}

// witnessMain is the life of a command: it says that it begins, does nothing
// for a while, says how it ends, and ends so.
//
// Two kernel locks, which its children inherit, show who lives beside it: one
// for its job, and one of as many as there are slots. The kernel frees them
// when the last process of the task is gone, so a task that finds its job's
// lock taken overlaps with another, and one that finds no free slot is one
// command too many. Neither depends on anything that air-executor says.
func witnessMain(args []string) int {
	var t task
	f := flag.NewFlagSet(witnessWord, flag.ExitOnError)
	f.StringVar(&t.dir, "dir", "", "")
	f.IntVar(&t.slots, "slots", 1, "")
	f.DurationVar(&t.sleep, "sleep", 0, "")
	f.IntVar(&t.exit, "exit", 0, "")
	f.BoolVar(&t.child, "child", false, "")
	f.BoolVar(&t.stubborn, "stubborn", false, "")
	f.BoolVar(&t.hide, "hide", false, "")
	f.StringVar(&t.enqueue, "enqueue", "", "")
	_ = f.Parse(args)
	if t.stubborn {
		signal.Ignore(syscall.SIGTERM)
	}
	if t.hide {
		// What may not be dumped belongs to root in /proc.
		if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
			return 98
		}
	}
	if err := t.run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 99
	}
	return t.exit
}

func (t task) run() error {
	file, err := os.OpenFile(filepath.Join(t.dir, witnessName), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	me := fmt.Sprintf("%d %s %s %s", os.Getpid(),
		os.Getenv("AIR_EXECUTOR_JOB"), os.Getenv("AIR_EXECUTOR_TASK"), os.Getenv("AIR_EXECUTOR_ATTEMPT"))
	alone, held := take(filepath.Join(t.dir, aloneName+os.Getenv("AIR_EXECUTOR_JOB")))
	slot, place := t.takeSlot()
	if _, err := fmt.Fprintf(file, "begin %s %t %d %d\n", me, alone, slot, os.Getppid()); err != nil {
		return err
	}
	if t.hide {
		fmt.Fprintf(file, "hidden %s\n", me)
	}
	if t.child {
		if err := leave(held, place); err != nil {
			return err
		}
	}
	if t.enqueue != "" {
		t.addSubtask(file)
	}
	time.Sleep(t.sleep)
	_, err = fmt.Fprintf(file, "end %s %d\n", me, t.exit)
	return err
}

// take takes the lock on a file, if it is free.
func take(path string) (bool, *os.File) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return false, nil
	}
	return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil, f
}

// takeSlot takes any of the slots, or returns -1. Tasks end and begin while it
// looks, so it looks again before it says that there is none.
func (t task) takeSlot() (int, *os.File) {
	for range 5 {
		for i := range t.slots {
			free, f := take(filepath.Join(t.dir, slotName+strconv.Itoa(i)))
			if free {
				return i, f
			}
			f.Close()
		}
	}
	return -1, nil
}

// leave starts a process that would outlive the task, and keeps its locks.
func leave(files ...*os.File) error {
	cmd := exec.Command("sleep", "300")
	for _, f := range files {
		if f != nil {
			cmd.ExtraFiles = append(cmd.ExtraFiles, f)
		}
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return cmd.Start()
}

// addSubtask queues a task from within this one, and writes down if that was
// acknowledged. It may be refused, when this attempt has been given up.
func (t task) addSubtask(file *os.File) {
	id := os.Getenv("AIR_EXECUTOR_TASK") + "-sub"
	sub := task{dir: t.dir, slots: t.slots, sleep: t.sleep}
	self, err := os.Executable()
	if err != nil {
		return
	}
	env := os.Environ()
	cmd, out, _ := subject.Capture(exec.Command(t.enqueue,
		append([]string{"enqueue", "--id", id, "--if-absent", "--", self}, sub.args()...)...))
	cmd.Env = env // with the token
	fmt.Fprintf(file, "try %d %s %s\n", os.Getpid(), os.Getenv("AIR_EXECUTOR_JOB"), id)
	_ = cmd.Run()
	if strings.HasPrefix(out.String(), id+"\n") {
		fmt.Fprintf(file, "ack %d %s %s\n", os.Getpid(), os.Getenv("AIR_EXECUTOR_JOB"), id)
	}
}
