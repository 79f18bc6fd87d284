//go:build failpoints

package faults

import (
	"slices"
	"testing"
)

// A manager is killed before and after it lets go of tasks whose time has come. The next one
// starts each of them once.
func TestWhatIsDueOutlivesTheManagerThatLetsGoOfIt(t *testing.T) {
	t.Parallel()
	inEach(t, []string{"letgo.before_commit", "letgo.after_commit"}, func(t *testing.T, w *world, point string) {
		for _, job := range []string{"a", "b"} {
			w.run(0, slices.Insert(w.enqueueArgs(job, "1", "true"), 1, "--delay", "10ms")...)
			w.run(0, slices.Insert(w.enqueueArgs(job, "2", "true"), 1, "--after", "1")...)
			w.acked = append(w.acked, [2]string{job, "1"}, [2]string{job, "2"})
		}
		w.launch(failpoint(point + ":kill")...)
		w.hit(point)
		<-w.manager.ended
		w.start()
		for _, job := range []string{"a", "b"} {
			w.becomes("completed", job, "2")
			if n := w.starts(job, "1"); n != 1 {
				t.Errorf("the task of %s was started %d times", job, n)
			}
		}
	})
}
