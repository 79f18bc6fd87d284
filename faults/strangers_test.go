//go:build failpoints

package faults

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// strange is a program that becomes one of root's, as sudo does, and lives until
// a file is there.
const strange = `package main

import (
	"fmt"
	"os"
	"syscall"
	"time"
)

func main() {
	_ = syscall.Setresuid(0, 0, 0)
	_ = os.WriteFile(os.Args[1]+".pid", []byte(fmt.Sprint(os.Getpid(), " ", syscall.Getuid())), 0o644)
	for {
		if _, err := os.Stat(os.Args[1]); err == nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}
`

// user is somebody who is not root, with a base path.
type user struct {
	testing.TB
	dir string
}

// newUser makes a base path for nobody, and the strange program beside it.
func newUser(t *testing.T) *user {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can become another user")
	}
	dir, err := os.MkdirTemp("", "air-executor-user-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	u := &user{t, dir}
	u.must(os.WriteFile(dir+"/strange.go", []byte(strange), 0o600))
	build := exec.Command("go", "build", "-o", dir+"/strange", dir+"/strange.go")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	u.must(os.Chmod(dir+"/strange", 0o755|os.ModeSetuid))
	u.must(os.Mkdir(dir+"/home", 0o700))
	u.must(os.Chown(dir+"/home", nobody, nobody))
	u.must(os.Chmod(dir, 0o755))
	u.run("start")
	t.Cleanup(func() { u.run("stop", "--kill") })
	return u
}

const nobody = 65534

func (u *user) must(err error) {
	u.Helper()
	if err != nil {
		u.Fatal(err)
	}
}

// run runs the program as the user.
func (u *user) run(args ...string) string {
	u.Helper()
	c := exec.Command(program, args...)
	c.Dir = u.dir + "/home"
	c.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + c.Dir, "AIR_EXECUTOR_BASE_PATH=" + c.Dir + "/base"}
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := c.CombinedOutput()
	if err != nil {
		u.Fatalf("%q: %v\n%s", args, err, out)
	}
	return string(out)
}

// shows waits until the output of a command contains a text.
func (u *user) shows(text string, args ...string) {
	u.Helper()
	var out string
	for end := time.Now().Add(patience); !strings.Contains(out, text); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			u.Fatalf("%q never shows %q:\n%s", args, text, out)
		}
		out = u.run(args...)
	}
}

// stranger waits until the strange program is there, and returns its PID.
func (u *user) stranger(file string) (pid int) {
	u.Helper()
	uid := -1
	for end := time.Now().Add(patience); uid < 0; time.Sleep(10 * time.Millisecond) {
		b, _ := os.ReadFile(file + ".pid")
		_, _ = fmt.Sscan(string(b), &pid, &uid)
		if time.Now().After(end) {
			u.Fatal("the strange program does not start")
		}
	}
	if uid != 0 {
		u.Skip("set-user-ID has no effect here")
	}
	return pid
}

// A manager that is not root records nothing as lost, and starts nothing of the
// job, while a process of root that the task has started lives: it may not look
// into it, nor end it. It had taken it for a stranger.
func TestAttemptWithAProcessOfRootIsNotLost(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	file := u.dir + "/end"
	u.run("enqueue", "-q", "-j", "j", "--", "sh", "-c", "echo $PPID >runner; exec "+u.dir+"/strange "+file)
	u.run("enqueue", "-q", "-j", "j", "--", "true")
	pid := u.stranger(file)
	b, err := os.ReadFile(u.dir + "/home/runner")
	u.must(err)
	runner, err := strconv.Atoi(strings.TrimSpace(string(b)))
	u.must(err)
	u.must(syscall.Kill(runner, syscall.SIGKILL))
	u.shows(fmt.Sprintf("waiting for PID %d (strange, root) to end", pid), "status", "j")
	if out := u.run("status", "j", "--json"); strings.Contains(out, `"status": "completed"`) || strings.Contains(out, `"status": "failed"`) {
		t.Errorf("something of the job has gone on:\n%s", out)
	}
	u.must(os.WriteFile(file, nil, 0o644))
	u.shows("lost: its runner died", "status", "j")
	u.shows("completed", "status", "j", "--task", "2")
}

// A process of root that a task of a user leaves behind is named, and its job
// waits until it has ended.
func TestProcessOfRootThatATaskLeavesIsNamed(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	file := u.dir + "/end"
	u.run("enqueue", "-q", "-j", "j", "--", "sh", "-c", filepath.Join(u.dir, "strange")+" "+file+" & sleep 0.1")
	name := fmt.Sprintf("PID %d (strange, root)", u.stranger(file))
	u.shows("waiting for "+name+" to end", "status", "j")
	u.shows(name+" cannot be ended: not permitted", "logs", "j")
	u.must(os.WriteFile(file, nil, 0o644))
	u.run("wait", "-q", "j")
	u.shows("waited for "+name, "status", "j")
}
