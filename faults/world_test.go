//go:build failpoints

package faults

import (
	"bufio"
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "modernc.org/sqlite" // to forge rows and to count them
)

// patience bounds every wait. It is no measure of speed.
const patience = 60 * time.Second

// witnessScript runs the script in its argument between two lines in the
// witness file. The lock on descriptor 9 lives as long as any process of the
// task: whoever finds it taken has met another task of its job.
const witnessScript = `exec 9>>"$WITNESS.$AIR_EXECUTOR_JOB"
me="$AIR_EXECUTOR_JOB $AIR_EXECUTOR_TASK $AIR_EXECUTOR_ATTEMPT"
flock -n 9 || echo "overlap $me" >>"$WITNESS"
echo "start $me" >>"$WITNESS"
sh -c "$1"
code=$?
echo "end $me $code" >>"$WITNESS"
exit $code
`

// world is a base path with everything that a test does to it. In its folder
// are base (the base path), scratch (for the tasks' use), and a canary tree in
// the folder that commands run in.
type world struct {
	testing.TB
	dir, base, scratch string
	program            string      // what is run; another one after an upgrade
	env                []string    // of every program that is started
	acked              [][2]string // job and id of every task whose id was printed
	canary             string      // what the canary tree looks like
	manager            *serving
}

// inEach runs a test in a world for each of the names, all at the same time.
func inEach(t *testing.T, names []string, test func(t *testing.T, w *world, name string)) {
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newWorld(t), name)
		})
	}
}

// newWorld makes a world whose invariants are checked when the test ends.
func newWorld(t testing.TB, config ...string) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{TB: t, dir: dir, base: filepath.Join(dir, "base"), scratch: filepath.Join(dir, "scratch"), program: program}
	w.env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + w.home(), "LANG=C.UTF-8",
		"WORLD=" + dir, "WITNESS=" + dir + "/witness", "SCRATCH=" + w.scratch, "AIR=" + program,
		"AIR_EXECUTOR_BASE_PATH=" + w.base, "AIR_EXECUTOR_FAILPOINT_MARK=" + dir + "/mark",
	}
	w.write("base/config.yaml", strings.Join(append(config, "poll_interval: 1\n"), "\n"))
	w.write("home/canary", "alive")
	w.write("home/deep/canary", "alive")
	w.write("witness.sh", witnessScript)
	w.write("scratch/here", "")
	w.canary = w.lookAtCanary()
	t.Cleanup(w.verify)
	return w
}

func (w *world) home() string { return filepath.Join(w.dir, "home") }

func (w *world) write(name, content string) {
	w.Helper()
	path := filepath.Join(w.dir, name)
	w.must(os.MkdirAll(filepath.Dir(path), 0o700))
	w.must(os.WriteFile(path, []byte(content), 0o600))
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// until waits for a condition.
func (w *world) until(what string, holds func() bool) {
	w.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			w.Fatalf("waited in vain until %s", what)
		}
	}
}

// outcome is how a program ended.
type outcome struct {
	code     int // -1: by a signal
	out, err string
}

// command prepares the program, with settings that its environment has besides.
func (w *world) command(settings []string, args ...string) *exec.Cmd {
	c := exec.Command(w.program, args...)
	c.Dir, c.Env = w.home(), append(w.env[:len(w.env):len(w.env)], settings...)
	return c
}

// with runs the program with further settings.
func (w *world) with(settings []string, args ...string) outcome {
	w.Helper()
	var out, stderr bytes.Buffer
	c := w.command(settings, args...)
	c.Stdout, c.Stderr = &out, &stderr
	w.must(c.Start())
	late := time.AfterFunc(patience, func() { _ = c.Process.Kill() })
	err := c.Wait()
	if !late.Stop() {
		w.Fatalf("%q hangs: %s%s", args, &out, &stderr)
	}
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		w.Fatal(err)
	}
	return outcome{c.ProcessState.ExitCode(), out.String(), stderr.String()}
}

// run runs the program, and fails the test if the exit code is another one.
func (w *world) run(code int, args ...string) outcome {
	w.Helper()
	o := w.with(nil, args...)
	if o.code != code {
		w.Fatalf("%q: exit code %d, not %d\n%s%s", args, o.code, code, o.out, o.err)
	}
	return o
}

// enqueueArgs are for a task that is witnessed.
func (w *world) enqueueArgs(job, id, script string) []string {
	return []string{"enqueue", "--job", job, "--id", id, "--", "sh", w.dir + "/witness.sh", script}
}

// enqueue queues a task that is witnessed.
func (w *world) enqueue(job, id, script string) {
	w.Helper()
	w.run(0, w.enqueueArgs(job, id, script)...)
	w.acked = append(w.acked, [2]string{job, id})
}

// failpoint are the settings for a failpoint, whose mark is named after it.
func failpoint(spec string) []string { return []string{"AIR_EXECUTOR_FAILPOINT=" + spec} }

