package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/queue"
	"github.com/air-executor/air-executor/taskfile"
)

type scheduleCmd struct {
	Add    scheduleAddCmd    `cmd:"" help:"Run a command or a job file at times that a cron line says."`
	List   scheduleListCmd   `cmd:"" help:"List the schedules."`
	Show   scheduleShowCmd   `cmd:"" help:"Show a schedule and its next five times."`
	Pause  schedulePauseCmd  `cmd:"" help:"Keep a schedule from firing."`
	Resume scheduleResumeCmd `cmd:"" help:"Let a paused schedule fire again."`
	Run    scheduleRunCmd    `cmd:"" help:"Fire a schedule now."`
	Edit   scheduleEditCmd   `cmd:"" help:"Change a schedule."`
	Remove scheduleRemoveCmd `cmd:"" help:"Delete a schedule."`
}

// Help is printed below the summary.
func (*scheduleCmd) Help() string {
	return `The manager fires them. Times at which no manager runs are missed: of those, the last one fires when it is back, unless --missed says otherwise.

Exit codes: 0 done; 1 error; 2 wrong flags, configuration or file; 4 no such schedule.`
}

// scheduleFlags are what may be said of a schedule.
type scheduleFlags struct {
	Cron     string    `placeholder:"LINE" help:"When: minute, hour, day of the month, month, day of the week; or six fields with seconds in front; or @every 10m, @hourly, @daily, @weekly, @monthly, @yearly, @reboot."`
	TimeZone string    `name:"timezone" placeholder:"ZONE" help:"Time zone of the line, such as Europe/Berlin; the default is $TZ, or that of the machine."`
	Overlap  string    `placeholder:"WHAT" type:"word" words:"skip,queue" help:"If the run before has not ended: skip this one, or queue it. The default is skip, or queue with --missed all."`
	Missed   string    `placeholder:"WHICH" type:"word" words:"one,none,all" help:"Which of the times run that were missed: one (the last; the default), none or all."`
	CatchUp  timeLimit `placeholder:"D" help:"How old a missed time may be that still runs, such as 90m; the default is 24h."`
	Job      string    `short:"j" placeholder:"NAME" predictor:"job" help:"Job of the tasks of a command; the default is the name of the schedule. A job file makes a job each time."`

	Priority taskPriority `short:"o" placeholder:"N" help:"Priority of a command; higher runs first. The default is 0."`
	Timeout  taskLimit    `placeholder:"D" help:"End a command after this time, such as 90s or 5m, or none; the default is task_timeout of the configuration, or 30m."`
	retryFlags
	hookFlags
	Set   []string `sep:"none" placeholder:"KEY=VALUE" help:"Set another key of the task of a command, as in a job file. May be given several times."`
	Param []string `sep:"none" placeholder:"NAME=VALUE" help:"Give a parameter of the job file its value. May be given several times."`
	Dir   string   `name:"working-directory" short:"w" placeholder:"DIR" help:"Where to run; the default is the current directory."`
	Env   []string `short:"e" sep:"none" placeholder:"KEY=VALUE" help:"Set a variable. May be given several times."`
	NoEnv bool     `help:"Do not store this shell's environment; run with the manager's."`
}

type scheduleAddCmd struct {
	scheduleFlags
	FromFile string   `short:"f" placeholder:"FILE" help:"Add the schedules that schedule list --json has printed; - is stdin."`
	Name     string   `arg:"" optional:"" help:"Name of the schedule: letters, digits, - and _."`
	Args     []string `arg:"" optional:"" name:"file" help:"Job file (YAML or JSON; - is stdin), or -- and a command with its arguments."`
}

func (*scheduleAddCmd) configured() {}

// Help is printed below the summary.
func (*scheduleAddCmd) Help() string {
	return `Prints when it fires next. A task of a command gets the id NAME@TIME, such as nightly@2026-03-29T03:15+02:00; a job of a job file the name NAME-DATE, such as nightly-20260329T0315. The text of the job file and the environment of this shell are stored with the schedule. If the file says when it runs (schedule:), --cron can be left out.

    air-executor schedule add nightly --cron '15 3 * * 1-5' -- ./backup.sh
    air-executor schedule add report --cron @daily report.yaml --param team=web

A time that clocks leap over in spring fires right after the leap, one that comes twice in autumn the first time; a line with * as its hour fires in each hour that there is. docs/schedules.md has a table.

Exit codes: 0 stored; 1 not stored, nothing has changed; 2 wrong flags, cron line, configuration or file.`
}

