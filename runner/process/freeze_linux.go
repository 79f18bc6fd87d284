package process

import (
	"os"

	"golang.org/x/sys/unix"
)

// freeze stops every living descendant of this process that is not stopped already,
// and remembers which. A process that is asked to stop forks no more: the kernel
// looks for signals first. So when a look finds none that was not asked, all are.
func (t *tree) freeze() {
	const rounds = 1000 // against one that starts processes as fast as they are found
	t.stopped = map[id]bool{}
	for range rounds {
		clear(t.in)
		t.in[os.Getpid()] = true
		found := false
		for _, s := range t.look.descendants(t.in) {
			name := id{s.pid, s.start}
			if t.stopped[name] || s.state == 'T' {
				continue
			}
			found = true
			// Also where it is refused: there is nothing more to be done about it.
			t.stopped[name] = true
			_ = t.look.send(s.pid, s.start, unix.SIGSTOP)
		}
		if !found {
			return
		}
	}
}

// thaw has the processes go on that freeze has stopped.
func (t *tree) thaw() {
	for name := range t.stopped {
		_ = t.look.send(name.pid, name.start, unix.SIGCONT)
	}
	t.stopped = nil
}

// signalGroup signals the living members of the process group of the command.
func (t *tree) signalGroup(sig unix.Signal) {
	clear(t.in)
	t.in[os.Getpid()] = true
	for _, s := range t.look.descendants(t.in) {
		if s.pgid == t.group {
			_ = t.look.send(s.pid, s.start, sig)
		}
	}
}
