package main

import (
	"bufio"
	"bytes"
	"io"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

// printJSON prints the report as JSON. Tasks are written as they are read, for
// they may be many.
func (c *statusCmd) printJSON(a *app, d *db.DB, p page) error {
	r := c.report(a, p)
	if err := r.readHead(a, d); err != nil {
		return err
	}
	c.choose(r)
	var head bytes.Buffer
	if err := writeJSON(&head, r.form(), "  "); err != nil {
		return err
	}
	const end = "]\n}\n" // of the empty list of tasks, which comes last
	out := bufio.NewWriterSize(a.out, 64<<10)
	out.Write(bytes.TrimSuffix(head.Bytes(), []byte(end)))
	between := "\n    "
	if r.listing {
		err := c.eachTask(a, d, r, func(l db.Listed) error {
			b, err := marshalJSON(r.taskForm(l), "    ", "  ")
			if err != nil {
				return err
			}
			io.WriteString(out, between)
			between = ",\n    "
			_, err = out.Write(b)
			return err
		})
		if err != nil {
			return err
		}
	}
	if between[0] == ',' {
		io.WriteString(out, "\n  ")
	}
	io.WriteString(out, end)
	return out.Flush() // it remembers the first error
}

// form is the report as JSON.
func (r *report) form() statusJSON {
	out := statusJSON{Jobs: []jobJSON{}, Tasks: []taskJSON{}}
	if m := r.manager; m != nil {
		out.Manager = &managerJSON{
			PID: m.PID, Host: m.Host, StartedAt: job.FormatTime(m.StartedAt), Stop: value(string(m.Stop)), Trouble: value(r.trouble),
		}
	}
	for _, j := range r.jobs {
		out.Jobs = append(out.Jobs, toJobJSON(j, r.cancelled[j.Name]))
	}
	for _, l := range r.tasks {
		out.Tasks = append(out.Tasks, r.taskForm(l))
	}
	return out
}

// taskForm is a task as JSON. One that was asked for by its id has all that is
// known about it.
func (r *report) taskForm(l db.Listed) taskJSON {
	base := r.app.conf.BasePath
	t := toTaskJSON(l, r.waits(l), r.limit, base)
	if r.task != "" {
		t.History = []attemptJSON{}
		for _, h := range r.history {
			t.History = append(t.History, toAttemptJSON(h, t.Attempts, base))
		}
		if r.envStored {
			t.EnvNames = list(r.envNames)
		}
	}
	return t
}
