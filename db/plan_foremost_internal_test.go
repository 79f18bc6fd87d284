package db

import (
	"testing"

	"github.com/air-executor/air-executor/job"
)

// The statements by which a status of some jobs of many looks at few of them.
var hotOfStatus = []struct {
	name, part string
	plan       []string
}{
	{"count the jobs", "SELECT COUNT(*) FROM job", []string{
		"SCAN job USING COVERING INDEX job_name", // the smallest
	}},
	{"find the jobs that run", "SELECT DISTINCT job\nFROM attempt", []string{
		"SCAN attempt USING COVERING INDEX attempt_slot", // in the order of jobs
	}},
	{"find the jobs with failures that changed last", "WHERE failed > 0\nORDER BY updated_at DESC", []string{
		"SCAN job USING INDEX job_failed", // in the order that is asked for
	}},
	{"find the jobs of what ended last", "SELECT job\nFROM attempt", []string{
		"SEARCH attempt USING INDEX attempt_history (ended_at>?)",
	}},
	{"find the newest jobs", "SELECT id\nFROM job\nORDER BY id DESC", []string{
		"SCAN job",
	}},
}

// exerciseForemost carries out what chooses jobs.
func exerciseForemost(t *testing.T, d *DB) {
	t.Helper()
	must := requires(t)
	for _, name := range []string{"new", "newest"} {
		_, err := d.Enqueue(t.Context(), Batch{Job: name, Tasks: sequence([]job.Spec{{Command: "true"}})})
		must(err)
	}
	_, err := d.CountJobs(t.Context())
	must(err)
	_, of, err := d.Foremost(t.Context(), 1)
	must(err)
	_, _, err = d.Foremost(t.Context(), of-1) // so many that it makes all of its queries
	must(err)
}
