//go:build linux

package main

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"

	"github.com/air-executor/air-executor/faults/internal/subject"
)

// An op is what an event does to a disk or says to the world.
type op int

const (
	opWrite     op = iota // bytes at an offset
	opSay                 // bytes to the end of a file that tells what was promised
	opTruncate            // to a size
	opCreate              // a file came to be, by being opened
	opUnlink              // a name went
	opSyncBegin           // from here on, what was written before is being made durable
	opSyncEnd             // and now it is
	opExec                // a program began
)

// event is one step of a recorded history.
type event struct {
	op     op
	pid    int // of the thread
	proc   int // of its process
	parent int // of the process that started that one
	path   string
	data   []byte
	offset int64
	size   int64
	args   []string
}

const traced = "pwrite64,write,fsync,fdatasync,ftruncate,open,openat,unlink,unlinkat,execve,clone,clone3,fork,vfork"

// record runs a shell script under strace and returns what it and its children
// did, in order. The script finds its words as $1, $2, ...
func record(file, script string, words ...string) ([]event, error) {
	args := []string{"-f", "-y", "-xx", "-s", "70000", "-e", "trace=" + traced, "-e", "signal=none", "-o", file, "sh", "-c", script, "sh"}
	cmd, out, errs := subject.Capture(exec.Command("strace", append(args, words...)...))
	if r := subject.Outcome(cmd.Run(), out, errs); r.Code != 0 {
		return nil, fmt.Errorf("record: exit code %d: %s%s", r.Code, r.Out, r.Err)
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p := parser{unfinished: map[int]string{}, thread: map[int]int{}, child: map[int]int{}}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if err := p.line(lines.Text()); err != nil {
			return nil, err
		}
	}
	for i := range p.events {
		e := &p.events[i]
		e.proc = p.process(e.pid)
		e.parent = p.process(p.child[e.proc])
	}
	return p.events, lines.Err()
}

// parser reads the output of strace. A call that other threads interrupt
// stands in two lines: it counts as begun at the first, and as ended at the
// second. What it writes may be on the disk from the first one on, and what it
// syncs is durable only at the second.
type parser struct {
	events     []event
	unfinished map[int]string
	thread     map[int]int // from a thread to the one that started it in the same process
	child      map[int]int // from a process to the thread that started it
}

// process is the process of a thread.
func (p *parser) process(pid int) int {
	for {
		starter, ok := p.thread[pid]
		if !ok {
			return pid
		}
		pid = starter
	}
}

var (
	lineForm    = regexp.MustCompile(`^(\d+) +(.*)$`)
	resumedForm = regexp.MustCompile(`^<\.\.\. \w+ resumed>(.*)$`)
	callForm    = regexp.MustCompile(`^(\w+)\((.*)$`)
	fdForm      = regexp.MustCompile(`^(?:\d+|AT_FDCWD)<([^>]*)>(?:\(deleted\))?(?:, )?(.*)$`)
	textForm    = regexp.MustCompile(`^"((?:\\x[0-9a-f]{2})*)"(?:, )?(.*)$`)
	resultForm  = regexp.MustCompile(`= (-?\d+)\S*(?: .*)?$`)
)

const unfinishedMark = " <unfinished ...>"

func (p *parser) line(s string) error {
	m := lineForm.FindStringSubmatch(s)
	if m == nil {
		return fmt.Errorf("strace: %.100q", s)
	}
	pid, _ := strconv.Atoi(m[1])
	rest := m[2]
	if begun, ok := strings.CutSuffix(rest, unfinishedMark); ok {
		p.unfinished[pid] = begun
		return p.call(pid, begun, true, false)
	}
	if r := resumedForm.FindStringSubmatch(rest); r != nil {
		begun := p.unfinished[pid]
		delete(p.unfinished, pid)
		return p.call(pid, begun+r[1], false, true)
	}
	return p.call(pid, rest, true, true)
}

// call takes a system call, at its begin, its end, or both in one. Whether it
// will succeed is known at its end only; those that change names or begin
// programs are taken then.
func (p *parser) call(pid int, s string, begin, end bool) error {
	m := callForm.FindStringSubmatch(s)
	if m == nil {
		return nil // the end of a process
	}
	e := event{pid: pid}
	rest := m[2]
	if f := fdForm.FindStringSubmatch(rest); f != nil {
		e.path, rest = unhex(f[1]), f[2]
	}
	failed := end && !succeeded(s)
	switch m[1] {
	case "pwrite64", "write":
		if !failed {
			return p.write(e, m[1], rest, begin, end)
		}
	case "ftruncate":
		if begin && !failed {
			e.op = opTruncate
			e.size, _ = strconv.ParseInt(digits(rest), 10, 64)
			p.events = append(p.events, e)
		}
	case "fsync", "fdatasync":
		if begin {
			e.op = opSyncBegin
			p.events = append(p.events, e)
		}
		if end && !failed {
			e.op = opSyncEnd
			p.events = append(p.events, e)
		}
	case "clone", "clone3", "fork", "vfork":
		if end && !failed {
			p.started(pid, s)
		}
	case "open", "openat", "unlink", "unlinkat", "execve":
		if end && !failed {
			p.named(e, m[1], rest)
		}
	}
	return nil
}

// started takes the start of a thread or process.
func (p *parser) started(pid int, s string) {
	fresh, _ := strconv.Atoi(resultForm.FindStringSubmatch(s)[1])
	if strings.Contains(s, "CLONE_THREAD") {
		p.thread[fresh] = pid
	} else {
		p.child[fresh] = pid
	}
}

// write takes a write at its begin. strace cannot read what a process writes that
// is killed in the call, and prints its address; such a write has no end, and never
// took place.
func (p *parser) write(e event, call, rest string, begin, end bool) error {
	t := textForm.FindStringSubmatch(rest)
	if t == nil && end {
		return fmt.Errorf("strace: what is written to %s was cut off: %.100q", e.path, rest)
	}
	if t == nil || !begin {
		return nil
	}
	e.data = []byte(unhex(t[1]))
	e.op = opSay
	if call == "pwrite64" {
		e.op = opWrite
		_, offset, _ := strings.Cut(t[2], ", ")
		e.offset, _ = strconv.ParseInt(digits(offset), 10, 64)
	}
	p.events = append(p.events, e)
	return nil
}

func (p *parser) named(e event, call, rest string) {
	t := textForm.FindStringSubmatch(rest)
	if t == nil {
		return
	}
	e.path = unhex(t[1])
	switch call {
	case "open", "openat":
		if !strings.Contains(t[2], "O_CREAT") {
			return
		}
		e.op = opCreate
	case "execve":
		e.op = opExec
		for _, a := range regexp.MustCompile(`"((?:\\x[0-9a-f]{2})*)"`).FindAllStringSubmatch(t[2], -1) {
			e.args = append(e.args, unhex(a[1]))
		}
	default:
		e.op = opUnlink
	}
	p.events = append(p.events, e)
}

func succeeded(s string) bool {
	m := resultForm.FindStringSubmatch(s)
	return m != nil && !strings.HasPrefix(m[1], "-")
}

// unhex reads text as strace -xx writes it; other text stays as it is.
func unhex(s string) string {
	b, err := hex.DecodeString(strings.ReplaceAll(s, `\x`, ""))
	if err != nil {
		return s
	}
	return string(b)
}

// digits is the number with which s begins.
func digits(s string) string {
	for i, c := range s {
		if c < '0' || c > '9' {
			return s[:i]
		}
	}
	return s
}
