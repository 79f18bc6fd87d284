//go:build failpoints

package faults

import (
	"testing"
	"time"
)

// who comes by a failpoint.
const (
	enqueuer = "enqueuer"
	builder  = "builder" // of a database that is not there yet
	runner   = "runner"
	manager  = "manager"
)

// matrix are the failpoints, and how many tasks are lost if whoever comes by
// is killed there.
var matrix = []struct {
	point, who string
	lost       int
}{
	{"migrate.mid", builder, 0},
	{"enqueue.after_insert", enqueuer, 0},
	{"enqueue.after_commit", enqueuer, 0},
	{"spawn.after_lock", manager, 0},
	{"spawn.after_fork", manager, 0},
	{"claim.before_commit", manager, 0},
	{"claim.after_commit", manager, 0}, // the runner looks for its task when the manager is gone
	{"runner.assigned", runner, 1},
	{"rotate.mid", runner, 1},
	{"runner.before_start", runner, 1},
	{"runner.after_exec", runner, 1},
	{"runner.before_finish", runner, 1},
	{"runner.after_finish", runner, 0},
	{"reap.before_sweep", manager, 1}, // these two come only after a runner has died
	{"reap.after_sweep", manager, 1},
}

// T10: at every failpoint a process is killed, or stopped and let go, with and
// without a new manager in between. What was promised holds, and the work is done.
func TestFailpointMatrix(t *testing.T) {
	t.Parallel()
	for _, m := range matrix {
		for _, action := range []string{"kill", "stop"} {
			for _, restart := range []bool{false, true} {
				name := m.point + "/" + action
				if restart {
					name += "/restart"
				}
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					c := &matrixCase{newWorld(t), m.point, m.who, m.point + ":" + action, action == "kill", restart}
					c.play(m.lost)
				})
			}
		}
	}
}

type matrixCase struct {
	*world
	point, who, spec string
	kill, restart    bool
}

// play queues tasks of two jobs, lets the fault happen, and waits for the end.
func (c *matrixCase) play(lost int) {
	enqueued := c.begin()
	pid := c.hit(c.point)
	if !c.kill {
		c.stopped(c.point)
	}
	if c.restart && c.manager != nil {
		c.manager.kill()
	}
	if c.restart || c.kill && c.who == manager {
		if c.manager != nil {
			<-c.manager.ended
		}
		// It cannot serve as long as a stopped process holds the write lock.
		m := c.launch()
		select {
		case said := <-m.ready:
			m.ready <- said
		case <-time.After(time.Second):
		}
	}
	proceed(pid)
	c.checkEnqueuer(<-enqueued)
	if c.manager == nil {
		c.launch()
	}
	if said := c.manager.says(); said != "0 serving" {
		c.Fatalf("the manager says %q", said)
	}
	if !c.kill && c.point != "reap.before_sweep" && c.point != "reap.after_sweep" {
		lost = 0
	}
	c.checkTasks(lost)
}

// begin starts everything, with the failpoint where it belongs. What it returns
// gets the outcome of an enqueue.
func (c *matrixCase) begin() <-chan outcome {
	enqueued := make(chan outcome, 1)
	settings := failpoint(c.spec)
	if c.who == builder {
		go func() { enqueued <- c.with(settings, c.enqueueArgs("one", "1", "true")...) }()
		return enqueued
	}
	if c.point == "reap.before_sweep" || c.point == "reap.after_sweep" {
		settings = failpoint("runner.after_exec:kill," + c.spec)
	}
	c.enqueue("one", "2", "true")
	c.enqueue("one", "3", "true")
	// It fails at first, so that its log is moved out of the way later.
	c.enqueue("two", "1", `[ -e $SCRATCH/again ] || exit 7`)
	if c.who == enqueuer {
		c.start()
		go func() { enqueued <- c.with(settings, c.enqueueArgs("one", "1", "true")...) }()
		return enqueued
	}
	if c.point == "rotate.mid" {
		c.start()
		c.until("the first attempt has failed", func() bool { return c.tasks("two")["1"].Status == "failed" })
		c.manager.kill()
		c.write("scratch/again", "")
		c.run(0, "reset", "two")
	}
	c.enqueue("one", "1", "true")
	c.acked = c.acked[:len(c.acked)-1] // checkEnqueuer adds it
	enqueued <- outcome{out: "1\n"}
	c.start(settings...)
	return enqueued
}

// checkEnqueuer checks what an enqueue with a failpoint in it has said. If it
// did not get to say anything, asking again stores the task once.
func (c *matrixCase) checkEnqueuer(o outcome) {
	c.Helper()
	if c.kill && (c.who == enqueuer || c.who == builder) {
		if o.code != -1 || o.out != "" {
			c.Errorf("an enqueue that was killed: %+v", o)
		}
		args := c.enqueueArgs("one", "1", "true")
		c.run(0, append([]string{args[0], "--if-absent"}, args[1:]...)...)
	} else if o.code != 0 || o.out != "1\n" {
		c.Errorf("enqueue: %+v", o)
	}
	c.acked = append(c.acked, [2]string{"one", "1"})
}

// checkTasks waits for the end of all tasks. A task that is lost is the only
// one that may not have been carried out.
func (c *matrixCase) checkTasks(lost int) {
	c.Helper()
	for _, a := range c.acked {
		job, id := a[0], a[1]
		var t task
		c.until(job+"/"+id+" has ended", func() bool { t = c.tasks(job)[id]; return t.ended() })
		switch {
		case t.Reason == "lost":
			lost--
			if t.ExitCode != nil || c.starts(job, id) > t.Attempts {
				c.Errorf("%s/%s is %+v, and was started %d times", job, id, t, c.starts(job, id))
			}
		case job == "two" && c.point != "rotate.mid":
			if t.Reason != "exited" || *t.ExitCode != 7 {
				c.Errorf("%s/%s is %+v, not failed with 7", job, id, t)
			}
		case t.Status != "completed" || c.starts(job, id) != t.Attempts:
			c.Errorf("%s/%s is %+v, and was started %d times", job, id, t, c.starts(job, id))
		}
	}
	if lost != 0 {
		c.Errorf("%+d tasks lost, compared with what should be", -lost)
	}
}
