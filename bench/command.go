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
	return s.b.command(s.exe, append([]string{"--base-path", s.path}, args...)...)
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

// command runs a program to its end.
func (b *bench) command(name string, args ...string) error {
	return b.watched(func(int, chan struct{}) {}, name, args...)
}

// peak runs a program to its end, and returns the most memory in bytes that it took,
// as far as looks every few milliseconds tell. What the system tells at its end would
// not do: a process counts the memory of the one that has started it.
func (b *bench) peak(name string, args ...string) (peak int64, err error) {
	seen := make(chan int64, 1)
	err = b.watched(func(pid int, ended chan struct{}) {
		go func() { seen <- watchMemory(pid, ended) }()
	}, name, args...)
	if err != nil {
		return 0, err
	}
	return <-seen, nil
}

func (b *bench) watched(watch func(pid int, ended chan struct{}), name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir = b.dir
	var out bytes.Buffer
	cmd.Stderr = &out
	err := cmd.Start()
	if err == nil {
		ended := make(chan struct{})
		watch(cmd.Process.Pid, ended)
		err = cmd.Wait()
		close(ended)
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w: %s", filepath.Base(name), strings.Join(args, " "), err, out.Bytes())
	}
	return nil
}

// watchMemory returns the high water mark of a process's own memory in bytes.
func watchMemory(pid int, ended chan struct{}) (peak int64) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ended:
			return peak
		case <-tick.C:
		}
		status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		for line := range strings.Lines(string(status)) {
			var kib int64
			if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kib); n == 1 {
				peak = max(peak, kib<<10)
			}
		}
	}
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
	err := b.command("sh", "-c", fmt.Sprintf(line, args...))
	return err
}

func installed(program string) bool {
	_, err := exec.LookPath(program)
	return err == nil
}
