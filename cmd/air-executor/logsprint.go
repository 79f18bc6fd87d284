package main

import (
	"context"
	"errors"

	"github.com/air-executor/air-executor/queue"
)

func (c *logsCmd) printer(ui *ui, several bool) *logPrinter {
	if c.Tail == tailAuto {
		c.Tail = tailAll
		if isTerminal(ui.out) && !ui.json() && c.Grep == nil {
			c.Tail = tailOnTerminal
		}
	}
	p := &logPrinter{out: ui.out, note: ui.notef, titles: len(c.Task) != 1 && !c.NoHeader && !c.Prefix, several: several, prefix: c.Prefix}
	if isTerminal(ui.out) {
		p.filter = &filter{edits: true}
	}
	return p
}

// lines is what the logs are read into: the printer, or what gives it only the lines
// that are wanted.
func (c *logsCmd) lines(p *logPrinter) (sink queue.LogSink, end func() error) {
	if c.Grep == nil && !c.Prefix {
		return p, p.end
	}
	s := &queue.LogLines{To: p}
	if c.Grep != nil {
		s.Match = c.Grep.Regexp
	}
	return s, func() error { return errors.Join(s.End(), p.end()) }
}

func (c *logsCmd) print(p *logPrinter, logs []*queue.Log) error {
	sink, end := c.lines(p)
	for _, l := range logs {
		err := l.Tail(sink, int(c.Tail))
		if s, ok := sink.(queue.LogEnder); ok && err == nil {
			err = s.EndOf(l)
		}
		if err != nil {
			return err
		}
	}
	return end()
}

// follow prints what there is, and then what is added until every job has ended. With
// --all-jobs it goes on until somebody ends it.
func (c *logsCmd) follow(ctx context.Context, ui *ui, ws *workspace, q *queue.Queue, p *logPrinter, jobs []string) error {
	if ui.json() {
		p.piece = printPiece(ui)
	}
	ctx, check, stop := ui.whileRead(ctx)
	defer stop()
	obstacles := &obstacles{ui: ui, ws: ws, queue: q, jobs: jobs}
	waiting := func() {
		obstacles.look()
		check()
	}
	o := queue.FollowOptions{LogQuery: c.query(c.Task), Lines: int(c.Tail), Waiting: waiting}
	sink, end := c.lines(p)
	var err error
	if c.AllJobs {
		err = q.FollowAll(ctx, o, sink)
	} else {
		err = q.Follow(ctx, jobs, o, sink)
	}
	if err = orNobody(ctx, err); nobodyReads(err) {
		return err
	}
	if err == nil || ctx.Err() != nil {
		return errors.Join(err, end())
	}
	return noJobButTask(ctx, ws, q, jobs, err)
}
