//go:build failpoints

package faults

import (
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/air-executor/air-executor/internal/testkit"
)

// A manager is killed while it ranks all tasks by their age. The next one ranks the rest, and the
// tasks of a job keep their order.
func TestARankingOutlivesTheManagerThatHasBegunIt(t *testing.T) {
	t.Parallel()
	const tasks = 700 // more than are ranked in one commit
	w := newWorld(t)
	file := testkit.Write(t, filepath.Join(t.TempDir(), "tasks.jsonl"), strings.Repeat(`{"command": "true"}`+"\n", tasks))
	w.run(0, "enqueue", "--job", "a", "--from-file", file)
	w.run(0, "pause", "a")
	count := func(where string) int {
		n, err := strconv.Atoi(w.sql(`SELECT count(*) FROM task WHERE ` + where))
		w.must(err)
		return n
	}
	w.write("base/config.yaml", "poll_interval: 1\naging: 1h\n")
	w.launch(failpoint("age.after_commit:kill")...)
	w.hit("age.after_commit")
	<-w.manager.ended
	if n := count("late > 0 AND id > 400"); n != 300 || count("late > 0") != n {
		t.Errorf("%d tasks were ranked, want the newest 300", n)
	}
	w.start()
	w.until("all tasks are ranked", func() bool {
		return count("late > 0 AND NOT EXISTS (SELECT 1 FROM setting WHERE key = 'aging_rank')") == tasks
	})
	if n := count("priority + late <> 0"); n > 0 {
		t.Errorf("what was asked for has changed for %d tasks", n)
	}
	w.run(0, "cancel", "a", "--yes")
}
