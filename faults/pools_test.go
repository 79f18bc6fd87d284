//go:build failpoints

package faults

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// holds is a script that holds a lock of its place in a pool, or of its slot, for a
// moment, and complains if somebody else has it.
func holds(variable string) string {
	return `exec 8>>"$SCRATCH/place.$` + variable + `"
flock -n 8 || echo "place $` + variable + ` of $AIR_EXECUTOR_JOB/$AIR_EXECUTOR_TASK is held twice" >>"$SCRATCH/clash"
echo . >>"$SCRATCH/ran"
sleep 0.05`
}

// clashes are what such scripts have complained about, and places the locks there are.
func (w *world) clashes() (said string, places int) {
	b, _ := os.ReadFile(w.scratch + "/clash")
	found, _ := filepath.Glob(w.scratch + "/place.*")
	return string(b), len(found)
}

// Five jobs share a pool of two, while runners and managers are killed. No place is
// held twice, there are never more than two, and in the end nothing waits.
func TestPlacesOfAPoolAreHeldOnceUnderKills(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "max_concurrent_runners: 4", "tasks_per_runner: 3")
	w.run(0, "pool", "set", "gpu", "2")
	jobs := []string{"a", "b", "c", "d", "e"}
	for _, j := range jobs {
		for n := range 6 {
			id := strconv.Itoa(n + 1)
			w.run(0, "enqueue", "--job", j, "--id", id, "--pool", "gpu", "--", "sh", w.dir+"/witness.sh", holds("AIR_EXECUTOR_POOL_GPU"))
			w.acked = append(w.acked, [2]string{j, id})
		}
	}
	random := rand.New(rand.NewPCG(3, 5))
	m := w.start()
	pending := func() string {
		return w.sql("SELECT count(*) FROM task WHERE status = 'pending'")
	}
	for kills := 0; kills < 12 && pending() != "0"; kills++ {
		time.Sleep(time.Duration(random.IntN(150)) * time.Millisecond) // the kill comes at any moment
		if random.IntN(3) == 0 {
			m.kill()
			m = w.start()
			continue
		}
		if pid, err := strconv.Atoi(w.sql("SELECT coalesce(max(pid), 0) FROM attempt WHERE status = 'running'")); err == nil && pid > 0 {
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended
		}
	}
	w.until("all has ended", func() bool {
		return w.sql("SELECT count(*) FROM task WHERE status IN ('pending', 'running')") == "0"
	})
	if said, places := w.clashes(); said != "" || places > 2 {
		t.Errorf("%d places\n%s", places, said)
	}
	if n := w.sql("SELECT count(*) FROM pool_place"); n != "0" {
		t.Errorf("%s places are held by nobody", n)
	}
}

// Of a job with four places, never more than four tasks run, and of all jobs never more
// than there are runners. A slot is one task's at a time.
func TestParallelTasksOfAJobAreNotMoreThanItsPlaces(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ parallel, runners, want int }{{4, 10, 4}, {8, 3, 3}} {
		t.Run(fmt.Sprint(c.parallel, " of ", c.runners), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, fmt.Sprint("max_concurrent_runners: ", c.runners), "tasks_per_runner: 5")
			tasks := []string{fmt.Sprint("parallel: ", c.parallel), "tasks:"}
			for n := range 40 {
				tasks = append(tasks, fmt.Sprintf("  - {id: t%d, command: sh, args: [%s/held.sh]}", n, w.scratch))
			}
			w.write("scratch/held.sh", holds("AIR_EXECUTOR_SLOT"))
			w.write("scratch/job.yaml", strings.Join(tasks, "\n"))
			w.run(0, "run", "--job", "j", w.scratch+"/job.yaml")
			said, slots := w.clashes()
			if said != "" || slots > c.want {
				t.Errorf("%d slots\n%s", slots, said)
			}
			if b, err := os.ReadFile(w.scratch + "/ran"); err != nil || strings.Count(string(b), ".") != 40 {
				t.Errorf("%d tasks ran, %v", strings.Count(string(b), "."), err)
			}
		})
	}
}