// hit waits until a process has come to a failpoint, and returns its PID.
func (w *world) hit(name string) (pid int) {
	w.Helper()
	w.until(name+" is hit", func() bool {
		b, _ := os.ReadFile(filepath.Join(w.dir, "mark."+name))
		pid, _ = strconv.Atoi(string(b))
		return pid > 0
	})
	return pid
}

// stopped waits until a process has stopped at a failpoint.
func (w *world) stopped(name string) (pid int) {
	w.Helper()
	pid = w.hit(name)
	w.until("it has stopped", func() bool { return state(pid) == 'T' })
	return pid
}

func proceed(pid int) { _ = syscall.Kill(pid, syscall.SIGCONT) }

// serving is a manager in the foreground, as a child of the test.
type serving struct {
	*exec.Cmd
	ready chan string   // gets what it says of its start
	ended chan struct{} // is closed when it has ended
}

// launch starts a manager and does not wait for it.
func (w *world) launch(settings ...string) *serving {
	w.Helper()
	log, err := os.OpenFile(w.base+"/manager.log", os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	w.must(err)
	return w.launchWith(log, settings...)
}

// launchWith starts a manager whose standard error is this file, which it closes.
func (w *world) launchWith(log *os.File, settings ...string) *serving {
	w.Helper()
	r, theirs, err := os.Pipe()
	w.must(err)
	m := &serving{w.command(settings, "start", "--foreground", "--ready"), make(chan string, 1), make(chan struct{})}
	m.Stderr, m.ExtraFiles = log, []*os.File{theirs}
	m.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	w.must(m.Start())
	theirs.Close()
	log.Close()
	go func() {
		line, _ := bufio.NewReader(r).ReadString('\n')
		r.Close()
		m.ready <- strings.TrimSpace(line)
	}()
	go func() { _ = m.Wait(); close(m.ended) }()
	w.manager = m
	return m
}

// start starts a manager that serves.
func (w *world) start(settings ...string) *serving {
	w.Helper()
	m := w.launch(settings...)
	if said := m.says(); said != "0 serving" {
		w.Fatalf("the manager does not serve: %q", said)
	}
	return m
}

// says waits for what the manager says of its start, "" if it dies before.
func (m *serving) says() string {
	said := <-m.ready
	m.ready <- said // for whoever asks next
	return said
}

// kill ends the manager with SIGKILL.
func (m *serving) kill() {
	_ = m.Process.Kill()
	<-m.ended
}

// managerEnds waits until the manager has ended, with this exit code.
func (w *world) managerEnds(want int) {
	w.Helper()
	<-w.manager.ended
	if code := w.manager.ProcessState.ExitCode(); code != want {
		w.Errorf("the manager ended with exit code %d", code)
	}
}

// waits is a script that runs until a file is there.
func waits(file string) string { return "until [ -e $SCRATCH/" + file + " ]; do sleep 0.02; done" }

// started waits until the command of a task runs.
func (w *world) started(job, id string) {
	w.Helper()
	w.until("the command of "+job+"/"+id+" runs", func() bool { return w.starts(job, id) == 1 })
}

// serveUntilStarted queues a task, starts a manager, and waits until the task's
// command runs.
func (w *world) serveUntilStarted(job, id, script string) {
	w.Helper()
	w.enqueue(job, id, script)
	w.start()
	w.started(job, id)
}

// task is what status says of a task.
type task struct {
	ID                            string `json:"task"`
	Status, Reason, Error, Signal string
	Attempts                      int
	ExitCode                      *int `json:"exit_code"`
}

func (t task) ended() bool { return t.Status == "completed" || t.Status == "failed" }

// tasks reads those of a job by id; there are none if there is no such job.
func (w *world) tasks(job string) map[string]task {
	w.Helper()
	var status struct{ Tasks []task }
	if o := w.with(nil, "status", "--json", "--job", job); o.code == 0 {
		w.must(json.Unmarshal([]byte(o.out), &status))
	} else if o.code != 4 {
		w.Fatalf("status: exit code %d\n%s", o.code, o.err)
	}
	all := map[string]task{}
	for _, t := range status.Tasks {
		all[t.ID] = t
	}
	return all
}

// becomes waits until a task has this status, and returns it.
func (w *world) becomes(status, job, id string) (t task) {
	w.Helper()
	w.until(fmt.Sprintf("%s/%s is %s", job, id, status), func() bool {
		t = w.tasks(job)[id]
		if t.ended() && t.Status != status {
			w.Fatalf("%s/%s is %+v, not %s", job, id, t, status)
		}
		return t.Status == status
	})
	return t
}

// sql runs a statement behind the program's back and returns its first value.
func (w *world) sql(statement string, args ...any) (value string) {
	w.Helper()
	d, err := sql.Open("sqlite", "file:"+w.base+"/air-executor.db?_pragma=busy_timeout(30000)")
	w.must(err)
	defer d.Close()
	if err := d.QueryRow(statement, args...).Scan(&value); err != nil && !errors.Is(err, sql.ErrNoRows) {
		w.Fatalf("%s: %v", statement, err)
	}
	return value
}
