package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/queue"
	"github.com/air-executor/air-executor/taskfile"
)

type jobCmd struct {
	Set  jobSetCmd  `cmd:"" help:"Change what holds for a job."`
	Show jobShowCmd `cmd:"" help:"Show what holds for a job."`
}

// Help is printed below the summary.
func (*jobCmd) Help() string {
	return `Exit codes: 0 done; 1 error; 2 wrong flags or configuration; 4 no such job.`
}

type jobSetCmd struct {
	jobArg
	Parallel   *signed   `placeholder:"N" help:"How many of its tasks may run at once; 1 unless it was set."`
	Priority   *signed   `short:"o" placeholder:"N" help:"Added to the priority of each of its tasks; 0 unless it was set."`
	RetryHolds string    `placeholder:"true|false" enum:",true,false" default:"" type:"word" words:"true,false" help:"Whether its other tasks wait while one of them waits for its retry; true unless it was set."`
	Timeout    taskLimit `placeholder:"D" help:"Time limit of tasks that are queued from now on and say none."`
	Pool       []string  `sep:"none" placeholder:"NAME" predictor:"pool" help:"Places of tasks that are queued from now on and say none, as with enqueue. May be given several times."`
	NoHooks    bool      `help:"Forget the hooks that were set before."`
	retryFlags
	hookFlags
	NoDefaults bool `help:"Forget the time limit, pools and retries that were set here before."`
}

// Help is printed below the summary.
func (*jobSetCmd) Help() string {
	return `Changes what is given, and leaves the rest. Of a job with 4 places, four tasks run at once; each finds its place, from 0, in AIR_EXECUTOR_SLOT:

    air-executor job set render --parallel 4
    air-executor job set render --priority 10 --timeout 2h
    air-executor job set render --retries 3 --retry-delay 1m

--timeout, --pool and the flags about retries are for tasks that are queued from now on and do not say it themselves; they come before those of the configuration. To change tasks that are queued already: air-executor edit.

With fewer places than tasks that run, all of these go on, and nothing starts until there is a free place. max_concurrent_runners of the configuration bounds what runs of all jobs.

Exit codes: 0 done; 1 error; 2 wrong flags or configuration; 4 no such job.`
}

// Run changes a job.
func (c *jobSetCmd) Run(ctx context.Context, ui *ui, ws *workspace) error {
	change, err := c.change()
	if err != nil {
		return err
	}
	name, q, err := c.open(ws)
	if err != nil {
		return err
	}
	defer q.Close()
	s, err := q.SetJob(ctx, name, change)
	if err != nil {
		return err
	}
	return showJob(ui, s)
}

// change is what the flags ask for.
func (c *jobSetCmd) change() (queue.JobChange, error) {
	change := queue.JobChange{NoDefaults: c.NoDefaults}
	if c.RetryHolds != "" {
		holds := c.RetryHolds == "true"
		change.RetryHolds = &holds
	}
	if n := (*int)(c.Parallel); n != nil {
		if *n < 1 || *n > job.MaxParallel {
			return change, usage(fmt.Errorf("--parallel: want 1 to %d, got %d", job.MaxParallel, *n), "")
		}
		change.Parallel = n
	}
	if n := (*int)(c.Priority); n != nil {
		if err := taskfile.Flag("priority", strconv.Itoa(*n), new(job.Spec)); err != nil {
			return change, usage(fmt.Errorf("--priority: %w", err), "")
		}
		change.Priority = n
	}
	pools, err := job.NormalPools(c.Pool)
	if err != nil {
		return change, usage(fmt.Errorf("--pool: %w", err), "")
	}
	change.Defaults = job.Spec{Timeout: time.Duration(c.Timeout), Pools: pools}
	if err := c.set(&change.Defaults); err != nil {
		return change, err
	}
	if change.Hooks, err = c.hooks(); err != nil {
		return change, err
	}
	change.NoHooks = c.NoHooks
	if c.NoHooks && !change.Hooks.IsZero() {
		return change, usage(errors.New("--no-hooks does not go with --on-success, --on-failure and --on-end"), "")
	}
	of := change.Parallel != nil || change.Priority != nil || change.RetryHolds != nil || c.NoHooks || !change.Hooks.IsZero()
	if !of && c.Timeout == 0 && len(pools) == 0 && c.given() == "" && !c.NoDefaults {
		return change, usage(errors.New("what to change? give --parallel, --priority or another flag"), "see air-executor job set --help")
	}
	return change, nil
}

type jobShowCmd struct {
	jobArg
}

// Help is printed below the summary.
func (*jobShowCmd) Help() string {
	return `Shows how many tasks of the job may run at once, its priority, and what its tasks get that do not say it themselves.

    air-executor job show render

Exit codes: 0 done; 1 error; 2 wrong flags or configuration; 4 no such job.`
}

// Run shows a job.
func (c *jobShowCmd) Run(ctx context.Context, ui *ui, ws *workspace) error {
	name, q, err := c.open(ws)
	if err != nil {
		return err
	}
	defer q.Close()
	s, err := q.JobSettings(ctx, name)
	if err != nil {
		return err
	}
	return showJob(ui, s)
}

func showJob(ui *ui, s queue.JobSettingsForm) error {
	if ui.json() {
		return ui.printJSON(s)
	}
	defaults, err := taskfile.Defaults(s.Defaults)
	if err != nil {
		return err
	}
	line := func(key, value string) { ui.printf("%-13s%s\n", key, value) }
	line("Job", s.Job)
	line("State", string(s.State))
	line("Parallel", fmt.Sprintf("%d (%d running)", s.Parallel, s.Running))
	line("Priority", strconv.Itoa(s.Priority))
	line("Retry holds", strconv.FormatBool(s.RetryHolds))
	if s.PausedAt != nil {
		line("Paused since", *s.PausedAt)
	}
	for _, key := range slices.Sorted(maps.Keys(s.Labels)) {
		line("Label", key+"="+s.Labels[key])
	}
	if list := taskfile.DefaultLines(defaults); len(list) > 0 {
		line("Defaults", strings.Join(list, "; ")+" (of tasks that do not say it)")
	}
	shownHooks(s.Hooks.Hooks(), line)
	return nil
}
