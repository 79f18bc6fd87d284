package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/queue"
)

type poolCmd struct {
	Set    poolSetCmd    `cmd:"" help:"Make a pool, or change how many places it has."`
	List   poolListCmd   `cmd:"" help:"List the pools, and who holds their places."`
	Remove poolRemoveCmd `cmd:"" help:"Delete a pool."`
}

// Help is printed below the summary.
func (*poolCmd) Help() string {
	return `Exit codes: 0 done; 1 pending tasks need more places, nothing has changed, or another error; 2 wrong flags, name or number; 4 no such pool.`
}

type poolSetCmd struct {
	Name     string `arg:"" predictor:"pool" help:"Name of the pool: small letters, digits and -, with a letter first."`
	Capacity signed `arg:"" help:"How many places it has."`
	Force    bool   `help:"Do it even if pending tasks need more places than are left."`
}

// Help is printed below the summary.
func (*poolSetCmd) Help() string {
	return `A pool is a number of places that tasks share, whatever their jobs: GPUs, licenses, connections. A task says what it needs, waits until that is free, and holds it while it runs:

    air-executor pool set gpu 2
    air-executor enqueue --job train --pool gpu -- ./train.sh
    air-executor enqueue --job big --pool gpu:2 -- ./train-big.sh

The task finds the numbers of its places, from 0, in AIR_EXECUTOR_POOL_GPU: 0, or 0,1.

If the pool becomes smaller, tasks that run keep their places. If pending tasks need more places than it is to have, nothing is changed, unless --force is given; then they wait until it is larger.

Exit codes: 0 done; 1 pending tasks need more places, nothing has changed, or another error; 2 wrong flags, name or number.`
}

// Run makes a pool or changes it.
func (c *poolSetCmd) Run(ctx context.Context, ui *ui, ws *workspace) error {
	if err := job.CheckPool(c.Name); err != nil {
		return usage(err, "")
	}
	if c.Capacity < 0 || c.Capacity > job.MaxPlaces {
		return usage(fmt.Errorf("a pool has 0 to %d places, got %d", job.MaxPlaces, c.Capacity), "")
	}
	q, err := ws.openQueue(false)
	if err != nil {
		return err
	}
	defer q.Close()
	r, err := q.SetPool(ctx, c.Name, int(c.Capacity), c.Force)
	if err != nil {
		return explainPool(err)
	}
	if ui.json() {
		return ui.printJSON(r)
	}
	was := ""
	if r.Before != nil && *r.Before != *r.Capacity {
		was = fmt.Sprintf(" (%d before)", *r.Before)
	}
	ui.printf("Pool %s has %s%s\n", r.Pool, plural(*r.Capacity, "place"), was)
	strandedNote(ui, r)
	return nil
}

// strandedNote tells of tasks that no longer can run.
func strandedNote(ui *ui, r queue.PoolResult) {
	if r.Stranded > 0 {
		ui.notef("pending tasks that need more places in pool %s: %d; they wait until it has them", r.Pool, r.Stranded)
	}
}

// explainPool adds what to do about an error.
func explainPool(err error) error {
	var needed *db.PoolNeeded
	switch {
	case errors.As(err, &needed):
		return fail(exitError, err, "cancel these tasks, or give --force: then they wait until the pool is large enough")
	case errors.Is(err, db.ErrNoPool):
		return fail(exitNoSuch, err, "air-executor pool list shows the pools")
	}
	return err
}

type poolListCmd struct{}

// Help is printed below the summary.
func (*poolListCmd) Help() string {
	return `Shows how many places each pool has, which tasks hold them, and how many pending tasks need it.

    air-executor pool list

Exit codes: 0 done; 1 error; 2 wrong flags; 4 no database here.`
}

// Run lists the pools.
func (*poolListCmd) Run(ctx context.Context, ui *ui, ws *workspace) error {
	q, err := ws.queue()
	if err != nil {
		return err
	}
	defer q.Close()
	pools, err := q.Pools(ctx)
	if err != nil {
		return err
	}
	if ui.json() {
		return ui.printJSON(pools)
	}
	g := grid{head: []string{"Pool", "Places", "Taken", "Waiting", "Held By"}, wrap: 5, squeeze: []step{{5, 16}}}
	for _, p := range pools {
		var held []string
		for _, place := range p.Taken {
			held = append(held, fmt.Sprintf("%d: %s/%s", place.Place, place.Job, place.Task))
		}
		g.add(p.Pool, strconv.Itoa(p.Capacity), strconv.Itoa(len(p.Taken)), strconv.Itoa(p.Waiting), strings.Join(held, ", "))
	}
	return g.print(ui.out, ui.width())
}

type poolRemoveCmd struct {
	Name  string `arg:"" predictor:"pool" help:"Name of the pool."`
	Force bool   `help:"Do it even if pending tasks need it."`
}

// Help is printed below the summary.
func (*poolRemoveCmd) Help() string {
	return `Tasks that run go on. If pending tasks need the pool, it is not removed, unless --force is given; then they wait until there is a pool of this name again.

    air-executor pool remove gpu

Exit codes: 0 done; 1 pending tasks need it, nothing has changed, or another error; 2 wrong flags; 4 no such pool.`
}

// Run removes a pool.
func (c *poolRemoveCmd) Run(ctx context.Context, ui *ui, ws *workspace) error {
	q, err := ws.queue()
	if err != nil {
		return err
	}
	defer q.Close()
	r, err := q.RemovePool(ctx, c.Name, c.Force)
	if err != nil {
		return explainPool(err)
	}
	if ui.json() {
		return ui.printJSON(r)
	}
	ui.printf("Pool %s removed\n", r.Pool)
	strandedNote(ui, r)
	return nil
}
