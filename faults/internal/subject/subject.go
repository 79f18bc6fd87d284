//go:build linux

// Package subject is air-executor as the fault tests see it: a program that is
// built, and then used from outside as its users do.
package subject

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Program is the binary under test, and how it is run.
type Program struct {
	Path string
	Env  []string // KEY=VALUE, beside a clean environment
	UID  uint32   // user and group that run it; 0: those of this process
}

// Build builds the binary into the folder dir, from the module that the current
// folder belongs to: plainly, or with build tags, which then are part of its name.
func Build(dir string, tags ...string) (Program, error) {
	p := Program{Path: filepath.Join(dir, strings.Join(append([]string{"air-executor"}, tags...), "-"))}
	cmd := exec.Command("go", "build", "-tags", strings.Join(tags, ","), "-o", p.Path, "github.com/air-executor/air-executor/cmd/air-executor")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return p, fmt.Errorf("build air-executor: %w\n%s", err, out)
	}
	return p, nil
}

// Result is how a command of the program ended.
type Result struct {
	Out, Err string
	Code     int  // exit code, -1 if a signal ended it
	Killed   bool // a signal ended it
}

// Prepare returns a command on the base path, ready to start, and where its
// output will be.
func (p Program) Prepare(ctx context.Context, base string, args ...string) (cmd *exec.Cmd, out, errs *bytes.Buffer) {
	cmd, out, errs = Capture(exec.CommandContext(ctx, p.Path, append([]string{"--base-path", base}, args...)...))
	cmd.Env = append(cmd.Env, p.Env...)
	if p.UID != 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: p.UID, Gid: p.UID}}
	}
	return cmd, out, errs
}

// Capture gives a command a clean environment, and collects its output.
func Capture(cmd *exec.Cmd) (_ *exec.Cmd, out, errs *bytes.Buffer) {
	cmd.Env = cleanEnv()
	cmd.WaitDelay = 5 * time.Second
	out, errs = &bytes.Buffer{}, &bytes.Buffer{}
	cmd.Stdout, cmd.Stderr = out, errs
	return cmd, out, errs
}

// cleanEnv is the environment without settings that would change what the
// program does.
func cleanEnv() []string {
	var env []string
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "AIR_EXECUTOR_") {
			env = append(env, kv)
		}
	}
	return env
}

// Run runs a command on the base path to its end.
func (p Program) Run(base string, args ...string) Result {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd, out, errs := p.Prepare(ctx, base, args...)
	return Outcome(cmd.Run(), out, errs)
}

// Outcome says how a prepared command ended, given what Run or Wait returned.
func Outcome(err error, out, errs *bytes.Buffer) Result {
	r := Result{Out: out.String(), Err: errs.String()}
	var exit *exec.ExitError
	switch {
	case err == nil:
	case errors.As(err, &exit):
		ws, _ := exit.Sys().(syscall.WaitStatus)
		r.Code, r.Killed = exit.ExitCode(), ws.Signaled()
	default:
		r.Code, r.Err = -1, r.Err+err.Error()
	}
	return r
}

// Job is what status says of a job.
type Job struct {
	Name   string `json:"job"`
	State  string
	Counts `json:"counts"`
	Tasks  []Task `json:"-"`
}

// Counts counts the tasks of a job.
type Counts struct{ Pending, Running, Completed, Failed, Blocked int }

// Task is what status says of a task.
type Task struct {
	ID       string `json:"task"`
	Status   string
	Reason   string
	Attempts int
	ExitCode *int `json:"exit_code"`
	History  []Attempt
}

// Attempt is what status says of an attempt.
type Attempt struct {
	Attempt   int
	Reason    string
	RunnerPID int `json:"runner_pid"`
}

// status is what status prints.
type status struct {
	Jobs  []Job
	Tasks []Task
}

// Jobs returns every job, without tasks.
func (p Program) Jobs(base string) ([]Job, error) {
	s, err := p.status(base)
	return s.Jobs, err
}

// Job returns a job with its tasks.
func (p Program) Job(base, name string) (Job, error) {
	s, err := p.status(base, name)
	if err != nil {
		return Job{}, err
	}
	if len(s.Jobs) != 1 {
		return Job{}, fmt.Errorf("status %s shows %d jobs", name, len(s.Jobs))
	}
	s.Jobs[0].Tasks = s.Tasks
	return s.Jobs[0], nil
}

// Task returns a task with its history.
func (p Program) Task(base, job, id string) (Task, error) {
	s, err := p.status(base, "--job", job, "--task", id)
	if err != nil {
		return Task{}, err
	}
	if len(s.Tasks) != 1 {
		return Task{}, fmt.Errorf("status %s --task %s shows %d tasks", job, id, len(s.Tasks))
	}
	return s.Tasks[0], nil
}

func (p Program) status(base string, args ...string) (s status, err error) {
	r := p.Run(base, append([]string{"--json", "status"}, args...)...)
	if r.Code != 0 {
		return s, fmt.Errorf("status %s: exit code %d: %s", strings.Join(args, " "), r.Code, r.Err)
	}
	return s, json.Unmarshal([]byte(r.Out), &s)
}

// Doctor returns an error with what doctor found.
func (p Program) Doctor(base string) error {
	r := p.Run(base, "doctor")
	if r.Code == 0 {
		return nil
	}
	var bad []string
	for line := range strings.Lines(r.Out + r.Err) {
		if !strings.HasPrefix(line, "  ok ") {
			bad = append(bad, strings.TrimSpace(line))
		}
	}
	return fmt.Errorf("doctor: exit code %d: %s", r.Code, strings.Join(bad, "; "))
}

// RunAndKill runs a command on the base path, and kills it with SIGKILL after a
// while, unless it has ended.
func (p Program) RunAndKill(base string, after time.Duration, args ...string) Result {
	cmd, out, errs := p.Prepare(context.Background(), base, args...)
	if err := cmd.Start(); err != nil {
		return Result{Code: -1, Err: err.Error()}
	}
	killer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
	defer killer.Stop()
	return Outcome(cmd.Wait(), out, errs)
}

// RunUnder runs a command on the base path with another in front, such as strace.
func (p Program) RunUnder(front []string, base string, args ...string) Result {
	line := append(append(front[1:len(front):len(front)], p.Path, "--base-path", base), args...)
	cmd, out, errs := Capture(exec.Command(front[0], line...))
	return Outcome(cmd.Run(), out, errs)
}
