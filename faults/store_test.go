//go:build failpoints

package faults

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// T18: while a process is stopped inside a write, others give up in time and
// name it; when it is gone, all goes on.
func TestSigstopWriter(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	impatient := []string{"AIR_EXECUTOR_WAIT=500ms"}
	w.start(impatient...)
	holder := w.command(failpoint("enqueue.after_insert:stop"), "enqueue", "--job", "j", "--", "true")
	w.must(holder.Start())
	pid := w.stopped("enqueue.after_insert")
	for _, args := range [][]string{{"enqueue", "--job", "k", "--", "true"}, {"cancel", "j"}, {"run", "--", "true"}} {
		o := w.with(impatient, args...)
		want := fmt.Sprintf("process %d has held the write lock", pid)
		if args[0] == "cancel" {
			want = "no such job" // it reads first
			if o.code == 1 {
				want = fmt.Sprintf("process %d", pid)
			}
		}
		if o.code == 0 || !strings.Contains(o.err, want) || o.out != "" {
			t.Errorf("%q beside a stopped writer: %+v", args, o)
		}
	}
	w.run(0, "status")
	w.must(syscall.Kill(pid, syscall.SIGKILL))
	_ = holder.Wait()
	w.enqueue("k", "1", "true")
	w.becomes("completed", "k", "1")
	if n := w.sql("SELECT count(*) FROM job"); n != "1" {
		t.Errorf("%s jobs, and not just the one whose enqueue succeeded", n)
	}
}

// T21: on a full disk nothing is said to be stored that is not, the results of
// what runs are recorded all the same, and all goes on when there is room again.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mount("size=6m")
	w.write("base/config.yaml", "poll_interval: 1\n")
	w.enqueue("a", "1", waits("go"))
	w.enqueue("b", "1", waits("go")+"; exit 5")
	w.start()
	w.until("both run", func() bool { return w.starts("a", "1")+w.starts("b", "1") == 2 })
	fill, err := os.Create(w.base + "/fill")
	w.must(err)
	block := make([]byte, 4096)
	for err == nil {
		_, err = fill.Write(block)
	}
	fill.Close()
	refused := 0
	for i := 0; refused < 5; i++ {
		o := w.with(nil, w.enqueueArgs("a", fmt.Sprintf("late%d", i), "true")...)
		switch {
		case o.code == 0:
			w.acked = append(w.acked, [2]string{"a", fmt.Sprintf("late%d", i)})
		case o.out != "" || !strings.Contains(o.err, "no space left"):
			t.Errorf("enqueue on a full disk: %+v", o)
			refused++
		default:
			refused++
		}
		if i > 2000 {
			t.Fatal("the disk does not become full")
		}
	}
	w.write("scratch/go", "")
	w.until("the commands have ended", func() bool {
		return strings.Count(strings.Join(w.witnessed(), "\n"), "end ") == 2
	})
	w.becomes("completed", "a", "1")
	if b := w.becomes("failed", "b", "1"); *b.ExitCode != 5 {
		t.Errorf("%+v", b)
	}
	// That room is for results alone.
	if o := w.with(nil, w.enqueueArgs("a", "too-late", "true")...); o.code != 1 || !strings.Contains(o.err, "no space left") {
		t.Errorf("enqueue after that: %+v", o)
	}
	w.must(os.Remove(w.base + "/fill"))
	for _, a := range w.acked[2:] {
		w.becomes("completed", a[0], a[1])
	}
}

