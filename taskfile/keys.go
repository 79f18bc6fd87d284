package taskfile

import (
	"math"
	"strings"
	"time"

	"github.com/air-executor/air-executor/job"
)

// taskKeys are all keys of a task. A new attribute of a task is a field of job.Spec and
// a line here; readers, writers, flags and schemas follow.
//
// The first ten are those of the tool that introduced tasks.json; they are always
// written, in this order. The others are ours, and are written unless they are empty.
var taskKeys = table[job.Task]{
	{name: "id", in: inTasks | inLines | inJobFile | inFlags, must: inTasks | inJobFile, always: true,
		is:   ids{texts[job.Task]{func(t *job.Task) *string { return &t.ID }, taskID, false}},
		help: "Id, unique in its job: 1 to 255 bytes of printable text. Where it may be missing, it is the job's next free number."},
	{name: "job_name", in: inTasks, skip: inLines, always: true,
		is:   texts[job.Task]{func(t *job.Task) *string { return &t.Job }, anyText, true},
		help: "Name of the job. A task with another one than that of its state.json belongs to this job all the same."},
	{name: "command", in: inTasks | inLines | inJobFile | inFlags, must: inTasks | inLines | inJobFile, always: true,
		is:   texts[job.Task]{func(t *job.Task) *string { return &t.Command }, command, false},
		help: "Program: a path, or a name that is looked up in the PATH of the task. No shell reads it."},
	{name: "args", in: inTasks | inLines | inJobFile | inFlags, always: true,
		is:   lists[job.Task]{func(t *job.Task) *[]string { return &t.Args }, "argument", anyText, 0},
		help: "Arguments of the program."},
	{name: "dependencies", in: inTasks | inLines | inJobFile | inFlags, always: true,
		is:   lists[job.Task]{func(t *job.Task) *[]string { return &t.Dependencies }, "dependency", taskID, inJobFile},
		help: "Ids of tasks of the same job that must complete before."},
	{name: "status", in: inTasks | inLines, always: true,
		is:   statuses{oneOf[job.Task, job.Status]{func(t *job.Task) *job.Status { return &t.Status }, "status", job.Statuses, false}},
		help: "Where the task is. Only pending tasks can be queued."},
	{name: "created_at", in: inTasks, skip: inLines, always: true,
		is:   instants[job.Task]{func(t *job.Task) *time.Time { return &t.CreatedAt }},
		help: "When the task was queued."},
	{name: "started_at", in: inTasks, skip: inLines, always: true,
		is:   instants[job.Task]{func(t *job.Task) *time.Time { return &t.StartedAt }},
		help: "When the latest attempt began."},
	{name: "completed_at", in: inTasks, skip: inLines, always: true,
		is:   instants[job.Task]{func(t *job.Task) *time.Time { return &t.CompletedAt }},
		help: "When the latest attempt ended."},
	{name: "error", in: inTasks, skip: inLines, always: true,
		is:   texts[job.Task]{func(t *job.Task) *string { return &t.Error }, anyText, true},
		help: "What went wrong, for people."},

	{name: "attempts", in: inTasks, skip: inLines,
		is:   wholes[job.Task]{func(t *job.Task) *int { return &t.Attempts }, 0, math.MaxInt32},
		help: "How many attempts were started."},
	{name: "exit_code", in: inTasks, skip: inLines,
		is:   perhaps[job.Task]{func(t *job.Task) **int { return &t.ExitCode }, math.MinInt32, math.MaxUint32},
		help: "Exit code of the latest attempt."},
	{name: "signal", in: inTasks, skip: inLines,
		is:   texts[job.Task]{func(t *job.Task) *string { return &t.Signal }, anyText, true},
		help: "Name of the signal that ended the latest attempt."},
	{name: "reason", in: inTasks, skip: inLines,
		is:   oneOf[job.Task, job.Reason]{func(t *job.Task) *job.Reason { return &t.Reason }, "reason", job.Reasons, true},
		help: "Why a failed task failed."},
	{name: "priority", in: inTasks | inLines | inJobFile | inFlags,
		is:   wholes[job.Task]{func(t *job.Task) *int { return &t.Priority }, math.MinInt32, math.MaxInt32},
		help: "Higher runs first; the default is 0."},
	{name: "timeout", in: inTasks | inLines | inJobFile | inFlags,
		is:   limits[job.Task]{func(t *job.Task) *time.Duration { return &t.Timeout }},
		help: "Time limit such as 90s or 5m, a number of seconds, or none; the default is task_timeout of the configuration."},
	{name: "pools", in: inTasks | inLines | inJobFile | inFlags,
		is:   needs[job.Task]{func(t *job.Task) *[]string { return &t.Pools }},
		help: "Places that the task holds in pools while it runs: names, with :N for several places, such as gpu:2. It waits until they are free."},
	{name: "working_directory", in: inTasks | inLines | inJobFile | inFlags,
		is:   folders[job.Task]{func(t *job.Task) *string { return &t.Dir }},
		help: "Where to run. In a job file it is relative to the folder of the file, in other files to the current directory."},
	{name: "env", in: inLines | inJobFile,
		is:   variables[job.Task]{func(t *job.Task) *[]string { return &t.Env }},
		help: "Variables on top of the environment that the task gets."},
	{name: "parent", in: inTasks, skip: inLines,
		is:   texts[job.Task]{func(t *job.Task) *string { return &t.Parent }, taskID, true},
		help: "Id of the task that queued this one."},
}

