//go:build linux

package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// readWitness reads the witness file and checks what it alone can tell. The
// order of its lines is the order of what happened, as each is one write to the
// end of the file.
func (w *world) readWitness() (map[attemptName]*attempt, error) {
	seen := map[attemptName]*attempt{}
	f, err := os.Open(filepath.Join(w.dir, witnessName))
	if os.IsNotExist(err) {
		return seen, nil // nothing has run
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	openOf := map[string]attemptName{} // by job: begun, and not ended
	removed := map[name]bool{}
	tasksOf := map[string]int{} // by runner
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		words := strings.Fields(lines.Text())
		if len(words) < 4 {
			return nil, fmt.Errorf("line %d of the witness file: %q", n, lines.Text())
		}
		task := name{words[2], words[3]}
		if removed[task] {
			w.report.breaks(checkRemoved, "line %d: %q, after the task was removed", n, lines.Text())
		}
		switch words[0] {
		case "removed":
			removed[task] = true
		case "hidden":
			w.report.fact(factHidden, 1)
		case "try":
			w.ids.try(task)
		case "ack":
			w.ids.ack(task)
		case "begin":
			w.begin(attemptName{task, words[4]}, n, words, seen, openOf)
			tasksOf[words[7]]++
			w.report.most(factLongest, tasksOf[words[7]])
		case "end":
			a := attemptName{task, words[4]}
			if openOf[task.job] != a {
				w.report.breaks(checkAlone, "line %d: %v ends, and meanwhile %v has begun", n, a, openOf[task.job])
			}
			delete(openOf, task.job)
			seen[a].ended, seen[a].code = n, words[5]
		}
	}
	return seen, lines.Err()
}

// begin takes a begin line of the witness file.
func (w *world) begin(a attemptName, line int, words []string, seen map[attemptName]*attempt, openOf map[string]attemptName) {
	w.report.fact(factBegun, 1)
	if seen[a] != nil {
		w.report.breaks(checkStarts, "line %d: attempt %s of %s %s begins again", line, a.number, a.job, a.task)
	}
	if words[5] != "true" {
		w.report.breaks(checkAlone, "line %d: %v begins while processes of %v live", line, a, openOf[a.job])
	}
	if words[6] == "-1" {
		w.report.breaks(checkSlots, "line %d: %v begins beside %d others", line, a, w.conf.slots)
	}
	seen[a] = &attempt{begun: line}
	openOf[a.job] = a
}

// note writes a line to the witness file.
func (w *world) note(what string, n name) {
	f, err := os.OpenFile(filepath.Join(w.dir, witnessName), os.O_WRONLY|os.O_APPEND, 0)
	if err == nil {
		_, err = fmt.Fprintf(f, "%s %d %s %s\n", what, os.Getpid(), n.job, n.task)
		f.Close()
	}
	if err != nil {
		w.report.breaks(checkAnswers, "witness file: %v", err)
	}
}
