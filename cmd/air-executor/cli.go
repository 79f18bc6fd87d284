package main

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/queue"
	"github.com/air-executor/air-executor/taskfile"
)

const description = `Runs jobs of shell commands durably on one machine.

A job is a queue of tasks. "enqueue" adds a task, "start" starts the manager that runs the tasks, "status" and "logs" show what happened. "run" does all of this in the foreground.

Exit codes: 0 done; 1 error; 2 wrong flags, configuration or input file; 3 the job or task failed; 4 no such job, task or database; 5 the manager is running, or is not; 124 --timeout ran out; 130 interrupted.`

// commandLine is every command and flag.
type commandLine struct {
	globals

	Start  startCmd  `cmd:"" help:"Start the manager."`
	Stop   stopCmd   `cmd:"" help:"Stop the manager."`
	Status statusCmd `cmd:"" help:"Show the jobs, or one job with its tasks."`
	Logs   logsCmd   `cmd:"" help:"Show what tasks have printed."`

	History historyCmd `cmd:"" help:"List what has ended."`
	Stats   statsCmd   `cmd:"" help:"Show how many tasks ran, how long, and how many failed."`
	Events  eventsCmd  `cmd:"" help:"Print what has happened, and what happens."`

	Serve serveCmd `cmd:"" help:"Serve the HTTP API."`
	Open  openCmd  `cmd:"" help:"Print the address of the server, with a login code."`

	Enqueue enqueueCmd `cmd:"" help:"Add a task to a job."`
	Run     runCmd     `cmd:"" help:"Run a job file or a command in the foreground."`
	Submit  submitCmd  `cmd:"" help:"Store the job of a job file, and return."`
	Wait    waitCmd    `cmd:"" help:"Wait until a job or task has ended."`
	Pause   pauseCmd   `cmd:"" help:"Keep the tasks of a job, or of all jobs, from starting."`
	Resume  resumeCmd  `cmd:"" help:"End a pause."`
	Cancel  cancelCmd  `cmd:"" help:"End the tasks of a job."`
	Kill    killCmd    `cmd:"" help:"Send a signal to running tasks."`
	Retry   retryCmd   `cmd:"" help:"Run ended tasks again."`
	Reset   resetCmd   `cmd:"" help:"Make failed tasks pending again."`
	Edit    editCmd    `cmd:"" help:"Change tasks that have not started."`
	Move    moveCmd    `cmd:"" help:"Change the order of tasks that have not started."`
	Rerun   rerunCmd   `cmd:"" help:"Make a new job with the tasks of another."`
	Dismiss dismissCmd `cmd:"" help:"Acknowledge failures, so that they no longer count."`
	Remove  removeCmd  `cmd:"" help:"Delete jobs or tasks, with their logs."`
	Prune   pruneCmd   `cmd:"" help:"Delete what has ended long ago, with its logs."`

	Schedule scheduleCmd `cmd:"" help:"Run commands and job files at certain times."`
	Job      jobCmd      `cmd:"" help:"Show or change what holds for a whole job."`
	Pool     poolCmd     `cmd:"" help:"Say how many tasks may use a resource at once."`

	Import importCmd `cmd:"" help:"Read jobs from state.json and tasks.json files."`
	Export exportCmd `cmd:"" help:"Write jobs to state.json and tasks.json files."`

	Validate validateCmd `cmd:"" help:"Check job files."`
	Show     showCmd     `cmd:"" help:"Show the tasks of a job file, and in which order they run."`
	Schema   schemaCmd   `cmd:"" help:"Print the JSON Schema of a kind of file."`
	Config   configCmd   `cmd:"" help:"Show, check or write the configuration."`
	Doctor   doctorCmd   `cmd:"" help:"Check the database."`
	Upgrade  upgradeCmd  `cmd:"" help:"Bring the database of an older version up to date."`
	Managers managersCmd `cmd:"" help:"List your managers on this machine."`

	Man        manCmd        `cmd:"" hidden:"" help:"Write the man pages."`
	Completion completionCmd `cmd:"" help:"Print a script that gives your shell completion."`
	Help       helpCmd       `cmd:"" help:"Show the help of a command."`
	Version    versionCmd    `cmd:"" help:"Print the version."`
}

// globals are the flags of every command. They come last in its help.
type globals struct {
	BasePath  string      `group:"Flags of every command:" placeholder:"DIR" help:"Folder that holds everything (the nearest .air-executor here or above, or $AIR_EXECUTOR_BASE_PATH)."`
	ConfigArg string      `group:"Flags of every command:" name:"config" placeholder:"FILE" help:"Configuration file (config.yaml in the base path, or $AIR_EXECUTOR_CONFIG)."`
	JSON      bool        `group:"Flags of every command:" name:"json" help:"Print JSON (or $AIR_EXECUTOR_JSON=1)."`
	Quiet     bool        `group:"Flags of every command:" short:"q" help:"Print no results, only errors and warnings."`
	LogLevel  string      `group:"Flags of every command:" placeholder:"LEVEL" type:"word" words:"DEBUG,INFO,WARNING,ERROR,CRITICAL" help:"DEBUG, INFO, WARNING, ERROR or CRITICAL (or $AIR_EXECUTOR_LOG_LEVEL)."`
	LogFormat string      `group:"Flags of every command:" placeholder:"FORMAT" type:"word" words:"json,console" help:"json or console (or $AIR_EXECUTOR_LOG_FORMAT)."`
	Version   versionFlag `group:"Flags of every command:" help:"Print the version."`

	AllowForeign bool `group:"Flags of every command:" name:"allow-foreign-base-path" help:"Use a base path that another user owns or can write to (or $AIR_EXECUTOR_ALLOW_FOREIGN_BASE_PATH=1)."`
}

