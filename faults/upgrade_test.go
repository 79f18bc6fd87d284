//go:build failpoints

package faults

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/air-executor/air-executor/migrations"
)

// nextVersion builds the program as its next version may be: this tree, with one
// migration more. The tree is not touched.
var nextVersion = sync.OnceValues(func() (string, error) {
	dir := filepath.Dir(program)
	root, err := filepath.Abs("..")
	if err != nil {
		return "", err
	}
	next := migrations.Version + 1
	source, err := os.ReadFile(filepath.Join(root, "migrations/migrations.go"))
	if err != nil {
		return "", err
	}
	migration, err := os.ReadFile(filepath.Join(root, "migrations/testdata/next.sql"))
	if err != nil {
		return "", err
	}
	before, after := fmt.Sprintf("const Version = %d\n", migrations.Version), fmt.Sprintf("const Version = %d\n", next)
	replace, err := mutated()
	if err != nil {
		return "", err
	}
	for name, text := range map[string]string{
		"migrations.go": strings.Replace(string(source), before, after, 1),
		fmt.Sprintf("sqlite/%05d_next.sql", next): strings.ReplaceAll(string(migration), "NEXT", strconv.Itoa(next)),
	} {
		path := filepath.Join(dir, "next-"+filepath.Base(name))
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return "", err
		}
		replace[filepath.Join(root, "migrations", name)] = path
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "next-overlay.json")
	if err := os.WriteFile(path, overlay, 0o600); err != nil {
		return "", err
	}
	binary := filepath.Join(dir, "air-executor-next")
	build := exec.Command("go", "build", "-tags", "failpoints", "-overlay", path, "-o", binary, "../cmd/air-executor")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the next version: %w\n%s", err, out)
	}
	return binary, nil
})

// mutated are the files that the go command replaces already, as it does where
// these tests run for a mutant.
func mutated() (map[string]string, error) {
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for _, flag := range strings.Fields(os.Getenv("GOFLAGS")) {
		if path, ok := strings.CutPrefix(flag, "-overlay="); ok {
			b, err := os.ReadFile(path)
			if err == nil {
				err = json.Unmarshal(b, &overlay)
			}
			if err != nil {
				return nil, err
			}
		}
	}
	return overlay.Replace, nil
}

// twoVersions makes a world, and returns a function that runs a command of the
// next version in it.
func twoVersions(t *testing.T) (*world, func(args ...string) outcome) {
	t.Helper()
	next, err := nextVersion()
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	return w, func(args ...string) outcome {
		t.Helper()
		old := w.program
		w.program = next
		defer func() { w.program = old }()
		return w.with(nil, args...)
	}
}

func (w *world) schemaVersion() string { return w.sql("PRAGMA user_version") }

// While a manager of the old program serves, commands of the new one work on its
// database and leave the schema alone.
func TestNewCommandsBesideAnOldManager(t *testing.T) {
	t.Parallel()
	w, next := twoVersions(t)
	w.enqueue("a", "1", waits("go")+"; $AIR enqueue --job sub --id of-old -- true")
	w.enqueue("a", "2", "true")
	w.enqueue("c", "1", "sleep 1000")
	w.start()
	w.becomes("running", "a", "1")
	w.becomes("running", "c", "1")
	version := w.schemaVersion()
	for _, args := range [][]string{
		{"enqueue", "--job", "b", "--id", "1", "--", "echo", "hello"}, {"status"}, {"status", "--job", "a"}, {"wait", "--job", "b"}, {"logs", "--job", "b"},
		{"cancel", "--job", "c"}, {"reset", "--job", "c"}, {"run", "--", "true"}, {"doctor"}, {"cancel", "--job", "c"},
	} {
		if o := next(args...); o.code != 0 {
			t.Errorf("%q: %+v", args, o)
		}
	}
	for _, args := range [][]string{{"upgrade"}, {"start"}} {
		if o := next(args...); o.code != 5 {
			t.Errorf("%q: %+v, want exit code 5", args, o)
		}
	}
	w.write("scratch/go", "")
	w.becomes("completed", "a", "2")
	w.becomes("completed", "sub", "of-old")
	if now := w.schemaVersion(); now != version {
		t.Errorf("the schema is version %s now, it was %s", now, version)
	}
	if o := next("stop"); o.code != 0 {
		t.Errorf("stop: %+v", o)
	}
}

