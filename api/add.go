package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/internal/words"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/queue"
	"github.com/air-executor/air-executor/taskfile"
)

// Adding jobs and tasks.

// mostFaults is how many faults of a body are answered.
const mostFaults = 100

// NewJob is what the API adds to the keys of a job file.
type NewJob struct {
	IfExists queue.IfExists             `json:"if_exists"`
	Params   map[string]json.RawMessage `json:"params"`
}

// NewTasks are read by package taskfile.
type NewTasks = any

// newJobKeys are its keys.
var newJobKeys = []string{"if_exists", "params"}

func addJob(c *call) (answer, error) {
	text, err := c.text()
	if err != nil {
		return answer{}, err
	}
	own, f, err := readJob(text)
	if err != nil {
		return answer{}, err
	}
	if err := c.api.queue.CheckJobName(c.Context(), f.Name); err != nil {
		return answer{}, wrongBody(Fault{Pointer: "/name", Message: err.Error()})
	}
	o := queue.EnqueueOptions{
		Job: f.Name, Labels: f.Labels, RetryHolds: f.RetryHolds, Keys: true,
		Settings: &db.JobChange{Parallel: f.Parallel, Priority: f.Priority, Hooks: f.Hooks},
	}
	return c.add(sumOf(text), addedForm, func(ctx context.Context) error {
		_, err := c.api.queue.AddJob(ctx, queue.SentTasks(f), own.IfExists, o)
		return c.notAdded(err, nil, "/tasks", true)
	})
}

// readJob reads a job that was sent.
func readJob(text []byte) (own NewJob, f *taskfile.JobFile, err error) {
	var faults []Fault
	var document map[string]json.RawMessage
	switch err := json.Unmarshal(text, &document); {
	case !json.Valid(text):
		return own, nil, badBody.errorf("the body is not JSON: %v", err)
	case err != nil:
		return own, nil, wrongBody(Fault{Message: "want an object"})
	}
	if own.IfExists, err = ifExists(document["if_exists"]); err != nil {
		faults = append(faults, Fault{Pointer: "/if_exists", Message: err.Error()})
	}
	o := taskfile.JobOptions{All: true, Sent: true, Without: newJobKeys}
	if raw := document["params"]; raw != nil {
		if o.Params, err = params(raw); err != nil {
			faults = append(faults, Fault{Pointer: "/params", Message: err.Error()})
		}
	}
	f, err = taskfile.ParseJobWith(taskfile.Stdin, text, o)
	var all taskfile.AllFaults
	var one *taskfile.Error
	switch {
	case errors.As(err, &all):
	case errors.As(err, &one):
		all = taskfile.AllFaults{one}
	case err != nil:
		return own, nil, err
	}
	for _, at := range all {
		m := at.Msg
		if near := words.Nearest(at.Key, newJobKeys); at.Index < 0 && near != "" && strings.HasPrefix(m, "unknown key") {
			m = "unknown key, did you mean " + words.Quote(near) + "?"
		}
		faults = append(faults, Fault{Pointer: at.Pointer("/tasks", true), Message: m})
	}
	if len(faults) > 0 {
		return own, nil, wrongBody(faults...)
	}
	return own, f, nil
}

// ifExists reads what to do with a job of the name.
func ifExists(raw json.RawMessage) (queue.IfExists, error) {
	var text string
	if raw == nil {
		return queue.Refuse, nil
	}
	err := json.Unmarshal(raw, &text)
	is := queue.IfExists(text)
	if err != nil || !slices.Contains([]queue.IfExists{queue.Refuse, queue.Append, queue.Number}, is) {
		return "", errors.New("want error, append or number")
	}
	return is, nil
}

// params reads values of parameters: texts, and numbers and booleans as they are written.
func params(raw json.RawMessage) (out []string, err error) {
	var values map[string]json.RawMessage
	if err := json.Unmarshal(raw, &values); err != nil {
		return nil, errors.New("want an object of texts")
	}
	for name, value := range values {
		text := string(value)
		switch value[0] {
		case '"':
			_ = json.Unmarshal(value, &text) // it is valid
		case '{', '[', 'n':
			return nil, errors.New(words.Quote(name) + ": want a text")
		}
		out = append(out, name+"="+text)
	}
	slices.Sort(out)
	return out, nil
}

func addTasks(c *call) (answer, error) {
	var p AddTasksParams
	if err := c.parameters(&p); err != nil {
		return answer{}, err
	}
	name := c.PathValue("job")
	if err := c.api.queue.CheckJobName(c.Context(), name); err != nil {
		return answer{}, noSuchJob.of(err)
	}
	in, err := c.sent()
	if err != nil {
		return answer{}, err
	}
	defer in.Close()
	if err := in.check(or(p.IfAbsent, false)); err != nil {
		return answer{}, err
	}
	o := queue.EnqueueOptions{Job: name, IfAbsent: or(p.IfAbsent, false), AllowMissing: or(p.AllowMissing, false), Keys: true, Template: &job.Spec{}}
	return c.add(in.sum, addedForm, func(ctx context.Context) error {
		_, err := in.Seek(0, io.SeekStart)
		if err == nil {
			_, err = c.api.queue.Enqueue(ctx, queue.SentLines(theBody, in), o)
		}
		return c.notAdded(err, in, "", in.list)
	})
}

