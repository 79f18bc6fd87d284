package queue

import "github.com/air-executor/air-executor/job"

// HooksForm is the form of hooks: a line for a shell as a string, another command as an
// array, "none", or null where nothing is said.
type HooksForm struct {
	OnSuccess job.Hook `json:"on_success"`
	OnFailure job.Hook `json:"on_failure"`
	OnEnd     job.Hook `json:"on_end"`
}

// Hooks returns the hooks.
func (h HooksForm) Hooks() job.Hooks { return job.Hooks(h) }
