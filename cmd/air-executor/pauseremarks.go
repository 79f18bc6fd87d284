package main

import (
	"fmt"
	"slices"

	"github.com/air-executor/air-executor/db"
)

// pauseRemarks say which of these jobs are paused, or that all are.
func pauseRemarks(p db.Pauses, jobs []string) (out []string) {
	if !p.All.IsZero() {
		out = append(out, fmt.Sprintf("all jobs are paused since %s; to let tasks start: air-executor resume --all", when(p.All, 0)))
	}
	for _, name := range jobs {
		if at := p.Jobs[name]; !at.IsZero() {
			out = append(out, fmt.Sprintf("job %s is paused since %s; to let its tasks start: air-executor resume %s", name, when(at, 0), shellLine([]string{name})))
		}
	}
	return out
}

// pauses are the remarks of a report about what is paused.
func (r *report) pauses() []string {
	var names []string
	for name := range r.Pauses.Jobs {
		if r.Query.Job == "" || r.Query.Job == name {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if r.Query.Job == "" && len(names) > 0 {
		out := pauseRemarks(r.Pauses, nil)
		return append(out, fmt.Sprintf("%s paused: %s", verb(len(names), "job is", "jobs are"), enumerate(names)))
	}
	return pauseRemarks(r.Pauses, names)
}
