package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// base is a fresh base path with its manager.
type base struct {
	b    *bench
	exe  string // air-executor, of this build or another
	path string
}

// newBase makes a base path with the lines of its config.yaml.
func (b *bench) newBase(config ...string) (*base, error) { return b.newBaseOf(b.ae, config...) }

// newBaseOf makes a base path for a build of air-executor.
func (b *bench) newBaseOf(exe string, config ...string) (*base, error) {
	path, err := b.folder()
	if err != nil {
		return nil, err
	}
	text := "# of a benchmark\n" + strings.Join(config, "\n") + "\n"
	return &base{b, exe, path}, os.WriteFile(filepath.Join(path, "config.yaml"), []byte(text), 0o600)
}

// folder makes a new folder. It stays until all is measured: for some seconds
// after files were removed, ext4 takes longer to create others.
func (b *bench) folder() (string, error) {
	b.n++
	path := filepath.Join(b.dir, fmt.Sprint(b.n))
	return path, os.Mkdir(path, 0o700)
}

// ae runs an air-executor command on the base path.
func (s *base) ae(args ...string) error {
	_, err := s.b.command(s.exe, append([]string{"--base-path", s.path}, args...)...)
	return err
}

// fill queues n tasks that do nothing in a job.
func (s *base) fill(job string, n int) error {
	file := filepath.Join(s.b.dir, "tasks.jsonl")
	if err := writeTasks(file, n); err != nil {
		return err
	}
	return s.ae("enqueue", "--quiet", "--no-env", "--job", job, "--from-file", file)
}

func writeTasks(file string, n int) error {
	return os.WriteFile(file, bytes.Repeat([]byte("{\"command\":\"true\"}\n"), n), 0o600)
}

// stop stops the manager.
func (s *base) stop() error { return s.ae("stop") }

// remove removes the base path, where it takes up much room.
func (s *base) remove() error { return os.RemoveAll(s.path) }

// command runs a program to its end, and returns what it used.
func (b *bench) command(name string, args ...string) (*syscall.Rusage, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = b.dir
	var out bytes.Buffer
	cmd.Stderr = &out
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s %s: %w: %s", filepath.Base(name), strings.Join(args, " "), err, out.Bytes())
	}
	return cmd.ProcessState.SysUsage().(*syscall.Rusage), nil
}

// timed is how long fn takes.
func timed(fn func() error) (time.Duration, error) {
	begin := time.Now()
	err := fn()
	return time.Since(begin), err
}

// usage is the processor time that processes have used which this one has
// collected, with all below them.
func usage() time.Duration {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_CHILDREN, &r) != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// shell runs a line of shell.
func (b *bench) shell(line string, args ...any) error {
	_, err := b.command("sh", "-c", fmt.Sprintf(line, args...))
	return err
}

func installed(program string) bool {
	_, err := exec.LookPath(program)
	return err == nil
}
