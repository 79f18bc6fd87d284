//go:build failpoints

package faults

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// T4: a process that opens a database whose users were killed is killed too,
// earlier or later while it replays the log. Whoever comes next finds all rows.
func TestCrashInRecovery(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, open := w.specimens("j")
	const kills = 200
	whole := 20 * time.Millisecond // how long it takes if it is left alone
	killed, through := 0, 0
	for i := range kills {
		base := filepath.Join(w.scratch, fmt.Sprint("crash-", i))
		w.copyFiles(filepath.Join(open, dbName), base)
		if i%2 == 0 {
			w.must(os.Remove(filepath.Join(base, dbName+"-shm")))
		}
		args := []string{"enqueue", "-q", "--base-path", base, "--job", "new", "--", "true"}
		if i%4 < 2 {
			args = []string{"status", "--base-path", base}
		}
		begin := time.Now()
		if w.killAfter(whole*time.Duration(i)/kills, args...) {
			killed++
		} else {
			through++
			whole = max(time.Since(begin), 2*time.Millisecond)
		}
		if o := w.with(nil, "doctor", "--base-path", base); o.code != 0 {
			t.Errorf("after a kill of %s: doctor: %+v", args[0], o)
		}
		other := *w
		other.base = base
		if n := other.sql("SELECT count(*) FROM task t JOIN job j ON j.id = t.job WHERE j.name = 'j'"); n != "100" {
			t.Errorf("after a kill of %s: %s of 100 tasks are there", args[0], n)
		}
		w.must(os.RemoveAll(base))
	}
	t.Logf("%d were killed, %d came through", killed, through)
	if killed < kills/10 {
		t.Errorf("only %d of %d were killed before their end", killed, kills)
	}
}

// killAfter runs the program, kills it after a time, and reports whether it was
// still there to be killed.
func (w *world) killAfter(d time.Duration, args ...string) bool {
	w.Helper()
	c := w.command(nil, args...)
	w.must(c.Start())
	killer := time.AfterFunc(d, func() { _ = c.Process.Kill() })
	defer killer.Stop()
	_ = c.Wait()
	return c.ProcessState.ExitCode() == -1
}
