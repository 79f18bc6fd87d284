package process

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// KillMarked kills every process with the mark, its descendants and the members of its
// group, until none is left, and returns how many it found. It is for process trees
// whose runner is dead, and which therefore have no parent to find them by. It returns
// a [SurvivorsError] as soon as all that is left belongs to other users and cannot be
// killed by this process, or if something is left when the time is up.
//
// One pass is not enough to be sure that none is left. A process that forks and exits
// while /proc is read may have a child that the pass has missed, and a process in the
// middle of execve(2) shows neither environment nor arguments.
func KillMarked(m Mark, patience time.Duration) (int, error) {
	const (
		enough = 2   // passes in a row that find none, or none that can be killed
		veiled = 100 // passes after which a process that shows nothing counts as unrelated
	)
	var l look
	begin, found, none, refused := time.Now(), 0, 0, 0
	for round := 0; ; round++ {
		all, unsure := l.marked(m)
		unsure = unsure && round < veiled
		none++
		refused++
		if len(all) > 0 || unsure {
			none = 0
		}
		if none == enough {
			return found, nil
		}
		found = max(found, len(all))
		for i := range all {
			err := l.send(all[i].pid, all[i].start, unix.SIGKILL)
			if all[i].refused = errors.Is(err, unix.EPERM); !all[i].refused {
				refused = 0
			}
		}
		late := time.Since(begin) > patience
		if len(all) > 0 && !unsure && (late || refused >= enough) {
			return found, survivors(all)
		}
		time.Sleep(min(time.Duration(round+1)*time.Millisecond, 20*time.Millisecond))
	}
}

func survivors(all []stat) error {
	out := make([]Survivor, len(all))
	for i, s := range all {
		out[i] = s.survivor()
	}
	return &SurvivorsError{out}
}

// marked returns the processes with the mark, their descendants and their groups; valid
// until the next look. It is unsure if there is a process whose mark it could not read.
func (l *look) marked(m Mark) (_ []stat, unsure bool) {
	all := l.processes()
	if leader, err := l.stat(m.Session); err != nil || leader.start == m.SessionStart {
		// The number of a session is not reused while it has members.
	} else {
		m.Session = 0
	}
	in, groups := map[int]bool{}, map[int]bool{}
	for _, s := range all {
		if s.pid == os.Getpid() {
			continue
		}
		yes, veiled := s.carries(m)
		unsure = unsure || veiled
		if yes {
			in[s.pid], groups[s.pgid] = true, true
		}
	}
	if len(in) == 0 {
		return nil, unsure
	}
	known, self := in, unix.Getpgrp()
	in = map[int]bool{}
	return closure(in, all, func(s stat) bool {
		return known[s.pid] || s.pid != os.Getpid() && s.pid != 1 &&
			(known[s.ppid] || in[s.ppid] || groups[s.pgid] && s.pgid != self)
	}), unsure
}

// carries reports whether the process has the mark. It is unsure if the process is
// between two programs: execve(2) has dropped the memory of the old one, and has not
// set up that of the new one yet.
func (s stat) carries(m Mark) (_, unsure bool) {
	const looks = 3 // a process that shows no environment this often has none
	for range looks {
		found := s.contains("environ", m.Setting)
		if found == denied && s.in(m) {
			return true, false
		}
		if found != yes && len(m.Args) > 0 && s.contains("cmdline", m.Args...) == yes {
			return true, false
		}
		if found != blank || s.kernel || s.state == 'Z' {
			return found == yes, false
		}
		if s.contains("cmdline") == blank {
			return false, true
		}
	}
	return false, false
}

// in reports whether the process belongs to the mark's session.
func (s stat) in(m Mark) bool {
	return m.Session != 0 && s.session == m.Session && s.start >= m.SessionStart
}

// answer is the result of searching a file of /proc/PID.
type answer int

const (
	no     answer = iota
	yes           // it contains the texts
	blank         // it exists, but is empty
	denied        // this process may not read it
)

// contains looks for all of these texts in a file of /proc/PID that is a list of
// NUL-terminated texts.
func (s stat) contains(file string, texts ...string) answer {
	dir := "/proc/" + strconv.Itoa(s.pid)
	paths := []string{dir + "/" + file}
	if s.state == 'Z' { // ask the threads that still run
		paths, _ = filepath.Glob(dir + "/task/*/" + file)
	}
	found := no
	for _, path := range paths {
		list, err := os.ReadFile(path)
		switch {
		case errors.Is(err, fs.ErrPermission):
			found = denied
		case err != nil: // gone
		case len(list) == 0:
			found = blank
		case containsAll(list, texts):
			return yes
		default:
			found = no
		}
	}
	return found
}

func containsAll(list []byte, texts []string) bool {
	list = append([]byte{0}, list...)
	for _, text := range texts {
		if !bytes.Contains(list, append(append([]byte{0}, text...), 0)) {
			return false
		}
	}
	return true
}
