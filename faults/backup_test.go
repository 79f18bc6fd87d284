//go:build failpoints

package faults

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// queue is a job into which tasks are queued one after the other, 1, 2, 3 ...
type queue struct {
	job   string
	acked atomic.Int64 // the number that was printed last
}

// fill queues tasks until it is stopped.
func (w *world) fill(q *queue, stop <-chan struct{}) {
	for n := int64(1); ; n++ {
		select {
		case <-stop:
			return
		default:
		}
		if o := w.with(nil, w.enqueueArgs(q.job, fmt.Sprint(n), "true")...); o.code != 0 {
			w.Errorf("enqueue: %+v", o)
			return
		}
		q.acked.Store(n)
	}
}

// T48, T45: copies that are made while tasks are queued and run are sound, and
// hold what was acknowledged before, without a gap. Making them harms nothing.
func TestBackupUnderLoad(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	queues := []*queue{{job: "a"}, {job: "b"}, {job: "c"}}
	stop := make(chan struct{})
	var filling sync.WaitGroup
	for _, q := range queues {
		filling.Go(func() { w.fill(q, stop) })
	}
	w.until("tasks are queued", func() bool { return queues[0].acked.Load() > 5 })
	for i := range 12 {
		var before []int64
		for _, q := range queues {
			before = append(before, q.acked.Load())
		}
		copied := fmt.Sprint(w.scratch, "/copy-", i)
		w.must(os.Mkdir(copied, 0o700))
		w.sql("VACUUM INTO ?", copied+"/"+dbName)
		w.checkCopy(copied, queues, before)
	}
	close(stop)
	filling.Wait()
	for _, q := range queues {
		w.run(0, "wait", "-q", "--job", q.job)
		w.acked = append(w.acked, [2]string{q.job, fmt.Sprint(q.acked.Load())})
	}
	w.run(0, "doctor")
}

// checkCopy checks that a copy of the database, in a folder of its own, has
// nothing wrong but that its runners are elsewhere.
func (w *world) checkCopy(copied string, queues []*queue, before []int64) {
	w.Helper()
	for _, f := range w.findings(copied) {
		if f != "a running task has a living runner" {
			w.Errorf("%s: %s", copied, f)
		}
	}
	other := *w
	other.base = copied
	for i, q := range queues {
		last := other.sql("SELECT max(CAST(t.name AS INTEGER)) FROM task t JOIN job j ON j.id = t.job WHERE j.name = ?", q.job)
		n, err := strconv.ParseInt(last, 10, 64)
		count := other.sql("SELECT count(*) FROM task t JOIN job j ON j.id = t.job WHERE j.name = ?", q.job)
		if err != nil || n < before[i] || count != last {
			w.Errorf("%s: job %s has %s tasks, the last is %s, %d were acknowledged before", copied, q.job, count, last, before[i])
		}
	}
}

// findings are the rules that doctor finds broken.
func (w *world) findings(base string) (rules []string) {
	w.Helper()
	var report struct{ Findings []struct{ Rule string } }
	o := w.with(nil, "doctor", "--json", "--base-path", base)
	if err := json.Unmarshal([]byte(o.out), &report); err != nil {
		w.Fatalf("doctor: %+v", o)
	}
	for _, f := range report.Findings {
		rules = append(rules, f.Rule)
	}
	return slices.Compact(rules)
}

// T48, T32: a copy takes the place of a database that was damaged, and the work
// goes on from there.
func TestBackupRestores(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enqueue("j", "1", "true")
	w.enqueue("j", "2", waits("go"))
	w.enqueue("j", "3", "true")
	w.start()
	w.becomes("running", "j", "2")
	w.must(os.Mkdir(w.scratch+"/copy", 0o700))
	w.sql("VACUUM INTO ?", w.scratch+"/copy/"+dbName)
	w.enqueue("j", "4", "true")
	w.powerOff()
	<-w.manager.ended
	w.must(os.Truncate(w.base+"/"+dbName, 5000))
	for _, suffix := range []string{"-wal", "-shm"} {
		w.must(os.Remove(w.base + "/" + dbName + suffix))
	}
	if o := w.with(nil, "doctor"); o.code != 1 {
		t.Fatalf("doctor: %+v", o)
	}
	if o := w.with(nil, "start"); o.code != 1 || o.out != "" {
		t.Fatalf("start: %+v", o)
	}
	w.must(os.Rename(w.scratch+"/copy/"+dbName, w.base+"/"+dbName))
	w.acked = w.acked[:3] // the last one came after the copy
	w.start()
	if lost := w.becomes("failed", "j", "2"); lost.Reason != "lost" {
		t.Errorf("a task that ran when the copy was made is %+v", lost)
	}
	w.becomes("completed", "j", "1")
	w.becomes("completed", "j", "3")
	if n := w.starts("j", "1"); n != 1 {
		t.Errorf("a task that had completed when the copy was made was started %d times", n)
	}
}

// copierWord makes the test binary a process that copies a database.
const copierWord = "FAULTS_COPY"

// copyMain copies the database $FAULTS_COPY to the file beside it.
func copyMain(path string) int {
	d, err := sql.Open("sqlite", "file:"+path)
	if err == nil {
		_, err = d.Exec("VACUUM INTO ?", path+".part")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// T48: who is killed while it makes a copy has harmed nothing, and what it
// leaves is the whole, or is not taken for a sound database with less in it.
func TestBackupKilled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write("scratch/tasks", strings.Repeat(`{"command": "true", "args": ["`+strings.Repeat("x", 500)+`"]}`+"\n", 4000))
	w.run(0, "enqueue", "-q", "--job", "j", "--from-file", w.scratch+"/tasks")
	path := filepath.Join(w.base, dbName)
	whole := w.copyAndKill(path, patience)
	w.checkPart(path, false)
	for i := range 20 {
		killed := w.copyAndKill(path, whole*time.Duration(i)/20)
		w.checkPart(path, killed == 0)
	}
	w.run(0, "doctor")
}

// copyAndKill copies the database in a process that it kills after a time. It
// returns how long it took; 0 means that it was killed.
func (w *world) copyAndKill(path string, after time.Duration) time.Duration {
	w.Helper()
	copier := exec.Command("/proc/self/exe")
	copier.Env = append(w.env[:len(w.env):len(w.env)], copierWord+"="+path)
	copier.Stderr = os.Stderr
	begin := time.Now()
	w.must(copier.Start())
	killer := time.AfterFunc(after, func() { _ = copier.Process.Kill() })
	defer killer.Stop()
	if copier.Wait() != nil {
		return 0
	}
	return time.Since(begin)
}

// checkPart checks what a copier has left, and removes it.
func (w *world) checkPart(path string, killed bool) {
	w.Helper()
	base := w.scratch + "/part"
	w.must(os.Mkdir(base, 0o700))
	defer os.RemoveAll(base)
	for _, suffix := range []string{"", "-journal"} {
		if exists(path + ".part" + suffix) {
			w.must(os.Rename(path+".part"+suffix, base+"/"+dbName+suffix))
		}
	}
	o := w.with(nil, "doctor", "--base-path", base)
	if o.code != 0 {
		if !killed {
			w.Errorf("doctor does not take a whole copy: %+v", o)
		}
		return
	}
	other := *w
	other.base = base
	if n := other.sql("SELECT count(*) FROM task"); n != "4000" {
		w.Errorf("doctor takes a copy with %s of 4000 tasks", n)
	}
}
