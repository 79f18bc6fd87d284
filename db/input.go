package db

import (
	"context"
	"encoding/json"
)

// Told is what a hook reads from its standard input, as JSON. docs/json.md has it.
type Told struct {
	Hook        string      `json:"hook"`   // on_success, on_failure or on_end
	Of          string      `json:"of"`     // what has ended: task or job
	Job         string      `json:"job"`    //
	Task        string      `json:"task"`   // the task; with a job, its last failure, or else the task that ended last
	Status      string      `json:"status"` // of what has ended
	Reason      *string     `json:"reason"` // this and all up to completed_at are about the task
	ExitCode    *int        `json:"exit_code"`
	Signal      *string     `json:"signal"`
	Error       *string     `json:"error"`
	Attempt     int         `json:"attempt"`
	Command     string      `json:"command"`
	Args        []string    `json:"args"`
	Dir         *string     `json:"working_directory"`
	CreatedAt   string      `json:"created_at"`
	StartedAt   *string     `json:"started_at"`
	CompletedAt *string     `json:"completed_at"`
	Counts      *ToldCounts `json:"counts"`   // of the job, if that has ended
	LogPath     *string     `json:"log_path"` // path, if there is a log
	LogTail     *string     `json:"log_tail"` // its last lines
}

// ToldCounts says how many tasks of a job are in each status.
type ToldCounts struct {
	Total     int `json:"total"`
	Pending   int `json:"pending"`
	Running   int `json:"running"`
	Completed int `json:"completed"`
	Failed    int `json:"failed"`
	Dismissed int `json:"dismissed"`
}

// Input is what a command reads from its standard input.
type Input struct {
	Stdin []byte
	// Told is what Stdin says, if the task is a hook; nil: it is none. Its runner adds
	// the log.
	Told *Told
}

// Input returns what the command of a task reads. There must be something, see
// [Assignment.Input].
func (d *DB) Input(ctx context.Context, a *Assignment) (Input, error) {
	var row struct {
		Stdin []byte
		Hook  bool
	}
	err := d.read(ctx, func(t *tx) error {
		_, err := t.get(&row, `SELECT stdin, hook = 1 AS hook FROM task_input WHERE task = ?`, a.taskID)
		return err
	})
	in := Input{Stdin: row.Stdin}
	if err == nil && row.Hook {
		in.Told = &Told{}
		err = json.Unmarshal(row.Stdin, in.Told)
	}
	return in, err
}

// give stores what a task reads.
func (t *tx) give(task int64, stdin []byte, hook bool) error {
	_, err := t.exec(`INSERT INTO task_input (task, stdin, hook) VALUES (?, ?, ?)`, task, stdin, truth(hook))
	return err
}

// hasInput is a column of a claim: whether there is something for the command to read.
const hasInput = `EXISTS (SELECT 1 FROM task_input i WHERE i.task = t.id) AS input`

// copyInput gives the tasks of a new job what those of the same names read in another.
func (t *tx) copyInput(from int64, name string) error {
	j, err := t.findJob(name)
	if err != nil {
		return err
	}
	_, err = t.exec(`
INSERT INTO task_input (task, stdin, hook)
SELECT n.id, i.stdin, i.hook
FROM task o
JOIN task_input i ON i.task = o.id
JOIN task n ON n.job = ? AND n.name = o.name
WHERE o.job = ?`, j.ID, from)
	return err
}
