package process

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// stat holds the fields of /proc/PID/stat that are used here.
type stat struct {
	pid, ppid, pgid, session int
	state                    byte
	threads                  int
	start                    int64
	kernel                   bool // a kernel thread

	refused bool // this process may not signal it
}

// gone reports whether the process has ended. If only its first thread has ended, it
// looks like a zombie, but other threads still run.
func (s stat) gone() bool { return s.state == 'X' || s.state == 'Z' && s.threads <= 1 }

// kernelThread is PF_KTHREAD, see include/linux/sched.h.
const kernelThread = 0x00200000

// look reads /proc. It reuses its memory, because a runner may have to read /proc
// repeatedly as long as a process of its task is left.
type look struct {
	path, text, names []byte
	all               []stat
	gone              []stat // processes that have ended, and are still listed
}

// stat reads fields 3 to 6, 9, 20 and 22 of /proc/PID/stat, see proc_pid_stat(5).
func (l *look) stat(pid int) (stat, error) {
	b, err := l.read(pid, "stat")
	if err != nil {
		return stat{}, err
	}
	s, ok := parseStat(pid, b)
	if !ok {
		return stat{}, fmt.Errorf("/proc/%d/stat is not as proc_pid_stat(5) says", pid)
	}
	return s, nil
}

// read returns the beginning of a small file of /proc/PID, until the next read.
func (l *look) read(pid int, name string) ([]byte, error) {
	if l.text == nil {
		l.text = make([]byte, 4096)
	}
	l.path = append(l.path[:0], "/proc/"...)
	l.path = strconv.AppendInt(l.path, int64(pid), 10)
	l.path = append(l.path, '/')
	l.path = append(l.path, name...)
	l.path = append(l.path, 0)
	// Not unix.Open, which would copy the path for each of thousands of processes.
	dir := unix.AT_FDCWD
	fd, _, e := unix.Syscall6(unix.SYS_OPENAT, uintptr(dir), uintptr(unsafe.Pointer(&l.path[0])), unix.O_RDONLY|unix.O_CLOEXEC, 0, 0, 0)
	if e != 0 {
		return nil, e
	}
	defer unix.Close(int(fd))
	n, err := unix.Read(int(fd), l.text)
	if err != nil {
		return nil, err
	}
	return l.text[:n], nil
}

// parseStat parses a line of /proc/PID/stat.
func parseStat(pid int, b []byte) (s stat, ok bool) {
	// The second field is the name in parentheses, and may contain anything.
	end := bytes.LastIndexByte(b, ')')
	if end < 0 || end+2 >= len(b) {
		return s, false
	}
	s.pid = pid
	n := 3
	for field := range bytes.FieldsSeq(b[end+1:]) {
		switch n {
		case 3:
			s.state = field[0]
		case 4:
			s.ppid = int(number(field))
		case 5:
			s.pgid = int(number(field))
		case 6:
			s.session = int(number(field))
		case 9:
			s.kernel = number(field)&kernelThread != 0
		case 20:
			s.threads = int(number(field))
		case 22:
			s.start = number(field)
			return s, true
		}
		n++
	}
	return s, false
}

// number reads a decimal number, or 0.
func number(b []byte) (n int64) {
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0
		}
		n = 10*n + int64(c-'0')
	}
	return n
}

// processes returns every living process that /proc shows; valid until the next look.
func (l *look) processes() []stat {
	l.all, l.gone = l.all[:0], l.gone[:0]
	dir, err := unix.Open("/proc", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	defer unix.Close(dir)
	if l.names == nil {
		l.names = make([]byte, 32<<10)
	}
	for {
		n, err := unix.Getdents(dir, l.names)
		if err == unix.EINTR {
			continue
		}
		if err != nil || n <= 0 {
			return l.all
		}
		l.list(l.names[:n])
	}
}

// list reads the processes that these entries of /proc name, see getdents64(2).
func (l *look) list(entries []byte) {
	const head = 19 // bytes before the name
	for len(entries) > head {
		size := int(binary.NativeEndian.Uint16(entries[16:]))
		name, _, _ := bytes.Cut(entries[head:size], []byte{0})
		entries = entries[size:]
		pid := number(name)
		if pid == 0 {
			continue
		}
		switch s, err := l.stat(int(pid)); {
		case err != nil:
		case s.gone():
			l.gone = append(l.gone, s)
		default:
			l.all = append(l.all, s)
		}
	}
}

// descendants returns the living descendants of the processes in the set, and adds them
// to it.
func (l *look) descendants(in map[int]bool) []stat {
	return closure(in, l.processes(), func(s stat) bool { return in[s.ppid] })
}

// closure repeatedly adds to the set the processes for which belongs is true, until
// there are no more, and returns those added. It moves them to the front of all.
func closure(in map[int]bool, all []stat, belongs func(stat) bool) []stat {
	n := 0
	for grown := true; grown; {
		grown = false
		for i := n; i < len(all); i++ {
			if s := all[i]; !in[s.pid] && belongs(s) {
				in[s.pid], grown = true, true
				all[n], all[i] = s, all[n]
				n++
			}
		}
	}
	return all[:n]
}

// survivor describes a process for messages.
func (s stat) survivor() Survivor {
	var l look
	out := Survivor{PID: s.pid, Name: "?", User: "?", Refused: s.refused}
	if b, err := l.read(s.pid, "comm"); err == nil {
		out.Name = strings.Map(func(r rune) rune {
			if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
				return '?'
			}
			return r
		}, strings.TrimSuffix(string(b), "\n"))
	}
	// Not the owner of the folder: that is root for processes that may not be
	// inspected.
	if b, err := l.read(s.pid, "status"); err == nil {
		if _, rest, ok := bytes.Cut(b, []byte("\nUid:")); ok {
			uids := strings.Fields(string(rest[:min(len(rest), 100)]))
			if len(uids) > 1 {
				out.User = userName(uids[1]) // the effective uid
			}
		}
	}
	return out
}

// userName returns the name of a user from /etc/passwd.
func userName(uid string) string {
	b, _ := os.ReadFile("/etc/passwd")
	for line := range strings.SplitSeq(string(b), "\n") {
		if f := strings.SplitN(line, ":", 4); len(f) == 4 && f[2] == uid {
			return f[0]
		}
	}
	return "user " + uid
}
