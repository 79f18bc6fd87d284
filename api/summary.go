package api

import (
	"strconv"

	"github.com/air-executor/air-executor/queue"
)

// SummaryAt is the summary with addresses and the cursor of the events.
type SummaryAt struct {
	*queue.SummaryForm
	Running      []SummaryRunning `json:"running"`
	LastFailures []SummaryFailure `json:"last_failures"`
	AsOf         *string          `json:"as_of"`
}

// SummaryRunning is an attempt that runs.
type SummaryRunning struct {
	queue.RunningForm
	URL string `json:"url"` // of the page of the task
}

// SummaryFailure is an attempt that has failed.
type SummaryFailure struct {
	queue.FailureForm
	URL string `json:"url"`
}

func getSummary(c *call) (answer, error) {
	var p struct{}
	if err := c.parameters(&p); err != nil {
		return answer{}, err
	}
	f, asOf, err := c.api.queue.Summary(c.Context(), &c.api.lastHour)
	if err != nil {
		return answer{}, err
	}
	out := SummaryAt{SummaryForm: f, Running: []SummaryRunning{}, LastFailures: []SummaryFailure{}, AsOf: orNull(asOf)}
	for _, r := range f.Running {
		out.Running = append(out.Running, SummaryRunning{r, c.taskAddress(r.Key)})
	}
	for _, l := range f.LastFailures {
		out.LastFailures = append(out.LastFailures, SummaryFailure{l, c.taskAddress(l.Key)})
	}
	return ok(out, nil)
}

// taskAddress is the address of the page of a task.
func (c *call) taskAddress(key int64) string { return c.address("tasks", strconv.FormatInt(key, 10)) }
