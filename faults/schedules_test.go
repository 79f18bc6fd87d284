//go:build failpoints

package faults

import (
	"strings"
	"testing"
)

// Whenever a manager dies while it fires a schedule, the time fires once: the task and
// the next time are stored in one commit.
func TestAScheduleFiresOnceWhereverTheManagerDies(t *testing.T) {
	t.Parallel()
	for _, point := range []string{"fire.after_next", "fire.after_insert", "fire.after_commit"} {
		for _, what := range []string{"task", "job"} {
			t.Run(point+"/"+what, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				w.write("scratch/file.yaml", "tasks:\n  - {id: a, command: \"true\"}\n  - {id: b, command: \"true\", dependencies: [a]}\n")
				add := []string{"schedule", "add", "n", "--cron", "15 3 1 1 *", "--timezone", "UTC", "--catch-up", "20000h"}
				if what == "task" {
					w.run(0, append(add, "--", "true")...)
				} else {
					w.run(0, append(add, w.scratch+"/file.yaml")...)
				}
				// The last of its times is due.
				w.sql("UPDATE schedule SET next_at = unixepoch('now', 'start of year', '+195 minutes') * 1000000 RETURNING 1")
				m := w.launch(failpoint(point + ":kill")...)
				<-m.ended
				w.start()
				w.until("it has fired", func() bool {
					return strings.Contains(w.run(0, "schedule", "show", "n", "--json").out, `"last_job": "n`)
				})
				if n := w.sql("SELECT count(*) FROM task"); what == "task" && n != "1" || what == "job" && n != "2" {
					t.Errorf("%s tasks are stored", n)
				}
				if n := w.sql("SELECT count(*) FROM schedule WHERE next_at > unixepoch('now') * 1000000 AND last_at < unixepoch('now') * 1000000"); n != "1" {
					t.Error("the next time is not in front of it")
				}
				if what == "task" {
					w.until("it has run", func() bool { return strings.Contains(w.run(0, "status", "n").out, "1/1") })
				}
			})
		}
	}
}
