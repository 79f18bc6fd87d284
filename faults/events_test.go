//go:build failpoints

package faults

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// eventFollower is somebody who follows the events by running the command, and
// resumes behind the last one that was seen.
type eventFollower struct {
	w    *world
	seen []string // cursors, in order
	args []string
}

// follow runs the command until it is killed after a time, and reads what it printed.
// The last line may be cut off.
func (f *eventFollower) follow(d time.Duration) {
	args := append([]string{"events", "--follow"}, f.args...)
	after := ""
	if len(f.seen) > 0 {
		after = f.seen[len(f.seen)-1]
	}
	c := f.w.command(nil, append(args, "--after", after)...)
	if after == "" { // from the first one that is kept
		c = f.w.command(nil, append([]string{"events"}, f.args...)...)
	}
	var out, stderr bytes.Buffer
	c.Stdout, c.Stderr = &out, &stderr
	if err := c.Start(); err != nil {
		f.w.Error(err)
		return
	}
	if after != "" {
		time.AfterFunc(d, func() { _ = c.Process.Kill() })
	}
	_ = c.Wait()
	f.take(out.String())
	if stderr.Len() > 0 {
		f.w.Errorf("events %s: %s", after, &stderr)
	}
}

// rest reads what there is behind the last one.
func (f *eventFollower) rest() {
	after := f.seen[len(f.seen)-1]
	f.take(f.w.run(0, append([]string{"events", "--after", after}, f.args...)...).out)
}

func (f *eventFollower) take(printed string) {
	for line := range strings.Lines(printed) {
		var e struct{ Cursor string }
		if strings.HasSuffix(line, "\n") && json.Unmarshal([]byte(line), &e) == nil {
			f.seen = append(f.seen, e.Cursor)
		}
	}
}

// While ten processes write and runners and the manager are killed, followers that are killed,
// too, resume by cursor. Each ends with exactly the sequence in the table.
// AIR_EXECUTOR_KILLS, 300 say, makes it the long version.
func TestFollowersMissNoEvent(t *testing.T) {
	t.Parallel()
	kills := 8
	if n, err := strconv.Atoi(os.Getenv("AIR_EXECUTOR_KILLS")); err == nil {
		kills = n
	}
	const writers, followers = 10, 3
	w := newWorld(t, "max_concurrent_runners: 6", "tasks_per_runner: 3")
	w.enqueue("j0", "first", "true")
	w.start()
	stop := make(chan struct{})
	var all, writing sync.WaitGroup
	over := func() bool {
		select {
		case <-stop:
			return true
		default:
			return false
		}
	}
	w.busy(writers, &writing, over)
	list := make([]*eventFollower, followers)
	for i := range list {
		list[i] = &eventFollower{w: w}
		all.Go(func() {
			random := rand.New(rand.NewPCG(uint64(i), 3))
			for !over() {
				list[i].follow(time.Duration(50+random.IntN(400)) * time.Millisecond)
			}
		})
	}
	random := rand.New(rand.NewPCG(1, 4))
	for n := range kills {
		time.Sleep(time.Duration(random.IntN(300)) * time.Millisecond)
		w.killAnyRunner(random)
		if n%4 == 3 {
			w.manager.kill()
			w.start()
		}
	}
	close(stop)
	writing.Wait()
	all.Wait()
	w.until("nothing is left to run", func() bool {
		return w.sql("SELECT count(*) FROM job WHERE state NOT IN ('completed', 'failed')") == "0"
	})
	w.checkFollowers(list)
}

// busy has writers change a few jobs, each until it is over.
func (w *world) busy(writers int, all *sync.WaitGroup, over func() bool) {
	for i := range writers {
		all.Go(func() {
			random := rand.New(rand.NewPCG(uint64(i), 2))
			for !over() {
				job := fmt.Sprint("j", random.IntN(5))
				args := []string{"enqueue", "--job", job, "--retries", "1", "--retry-delay", "50ms", "--", "sh", "-c", "exit " + strconv.Itoa(random.IntN(2))}
				switch random.IntN(8) {
				case 0:
					args = []string{"cancel", "--job", job}
				case 1:
					args = []string{"reset", "--job", job, "--cancelled"}
				}
				if out, err := w.command(nil, args...).CombinedOutput(); err != nil && args[0] == "enqueue" {
					w.Errorf("%q: %v\n%s", args, err, out)
				}
			}
		})
	}
}

// checkFollowers compares what each has seen with the table, and that with the
// attempts.
func (w *world) checkFollowers(list []*eventFollower) {
	w.Helper()
	w.run(0, "stop")
	<-w.manager.ended
	whole := &eventFollower{w: w}
	whole.take(w.run(0, "events").out)
	if n := w.sql("SELECT count(*) FROM event"); n != fmt.Sprint(len(whole.seen)) {
		w.Errorf("%d events are printed, the table has %s", len(whole.seen), n)
	}
	for i, f := range list {
		f.rest()
		if !slices.Equal(f.seen, whole.seen) {
			w.Errorf("follower %d has seen %d events, not the %d in the table", i, len(f.seen), len(whole.seen))
		}
	}
	for kind, rows := range map[string]string{
		"task.ended":   "SELECT count(*) FROM attempt WHERE status <> 'running'",
		"job.created":  "SELECT count(*) FROM job",
		"tasks.added":  "SELECT count(*) FROM task",
		"task.started": "SELECT count(*) + (SELECT count(*) FROM event WHERE kind = 'tasks.reset' AND data = '1' AND task IS NOT NULL) FROM attempt",
	} {
		if got, want := w.sql("SELECT count(*) FROM event WHERE kind = ?", kind), w.sql(rows); got != want {
			w.Errorf("%s events %s, want %s", got, kind, want)
		}
	}
	w.Logf("%d events", len(whole.seen))
}
