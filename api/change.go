package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/queue"
	"github.com/air-executor/air-executor/taskfile"
)

// JobChange is a change of what holds for a job; what is not given stays.
type JobChange struct {
	Labels     map[string]*string `json:"labels"`
	Parallel   *int               `json:"parallel"`
	Priority   *int               `json:"priority"`
	RetryHolds *bool              `json:"retry_holds"`
	Defaults   json.RawMessage    `json:"defaults"`
	Hooks      json.RawMessage    `json:"hooks"`
}

// JobSettings is what holds for a job.
type JobSettings = queue.JobSettingsForm

func changeJob(c *call) (answer, error) {
	var body JobChange
	if err := c.read(&body); err != nil {
		return answer{}, err
	}
	change, faults := body.change()
	if len(faults) > 0 {
		return answer{}, wrongBody(faults...)
	}
	s, err := c.api.queue.SetJob(c.Context(), c.PathValue("job"), change)
	var wrong *taskfile.Error
	if errors.As(err, &wrong) {
		err = wrongBody(Fault{Pointer: "/defaults" + wrong.Pointer("", false), Message: wrong.Msg})
	}
	return ok(s, err)
}

// change is what is asked for, and all that is wrong with it.
func (b *JobChange) change() (queue.JobChange, []Fault) {
	c := queue.JobChange{Parallel: b.Parallel, Priority: b.Priority, RetryHolds: b.RetryHolds}
	var faults []Fault
	for _, key := range slices.Sorted(maps.Keys(b.Labels)) {
		err := job.CheckLabelKey(key)
		if value := b.Labels[key]; err == nil && value != nil {
			err = job.CheckLabelValue(*value)
		}
		if err != nil {
			faults = append(faults, Fault{Pointer: "/labels/" + jsonPointer(key), Message: err.Error()})
		}
	}
	if n := b.Parallel; n != nil && (*n < 1 || *n > job.MaxParallel) {
		faults = append(faults, Fault{Pointer: "/parallel", Message: fmt.Sprintf("want 1 to %d, got %d", job.MaxParallel, *n)})
	}
	if n := b.Priority; n != nil {
		if err := taskfile.Flag("priority", fmt.Sprint(*n), new(job.Spec)); err != nil {
			faults = append(faults, Fault{Pointer: "/priority", Message: err.Error()})
		}
	}
	c.Labels = b.Labels
	switch {
	case b.Defaults == nil:
	case string(b.Defaults) == "null":
		c.NoDefaults = true
	default:
		patch, err := taskfile.ParseDefaultsPatch(b.Defaults)
		var wrong taskfile.AllFaults
		if errors.As(err, &wrong) {
			for _, at := range wrong {
				faults = append(faults, Fault{Pointer: "/defaults" + at.Pointer("", false), Message: at.Msg})
			}
		}
		c.Patch = patch
	}
	switch {
	case b.Hooks == nil:
	case string(b.Hooks) == "null":
		c.NoHooks = true
	default:
		var err error
		if c.Hooks, err = taskfile.ParseHooks(b.Hooks); err != nil {
			faults = append(faults, Fault{Pointer: "/hooks", Message: err.Error()})
		}
	}
	return c, faults
}

// jsonPointer is a key as a part of a JSON pointer.
func jsonPointer(key string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
}