// stateKeys are all keys of a state.json.
var stateKeys = table[job.Job]{
	{name: "id", in: inState, always: true,
		is:   texts[job.Job]{func(j *job.Job) *string { return &j.UUID }, jobUUID, true},
		help: "Identity of the job, usually a UUID. A job without one gets one."},
	{name: "name", in: inState, must: inState, always: true,
		is:   texts[job.Job]{func(j *job.Job) *string { return &j.Name }, jobName, false},
		help: "Name: 1 to 100 letters, digits, - and _."},
	{name: "state", in: inState, always: true,
		is:   oneOf[job.Job, job.State]{func(j *job.Job) *job.State { return &j.State }, "state", job.States, false},
		help: "Where the job is; the default is waiting."},
	{name: "created_at", in: inState, always: true,
		is:   instants[job.Job]{func(j *job.Job) *time.Time { return &j.CreatedAt }},
		help: "When the job was created."},
	{name: "updated_at", in: inState, always: true,
		is:   instants[job.Job]{func(j *job.Job) *time.Time { return &j.UpdatedAt }},
		help: "When the job last changed."},
}

// jobKeys are all keys of a job file, outside of its tasks.
var jobKeys = table[jobHead]{
	{name: "name", in: inJobFile,
		is:   texts[jobHead]{func(f *jobHead) *string { return &f.name }, jobName, false},
		help: "Name of the job: 1 to 100 letters, digits, - and _. The default is the name of the file."},
	{name: "schedule", in: inJobFile,
		is:   scheduleRules{},
		help: "When it runs, for schedule add and schedules_dir; run does not look at it. A cron line, or an object."},
	{name: "parallel", in: inJobFile,
		is:   perhaps[jobHead]{func(f *jobHead) **int { return &f.parallel }, 1, job.MaxParallel},
		help: "How many of the tasks may run at once; the default is 1."},
	{name: "priority", in: inJobFile,
		is:   perhaps[jobHead]{func(f *jobHead) **int { return &f.priority }, math.MinInt32, math.MaxInt32},
		help: "Added to the priority of each task; the default is 0."},
	{name: "tasks", in: inJobFile, must: inJobFile,
		is:   someTasks{},
		help: "The tasks, at least one."},
}

// synonyms are other tools' names for our keys, without - and _ and in lower case.
var synonyms = map[string]string{
	"name": "id", "key": "id", "task": "id", "taskid": "id", "taskname": "id", "label": "id",
	"cmd": "command", "exec": "command", "program": "command", "executable": "command", "run": "command", "script": "command",
	"argv": "args", "arguments": "args", "params": "args", "parameters": "args",
	"after": "dependencies", "needs": "dependencies", "depends": "dependencies", "dependson": "dependencies", "dependency": "dependencies",
	"deps": "dependencies", "requires": "dependencies", "upstream": "dependencies", "waitfor": "dependencies",
	"cwd": "working_directory", "dir": "working_directory", "directory": "working_directory", "workdir": "working_directory",
	"workingdir": "working_directory", "folder": "working_directory", "chdir": "working_directory",
	"environment": "env", "envs": "env", "envvars": "env", "variables": "env", "vars": "env",
	"timelimit": "timeout", "tasktimeout": "timeout", "maxtime": "timeout", "timeoutseconds": "timeout",
	"prio": "priority", "weight": "priority",
	"pool": "pools", "concurrency": "parallel", "maxparallel": "parallel",
	"steps": "tasks", "jobs": "tasks", "commands": "tasks",
	"job": "name", "jobname": "name", "title": "name",
}

// plainKey returns a key in the form that synonyms uses.
func plainKey(name string) string {
	return strings.NewReplacer("-", "", "_", "", " ", "").Replace(strings.ToLower(name))
}
