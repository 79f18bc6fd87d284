package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/queue"
)

type eventsCmd struct {
	Follow bool     `short:"f" help:"Wait for new events and print them, until interrupted."`
	After  string   `placeholder:"CURSOR" help:"Only events behind this one: the cursor of an event. The default are all that are kept; with --follow, only new ones."`
	Flag   []string `name:"job" short:"j" sep:"none" placeholder:"NAME" predictor:"job" help:"Only about this job; --job can be left out. May be given several times."`
	Arg    []string `arg:"" optional:"" name:"job" predictor:"job" help:"Names of jobs; the default is all, and what is about no job."`
	Type   []string `sep:"none" placeholder:"TYPE" help:"Only of this type, such as task.ended, or of those that begin so, such as task. with a dot at the end. May be given several times."`
	Limit  signed   `short:"n" placeholder:"N" help:"Stop after N events; 0 does not stop (${default})." default:"0"`
}

// Help is printed below the summary.
func (*eventsCmd) Help() string {
	return `Prints what has happened, oldest first, as lines of JSON, with or without --json. docs/events.md says what they mean.

    air-executor events --type task.ended
    air-executor events --follow build
    air-executor events --follow --after "$cursor"

Each event has a cursor. A program that keeps the last one that it has seen goes on behind it with --after, and misses nothing. The manager deletes old events (event_days and events_kept in the configuration). A cursor from which nothing can be read, as it is too old or of another database, is an error with exit code 2.

Exit codes: 0 done; 1 error; 2 wrong flags, cursor or configuration; 4 no database; 130 interrupted.`
}

// Run prints events.
func (c *eventsCmd) Run(ctx context.Context, ui *ui, ws *workspace) error {
	if c.Limit < 0 {
		return usage(fmt.Errorf("--limit %d is negative", c.Limit), "")
	}
	query := db.EventQuery{Jobs: slices.Concat(c.Flag, c.Arg), Types: c.Type}
	if t := query.UnknownType(); t != "" {
		return usage(fmt.Errorf("there are no events of the type %q", t), "the types are in docs/events.md; a beginning such as task. ends with a dot")
	}
	q, err := ws.queue()
	if err != nil {
		return err
	}
	defer q.Close()
	if c.Follow {
		err = c.follow(ctx, ui, ws, q, query)
	} else {
		err = c.print(ctx, ui, q, query)
	}
	if errors.Is(err, db.ErrCursor) {
		return usage(err, "leave out --after for all events that are kept, and read anew what you show")
	}
	return err
}

// print prints what there is.
func (c *eventsCmd) print(ctx context.Context, ui *ui, q *queue.Queue, query db.EventQuery) error {
	const atOnce = 1000
	printed := 0
	for at, more := db.Cursor(c.After), true; more; {
		query.Limit = atOnce
		if c.Limit > 0 {
			query.Limit = min(atOnce, int(c.Limit)-printed)
		}
		page, err := q.Events(ctx, at, query)
		if err != nil {
			return err
		}
		if err := printEvents(ui, page.Events); err != nil {
			return err
		}
		printed += len(page.Events)
		at, more = page.Cursor, page.More && (c.Limit == 0 || printed < int(c.Limit))
	}
	return nil
}

// follow prints what comes.
func (c *eventsCmd) follow(ctx context.Context, ui *ui, ws *workspace, q *queue.Queue, query db.EventQuery) error {
	after := db.Cursor(c.After)
	if after == "" {
		var err error
		if after, err = q.AsOf(ctx, nil); err != nil {
			return err
		}
	}
	conf, err := ws.config()
	if err != nil {
		return err
	}
	feed := queue.NewFeed(conf)
	defer feed.Close()
	listener, err := feed.Listen(ctx, queue.ListenOptions{After: after, Query: query})
	for printed := 0; err == nil && (c.Limit == 0 || printed < int(c.Limit)); {
		var frame *queue.Frame
		if frame, err = listener.Next(ctx); err != nil {
			break
		}
		events := frame.Events
		if c.Limit > 0 {
			events = events[:min(len(events), int(c.Limit)-printed)]
		}
		printed += len(events)
		err = printEvents(ui, events)
	}
	return err
}

func printEvents(ui *ui, events []db.Event) error {
	for _, e := range events {
		if err := writeLine(ui.out, queue.EventForm(e)); err != nil {
			return err
		}
	}
	return nil
}