// T40: on a disk that can only be read, whoever would write says so, and
// nothing is harmed.
func TestReadOnlyDisk(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mount("size=6m")
	w.write("base/config.yaml", "poll_interval: 1\n")
	w.enqueue("j", "1", "true")
	remount := func(flags uintptr) { w.must(syscall.Mount("", w.base, "", syscall.MS_REMOUNT|flags, "")) }
	remount(syscall.MS_RDONLY)
	for _, args := range [][]string{w.enqueueArgs("j", "2", "true"), {"start"}, {"run", "--", "true"}, {"cancel", "j"}, {"status"}, {"doctor"}} {
		if o := w.with(nil, args...); o.code != 1 || o.out != "" || !strings.Contains(o.err, "read-only file system") {
			t.Errorf("%q: %+v", args, o)
		}
	}
	remount(0)
	w.start()
	w.becomes("completed", "j", "1")
	if n := w.sql("SELECT count(*) FROM task"); n != "1" {
		t.Errorf("%s tasks", n)
	}
}

// T22, T23: tasks that print without end are ended before they fill the disk
// on which results are recorded, and others go on.
func TestLogBomb(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mount("size=512m")
	w.write("base/config.yaml", "poll_interval: 1\nmax_log_size: 1\n")
	jobs := []string{"a", "b", "c", "d"}
	for _, job := range jobs {
		w.enqueue(job, "1", "exec yes")
	}
	w.enqueue("good", "1", "echo fine")
	w.start()
	w.becomes("completed", "good", "1")
	for _, job := range jobs {
		if ended := w.becomes("failed", job, "1"); ended.Reason != "too_much_output" {
			t.Errorf("%+v", ended)
		}
	}
}

// mount puts a file system in memory at the base path.
func (w *world) mount(options string) {
	w.Helper()
	if os.Getuid() != 0 {
		w.Skip("only root can mount")
	}
	if err := syscall.Mount("tmpfs", w.base, "tmpfs", 0, "mode=0700,"+options); err != nil {
		w.Skipf("cannot mount: %v", err)
	}
	base := w.base
	w.Cleanup(func() {
		w.verify() // as long as there is something to verify
		_ = syscall.Unmount(base, syscall.MNT_DETACH)
	})
}

// T31: files that are not ours, or not yet, are refused and left as they are.
func TestForeignDatabase(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, says string
		make       func(w *world, base string)
	}{
		{"newer", "newer", func(w *world, base string) {
			w.run(0, "enqueue", "--base-path", base, "--", "true")
			w.sqlite(base, "PRAGMA user_version = 99")
		}},
		{"other program's", "another program", func(w *world, base string) {
			w.sqlite(base, "CREATE TABLE bookmarks (x); INSERT INTO bookmarks VALUES (1)")
		}},
		{"other program's id", "not a database of air-executor", func(w *world, base string) { w.sqlite(base, "PRAGMA application_id = 77; CREATE TABLE x (x)") }},
		{"text", "not a database", func(w *world, base string) {
			w.must(os.WriteFile(base+"/air-executor.db", []byte(strings.Repeat("to do: tidy up\n", 100)), 0o600))
		}},
		{"directory", "not a regular file", func(w *world, base string) { w.must(os.Mkdir(base+"/air-executor.db", 0o700)) }},
		{"fifo", "not a regular file", func(w *world, base string) { w.must(syscall.Mkfifo(base+"/air-executor.db", 0o600)) }},
		{"hard link", "second name", func(w *world, base string) {
			w.run(0, "enqueue", "--base-path", base, "--", "true")
			w.must(os.Link(base+"/air-executor.db", base+"/copy.db"))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			base := w.scratch + "/base"
			w.must(os.Mkdir(base, 0o700))
			c.make(w, base)
			before := sum(base + "/air-executor.db")
			for _, args := range [][]string{{"enqueue", "--", "true"}, {"status"}, {"start"}, {"run", "--", "true"}, {"doctor"}} {
				o := w.with(nil, append([]string{args[0], "--base-path", base}, args[1:]...)...)
				if o.code != 1 || !strings.Contains(o.err, c.says) || o.out != "" {
					t.Errorf("%q: %+v", args, o)
				}
			}
			if after := sum(base + "/air-executor.db"); after != before {
				t.Error("the file has changed")
			}
		})
	}
	t.Run("empty", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.write("base/air-executor.db", "")
		w.enqueue("j", "1", "true")
		w.start()
		w.becomes("completed", "j", "1")
	})
}

