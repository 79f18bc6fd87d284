package main

import (
	"bytes"
	"os"

	"golang.org/x/sys/unix"
)

// key is a key that the user has pressed.
type key int

// The keys that are known.
const (
	keyUp key = iota + 1
	keyDown
	keyPageUp
	keyPageDown
	keyHome
	keyEnd
	keyQuit
)

// keySequences are the sequences that terminals send. None is a prefix of another.
var keySequences = []struct {
	sent string
	key  key
}{
	{"\x1b[A", keyUp}, {"\x1bOA", keyUp}, {"k", keyUp},
	{"\x1b[B", keyDown}, {"\x1bOB", keyDown}, {"j", keyDown}, {"\r", keyDown}, {"\n", keyDown},
	{"\x1b[5~", keyPageUp}, {"b", keyPageUp},
	{"\x1b[6~", keyPageDown}, {" ", keyPageDown},
	{"\x1b[H", keyHome}, {"\x1bOH", keyHome}, {"\x1b[1~", keyHome}, {"g", keyHome},
	{"\x1b[F", keyEnd}, {"\x1bOF", keyEnd}, {"\x1b[4~", keyEnd}, {"G", keyEnd},
	{"q", keyQuit}, {"Q", keyQuit},
}

// keyboard reads single keys from a terminal. Ctrl-C and Ctrl-Z still send their
// signals. A nil keyboard has no keys.
type keyboard struct {
	fd     int
	before unix.Termios
}

// openKeyboard returns nil if f is not a terminal, or if this is a background process,
// which would be stopped if it changed the terminal.
func openKeyboard(f *os.File) *keyboard {
	fd := int(f.Fd())
	before, err := unix.IoctlGetTermios(fd, ioctlGetTermios)
	if err != nil {
		return nil
	}
	if group, err := unix.IoctlGetInt(fd, unix.TIOCGPGRP); err != nil || group != unix.Getpgrp() {
		return nil
	}
	single := *before
	single.Lflag &^= unix.ICANON | unix.ECHO
	single.Cc[unix.VMIN], single.Cc[unix.VTIME] = 1, 0
	if err := unix.IoctlSetTermios(fd, ioctlSetTermios, &single); err != nil {
		return nil
	}
	return &keyboard{fd, *before}
}

// restore gives the terminal back as it was.
func (k *keyboard) restore() {
	if k != nil {
		_ = unix.IoctlSetTermios(k.fd, ioctlSetTermios, &k.before)
	}
}

// pressed returns the keys that were pressed since. It does not wait.
func (k *keyboard) pressed() []key {
	if k == nil {
		return nil
	}
	ready := []unix.PollFd{{Fd: int32(k.fd), Events: unix.POLLIN}}
	if n, err := unix.Poll(ready, 0); err != nil || n == 0 || ready[0].Revents&unix.POLLIN == 0 {
		return nil
	}
	var buf [256]byte
	n, err := unix.Read(k.fd, buf[:])
	if err != nil {
		return nil
	}
	return parseKeys(buf[:max(n, 0)])
}

// parseKeys finds the keys in the input from a terminal, and ignores the rest.
func parseKeys(b []byte) (keys []key) {
next:
	for len(b) > 0 {
		for _, s := range keySequences {
			if bytes.HasPrefix(b, []byte(s.sent)) {
				keys, b = append(keys, s.key), b[len(s.sent):]
				continue next
			}
		}
		b = b[unknownKey(b):]
	}
	return keys
}

// unknownKey returns the length of the sequence of an unknown key.
func unknownKey(b []byte) int {
	if len(b) > 1 && b[0] == 0x1b && (b[1] == '[' || b[1] == 'O') {
		for i := 2; i < len(b); i++ {
			if b[i] >= 0x40 && b[i] <= 0x7e {
				return i + 1
			}
		}
		return len(b)
	}
	return 1
}
