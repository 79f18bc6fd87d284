//go:build failpoints

package faults

import (
	"math/rand/v2"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// Each task of a job waits for one of the job before it, while runners and managers
// are killed. Each runs in the end, and none before what it waits for has ended.
func TestLinksLetGoUnderKills(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "max_concurrent_runners: 4")
	const chains, jobs = 4, 3
	name := func(n int) string { return string(rune('a' + n)) }
	for n := range jobs {
		for c := range chains {
			id := strconv.Itoa(c)
			script := `touch "$SCRATCH/done.$AIR_EXECUTOR_JOB.$AIR_EXECUTOR_TASK"`
			args := []string{"enqueue", "--job", name(n), "--id", id}
			if n > 0 {
				args = append(args, "--after-any", name(n-1)+":"+id)
				script = `[ -e "$SCRATCH/done.` + name(n-1) + `.$AIR_EXECUTOR_TASK" ] || echo $AIR_EXECUTOR_JOB:$AIR_EXECUTOR_TASK >>"$SCRATCH/early"; ` + script
			}
			w.run(0, append(args, "--retries", "50", "--retry-delay", "1ms", "--", "sh", w.dir+"/witness.sh", script+"; sleep 0.05")...)
		}
	}
	random := rand.New(rand.NewPCG(5, 8))
	m := w.start()
	ended := func() bool {
		return w.sql("SELECT count(*) FROM task WHERE status IN ('pending', 'running')") == "0"
	}
	for kills := 0; kills < 15 && !ended(); kills++ {
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
	w.until("all have ended", ended)
	if n := w.sql("SELECT count(*) FROM task WHERE status = 'completed'"); n != strconv.Itoa(jobs*chains) {
		t.Errorf("%s tasks are completed", n)
	}
	if early := w.sql("SELECT count(*) FROM attempt a JOIN dependency d ON d.task = a.task JOIN task n ON n.id = d.needs WHERE a.started_at < n.completed_at"); early != "0" {
		t.Errorf("%s attempts have started before what they wait for has ended", early)
	}
}