// theBody is the name of the body in errors.
const theBody = "the body"

// sentTasks is a body with tasks, read to its end.
type sentTasks struct {
	io.ReadSeekCloser
	sum   []byte
	lines bool // a task a line
	list  bool // more than one task, so that they have numbers
}

// sent reads the body.
func (c *call) sent() (*sentTasks, error) {
	kind, _, err := mime.ParseMediaType(c.Header.Get("Content-Type"))
	if err == nil && kind == "application/x-ndjson" {
		h := sha256.New()
		in, err := queue.Spool(io.TeeReader(c.Body, h), theBody, c.api.queue.BasePath())
		if err != nil {
			return nil, notSpooled(err)
		}
		_ = http.NewResponseController(c.w).SetReadDeadline(time.Time{})
		return &sentTasks{in, h.Sum(nil), true, true}, nil
	}
	if err != nil || kind != "application/json" {
		return nil, wrongType.errorf("the body is %q, want application/json or application/x-ndjson", c.Header.Get("Content-Type"))
	}
	text, err := c.text()
	if err != nil {
		return nil, err
	}
	if !json.Valid(text) {
		return nil, badBody.errorf("the body is not JSON: %v", json.Unmarshal(text, new(any)))
	}
	begin := bytes.TrimLeft(text, " \t\r\n")
	return &sentTasks{nopCloser{bytes.NewReader(text)}, sumOf(text), false, begin[0] == '['}, nil
}

// notSpooled is the error about a body that did not come, or cannot be kept.
func notSpooled(err error) error {
	var large *http.MaxBytesError
	if errors.As(err, &large) || strings.HasPrefix(err.Error(), "keep ") {
		return err
	}
	return badBody.errorf("the body was not sent: %v", err)
}

type nopCloser struct{ *bytes.Reader }

func (nopCloser) Close() error { return nil }

// check returns all that is wrong with the tasks by themselves.
func (s *sentTasks) check(ifAbsent bool) error {
	found, n, err := taskfile.Faults(theBody, s, ifAbsent, mostFaults, func(t *job.Spec) (string, error) {
		switch {
		case t.Dir != "" && t.Dir[0] != '/':
			return "working_directory", taskfile.NotAbsolute(t.Dir)
		case ifAbsent && t.ID == "":
			return "id", errors.New("is missing; with if_absent every task needs one, because a task without an id is always new")
		}
		return "", nil
	})
	switch {
	case err != nil:
		return err
	case len(found) > 0:
		return s.wrong(found...)
	case n == 0:
		return wrongBody(Fault{Message: "has no tasks"})
	}
	return nil
}

// wrong is the error about mistakes in the body.
func (s *sentTasks) wrong(found ...*taskfile.Error) error {
	faults := make([]Fault, len(found))
	for i, at := range found {
		faults[i] = Fault{Pointer: at.Pointer("", s.list), Message: at.Msg}
		if s.lines {
			faults[i].Message = "line " + strconv.Itoa(at.Line) + ": " + at.Msg
		}
	}
	p := wrongBody(faults...)
	if last := found[len(found)-1]; strings.HasPrefix(last.Msg, "not valid JSON") {
		p.kind = badBody
	}
	return p
}

// notAdded explains why tasks were not stored. In is where they are, or nil.
func (c *call) notAdded(err error, in *sentTasks, at string, list bool) error {
	var missing *db.Missing
	var cycle *db.Cycle
	var wrong *taskfile.Error
	again := func() taskfile.Again {
		_, _ = in.Seek(0, io.SeekStart) // if it cannot be read again, the place is unknown
		return taskfile.Again{File: theBody, From: in}
	}
	switch {
	case errors.As(err, &wrong):
	case in != nil && errors.As(err, &missing) && missing.By != "":
		wrong = again().Missing(missing.By, missing.Task, err)
	case in != nil && errors.As(err, &cycle):
		wrong = again().Cycle(cycle.Tasks, err)
	}
	switch {
	case wrong != nil && in != nil:
		return in.wrong(wrong)
	case wrong != nil:
		return wrongBody(Fault{Pointer: wrong.Pointer(at, list), Message: wrong.Msg})
	case errors.As(err, new(*db.NoRoom)), errors.Is(err, db.ErrCycle), errors.As(err, &missing) && missing.By != "":
		return wrongBody(Fault{Pointer: at, Message: err.Error()})
	}
	return err
}

// wrongBody is the error about all that is wrong with the body.
func wrongBody(faults ...Fault) *problem {
	detail := faults[0].Message
	if p := faults[0].Pointer; p != "" {
		detail = p + ": " + detail
	}
	if n := len(faults) - 1; n > 0 {
		detail += "; and " + strconv.Itoa(n) + " more"
	}
	p := invalid.errorf("%s", detail)
	p.faults = faults
	return p
}

// addedForm is the form of tasks that were added.
func addedForm(added any) any {
	a := added.(db.Added)
	out := Added{Job: a.Job, Added: a.Count}
	if a.IDs == nil {
		return out
	}
	tasks := make([]AddedTask, len(a.IDs))
	for i, id := range a.IDs {
		tasks[i] = AddedTask{Key: a.Keys[i], ID: id, Added: a.New[i]}
	}
	out.Tasks = &tasks
	return out
}
