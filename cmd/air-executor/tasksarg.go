package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/queue"
)

// tasksArg is which tasks of a job a command is about. Without them it is all that
// the command can do something with.
type tasksArg struct {
	Task   []string     `short:"t" sep:"none" placeholder:"ID" predictor:"task" help:"Only this task, or those whose ids match a pattern such as 'page-*'. May be given several times."`
	Status []statusWord `sep:"," placeholder:"STATUS" words:"pending,running,completed,failed" help:"Only tasks with this status: pending, running, completed or failed, without dismissed ones. May be given several times."`
}

// statusWord is a status as a flag has it.
type statusWord job.Status

// Decode reads the status, in any case.
func (s *statusWord) Decode(c *kong.DecodeContext) error {
	t := c.Scan.Pop()
	if t.IsEOL() {
		return errNoValue
	}
	text := fmt.Sprint(t.Value)
	for _, known := range job.Statuses {
		if strings.EqualFold(text, string(known)) {
			*s = statusWord(known)
			return nil
		}
	}
	return fmt.Errorf("want pending, running, completed or failed, got %q", text)
}

// selection is what was named.
func (a *tasksArg) selection() queue.Selection {
	s := queue.Selection{Tasks: a.Task}
	for _, w := range a.Status {
		s.Statuses = append(s.Statuses, job.Status(w))
	}
	return s
}

// pick returns the ids of the tasks that were named; named is false if all are meant.
// The command can do something, as the participle says, with tasks in a status of may.
func (a *tasksArg) pick(ctx context.Context, q *queue.Queue, name, participle string, may ...job.Status) (ids []string, named bool, err error) {
	s := a.selection()
	if s.All() {
		return nil, false, nil
	}
	for _, status := range s.Statuses {
		if !slices.Contains(may, status) {
			return nil, true, usage(fmt.Errorf("--status %s: only %s tasks can be %s", status, either(may), participle), "")
		}
	}
	ids, err = q.Select(ctx, name, s, may...)
	if bad := (*queue.BadPattern)(nil); errors.As(err, &bad) {
		return nil, true, usage(err, "")
	}
	return ids, true, err
}

// one is the id if a single task was named, and by its id; else nothing.
func (a *tasksArg) one(ids []string) string {
	if len(a.Task) == 1 && len(ids) == 1 && a.Task[0] == ids[0] {
		return ids[0]
	}
	return ""
}

// either joins statuses: "pending or running".
func either(statuses []job.Status) string {
	words := make([]string, len(statuses))
	for i, s := range statuses {
		words[i] = string(s)
	}
	if n := len(words) - 1; n > 0 {
		return strings.Join(words[:n], ", ") + " or " + words[n]
	}
	return words[0]
}
