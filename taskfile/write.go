package taskfile

import (
	"bytes"
	"fmt"
	"io"

	"github.com/air-executor/air-executor/internal/words"
	"github.com/air-executor/air-executor/job"
)

// TaskWriter writes a tasks.json task by task, and holds one of them.
type TaskWriter struct {
	w     io.Writer
	job   string
	buf   []byte // what w has not been given yet
	count int
	err   error
}

// NewTaskWriter writes tasks of the job with a name to w. What is written is complete after
// Close.
func NewTaskWriter(w io.Writer, name string) *TaskWriter {
	return &TaskWriter{w: w, job: name, buf: []byte{'['}}
}

// Write writes a task: the keys that every tool knows, then those of ours that
// carry something, then those of t.Extra as they are there, except where a
// known key has their name. It fails if Extra is not a JSON object, and after
// w has failed.
func (t *TaskWriter) Write(task job.Task) error {
	if t.err != nil {
		return t.err
	}
	if t.count > 0 {
		t.buf = append(t.buf, ',')
	}
	t.buf = append(t.buf, "\n  "...)
	t.count++
	task.Job = t.job
	if t.buf, t.err = appendTask(t.buf, &task); t.err != nil {
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
func FormatTasks(name string, tasks []job.Task) ([]byte, error) {
	var b bytes.Buffer
	w := NewTaskWriter(&b, name)
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

func appendTask(b []byte, t *job.Task) ([]byte, error) {
	w := objectWriter{b: b, depth: 2}
	if t.Reason == job.Imported { // it says that the file said nothing
		t.Reason = ""
	}
	taskKeys.write(&w, inTasks, t)
	if err := w.extra(t.Extra, isTaskKey); err != nil {
		return b, fmt.Errorf("task %s: %w", words.Quote(t.ID), err)
	}
	w.end()
	return w.b, nil
}

// isTaskKey reports whether a key is one of a task in tasks.json.
func isTaskKey(key string) bool {
	i := taskKeys.find(key)
	return i >= 0 && taskKeys[i].in.has(inTasks)
}
