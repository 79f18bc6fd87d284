package main

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/air-executor/air-executor/manager"
)

// TestMain makes the test binary the program itself when its name is
// air-executor, as in the scripts, in managers and in runners.
func TestMain(m *testing.M) {
	os.Setenv("GORACE", "atexit_sleep_ms=0") // with -race, every process would end a second late
	testscript.Main(m, map[string]func(){"air-executor": main})
}

// TestScript runs the stories in testdata/script. Beside the commands of
// testscript they have
//
//	exits CODE PROGRAM ARG...   run a program, which must end with this exit code
//	interrupted [-printed] PROGRAM ARG...  run a program, which must end with exit code 130 when it is interrupted
//	json PATH VALUE             stdout must be one JSON value, with this one at a path such as tasks.0.id
//	sql STATEMENT               change the database behind the program's back
//	[!] running REGEXP          there must (not) be a process of this story with such a command line
//
// A story fails if a process outlives it. UPDATE_SCRIPTS=1 writes what cmp
// finds into the stories.
func TestScript(t *testing.T) {
	deadline, _ := t.Deadline()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		Deadline:            deadline,
		RequireExplicitExec: true,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("TZ", "UTC")
			v1, err := filepath.Abs("../../db/testdata/v1.db.gz")
			if err != nil {
				return err
			}
			env.Setenv("V1_DB_GZ", v1) // a database of the first schema
			env.Values[environment] = env.Vars
			env.Defer(func() { endAll(env.T().(testing.TB), env.WorkDir) })
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "interrupted": interrupted, "json": jsonHolds, "sql": changeDatabase, "running": running,
		},
	})
}

func exits(ts *testscript.TestScript, _ bool, args []string) {
	got := "0"
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		got = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if got != args[0] {
		ts.Fatalf("exit code is %s, not %s", got, args[0])
	}
}

// environment is the key for the environment of a story.
const environment = "environment"

// interrupted sends SIGINT, with -printed not before the program has printed
// something. A program that dies of it was not yet there to be interrupted, and has
// done nothing: it is given more time.
func interrupted(ts *testscript.TestScript, _ bool, args []string) {
	printed := args[0] == "-printed"
	if printed {
		args = args[1:]
	}
	for wait := 100 * time.Millisecond; ; wait *= 2 {
		var errs bytes.Buffer
		out, err := os.CreateTemp(ts.Getenv("TMPDIR"), "out")
		ts.Check(err)
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Dir, cmd.Env = ts.MkAbs("."), ts.Value(environment).([]string)
		cmd.Stdout, cmd.Stderr = out, &errs
		ts.Check(cmd.Start())
		ended := make(chan struct{})
		go interrupt(cmd.Process, out, printed, wait, ended)
		_ = cmd.Wait()
		close(ended)
		if s := cmd.ProcessState.Sys().(syscall.WaitStatus); s.Signaled() && s.Signal() == syscall.SIGINT && wait < 30*time.Second {
			continue
		}
		content, err := os.ReadFile(out.Name())
		ts.Check(errors.Join(err, out.Close(), os.Remove(out.Name())))
		_, _ = ts.Stdout().Write(content)
		_, _ = ts.Stderr().Write(errs.Bytes())
		if code := cmd.ProcessState.ExitCode(); code != exitInterrupted {
			ts.Fatalf("interrupted after %s: %s\n%s", wait, cmd.ProcessState, errs.String())
		}
		return
	}
}

// interrupt sends SIGINT after a time, or when the process has printed something.
// One that has not ended half a minute later is killed.
func interrupt(p *os.Process, out *os.File, printed bool, wait time.Duration, ended chan struct{}) {
	tick := time.NewTicker(wait)
	defer tick.Stop()
	for sent, end := false, time.Now().Add(time.Minute); ; {
		select {
		case <-ended:
			return
		case <-tick.C:
		}
		info, err := out.Stat()
		switch {
		case time.Now().After(end):
			_ = p.Kill()
		case sent || err != nil || printed && info.Size() == 0:
		default:
			_ = p.Signal(os.Interrupt)
			sent = true
			end = time.Now().Add(30 * time.Second)
		}
	}
}

// jsonHolds compares a value as json.Marshal writes it, but strings without quotes.
func jsonHolds(ts *testscript.TestScript, _ bool, args []string) {
	var at any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &at))
	for key := range strings.FieldsFuncSeq(args[0], func(r rune) bool { return r == '.' }) {
		object, _ := at.(map[string]any)
		if list, ok := at.([]any); !ok {
			at = object[key]
		} else if n, err := strconv.Atoi(key); err == nil && n < len(list) {
			at = list[n]
		}
	}
	got, ok := at.(string)
	if b, err := json.Marshal(at); err == nil && !ok {
		got = string(b)
	}
	if got != args[1] {
		ts.Fatalf("%s is %s, not %s", args[0], got, args[1])
	}
}

func changeDatabase(ts *testscript.TestScript, _ bool, args []string) {
	db, err := sql.Open("sqlite", ts.MkAbs(".air-executor/air-executor.db"))
	ts.Check(err)
	defer db.Close()
	_, err = db.Exec(args[0])
	ts.Check(err)
}

// running is strict about what must not be there, and waits for what must.
func running(ts *testscript.TestScript, neg bool, args []string) {
	found := func() bool {
		return regexp.MustCompile(args[0]).MatchString(strings.Join(processes(ts.Getenv("WORK")), "\n"))
	}
	if neg && found() || !neg && !soon(found) {
		ts.Fatalf("running %s: %t", args[0], neg)
	}
}

// soon waits for ten seconds at most.
func soon(ok func() bool) bool {
	for end := time.Now().Add(10 * time.Second); !ok() && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	return ok()
}

// processes lists what a story has started, as "PID COMMAND ARG...". All of it
// carries the story's folder in its environment. Empty where there is no /proc.
func processes(work string) (found []string) {
	folders, _ := filepath.Glob("/proc/[0-9]*")
	for _, p := range folders {
		env, err := os.ReadFile(p + "/environ")
		if err == nil && strings.Contains("\x00"+string(env), "\x00WORK="+work+"\x00") {
			line, _ := os.ReadFile(p + "/cmdline")
			found = append(found, fmt.Sprint(filepath.Base(p), " ", strings.ReplaceAll(string(line), "\x00", " ")))
		}
	}
	return found
}

// endAll stops the managers of a story, and fails it if anything goes on then,
// or if a manager has seen a data race.
func endAll(t testing.TB, work string) {
	_ = filepath.WalkDir(work, func(path string, e fs.DirEntry, _ error) error {
		switch e.Name() {
		case manager.LockName:
			stop := exec.Command("air-executor", "stop", "--kill", "--timeout=20s", "--base-path", filepath.Dir(path))
			if out, err := stop.CombinedOutput(); err != nil && stop.ProcessState.ExitCode() != exitManager {
				t.Errorf("stop the manager of %s: %v\n%s", filepath.Dir(path), err, out)
			}
		case "manager.log":
			if b, _ := os.ReadFile(path); strings.Contains(string(b), "DATA RACE") {
				t.Errorf("%s:\n%s", path, b)
			}
		}
		return nil
	})
	// Runners take a moment to end after they have recorded a result.
	soon(func() bool { return len(processes(work)) == 0 })
	for _, p := range processes(work) {
		t.Errorf("outlives the story: %s", p)
	}
}
