package main

import (
	"context"
	"errors"

	"github.com/air-executor/air-executor/queue"
)

func (c *logsCmd) printer(ui *ui, several bool) *logPrinter {
	if c.Tail == tailAuto {
		c.Tail = tailAll
		if isTerminal(ui.out) && !ui.json() {
			c.Tail = tailOnTerminal
		}
	}
	p := &logPrinter{out: ui.out, note: ui.notef, titles: len(c.Task) != 1 && !c.NoHeader, several: several}
	if isTerminal(ui.out) {
		p.filter = &filter{edits: true}
	}
	return p
}

func (c *logsCmd) print(p *logPrinter, logs []*queue.Log) error {
	for _, l := range logs {
		if err := l.Tail(p, int(c.Tail)); err != nil {
			return err
		}
	}
	return p.end()
}

// follow prints what there is, and then what is added until every job has ended.
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
	err := q.Follow(ctx, jobs, queue.FollowOptions{LogQuery: c.query(c.Task), Lines: int(c.Tail), Waiting: waiting}, p)
	if err = orNobody(ctx, err); nobodyReads(err) {
		return err
	}
	if err == nil || ctx.Err() != nil {
		return errors.Join(err, p.end())
	}
	return noJobButTask(ctx, ws, q, jobs, err)
}
