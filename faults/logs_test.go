//go:build failpoints

package faults

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// T24: whatever a task writes comes out of its log as it went in, and to show
// it takes no more memory than to show a line.
func TestOddLogs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	random := make([]byte, 1<<20)
	for i, rng := 0, rand.New(rand.NewPCG(24, 0)); i < len(random); i++ {
		random[i] = byte(rng.Uint32())
	}
	const long = 100 << 20
	logs := map[string][]byte{
		"random":    random,
		"NUL":       bytes.Repeat([]byte{0}, 100_000),
		"not UTF-8": []byte("\xff\xfe\xc3\x28\xed\xa0\x80 \xf8\n\x80"),
		"escapes":   []byte("a\x1b[2Jb\x1b]0;title\x07\x9b31m\r\n\x1b[31mred\x1b[0m\x08\x7f"),
		"newlines":  bytes.Repeat([]byte("\n"), 300_000),
		"nothing":   {},
	}
	w.start()
	for id, content := range logs {
		w.write("scratch/"+id, string(content))
		w.run(0, "enqueue", "-q", "--job", "j", "--id", id, "--", "cat", w.scratch+"/"+id)
	}
	w.run(0, "enqueue", "-q", "--job", "j", "--id", "long", "--", "sh", "-c", "head -c 104857600 /dev/zero | tr '\\0' x")
	w.run(0, "wait", "-q", "--job", "j")
	for id, content := range logs {
		if out := w.run(0, "logs", "--job", "j", "--task", id, "--tail", "all").out; out != string(content) {
			t.Errorf("the log %s has %d bytes, not %d, or differs", id, len(out), len(content))
		}
		var all []struct{ Task, Log string }
		if err := json.Unmarshal([]byte(w.run(0, "logs", "--json", "--job", "j", "--task", id).out), &all); err != nil || len(all) != 1 {
			t.Errorf("the log %s as JSON: %v", id, err)
		}
	}
	for _, tail := range []string{"all", "1", "50"} {
		n, memory := w.printed("logs", "--job", "j", "--task", "long", "--tail", tail)
		if n != long {
			t.Errorf("a line of %d bytes is printed as %d", long, n)
		}
		if memory > 64<<20 {
			t.Errorf("to print a line of %d bytes takes %d bytes of memory", long, memory)
		}
	}
	if n, memory := w.printed("logs", "--json", "--job", "j", "--task", "long"); n < long || memory > 64<<20 {
		t.Errorf("as JSON, a line of %d bytes is printed as %d and takes %d bytes of memory", long, n, memory)
	}
}

// printed counts what the program prints, and the most memory that it takes. The
// figure that the system gives at the end would not do: a new process counts the
// memory of the one that started it, and here that is the test.
func (w *world) printed(args ...string) (n, memory int64) {
	w.Helper()
	c := w.command(nil, args...)
	out, err := c.StdoutPipe()
	w.must(err)
	w.must(c.Start())
	status := fmt.Sprintf("/proc/%d/status", c.Process.Pid)
	for buf := make([]byte, 1<<20); err == nil; {
		var got int
		got, err = out.Read(buf)
		n += int64(got)
		if m := highWater(status); m > memory {
			memory = m
		}
	}
	if err != io.EOF || memory == 0 {
		w.Errorf("reading what %q prints: %v; %d bytes of memory seen", args, err, memory)
	}
	w.must(c.Wait())
	return n, memory
}

// highWater is the most memory in bytes that a process has taken; 0 once it has
// ended.
func highWater(status string) int64 {
	content, _ := os.ReadFile(status)
	for line := range strings.Lines(string(content)) {
		var kib int64
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kib); n == 1 {
			return kib << 10
		}
	}
	return 0
}

// T22: where there is no room for logs, commands go on without, their results
// say so and are recorded, for the database is elsewhere.
func TestLogDiskFull(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	jobs := filepath.Join(w.base, "jobs")
	w.must(os.Mkdir(jobs, 0o700))
	whole := w.base
	w.base = jobs
	w.mount("size=256k,nr_inodes=10")
	w.base = whole
	const missing = "bytes of its output are missing from the log: no space left on device"
	w.enqueue("a", "1", "head -c 1000000 /dev/zero; exit 5")
	w.enqueue("a", "2", "echo no room")
	w.enqueue("a", "3", "true")
	w.start()
	if full := w.becomes("failed", "a", "1"); full.Reason != "exited" || *full.ExitCode != 5 || !strings.Contains(full.Error, missing) {
		t.Errorf("%+v", full)
	}
	if full := w.becomes("completed", "a", "2"); !strings.Contains(full.Error, missing) {
		t.Errorf("%+v", full)
	}
	w.becomes("completed", "a", "3")
	// Then there is no room for another file either.
	for i := range 10 {
		_ = os.WriteFile(filepath.Join(jobs, "fill"+string(rune('0'+i))), nil, 0o600)
	}
	w.enqueue("b", "1", "true")
	if none := w.becomes("failed", "b", "1"); none.Reason != "not_started" || w.starts("b", "1") > 0 {
		t.Errorf("without room for the log: %+v", none)
	}
	for i := range 10 {
		_ = os.Remove(filepath.Join(jobs, "fill"+string(rune('0'+i))))
	}
	w.enqueue("b", "2", "true")
	w.becomes("completed", "b", "2")
}