// sqlite runs statements in the database of another base path.
func (w *world) sqlite(base, statements string) {
	w.Helper()
	other := *w
	other.base = base
	for _, s := range strings.Split(statements, "; ") {
		other.sql(s)
	}
}

func sum(path string) string {
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return info.Mode().String()
	}
	b, err := os.ReadFile(path)
	return fmt.Sprintf("%x %v", sha256.Sum256(b), err)
}

// T30: processes that find no database build one together.
func TestMigrateRace(t *testing.T) {
	t.Parallel()
	for range 5 {
		w := newWorld(t)
		for i, o := range atOnce(20, func(i int) outcome {
			return w.with(nil, w.enqueueArgs("j", strconv.Itoa(i), "true")...)
		}) {
			if o.code != 0 {
				t.Errorf("%+v", o)
			}
			w.acked = append(w.acked, [2]string{"j", strconv.Itoa(i)})
		}
		w.start()
		w.run(0, "wait", "--job", "j")
	}
}

// T51: what root queues under sudo does not lock out the owner of a base path, and
// another user, or root of itself, is told that it is not theirs.
func TestPermission(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("only root can become another user")
	}
	w := newWorld(t)
	const owner, other = 65534, 65533
	w.must(os.Chmod(filepath.Dir(w.dir), 0o755))
	w.must(filepath.WalkDir(w.dir, func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Chown(path, owner, owner))
	}))
	as := func(uid uint32, args ...string) (int, string) {
		c := w.command(nil, args...)
		c.Dir = "/" // the home folder is closed to others, who could not even start there
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
		out, err := c.CombinedOutput()
		return c.ProcessState.ExitCode(), fmt.Sprintf("%s(%v)", out, err)
	}
	for _, args := range [][]string{{"status"}, {"enqueue", "--", "true"}, {"start"}, {"run", "--", "true"}, {"doctor"}} {
		for _, uid := range []uint32{other, 0} {
			want := fmt.Sprintf("is owned by uid %d, not by you (uid %d)", owner, uid)
			if code, out := as(uid, args...); code != 1 || !strings.Contains(out, want) {
				t.Errorf("%q by user %d: exit code %d, %s", args, uid, code, out)
			}
		}
	}
	w.env = append(w.env, fmt.Sprint("SUDO_UID=", owner))
	for i, uid := range []uint32{owner, 0, owner, 0, owner} {
		id := strconv.Itoa(i)
		if code, out := as(uid, w.enqueueArgs("j", id, "true")...); code != 0 {
			t.Errorf("enqueue by user %d: exit code %d, %s", uid, code, out)
		}
		w.acked = append(w.acked, [2]string{"j", id})
	}
	if code, out := as(owner, "start"); code != 0 {
		t.Fatalf("start by the owner: exit code %d, %s", code, out)
	}
	w.run(0, "enqueue", "--job", "k", "--", "true")
	for _, job := range []string{"j", "k"} {
		if code, out := as(owner, "wait", "--job", job); code != 0 {
			t.Errorf("wait: exit code %d, %s", code, out)
		}
	}
}

