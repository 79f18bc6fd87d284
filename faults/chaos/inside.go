//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// insideWord makes this program run another one in the PID namespace that it is
// the first process of.
const insideWord = "inside"

// factInside counts commands from another PID namespace.
const factInside = "commands from another PID namespace"

// isolate has a prepared command run in a PID namespace of its own, where no
// process of the round can be seen or signalled.
func (w *world) isolate(cmd *exec.Cmd) {
	cmd.Args = append([]string{w.self, insideWord, fmt.Sprint(w.prog.UID)}, cmd.Args...)
	cmd.Path = w.self
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID | unix.CLONE_NEWNS}
	w.report.fact(factInside, 1)
}

// canIsolate reports whether this process may make PID namespaces.
func canIsolate(self string) bool {
	cmd := exec.Command(self, insideWord, "0", "/proc/self/exe", insideWord)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID | unix.CLONE_NEWNS}
	return cmd.Run() == nil
}

// insideMain becomes the command args[1:], as user args[0]. Without arguments it
// does nothing, successfully.
func insideMain(args []string) int {
	if len(args) == 0 {
		return 0
	}
	if err := enter(args[0]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 97
	}
	fmt.Fprintln(os.Stderr, syscall.Exec(args[1], args[1:], os.Environ()))
	return 97
}

// enter mounts the /proc of this namespace, and becomes the user.
func enter(user string) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("keep mounts to this namespace: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	uid, err := strconv.Atoi(user)
	if err != nil || uid == 0 {
		return err
	}
	if err := syscall.Setgroups(nil); err != nil {
		return fmt.Errorf("give up groups: %w", err)
	}
	if err := syscall.Setgid(uid); err != nil {
		return fmt.Errorf("become group %d: %w", uid, err)
	}
	if err := syscall.Setuid(uid); err != nil {
		return fmt.Errorf("become user %d: %w", uid, err)
	}
	return nil
}