// What runs under the old program records its result under the new schema, and
// the old program says that the database is newer.
func TestUpgradeWhileOldRunnersWork(t *testing.T) {
	t.Parallel()
	w, next := twoVersions(t)
	w.enqueue("a", "1", waits("go")+"; air-executor enqueue --job sub --id of-new -- true; exit 4")
	w.enqueue("b", "1", "true")
	w.start()
	w.becomes("running", "a", "1")
	w.becomes("completed", "b", "1")
	w.run(0, "stop")
	o := next("upgrade", "--json")
	var said struct {
		From, To int
		Copy     string
	}
	if o.code != 0 || json.Unmarshal([]byte(o.out), &said) != nil || said.To != said.From+1 {
		t.Fatalf("upgrade: %+v", o)
	}
	if info, err := os.Stat(said.Copy); err != nil || info.Mode().Perm() != 0o600 || filepath.Dir(said.Copy) != w.base {
		t.Errorf("the copy: %v, %v", info, err)
	}
	for _, args := range [][]string{{"status"}, {"enqueue", "--", "true"}, {"start"}} {
		if o := w.with(nil, args...); o.code != 1 || !strings.Contains(o.err, "database is newer than this program") {
			t.Errorf("%q of the old program: %+v", args, o)
		}
	}
	w.write("scratch/go", "")
	w.until("the result is recorded", func() bool {
		return w.sql("SELECT exit_code FROM attempt WHERE status = 'failed'") == "4"
	})
	w.program, _ = nextVersion()
	w.start()
	w.becomes("completed", "sub", "of-new")
}

// A manager of the old program that serves one job alone cannot be seen, and goes
// on through an upgrade. So do its runners, and the command that watches.
func TestUpgradeWhileAnOldRunWorks(t *testing.T) {
	t.Parallel()
	w, next := twoVersions(t)
	w.write("scratch/job.yaml", `name: many
tasks:
  - {id: a, command: sh, args: ["-c", "touch $SCRATCH/begun; until [ -e $SCRATCH/go ]; do sleep 0.02; done"]}
  - {id: b, command: "true", dependencies: [a]}
  - {id: c, command: "true", dependencies: [b]}
`)
	run := w.command(nil, "run", w.scratch+"/job.yaml")
	w.must(run.Start())
	w.until("the first task runs", func() bool { _, err := os.Stat(w.scratch + "/begun"); return err == nil })
	if o := next("upgrade"); o.code != 0 {
		t.Fatalf("upgrade: %+v", o)
	}
	w.write("scratch/go", "")
	if err := run.Wait(); err != nil {
		t.Errorf("run: %v", err)
	}
	w.program, _ = nextVersion()
	for id, task := range w.tasks("many") {
		if task.Status != "completed" {
			t.Errorf("%s: %+v", id, task)
		}
	}
}

// Killed at any point, an upgrade leaves the old version, with which the old
// program goes on, and a second try works.
func TestUpgradeKilled(t *testing.T) {
	t.Parallel()
	for _, point := range []string{"upgrade.copy", "upgrade.copied", "migrate.mid"} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			w, next := twoVersions(t)
			w.enqueue("a", "1", "true")
			version := w.schemaVersion()
			old := w.program
			w.program, _ = nextVersion()
			if o := w.with(failpoint(point+":kill"), "upgrade"); o.code != -1 {
				t.Fatalf("%+v, want that it is killed", o)
			}
			w.program = old
			if now := w.schemaVersion(); now != version {
				t.Errorf("the schema is version %s, it was %s", now, version)
			}
			w.enqueue("a", "2", "true")
			if o := next("upgrade"); o.code != 0 {
				t.Errorf("the second try: %+v", o)
			}
			if left, _ := filepath.Glob(w.base + "/*.part*"); len(left) > 0 {
				t.Errorf("left behind: %q", left)
			}
			w.program, _ = nextVersion()
			w.start()
			w.becomes("completed", "a", "2")
		})
	}
}

// start and run upgrade by themselves where no manager serves, and say so.
func TestStartAndRunUpgrade(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"start"}, {"run", "--", "true"}} {
		t.Run(args[0], func(t *testing.T) {
			t.Parallel()
			w, next := twoVersions(t)
			w.enqueue("a", "1", "true")
			version := w.schemaVersion()
			copied := w.base + "/air-executor.v" + version + ".db"
			if o := next(args...); o.code != 0 || !strings.Contains(o.err, copied) {
				t.Errorf("%+v, want that it names %s", o, copied)
			}
			if _, err := os.Stat(copied); err != nil || w.schemaVersion() == version {
				t.Errorf("version %s, copy: %v", w.schemaVersion(), err)
			}
			w.program, _ = nextVersion()
			if args[0] == "start" {
				w.becomes("completed", "a", "1")
				w.run(0, "stop")
			}
		})
	}
}

// A manager in the foreground writes it to its log.
func TestAManagerLogsItsUpgrade(t *testing.T) {
	t.Parallel()
	w, _ := twoVersions(t)
	w.enqueue("a", "1", "true")
	version := w.schemaVersion()
	w.program, _ = nextVersion()
	m := w.start()
	w.becomes("completed", "a", "1")
	w.must(m.Process.Signal(syscall.SIGTERM))
	<-m.ended
	log, err := os.ReadFile(w.base + "/manager.log")
	w.must(err)
	if !strings.Contains(string(log), "database upgraded") || !strings.Contains(string(log), "air-executor.v"+version+".db") {
		t.Errorf("%s", log)
	}
}