// After root has served the base path of a user, the user goes on there.
func TestPermissionAfterRoot(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("only root can become another user")
	}
	w := newWorld(t)
	const owner = 65534
	w.must(os.Chmod(filepath.Dir(w.dir), 0o755))
	w.must(filepath.WalkDir(w.dir, func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Chown(path, owner, owner))
	}))
	w.env = append(w.env, fmt.Sprint("SUDO_UID=", owner))
	as := func(uid uint32, args ...string) (int, string) {
		c := w.command(nil, args...)
		c.Dir = "/"
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
		out, err := c.CombinedOutput()
		return c.ProcessState.ExitCode(), fmt.Sprintf("%s(%v)", out, err)
	}
	good := func(uid uint32, args ...string) {
		t.Helper()
		if code, out := as(uid, args...); code != 0 {
			t.Errorf("%q by user %d: exit code %d, %s", args, uid, code, out)
		}
	}
	good(0, "start")
	good(0, "enqueue", "--job", "j", "--", "true")
	for _, args := range [][]string{{"wait", "j"}, {"status", "j"}, {"logs", "j"}, {"doctor"}, {"run", "--", "true"}, {"stop"}} {
		good(owner, args...)
	}
	w.must(filepath.WalkDir(w.base, func(path string, e fs.DirEntry, err error) error {
		if err == nil {
			info, err := e.Info()
			if err == nil && info.Sys().(*syscall.Stat_t).Uid != owner {
				t.Errorf("%s is root's", path)
			}
		}
		return err
	}))
	for _, args := range [][]string{{"start"}, {"stop"}, {"run", "--", "true"}} {
		good(owner, args...)
	}
	// What an earlier version has left to root is told, with the way back.
	w.must(os.Chown(filepath.Join(w.base, "manager.lock"), 0, 0))
	for _, args := range [][]string{{"start"}, {"stop"}, {"status"}, {"run", "--", "true"}} {
		code, out := as(owner, args...)
		if code != 1 || !strings.Contains(out, "manager.lock is owned by uid 0") || !strings.Contains(out, "sudo chown -R") {
			t.Errorf("%q: exit code %d, %s", args, code, out)
		}
	}
	w.must(os.Chown(filepath.Join(w.base, "manager.lock"), owner, owner))
	w.must(os.Chown(filepath.Join(w.base, "bin"), 0, 0))
	if code, out := as(owner, "run", "--", "true"); code != 0 || !strings.Contains(out, "in their PATH: permission denied: "+w.base+"/bin is owned by uid 0") {
		t.Errorf("bin of root: exit code %d, %s", code, out)
	}
}

// What root makes in a user's base path is root's for a moment, and the user's then. A
// command of the user in that moment waits.
func TestPermissionWhileRootGives(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("only root can become another user")
	}
	w := newWorld(t)
	const owner = 65534
	w.env = append(w.env, fmt.Sprint("SUDO_UID=", owner))
	w.with(nil, "run", "--job", "j", "--", "echo", "said")
	w.must(os.Chmod(filepath.Dir(w.dir), 0o755))
	w.must(filepath.WalkDir(w.dir, func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Chown(path, owner, owner))
	}))
	for _, name := range []string{"jobs/j/logs/1.log", "jobs/j"} {
		path := filepath.Join(w.base, name)
		c := w.command(nil, "logs", "j")
		c.Dir = "/"
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: owner, Gid: owner}}
		out, read := "", make(chan error)
		w.must(os.Chown(path, 0, 0))
		go func() {
			b, err := c.CombinedOutput()
			out = string(b)
			read <- err
		}()
		// It is root's half of the time, and never for long.
		for ended, uid := false, owner; !ended; {
			select {
			case err := <-read:
				if ended = true; err != nil || !strings.HasSuffix(out, "said\n") {
					t.Errorf("%s: %v, %q", name, err, out)
				}
			case <-time.After(20 * time.Millisecond):
				w.must(os.Chown(path, uid, uid))
				uid = owner - uid
			}
		}
		w.must(os.Chown(path, owner, owner))
	}
}

