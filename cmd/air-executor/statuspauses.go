package main

import (
	"fmt"
	"slices"
)

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
