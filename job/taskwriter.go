package job

import (
	"bytes"
	"fmt"
	"io"
)

// TaskWriter writes a tasks.json task by task, and holds one of them.
type TaskWriter struct {
	w     io.Writer
	job   string
	buf   []byte // what w has not been given yet
	count int
	err   error
}

// NewTaskWriter writes tasks of a job to w. What is written is complete after
// Close.
func NewTaskWriter(w io.Writer, job string) *TaskWriter {
	return &TaskWriter{w: w, job: job, buf: []byte{'['}}
}

// Write writes a task: the keys that every tool knows, then those of ours that
// carry something, then those of t.Extra as they stand there, except where a
// known key has their name. It fails if Extra is not a JSON object, and after
// w has failed.
func (t *TaskWriter) Write(task Task) error {
	if t.err != nil {
		return t.err
	}
	if t.count > 0 {
		t.buf = append(t.buf, ',')
	}
	t.buf = append(t.buf, "\n  "...)
	t.count++
	if t.buf, t.err = appendTask(t.buf, t.job, &task); t.err != nil {
		return t.err
	}
	const enough = 64 << 10
	if len(t.buf) >= enough {
		t.flush()
	}
	return t.err
}

// Close ends the array and hands the rest to the underlying writer, which it
// does not close. The file is good only if Close returns nil.
func (t *TaskWriter) Close() error {
	if t.err != nil {
		return t.err
	}
	if t.count > 0 {
		t.buf = append(t.buf, '\n')
	}
	t.buf = append(t.buf, "]\n"...)
	t.flush()
	return t.err
}

func (t *TaskWriter) flush() {
	_, t.err = t.w.Write(t.buf)
	t.buf = t.buf[:0]
}

// FormatTasks writes a whole tasks.json; see TaskWriter.
func FormatTasks(job string, tasks []Task) ([]byte, error) {
	var b bytes.Buffer
	w := NewTaskWriter(&b, job)
	for i := range tasks {
		if err := w.Write(tasks[i]); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func appendTask(b []byte, job string, t *Task) ([]byte, error) {
	w := objectWriter{b: b, depth: 2}
	w.text("id", t.ID)
	w.text("job_name", job)
	w.text("command", t.Command)
	w.texts("args", t.Args)
	w.texts("dependencies", t.Dependencies)
	w.text("status", string(t.Status))
	w.instant("created_at", t.CreatedAt)
	w.instant("started_at", t.StartedAt)
	w.instant("completed_at", t.CompletedAt)
	w.textOrNull("error", t.Error)
	appendOurs(&w, t)
	if err := w.extra(t.Extra, definitionKeys, runKeys); err != nil {
		return b, fmt.Errorf("task %s: %w", quote(t.ID), err)
	}
	w.end()
	return w.b, nil
}

// appendOurs writes the keys that other tools do not have.
func appendOurs(w *objectWriter, t *Task) {
	if t.Attempts > 0 {
		w.whole("attempts", t.Attempts)
	}
	if t.ExitCode != nil {
		w.whole("exit_code", *t.ExitCode)
	}
	w.textIfAny("signal", t.Signal)
	if t.Reason != Imported { // it says that the file said nothing
		w.textIfAny("reason", string(t.Reason))
	}
	if t.Priority != 0 {
		w.whole("priority", t.Priority)
	}
	if t.Timeout > 0 {
		w.seconds("timeout", t.Timeout)
	}
	w.textIfAny("working_directory", t.Dir)
	w.textIfAny("parent", t.Parent)
}