// T33: tasks that wait for tasks do not hang for want of a place, however deep.
func TestSubtaskDeadlock(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "max_concurrent_runners: 1")
	w.enqueue("a", "1", `$AIR run -- $AIR run -- $AIR run -- $AIR run -- $AIR run -- sh -c "echo deep >$SCRATCH/deep"`)
	w.enqueue("b", "1", `$AIR enqueue -q --job c -- false; $AIR wait --job c; echo $? >$SCRATCH/waited`)
	w.enqueue("d", "1", `$AIR wait --job d; echo $? >$SCRATCH/itself`)
	w.start()
	for _, job := range []string{"a", "b", "d"} {
		w.becomes("completed", job, "1")
	}
	if b, _ := os.ReadFile(w.scratch + "/waited"); string(b) != "3\n" {
		t.Errorf("the wait for a job that fails ended with %q", b)
	}
	if b, _ := os.ReadFile(w.scratch + "/itself"); string(b) != "1\n" {
		t.Errorf("a wait for the own job ended with %q", b)
	}
	if !exists(w.scratch + "/deep") {
		t.Error("the innermost command was not run")
	}
}

// T34: tasks that queue tasks without end come to the limits, and other jobs
// get their turn.
func TestSubtaskBomb(t *testing.T) {
	t.Parallel()
	for config, want := range map[string]string{
		"max_subtasks: 30":     "31",
		"max_subtask_depth: 4": "31", // 1 + 2 + 4 + 8 + 16
	} {
		t.Run(config, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, config)
			w.write("bomb.sh", `$AIR enqueue -q -- sh $WORLD/bomb.sh && $AIR enqueue -q -- sh $WORLD/bomb.sh`)
			w.canary = w.lookAtCanary()
			w.run(0, "enqueue", "--job", "bomb", "--id", "first", "--", "sh", w.dir+"/bomb.sh")
			w.enqueue("other", "1", "true")
			w.start()
			w.becomes("completed", "other", "1")
			w.run(3, "wait", "--job", "bomb")
			if n := w.sql("SELECT count(*) FROM task t JOIN job j ON j.id = t.job WHERE j.name = 'bomb'"); n != want {
				t.Errorf("%s tasks, not %s", n, want)
			}
			if out := w.run(0, "logs", "--job", "bomb", "--tail", "1000").out; !strings.Contains(out, "limit reached") {
				t.Errorf("the log does not name the limit: %s", out)
			}
		})
	}
}

// T35: fifty processes that queue the same task make one, and all say so.
func TestIdempotentKeyRace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	args := w.enqueueArgs("j", "k", "true")
	args = append([]string{args[0], "--if-absent"}, args[1:]...)
	for i, o := range atOnce(50, func(int) outcome { return w.with(nil, args...) }) {
		if o.code != 0 || o.out != "k\n" {
			t.Errorf("%d: %+v", i, o)
		}
	}
	w.acked = append(w.acked, [2]string{"j", "k"})
	if done := w.becomes("completed", "j", "k"); done.Attempts != 1 {
		t.Errorf("%+v", done)
	}
	if n := w.sql("SELECT count(*) FROM task"); n != "1" {
		t.Errorf("%s tasks", n)
	}
}

// T40: the database is in the folder that was named, however odd its name, and
// nothing is beside it.
func TestOddPaths(t *testing.T) {
	t.Parallel()
	inEach(t, []string{"a?b", "c#d", "e%20f", "g h", "日本 é", "file:x?mode=ro", "-i", `"j'k`, "l\nm", "deep/er", "?cache=shared"}, func(t *testing.T, w *world, name string) {
		w.must(os.Remove(w.scratch + "/here"))
		where := []string{"AIR_EXECUTOR_BASE_PATH=../scratch/" + name}
		if o := w.with(where, "run", "--", "sh", "-c", "echo said"); o.code != 0 || !strings.Contains(o.out, "said") {
			t.Fatalf("%+v", o)
		}
		if o := w.with(where, "start"); o.code != 0 {
			t.Fatalf("%+v", o)
		}
		w.with(where, "enqueue", "--job", "j", "--id", "1", "--", "true")
		if o := w.with(where, "wait", "--job", "j"); o.code != 0 {
			t.Errorf("%+v", o)
		}
		if o := w.with(where, "doctor"); o.code != 0 {
			t.Errorf("%+v", o)
		}
		if o := w.with(where, "stop"); o.code != 0 {
			t.Errorf("%+v", o)
		}
		if !exists(w.scratch + "/" + name + "/air-executor.db") {
			t.Error("there is no database where it should be")
		}
		beside, _ := filepath.Glob(w.scratch + "/*")
		if first, _, _ := strings.Cut(name, "/"); len(beside) != 1 || filepath.Base(beside[0]) != first {
			t.Errorf("beside it are %q", beside)
		}
	})
}

