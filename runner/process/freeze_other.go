//go:build !linux

package process

import "golang.org/x/sys/unix"

// freeze stops the group of the command.
func (t *tree) freeze() { _ = unix.Kill(-t.group, unix.SIGSTOP) }

// thaw has the group of the command go on.
func (t *tree) thaw() { _ = unix.Kill(-t.group, unix.SIGCONT) }

// signalGroup signals the group of the command.
func (t *tree) signalGroup(sig unix.Signal) { _ = unix.Kill(-t.group, sig) }
