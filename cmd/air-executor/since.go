package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/alecthomas/kong"

	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/queue"
)

// pastTime is an instant that has passed, as people give it.
type pastTime struct{ time.Time }

// Decode reads it.
func (p *pastTime) Decode(c *kong.DecodeContext) error {
	t := c.Scan.Pop()
	if t.IsEOL() {
		return errNoValue
	}
	now := time.Now()
	at, err := job.ParseSince(fmt.Sprint(t.Value), now)
	if err != nil {
		return err
	}
	if at.After(now) {
		return fmt.Errorf("%s is still to come", t.Value)
	}
	p.Time = at
	return nil
}

// jobPatterns are the jobs that a command is about, by names or patterns; none: all.
type jobPatterns struct {
	Flag []string `name:"job" short:"j" sep:"none" placeholder:"NAME" predictor:"job" help:"Only this job, or those whose names match a pattern such as 'build-*'; --job can be left out. May be given several times."`
	Arg  []string `arg:"" optional:"" name:"name" predictor:"job" help:"Names of jobs, or patterns; the default is all."`
}

// names returns the names and patterns that were given.
func (p *jobPatterns) names() []string { return slices.Concat(p.Flag, p.Arg) }

// historyArgs say of what the past is wanted.
type historyArgs struct {
	jobPatterns
	Label []string `sep:"none" placeholder:"KEY=VALUE" help:"Only with this label, on the task or its job; KEY alone takes any value. May be given several times."`
}

// open opens the queue, and returns which part of the past is wanted.
func (a *historyArgs) open(ws *workspace, since, until pastTime, limit signed) (*queue.Queue, queue.HistoryQuery, error) {
	query := queue.HistoryQuery{Jobs: a.names(), Labels: a.Label, Since: since.Time, Until: until.Time}
	if limit < 0 {
		return nil, query, usage(fmt.Errorf("--limit %d is negative", limit), "")
	}
	q, err := ws.queue()
	return q, query, err
}

// asked makes the error about a query one of wrong flags.
func asked(err error) error {
	if queue.IsBadQuery(err) {
		return usage(err, "")
	}
	return err
}

// everOrPast is an instant that has passed, or the word for none.
type everOrPast struct{ pastTime }

// Decode reads it.
func (e *everOrPast) Decode(c *kong.DecodeContext) error {
	if t := c.Scan.Peek(); !t.IsEOL() && fmt.Sprint(t.Value) == "ever" {
		c.Scan.Pop()
		e.Time = time.Time{}
		return nil
	}
	return e.pastTime.Decode(c)
}