// T40: a database that is linked to from another base path is not served from
// there, where the locks of its runners cannot be seen.
func TestLinkedDatabase(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serveUntilStarted("j", "1", waits("go"))
	other := w.scratch + "/other"
	w.must(os.Mkdir(other, 0o700))
	w.must(os.Symlink(w.base+"/air-executor.db", other+"/air-executor.db"))
	for _, args := range [][]string{{"start", "--base-path", other}, {"run", "--base-path", other, "--", "true"}} {
		if o := w.with(nil, args...); o.code != 1 || !strings.Contains(o.err, "symbolic link") {
			t.Errorf("%q: %+v", args, o)
		}
	}
	// A link to the whole base path is another name for the same thing.
	w.must(os.Symlink(w.base, w.scratch+"/same"))
	w.run(5, "start", "--base-path", w.scratch+"/same")
	w.run(0, "enqueue", "--base-path", w.scratch+"/same", "--job", "k", "--id", "1", "--", "true")
	w.becomes("completed", "k", "1")
	w.write("scratch/go", "")
	w.becomes("completed", "j", "1")
}

// T15: a process that has got the PID of a runner that died is not taken for
// it, and not harmed.
func TestPIDReuse(t *testing.T) {
	if os.Getenv("FAULTS_NAMESPACE") == "" {
		t.Parallel()
		if os.Getuid() != 0 {
			t.Skip("only root can choose PIDs")
		}
		inside := exec.Command("unshare", "--pid", "--fork", "--mount-proc", "--kill-child", os.Args[0], "-test.run=^TestPIDReuse$", "-test.v")
		inside.Env = append(os.Environ(), "FAULTS_NAMESPACE=1", "FAULTS_PROGRAM="+program)
		out, err := inside.CombinedOutput()
		if strings.Contains(string(out), "unshare failed") || strings.Contains(string(out), "--- SKIP") {
			t.Skipf("no namespace for PIDs here: %s", out)
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	w := newWorld(t)
	w.serveUntilStarted("j", "1", "sleep 1000")
	runner := w.runnerOf("j", "1")
	w.manager.kill()
	w.powerOff() // the command too, which is in the session of that name
	// We are the init of this namespace: what has no parent is our child.
	for err := error(nil); err != syscall.ECHILD; {
		_, err = syscall.Wait4(-1, nil, 0, nil)
	}
	stranger := &exec.Cmd{}
	for range 100 {
		if err := os.WriteFile("/proc/sys/kernel/ns_last_pid", []byte(strconv.Itoa(runner-1)), 0o600); err != nil {
			t.Skip(err)
		}
		stranger = exec.Command("sleep", "1000")
		w.must(stranger.Start())
		if stranger.Process.Pid == runner {
			break
		}
		_ = stranger.Process.Kill()
		_ = stranger.Wait()
	}
	if stranger.Process.Pid != runner {
		t.Skip("the PID could not be had again")
	}
	w.run(1, "doctor")
	w.start()
	if lost := w.becomes("failed", "j", "1"); lost.Reason != "lost" {
		t.Errorf("%+v", lost)
	}
	w.with(nil, "cancel", "j")
	w.run(0, "stop", "--kill")
	if !alive(runner) {
		t.Error("the stranger was killed")
	}
	_ = stranger.Process.Kill()
	_ = stranger.Wait()
}
