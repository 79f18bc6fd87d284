package taskfile

import (
	"bytes"
	"fmt"
	"io"

	"github.com/air-executor/air-executor/internal/words"
	"github.com/air-executor/air-executor/job"
)

// TaskWriter writes a tasks.json task by task, holding one at a time.
type TaskWriter struct {
	w     io.Writer
	job   string
	buf   []byte // not yet written to w
	count int
	err   error
}

// NewTaskWriter writes tasks of the job with a name to w. The output is complete after
// Close.
func NewTaskWriter(w io.Writer, name string) *TaskWriter {
	return &TaskWriter{w: w, job: name, buf: []byte{'['}}
}

// Write writes a task: the keys that every tool knows, then our keys that are not
// empty, then the keys of t.Extra, unchanged, except those with the name of a known
// key. It fails if Extra is not a JSON object, and once w has failed.
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

// Close ends the array and flushes it to the underlying writer, which it does not
// close. The file is complete only if Close returns nil.
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

// FormatTasks returns a whole tasks.json; see TaskWriter.
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
	if t.Reason == job.Imported { // it means that the file gave none
		t.Reason = ""
	}
	taskKeys.write(&w, inTasks, t)
	if err := w.extra(t.Extra, isTaskKey); err != nil {
		return b, fmt.Errorf("task %s: %w", words.Quote(t.ID), err)
	}
	w.end()
	return w.b, nil
}

// isTaskKey reports whether a key belongs to tasks in tasks.json.
func isTaskKey(key string) bool {
	i := taskKeys.find(key)
	return i >= 0 && taskKeys[i].in.has(inTasks)
}
