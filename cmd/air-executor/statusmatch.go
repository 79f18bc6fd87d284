package main

import (
	"context"
	"errors"
	"strings"

	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/queue"
)

// match finds the tasks that are to be listed, if a pattern was given for the task,
// and no task has the pattern as its id.
func (c *statusCmd) match(ctx context.Context, q *queue.Queue) error {
	if !strings.ContainsAny(c.Task, "*?[") {
		return nil
	}
	name := c.optional()
	if _, there, err := q.DB.TaskName(ctx, name, c.Task); err != nil {
		return err
	} else if there {
		return c.checkOne()
	}
	if c.Watch {
		return usage(errors.New("--watch is for a job or one task, not for a pattern"), "")
	}
	a := tasksArg{Task: []string{c.Task}}
	for _, s := range c.statuses() {
		a.Status = append(a.Status, statusWord(s))
	}
	ids, _, err := a.pick(ctx, q, name, "listed", job.Statuses...)
	c.Task, c.only = "", map[string]bool{}
	for _, id := range ids {
		c.only[id] = true
	}
	return err
}
