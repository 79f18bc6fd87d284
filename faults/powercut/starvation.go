//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/faults/internal/subject"
	"github.com/air-executor/air-executor/job"
)

// writerWord makes this program a process that writes without a pause.
const writerWord = "writer"

// writing is what a writer has met.
type writing struct {
	Count int
	Worst time.Duration // that one commit took
	Error string
}

// starvation lets many processes write at once, each one commit after the
// other, and checks that all get on, and none meets a lock that does not open.
func (t *test) starvation() error {
	const writers = 32
	base := filepath.Join(t.dir, "starvation")
	if r := t.prog.Run(base, "enqueue", "--id", "first", "--", "true"); r.Code != 0 {
		return fmt.Errorf("enqueue: %s", r.Err)
	}
	all, err := t.startWriters(base, writers)
	if err != nil {
		return err
	}
	total, least, most, worst := 0, all[0].Count, 0, time.Duration(0)
	for i, w := range all {
		if w.Error != "" {
			t.breaks("writer %d: %s", i, w.Error)
		}
		total += w.Count
		least, most, worst = min(least, w.Count), max(most, w.Count), max(worst, w.Worst)
	}
	fmt.Printf("starvation  %d writers for %s: %d commits; fewest %d, most %d (%.2f); longest wait %s\n",
		writers, t.time, total, least, most, float64(least)/float64(most), worst.Round(time.Millisecond))
	if least*10 < most {
		t.breaks("a writer starved: %d commits beside %d", least, most)
	}
	if worst > 5*time.Second {
		t.breaks("a commit took %s", worst)
	}
	if err := t.prog.Doctor(base); err != nil {
		t.breaks("%v", err)
	}
	return nil
}

// startWriters starts the writers together, and collects what they met.
func (t *test) startWriters(base string, n int) ([]writing, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	hold, release, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	var cmds []*exec.Cmd
	var outs []*bytes.Buffer
	for range n {
		cmd, out, _ := subject.Capture(exec.Command(self, writerWord, base, t.time.String()))
		cmd.Stdin = hold
		if err := cmd.Start(); err != nil {
			return nil, err
		}
		cmds, outs = append(cmds, cmd), append(outs, out)
	}
	hold.Close()
	release.Close() // they begin
	all := make([]writing, n)
	for i, cmd := range cmds {
		err := cmd.Wait()
		if e := json.Unmarshal(outs[i].Bytes(), &all[i]); e != nil {
			return nil, fmt.Errorf("writer %d: %v, %w", i, err, e)
		}
	}
	return all, nil
}

// writerMain is the life of a writer. It begins when its standard input ends.
func writerMain(base, long string) int {
	var w writing
	if err := w.write(base, long); err != nil {
		w.Error = err.Error()
	}
	_ = json.NewEncoder(os.Stdout).Encode(w)
	return 0
}

func (w *writing) write(base, long string) error {
	ctx := context.Background()
	d, err := db.Open(ctx, base, db.Options{})
	if err != nil {
		return err
	}
	defer d.Close()
	span, err := time.ParseDuration(long)
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	name := fmt.Sprintf("writer-%d", os.Getpid())
	for begin := time.Now(); time.Since(begin) < span; {
		one := time.Now()
		_, err := d.Enqueue(ctx, db.Batch{Job: name, Tasks: func(yield func(job.Spec, error) bool) {
			yield(job.Spec{Command: "true"}, nil)
		}})
		w.Worst = max(w.Worst, time.Since(one))
		if err != nil {
			return fmt.Errorf("after %d commits: %s", w.Count, strings.TrimSpace(err.Error()))
		}
		w.Count++
	}
	return nil
}
