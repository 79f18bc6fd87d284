//go:build linux

package process_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/air-executor/air-executor/internal/testkit"
	"github.com/air-executor/air-executor/runner/process"
)

// A command that opened its output by name emptied its own log.
func TestOutputSurvivesThatTheCommandOpensItByName(t *testing.T) {
	for _, c := range []struct{ name, need, line string }{
		{"/dev/stderr", "", `echo 2 >/dev/stderr`},
		{"/dev/stdout", "", `echo 2 >/dev/stdout`},
		{"/proc/self/fd/1", "", `echo 2 >/proc/self/fd/1`},
		{"/dev/fd/2", "", `echo 2 >/dev/fd/2`},
		{"appending", "", `echo 2 >>/dev/stderr`},
		{"kept open", "", `exec 3>/dev/stdout; echo 2 >&3`},
		{"tee", "", `echo 2 | tee /dev/stderr >/dev/null`},
		{"Python", "python3", `python3 -c 'open("/dev/stderr", "w").write("2\n")'`},
		{"Perl", "perl", `perl -e 'open F, ">/dev/stdout"; print F "2\n"'`},
		{"Node", "node", `node -e 'require("fs").writeFileSync("/dev/stderr", "2\n")'`},
		{"awk", "awk", `awk 'BEGIN { print 2 > "/dev/stderr" }'`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := exec.LookPath(c.need); c.need != "" && err != nil {
				t.Skip(err)
			}
			cmd := shell(t, "echo 1; "+c.line+"; echo 3 >&2; echo 4")
			run(t, cmd)
			if got, want := output(t, cmd), "1\n2\n3\n4\n"; got != want {
				t.Errorf("output %q, want %q", got, want)
			}
		})
	}
}

func TestALotOfOutputComesWholeAndInOrder(t *testing.T) {
	random := make([]byte, 20<<20)
	rng := rand.NewChaCha8([32]byte{1})
	_, _ = rng.Read(random)
	c := shell(t, `cat "$IN"; cat "$IN" >&2`)
	in := filepath.Join(t.TempDir(), "in")
	if err := os.WriteFile(in, random, 0o600); err != nil {
		t.Fatal(err)
	}
	c.Env = append(c.Env, "IN="+in)
	run(t, c)
	if got := output(t, c); got != string(random)+string(random) {
		t.Errorf("output has %d bytes, not %d, or differs", len(got), 2*len(random))
	}
}

func TestTheSizeLimitIsExact(t *testing.T) {
	const most = 100_000
	for _, c := range []struct {
		bytes int
		want  bool
	}{{most - 1, false}, {most, false}, {most + 1, true}, {most + 200_000, true}} {
		t.Run(fmt.Sprint(c.bytes), func(t *testing.T) {
			cmd := shell(t, fmt.Sprintf("head -c %d /dev/zero", c.bytes))
			cmd.MaxOutput = most
			e := run(t, cmd)
			if e.TooMuch != c.want {
				t.Errorf("exit %+v, want too much is %t", e, c.want)
			}
			if got := len(output(t, cmd)); got != min(c.bytes, most) {
				t.Errorf("the file has %d bytes, want %d", got, min(c.bytes, most))
			}
		})
	}
}

// A command that writes too much may clean up as any other, and is not held up
// by what it writes meanwhile.
func TestACommandThatHasWrittenTooMuchMayEndByItself(t *testing.T) {
	c := shell(t, `trap 'head -c 300000 /dev/zero; echo done >"$OUT"; exit 7' TERM; head -c 2000 /dev/zero; while :; do sleep 0.01; done`)
	out := filepath.Join(t.TempDir(), "out")
	c.Env, c.MaxOutput = append(c.Env, "OUT="+out), 1000
	e := run(t, c)
	if _, err := os.Stat(out); err != nil || !e.TooMuch || e.Code != 7 {
		t.Errorf("exit %+v, %v", e, err)
	}
}

