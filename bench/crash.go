package main

import (
	"embed"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Each contender of the crash is a file of shell functions: up, submit ID
// SECONDS, kill_it, restart, records and down.
//
//go:embed crash
var crashScripts embed.FS

// crashed are the contenders, and the program without which each cannot be tried.
var crashed = []struct{ name, needs string }{
	{"air-executor", ""},
	{"xargs", "xargs"},
	{"parallel", "parallel"},
	{"tsp", "tsp"},
	{"nq", "nq"},
	{"pueue", "pueued"},
	{"huey", "huey_consumer"},
	{"celery", "celery"},
}

const (
	crashRunning = 5  // tasks that run when the daemon is killed
	crashQueued  = 50 // tasks that wait then
)

// crash kills the daemon of each contender with kill -9 while five tasks of four
// seconds run and fifty short ones wait, starts it again after a second, and
// counts what became of the tasks by what they wrote down themselves.
func crash(b *bench) (*report, error) {
	r := &report{head: []string{"", "ran once", "cut off", "never ran", "ran twice", "overlapped", "its records say", "seconds"}}
	for _, c := range crashed {
		if c.needs != "" && !installed(c.needs) {
			r.add(c.name, "", "", "", "", "", "not installed", "")
			continue
		}
		t, err := b.crashOne(c.name)
		if err != nil {
			t = []string{"", "", "", "", "", err.Error(), ""}
		}
		r.add(append([]string{c.name}, t...)...)
	}
	return r, nil
}

// crashOne returns the cells of a contender's row.
func (b *bench) crashOne(name string) ([]string, error) {
	dir, err := b.folder()
	if err != nil {
		return nil, err
	}
	s := &crashSubject{b: b, dir: dir}
	if err := s.prepare(name); err != nil {
		return nil, err
	}
	shell, err := s.open()
	if err != nil {
		return nil, err
	}
	defer shell.end()
	if err := shell.say("up"); err != nil {
		return nil, err
	}
	for i := 1; i <= crashRunning+crashQueued; i++ {
		seconds := "0.1"
		if i <= crashRunning {
			seconds = "4"
		}
		if err := shell.say("submit %d %s", i, seconds); err != nil {
			return nil, err
		}
	}
	if err := s.await(func(w witnessed) bool { return w.started >= crashRunning }, 30*time.Second); err != nil {
		return nil, err
	}
	begin := time.Now()
	if err := shell.say("kill_it; sleep 1; restart"); err != nil {
		return nil, err
	}
	s.settle()
	took := time.Since(begin)
	records, err := shell.ask("records")
	if err != nil {
		return nil, err
	}
	if err := shell.say("down"); err != nil {
		return nil, err
	}
	w, err := s.look()
	if err != nil {
		return nil, err
	}
	cells := []string{}
	for _, n := range []int{w.once, w.cut, w.never, w.twice, w.overlapped} {
		cells = append(cells, fmt.Sprint(n))
	}
	return append(cells, strings.TrimSpace(records), fmt.Sprintf("%.0f", took.Seconds())), nil
}

// crashSubject is one contender at work in a folder of its own.
type crashSubject struct {
	b   *bench
	dir string
}

// prepare writes the shell functions, and the command whose runs are counted.
func (s *crashSubject) prepare(name string) error {
	text, err := fs.ReadFile(crashScripts, "crash/"+name+".sh")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(s.dir, "functions"), text, 0o600); err != nil {
		return err
	}
	witness := fmt.Sprintf("#!/bin/sh\necho \"start $1\" >>%[1]s\nsleep \"$2\"\necho \"end $1\" >>%[1]s\n", s.path())
	return os.WriteFile(filepath.Join(s.dir, "witness"), []byte(witness), 0o700)
}

func (s *crashSubject) path() string { return filepath.Join(s.dir, "witnessed") }

// witnessed is what the tasks wrote down, counted.
type witnessed struct {
	started                             int // starts, of any task
	once, cut, never, twice, overlapped int // tasks
}

func (s *crashSubject) look() (witnessed, error) {
	var w witnessed
	text, err := os.ReadFile(s.path())
	if err != nil && !os.IsNotExist(err) {
		return w, err
	}
	starts, ends, overlaps := map[string]int{}, map[string]int{}, map[string]bool{}
	for line := range strings.Lines(string(text)) {
		what, id, _ := strings.Cut(strings.TrimSpace(line), " ")
		if what == "end" {
			ends[id]++
			continue
		}
		if starts[id] > ends[id] {
			overlaps[id] = true
		}
		starts[id]++
		w.started++
	}
	for i := 1; i <= crashRunning+crashQueued; i++ {
		id := fmt.Sprint(i)
		switch {
		case starts[id] == 0:
			w.never++
		case starts[id] > 1:
			w.twice++
		case ends[id] == 0:
			w.cut++
		default:
			w.once++
		}
	}
	w.overlapped = len(overlaps)
	return w, nil
}

func (s *crashSubject) await(ok func(witnessed) bool, most time.Duration) error {
	for begin := time.Now(); time.Since(begin) < most; time.Sleep(20 * time.Millisecond) {
		w, err := s.look()
		if err != nil || ok(w) {
			return err
		}
	}
	return fmt.Errorf("its first tasks have not started within %s", most)
}

// settle waits until all tasks have run, or nothing has been written down for a
// while.
func (s *crashSubject) settle() {
	const quiet, most = 8 * time.Second, time.Minute
	last, changed := int64(-1), time.Now()
	for begin := time.Now(); time.Since(begin) < most && time.Since(changed) < quiet; time.Sleep(50 * time.Millisecond) {
		if w, err := s.look(); err == nil && w.once == crashRunning+crashQueued {
			return
		}
		info, err := os.Stat(s.path())
		if err == nil && info.Size() != last {
			last, changed = info.Size(), time.Now()
		}
	}
}

// crashShell is the shell in which the functions of a contender are called.
type crashShell struct {
	cmd *exec.Cmd
	in  *os.File
	out *os.File
}

func (s *crashSubject) open() (*crashShell, error) {
	in, ours, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	answers, theirs, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer in.Close()
	defer theirs.Close()
	log, err := os.Create(filepath.Join(s.dir, "stderr"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command("bash")
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "DIR="+s.dir, "WITNESS="+filepath.Join(s.dir, "witness"), "AIR_EXECUTOR="+s.b.ae)
	// What the contender leaves behind keeps no pipe of ours open.
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, log, log
	cmd.ExtraFiles = []*os.File{theirs}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	sh := &crashShell{cmd: cmd, in: ours, out: answers}
	return sh, sh.say(". ./functions")
}

// say carries out a line of shell.
func (sh *crashShell) say(line string, args ...any) error {
	_, err := sh.ask(line, args...)
	return err
}

// ask carries out a line of shell and returns what it prints.
func (sh *crashShell) ask(line string, args ...any) (string, error) {
	fmt.Fprintf(sh.in, "{ %s; } 3>&- >answer </dev/null; { cat answer; printf '\\004'; } >&3\n", fmt.Sprintf(line, args...))
	var text strings.Builder
	b := make([]byte, 1)
	for {
		if _, err := sh.out.Read(b); err != nil {
			return "", fmt.Errorf("%s: the shell has ended: %w", line, err)
		}
		if b[0] == 4 {
			return text.String(), nil
		}
		text.Write(b)
	}
}

func (sh *crashShell) end() {
	sh.in.Close()
	_ = sh.cmd.Wait()
	sh.out.Close()
}