// Run stores a schedule, or those of a file.
func (c *scheduleAddCmd) Run(ctx context.Context, ui *ui, ws *workspace, args arguments) error {
	if c.FromFile != "" {
		return c.fromFile(ctx, ui, ws)
	}
	command, err := commandGiven(args, c.Args)
	if err == nil && c.Name == "" {
		err = usage(errors.New("a schedule needs a name"), "see air-executor schedule add --help")
	}
	if err != nil {
		return err
	}
	o := queue.ScheduleOrder{Name: c.Name}
	given, err := c.what(&o, c.Args, command)
	if err == nil && !given {
		err = usage(errors.New("what to run? give a job file, or -- and a command"), "see air-executor schedule add --help")
	}
	if err == nil {
		err = c.rules(&o)
	}
	if err != nil {
		return err
	}
	if o.Rules.Cron == "" {
		return usage(errors.New("when? give --cron, such as --cron '15 3 * * 1-5' or --cron @daily"), "")
	}
	if o.Rules.TimeZone == "" {
		o.Rules.TimeZone = os.Getenv("TZ")
	}
	if err := queue.CheckSchedule(o); err != nil {
		return usage(err, "")
	}
	return c.store(ctx, ui, ws, []queue.ScheduleOrder{o}, false)
}

type scheduleListCmd struct{}

// Help is printed below the summary.
func (*scheduleListCmd) Help() string {
	return `Exit codes: 0 done; 1 error; 2 wrong flags or configuration; 4 there is no database.`
}

// Run lists the schedules.
func (*scheduleListCmd) Run(ctx context.Context, ui *ui, ws *workspace) error {
	q, err := ws.queue()
	if err != nil {
		return err
	}
	defer q.Close()
	list, err := q.DB.Schedules(ctx)
	if err != nil {
		return err
	}
	if ui.json() {
		forms := []queue.ScheduleForm{}
		for _, s := range list {
			forms = append(forms, queue.ToScheduleForm(s))
		}
		return ui.printJSON(forms)
	}
	g := grid{head: []string{"Schedule", "When", "Next", "Last", "Note"}, wrap: 5, squeeze: []step{{4, 0}, {5, 16}, {2, 8}}}
	for _, s := range list {
		g.add(s.Name, s.Cron, inZone(s, s.NextAt, s.PausedAt.IsZero()), inZone(s, s.LastAt, true), scheduleNote(s))
	}
	return g.print(ui.out, ui.width())
}

// scheduleArg is the schedule that a command is about.
type scheduleArg struct {
	Name string `arg:"" predictor:"schedule" help:"Name of the schedule."`
}

type scheduleShowCmd struct{ scheduleArg }

// Help is printed below the summary.
func (*scheduleShowCmd) Help() string {
	return `Exit codes: 0 done; 1 error; 2 wrong flags or configuration; 4 no such schedule.`
}

// Run shows a schedule.
func (c *scheduleShowCmd) Run(ctx context.Context, ui *ui, ws *workspace) error {
	q, err := ws.queue()
	if err != nil {
		return err
	}
	defer q.Close()
	s, err := q.DB.Schedule(ctx, c.Name)
	if err != nil {
		return noSchedule(err)
	}
	return printSchedule(ui, s)
}

type schedulePauseCmd struct{ scheduleArg }

// Help is printed below the summary.
func (*schedulePauseCmd) Help() string {
	return `What it has stored already runs. The times that pass meanwhile are not missed: they do not fire after schedule resume either.

Exit codes: 0 it is paused; 1 error; 2 wrong flags or configuration; 4 no such schedule.`
}

// Run pauses a schedule.
func (c *schedulePauseCmd) Run(ctx context.Context, ui *ui, ws *workspace) error {
	return changeSchedule(ui, ws, func(q *queue.Queue) (db.Schedule, string, error) {
		s, changed, err := q.PauseSchedule(ctx, c.Name)
		if changed {
			return s, fmt.Sprintf("Schedule %s is paused\n", s.Name), err
		}
		return s, fmt.Sprintf("Schedule %s was paused already\n", s.Name), err
	})
}

type scheduleResumeCmd struct{ scheduleArg }

