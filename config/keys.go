package config

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/air-executor/air-executor/internal/strictyaml"
	"github.com/air-executor/air-executor/internal/words"
)

// key is one line of the table of everything that can be configured.
type key struct {
	name     string
	fallback string // the default, as in the file
	help     string // what it means to users; one line per sentence
	kind     kind
}

// kind defines the values of a key, and where they are stored.
type kind interface {
	// read returns the canonical form of a value that a user gave.
	read(v strictyaml.Value) (string, error)
	// store sets the field to a value in canonical form.
	store(c *Config, text string)
	// allowed describes the values for messages.
	allowed() string
}

// keys returns the table, in documented order. It is built on demand because processes
// that do not read the configuration must start fast.
func keys() []key {
	return append([]key{
		{"poll_interval", "5",
			"The manager looks for work at least this often; most of the time it is woken earlier.",
			seconds{1, 60, func(c *Config) *time.Duration { return &c.PollInterval }}},
		{"task_timeout", "1800",
			"A task that runs longer is stopped and counts as failed, unless it has its own time limit.",
			seconds{60, 7200, func(c *Config) *time.Duration { return &c.TaskTimeout }}},
		{"kill_grace", "5",
			"How long the processes of a task may take to end after SIGTERM, before they get SIGKILL; 0: no time.\n" +
				"This applies at the time limit, at a cancel, and to processes that a command has left behind.",
			seconds{0, 600, func(c *Config) *time.Duration { return &c.KillGrace }}},
		{"max_concurrent_runners", "10",
			"How many tasks may run at the same time, across all jobs.",
			number{1, 50, func(c *Config) *int { return &c.MaxConcurrentRunners }}},
		{"base_path", DefaultBasePath,
			"The folder that holds the database, the logs and this file.",
			folder{}},
		{"log_level", "INFO",
			"How much the manager writes to its log.",
			choice{[]string{"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"},
				func(c *Config) *string { return &c.LogLevel }}},
		{"log_format", "json",
			"Format of the log: json for programs, console for people.",
			choice{[]string{"json", "console"}, func(c *Config) *string { return &c.LogFormat }}},
		{"durability", "full",
			"full: what was queued and what was recorded survives power loss.\n" +
				"normal: faster; power loss may undo the last moments, but a crash of a program does not.",
			choice{[]string{"full", "normal"}, func(c *Config) *string { return &c.Durability }}},
		{"tasks_per_runner", "1",
			"How many tasks of a job one runner process runs, one after the other, before it exits.",
			number{1, 1000, func(c *Config) *int { return &c.TasksPerRunner }}},
		{"max_log_size", "1024",
			"A task that writes more than this many MiB is stopped and counts as failed.",
			number{1, 1_048_576, func(c *Config) *int { return &c.MaxLogSize }}},
		{"on_term", "leave",
			"What SIGTERM to the manager does to running tasks: leave lets them continue, drain waits for them, kill ends them.\n" +
				"Where the manager is process 1 of a container, leave means kill: tasks cannot outlive it.",
			choice{[]string{"leave", "drain", "kill"}, func(c *Config) *string { return &c.OnTerm }}},
		{"max_subtasks", "10000",
			"How many tasks a task may queue while it runs, including those that these queue in turn.",
			number{1, 1_000_000, func(c *Config) *int { return &c.MaxSubtasks }}},
		{"max_subtask_depth", "100",
			"How many generations deep tasks may queue further tasks.",
			number{1, 10_000, func(c *Config) *int { return &c.MaxSubtaskDepth }}},
		{"mirror_json", "false",
			"The manager keeps state.json and tasks.json of every job up to date, for other tools that read them.",
			toggle{func(c *Config) *bool { return &c.MirrorJSON }}},
		{"schedules_dir", noFolder,
			"A folder of job files that say when they run; the manager reads it at its start and when it has changed.\n" +
				"A relative one is in the folder of this file.",
			otherFolder{func(c *Config) *string { return &c.SchedulesDir }}},
		{"aging", never,
			"After how long a pending task gains one step of priority, so that tasks of a higher one do not keep it waiting forever.",
			agingKey{}},
		{"listen", noFolder,
			"Where start also serves the HTTP API, such as 127.0.0.1:7711.",
			endpoint{func(c *Config) *string { return &c.Listen }}},
	}, slices.Concat(retryKeys(), tidyKeys(), hookKeys())...)
}

// number is a whole number from low to high.
type number struct {
	low, high int
	field     func(*Config) *int
}

func (k number) read(v strictyaml.Value) (string, error) {
	n, err := v.Int(k.low, k.high)
	return strconv.Itoa(n), err
}

func (k number) store(c *Config, text string) { *k.field(c), _ = strconv.Atoi(text) }

func (k number) allowed() string { return fmt.Sprintf("%d to %d", k.low, k.high) }

// seconds is a whole number of seconds from low to high.
type seconds struct {
	low, high int
	field     func(*Config) *time.Duration
}

func (k seconds) read(v strictyaml.Value) (string, error) {
	return number{low: k.low, high: k.high}.read(v)
}

func (k seconds) store(c *Config, text string) {
	n, _ := strconv.Atoi(text)
	*k.field(c) = time.Duration(n) * time.Second
}

func (k seconds) allowed() string { return fmt.Sprintf("%d to %d seconds", k.low, k.high) }

// choice is one of a few words, in upper or lower case.
type choice struct {
	words []string
	field func(*Config) *string
}

func (k choice) read(v strictyaml.Value) (string, error) {
	text, err := v.Text()
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(k.words, func(w string) bool { return strings.EqualFold(w, text) })
	if i < 0 {
		return "", v.Errorf("must be %s, not %s", k.allowed(), words.Quote(text))
	}
	return k.words[i], nil
}

func (k choice) store(c *Config, text string) { *k.field(c) = text }

func (k choice) allowed() string {
	last := len(k.words) - 1
	return strings.Join(k.words[:last], ", ") + " or " + k.words[last]
}

// toggle is true or false.
type toggle struct{ field func(*Config) *bool }

func (k toggle) read(v strictyaml.Value) (string, error) {
	on, err := v.Bool()
	return strconv.FormatBool(on), err
}

func (k toggle) store(c *Config, text string) { *k.field(c) = text == "true" }

func (k toggle) allowed() string { return "true or false" }

// folder is the path of a folder.
type folder struct{}

func (folder) read(v strictyaml.Value) (string, error) { return v.FilePath() }

func (folder) store(c *Config, text string) { c.BasePath = text }

func (folder) allowed() string { return "any folder" }

// noFolder is what a key says that names no folder.
const noFolder = "none"

// otherFolder is the path of a folder that need not be there, or none.
type otherFolder struct{ field func(*Config) *string }

func (otherFolder) read(v strictyaml.Value) (string, error) { return v.FilePath() }

func (k otherFolder) store(c *Config, text string) {
	if text == noFolder {
		return
	}
	if !filepath.IsAbs(text) {
		text = filepath.Join(filepath.Dir(c.File), text)
	}
	*k.field(c) = filepath.Clean(text)
}

func (otherFolder) allowed() string { return "any folder, or none" }

// scalar returns text as a YAML scalar.
func scalar(text string) string {
	const safe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-"
	if text != "" && strings.Trim(text, safe) == "" {
		return text
	}
	return strconv.Quote(text) // YAML has every escape that Go uses
}
