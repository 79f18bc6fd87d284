package main

import (
	"fmt"

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