// Help is printed below the summary.
func (*scheduleResumeCmd) Help() string {
	return `It fires from its next time on.

Exit codes: 0 it is not paused; 1 error; 2 wrong flags or configuration; 4 no such schedule.`
}

// Run resumes a schedule.
func (c *scheduleResumeCmd) Run(ctx context.Context, ui *ui, ws *workspace) error {
	return changeSchedule(ui, ws, func(q *queue.Queue) (db.Schedule, string, error) {
		s, changed, err := q.ResumeSchedule(ctx, c.Name)
		if changed {
			return s, fmt.Sprintf("Schedule %s fires again, next at %s\n", s.Name, inZone(s, s.NextAt, true)), err
		}
		return s, fmt.Sprintf("Schedule %s was not paused\n", s.Name), err
	})
}

type scheduleRunCmd struct{ scheduleArg }

// Help is printed below the summary.
func (*scheduleRunCmd) Help() string {
	return `Stores what the schedule stores when it fires, with the present time in its id, and prints its job and its id. It does so for a paused one too, and while a run has not ended. When it fires by itself stays as it is.

Exit codes: 0 stored; 1 not stored; 2 wrong flags or configuration; 4 no such schedule.`
}

// Run fires a schedule.
func (c *scheduleRunCmd) Run(ctx context.Context, ui *ui, ws *workspace) error {
	q, err := ws.queue()
	if err != nil {
		return err
	}
	defer q.Close()
	fired, err := q.RunSchedule(ctx, c.Name)
	if err != nil {
		return noSchedule(err)
	}
	if ui.json() {
		return ui.printJSON(fired)
	}
	id := fired.Job
	if fired.Task != nil {
		id += " " + *fired.Task
	}
	ui.printf("%s\n", id)
	if !fired.Added {
		ui.notef("it was there already: a schedule fires once a second at most")
	}
	ws.hintNoManager()
	return nil
}

type scheduleEditCmd struct {
	scheduleFlags
	scheduleArg
	Args []string `arg:"" optional:"" name:"file" help:"Another job file, or -- and another command with its arguments."`
}

func (*scheduleEditCmd) configured() {}

// Help is printed below the summary.
func (*scheduleEditCmd) Help() string {
	return `Changes what is given, and leaves the rest as it is. Another command or job file comes with the environment and the directory of this shell.

    air-executor schedule edit nightly --cron '30 2 * * *'
    air-executor schedule edit nightly -- ./backup.sh --full

A schedule of schedules_dir is changed in its file.

Exit codes: 0 changed; 1 error; 2 wrong flags, cron line, configuration or file, nothing has changed; 4 no such schedule.`
}

// Run changes a schedule.
func (c *scheduleEditCmd) Run(ctx context.Context, ui *ui, ws *workspace, args arguments) error {
	if c.empty() && len(c.Args) == 0 {
		return usage(errors.New("what to change? give a flag, a job file, or -- and a command"), "see air-executor schedule edit --help")
	}
	command, err := commandGiven(args, c.Args)
	if err != nil {
		return err
	}
	other := queue.ScheduleOrder{Name: c.Name} // read before the database is locked
	given, err := c.what(&other, c.Args, command)
	if err != nil {
		return err
	}
	return changeSchedule(ui, ws, func(q *queue.Queue) (db.Schedule, string, error) {
		s, err := q.EditSchedule(ctx, c.Name, func(o *queue.ScheduleOrder) error {
			if given {
				o.Become(other)
			} else if err := c.task(&o.What, &o.Env); err != nil {
				return err
			}
			if err := c.rules(o); err != nil {
				return err
			}
			if err := queue.CheckSchedule(*o); err != nil {
				return usage(err, "")
			}
			return nil
		})
		if err == nil && !ui.json() {
			err = printSchedule(ui, s)
		}
		return s, "", err
	})
}

type scheduleRemoveCmd struct {
	Name []string `arg:"" predictor:"schedule" help:"Names of the schedules."`
	asks
}

// Help is printed below the summary.
func (*scheduleRemoveCmd) Help() string {
	return `What they have stored stays, and runs if it has not yet. One of schedules_dir goes with its file.

Exit codes: 0 removed; 1 error; 2 wrong flags or configuration; 4 no such schedule.`
}

