package queue

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/taskfile"
)

// EditResult is the result of an Edit.
type EditResult struct {
	Job    string       `json:"job"`
	Edited int          `json:"edited"` // tasks that differ from before
	Tasks  []EditedTask `json:"changes"`

	Notes []string `json:"-"` // what is odd about the times that were given, for people
}

// EditedTask is a task with the keys that were changed, as in a job file.
type EditedTask struct {
	Task    string   `json:"task"`
	Changed []string `json:"changed"`
}

// ErrChangedMeanwhile is the error about a task that somebody else has changed since it
// was read.
var ErrChangedMeanwhile = errors.New("it was changed meanwhile")

// Edit changes pending tasks of a job, all or none. Errors are those of [db.DB.Edit], or that of
// change.
func (q *Queue) Edit(ctx context.Context, name string, ids []string, change func(*job.Spec) error) (EditResult, error) {
	out := EditResult{Job: name, Tasks: []EditedTask{}}
	changes, err := q.DB.Edit(ctx, name, ids, func(s *job.Spec) error {
		err := change(s)
		if s.DueNote != "" && !slices.Contains(out.Notes, s.DueNote) {
			out.Notes = append(out.Notes, s.DueNote)
		}
		return err
	})
	for _, c := range changes {
		changed := taskfile.EditedKeys(c.Before, c.After)
		if out.Tasks = append(out.Tasks, EditedTask{c.After.ID, changed}); len(changed) > 0 {
			out.Edited++
		}
	}
	return out, err
}

// Definition returns what was asked for of a pending task. Errors are those of
// [db.DB.Definitions].
func (q *Queue) Definition(ctx context.Context, name, id string) (job.Spec, error) {
	specs, err := q.DB.Definitions(ctx, name, []string{id})
	if err != nil {
		return job.Spec{}, err
	}
	return specs[0], nil
}

// Becomes returns a change for [Queue.Edit] that makes a task what it is to be, if it is still as
// it was shown; else ErrChangedMeanwhile.
func Becomes(shown, becomes job.Spec) func(*job.Spec) error {
	return func(s *job.Spec) error {
		if !bytes.Equal(taskfile.EditText(*s), taskfile.EditText(shown)) || !slices.Equal(s.Env, shown.Env) {
			return ErrChangedMeanwhile
		}
		*s = becomes
		return nil
	}
}

// MoveResult is the result of a Move.
type MoveResult struct {
	Job       string   `json:"job"`
	Moved     int      `json:"moved"`
	Tasks     []string `json:"order"`     // ids, in the order in which they run
	Outranked []string `json:"outranked"` // those for which a priority decides
	Waiting   []string `json:"waiting"`   // those that wait for other tasks, or for a time
	Needing   []string `json:"needing"`   // those that need the task that they were moved before
}

// Move changes the order in which pending tasks of a job run. Errors are those of
// [db.DB.Move].
func (q *Queue) Move(ctx context.Context, name string, m db.Move) (MoveResult, error) {
	r, err := q.DB.Move(ctx, name, m)
	return MoveResult{name, len(r.Tasks), list(r.Tasks), list(r.Outranked), list(r.Waiting), list(r.Needing)}, err
}