func TestWhatTheTreeWritesAfterTheEndOfTheCommandIsKept(t *testing.T) {
	c := shell(t, `sh -c 'trap "echo late words; exit" TERM; echo up; while :; do sleep 0.01; done' &
while ! grep -q up "$OUT"; do sleep 0.01; done; echo end`)
	c.Env = append(c.Env, "OUT="+c.Output.Name())
	run(t, c)
	if got := output(t, c); !strings.HasPrefix(got, "up\nend\n") || !strings.Contains(got, "late words\n") {
		t.Errorf("output %q", got)
	}
}

// This process holds the pipe of a command open, as one that is not of its tree
// may. Run returns all the same.
func TestAStrangerThatHoldsTheOutputOpenDoesNotHoldUpTheEnd(t *testing.T) {
	c := shell(t, `echo $$; while [ ! -e "$GO" ]; do sleep 0.01; done; echo end`)
	goOn := filepath.Join(t.TempDir(), "go")
	c.Env = append(c.Env, "GO="+goOn)
	ended := make(chan process.Exit, 1)
	go func() { ended <- process.Run(c, nil) }()
	pid := 0
	testkit.Eventually(t, "the command says who it is", func() bool {
		n, _ := fmt.Sscan(output(t, c), &pid)
		return n == 1
	})
	held, err := os.OpenFile(fmt.Sprintf("/proc/%d/fd/1", pid), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	if err := os.WriteFile(goOn, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if e := <-ended; e.Code != 0 {
		t.Errorf("exit %+v", e)
	}
	if got := output(t, c); !strings.HasSuffix(got, "end\n") {
		t.Errorf("output %q", got)
	}
}

// Somebody has emptied the log to make room. What comes later is at its start,
// not behind a hole.
func TestOutputGoesOnAtTheEndOfAFileThatWasEmptied(t *testing.T) {
	c := shell(t, `echo one; until [ -s "$OUT" ]; do sleep 0.01; done; : >"$OUT"; echo two`)
	c.Env = append(c.Env, "OUT="+c.Output.Name())
	run(t, c)
	if got, want := output(t, c), "two\n"; got != want {
		t.Errorf("output %q, want %q", got, want)
	}
}

// Where there is no room, the output is dropped and counted, and the command
// neither hangs nor fails.
func TestOutputForWhichThereIsNoRoomIsDropped(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer full.Close()
	c := shell(t, "head -c 300000 /dev/zero; exit 3")
	c.Output = full
	e := run(t, c)
	if e.Code != 3 || e.Lost != 300_000 || !errors.Is(e.LostErr, unix.ENOSPC) {
		t.Errorf("exit %+v, want code 3, 300000 bytes lost for want of room", e)
	}
}

// To write beyond it would end this process with SIGXFSZ. The limit holds for all
// of this process, so it is well above what go test itself writes down meanwhile.
func TestTheLimitForFilesOfTheSystemIsNotOverstepped(t *testing.T) {
	var was unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &was); err != nil {
		t.Fatal(err)
	}
	const limit, beyond = 16 << 20, 200_000
	c := shell(t, fmt.Sprintf("head -c %d /dev/zero; exit 3", limit+beyond))
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: limit, Max: was.Max}); err != nil {
		t.Fatal(err)
	}
	e := run(t, c)
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &was); err != nil {
		t.Fatal(err)
	}
	if e.Code != 3 || e.Lost != beyond || !errors.Is(e.LostErr, unix.EFBIG) {
		t.Errorf("exit %+v, want code 3, %d bytes lost", e, beyond)
	}
}

// A runner that only waits must not grow: some tasks run for days.
func TestWaitingAllocatesNothing(t *testing.T) {
	c := shell(t, `i=0; while [ $i -lt 200 ]; do echo $i; (true &); sleep 0.002; i=$((i+1)); done`)
	run(t, shell(t, "true")) // what is made once
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	run(t, c)
	runtime.ReadMemStats(&after)
	// To start it and to end it takes some, and Go's monitor of its own some.
	if n := after.Mallocs - before.Mallocs; n > 500 {
		t.Errorf("%d allocations for a command that wrote 200 times and left 200 orphans", n)
	}
	if got := bytes.Count([]byte(output(t, c)), []byte("\n")); got != 200 {
		t.Errorf("%d lines", got)
	}
}