// errNoValue is the error of a flag whose value is missing.
var errNoValue = errors.New("missing value")

// decodeWord reads a value that is one of the words of its flag, in upper or lower
// case. It leaves other values unchanged, to be refused later.
func decodeWord(c *kong.DecodeContext, target reflect.Value) error {
	var text string
	if err := c.Scan.PopValueInto("string", &text); err != nil {
		return err
	}
	for word := range strings.SplitSeq(c.Value.Tag.Get("words"), ",") {
		if strings.EqualFold(word, text) {
			text = word
		}
	}
	target.SetString(text)
	return nil
}

// popSigned takes the value of a flag, which may begin with a minus.
func popSigned(c *kong.DecodeContext) (string, error) {
	t := c.Scan.Pop()
	if t.IsEOL() {
		return "", errNoValue
	}
	return fmt.Sprint(t.Value), nil
}

// signed is a whole number; the parser does not take -1 for a flag. (Its option to
// allow that everywhere makes `--job --quiet` a job's name.)
type signed int

// Decode reads the number.
func (s *signed) Decode(c *kong.DecodeContext) error {
	text, err := popSigned(c)
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return fmt.Errorf("want a whole number, got %q", text)
	}
	*s = signed(n)
	return nil
}

// taskPriority is the priority of a task.
type taskPriority int

// Decode reads the number.
func (p *taskPriority) Decode(c *kong.DecodeContext) error {
	text, err := popSigned(c)
	if err != nil {
		return err
	}
	return p.set(text)
}

func (p *taskPriority) set(text string) error {
	var s job.Spec
	err := taskfile.Flag("priority", text, &s)
	*p = taskPriority(s.Priority)
	return err
}

// timeLimit is a waiting time: a duration such as 90s or 5m, or whole seconds.
type timeLimit time.Duration

// Decode reads the time, which may be neither negative nor zero.
func (l *timeLimit) Decode(c *kong.DecodeContext) error {
	return decodeTime((*time.Duration)(l), c, job.ParseDuration)
}

// taskLimit is the time limit of a task: a duration, whole seconds, or none.
type taskLimit time.Duration

// Decode reads the time limit.
func (l *taskLimit) Decode(c *kong.DecodeContext) error {
	return decodeTime((*time.Duration)(l), c, parseLimit)
}

func parseLimit(text string) (time.Duration, error) {
	var s job.Spec
	err := taskfile.Flag("timeout", text, &s)
	return s.Timeout, err
}

func decodeTime(d *time.Duration, c *kong.DecodeContext, parse func(string) (time.Duration, error)) (err error) {
	t := c.Scan.Pop()
	if t.IsEOL() {
		return errNoValue
	}
	*d, err = parse(fmt.Sprint(t.Value))
	return err
}

// asksNothing is for commands in which other tools would ask for confirmation.
type asksNothing struct {
	Yes bool `short:"y" help:"Accepted and without effect: nothing is asked."`
}

// jobArg is the job that a command is about, as a flag or as an argument.
type jobArg struct {
	Flag string `name:"job" short:"j" placeholder:"NAME" predictor:"job" help:"Name of the job; --job can be left out."`
	Arg  string `arg:"" optional:"" name:"name" predictor:"job" help:"Name of the job."`
}

// AfterApply refuses two different names.
func (j *jobArg) AfterApply() error {
	if j.Flag != "" && j.Arg != "" && j.Flag != j.Arg {
		return fmt.Errorf("two names for one job: --job %s and %s", j.Flag, j.Arg)
	}
	return nil
}

// optional returns the name, or "".
func (j *jobArg) optional() string {
	if j.Flag != "" {
		return j.Flag
	}
	return j.Arg
}

// required returns the name, or an error that asks for it.
func (j *jobArg) required() (string, error) {
	name := j.optional()
	if name == "" {
		return "", usage(fmt.Errorf("which job? give --job NAME"), "air-executor status lists the jobs")
	}
	return name, nil
}

// open returns the name, and opens the queue, which must exist.
func (j *jobArg) open(ws *workspace) (string, *queue.Queue, error) {
	name, err := j.required()
	if err != nil {
		return "", nil, err
	}
	q, err := ws.queue()
	return name, q, err
}

// jobsArg is the jobs that a command is about, as flags or as arguments.
type jobsArg struct {
	Flag []string `name:"job" short:"j" sep:"none" placeholder:"NAME" predictor:"job" help:"Name of the job; --job can be left out. May be given several times."`
	Arg  []string `arg:"" optional:"" name:"name" predictor:"job" help:"Names of the jobs."`
}

// required returns the names, each once, or an error that asks for one.
func (j *jobsArg) required() ([]string, error) {
	var names []string
	for _, name := range slices.Concat(j.Flag, j.Arg) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil, usage(errors.New("which job? give --job NAME"), "air-executor status lists the jobs")
	}
	return names, nil
}