// Run deletes schedules.
func (c *scheduleRemoveCmd) Run(ctx context.Context, ui *ui, ws *workspace) error {
	q, err := ws.queue()
	if err != nil {
		return err
	}
	defer q.Close()
	for _, name := range c.Name { // before the first is removed
		if _, err := q.DB.Schedule(ctx, name); err != nil {
			return noSchedule(err)
		}
	}
	slices.Sort(c.Name)
	names := slices.Compact(c.Name) // one may be named twice
	if err := c.confirm(ctx, ui, len(names), fmt.Sprintf("This deletes %d schedules", len(names))); err != nil {
		return err
	}
	removed := []string{}
	for _, name := range names {
		if err := q.RemoveSchedule(ctx, name); err != nil {
			return noSchedule(err)
		}
		removed = append(removed, name)
		if !ui.json() {
			ui.printf("Schedule %s removed\n", name)
		}
	}
	if ui.json() {
		return ui.printJSON(queue.SchedulesRemovedForm{Removed: removed})
	}
	return nil
}

// store adds schedules, and prints them.
func (c *scheduleAddCmd) store(ctx context.Context, ui *ui, ws *workspace, orders []queue.ScheduleOrder, list bool) error {
	q, err := ws.openQueue(false)
	if err != nil {
		return err
	}
	defer q.Close()
	for _, o := range orders { // before the first is stored
		if _, err := q.DB.Schedule(ctx, o.Name); err == nil {
			return fail(exitError, fmt.Errorf("schedule %q %w", o.Name, db.ErrDuplicate), "to change it: air-executor schedule edit "+shellLine([]string{o.Name}))
		}
		if err := q.CheckPools(ctx, o); err != nil {
			return explainEnqueue(err)
		}
	}
	forms := []queue.ScheduleForm{}
	for _, o := range orders {
		s, err := q.AddSchedule(ctx, o)
		if err != nil {
			return err
		}
		if forms = append(forms, queue.ToScheduleForm(s)); !ui.json() {
			printNext(ui, s)
		}
	}
	if ui.json() && list {
		return ui.printJSON(forms)
	}
	if ui.json() {
		return ui.printJSON(forms[0])
	}
	ws.hintNoManager()
	return nil
}

// fromFile adds the schedules of a file.
func (c *scheduleAddCmd) fromFile(ctx context.Context, ui *ui, ws *workspace) error {
	if !c.empty() || c.Name != "" {
		return usage(errors.New("--from-file says all of the schedules; no name, flag or command goes with it"), "")
	}
	conf, err := ws.config()
	if err != nil {
		return err
	}
	in, err := openInput(c.FromFile, conf.BasePath)
	if err != nil {
		return err
	}
	defer in.Close()
	orders, ofFiles, err := queue.ReadSchedules(inputName(c.FromFile), in, shellEnv())
	if err != nil {
		return usage(err, "it reads what air-executor schedule list --json prints")
	}
	if ofFiles > 0 {
		ui.notef("%s left out, as files in schedules_dir declare them", plural(ofFiles, "schedule"))
	}
	return c.store(ctx, ui, ws, orders, true)
}

// what reads the command or the job file, if one is given.
func (f *scheduleFlags) what(o *queue.ScheduleOrder, args []string, command bool) (given bool, err error) {
	if !command && len(args) == 0 {
		return false, nil
	}
	shell := fromShell{dir: f.Dir, env: f.Env, noEnv: f.NoEnv, priority: int(f.Priority), timeout: time.Duration(f.Timeout)}
	if err := shell.check(); err != nil {
		return false, usage(err, "")
	}
	t, err := shell.template()
	if err != nil {
		return false, err
	}
	o.Env, t.Env = t.Env, nil
	switch {
	case len(args) == 0:
		return false, usage(errors.New("no command after --"), "")
	case command && len(f.Param) > 0:
		return false, usage(errors.New("--param goes with a job file"), "")
	case command:
		t.Command, t.Args = args[0], args[1:]
		o.What = taskfile.Scheduled{Task: t}
		return true, f.set(&o.What.Task)
	case len(args) > 1:
		return false, usage(errors.New("one job file at a time"), "to run a command, put -- before it")
	}
	if flag := f.commandFlag(); flag != "" {
		return false, usage(fmt.Errorf("%s is for a command after --; in a job file, each task has its own", flag), "")
	}
	return true, f.file(o, args[0], t.Dir)
}
