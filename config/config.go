// Package config reads config.yaml: it knows the keys, their ranges and defaults, and
// the source of each value in force. A mistake in the file is an error that names file,
// line and key. Only commands that set Overrides.Lenient get the default instead.
package config

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"

	"github.com/air-executor/air-executor/internal/strictyaml"
	"github.com/air-executor/air-executor/job"
)

// FileName is the name of the configuration file in a base path.
const FileName = "config.yaml"

// DefaultBasePath is the name of the base path. Unless another is given, it is looked
// for in the working directory and above, and created in the working directory.
const DefaultBasePath = ".air-executor"

// Error is a mistake in the configuration: in the file, in a flag or in an environment
// variable. Every error of Load is an Error, unless a base path or file is not trusted.
type Error = strictyaml.Error

// Config is the configuration in force.
type Config struct {
	PollInterval         time.Duration // longest time between two checks for work
	TaskTimeout          time.Duration // default time limit of tasks
	KillGrace            time.Duration // between SIGTERM and SIGKILL
	MaxConcurrentRunners int           // how many tasks run at the same time, across all jobs
	Aging                time.Duration // after how long a pending task gains one step of priority; 0: it never does
	BasePath             string        // absolute
	LogLevel             string        // DEBUG, INFO, WARNING, ERROR or CRITICAL
	LogFormat            string        // json or console
	Durability           string        // full or normal
	TasksPerRunner       int           // tasks of one job that a runner process runs before it exits
	MaxLogSize           int           // maximum size of an attempt's log in MiB
	OnTerm               string        // what SIGTERM does to running tasks: leave, drain or kill
	MaxSubtasks          int           // maximum number of descendants of one task
	MaxSubtaskDepth      int           // maximum number of generations of tasks that queue others
	Retries              int           // attempts that may follow a failed one, of tasks that do not say it
	RetryDelay           time.Duration // before the second attempt, likewise
	RetryBackoff         int           // each delay is so many times the one before
	RetryMaxDelay        time.Duration // the longest delay
	RetryJitter          int           // percent by which a delay may be longer or shorter
	MirrorJSON           bool          // the manager keeps state.json and tasks.json of every job up to date
	SchedulesDir         string        // absolute path of a folder of job files with schedules; empty: none
	Listen               string        // where start also serves the HTTP API, HOST:PORT; empty: nowhere
	Retention            Retention
	Hooks                job.AllHooks  // what runs when a task or a job has ended that has no such hook itself
	CompressLogsAfter    time.Duration // age of attempts whose logs are compressed; Never: none
	MaxLogsSize          int           // MiB that all logs may have together; 0: no limit
	EventDays            int           // how many days events stay
	EventsKept           int           // how many events stay
	ManagerLogSize       int           // MiB that manager.log may have
	ManagerLogFiles      int           // how many earlier ones stay
	File                 string        // absolute path of the file that was read; empty: none
	Wrong                error         // what is wrong with that file, with Overrides.Lenient; nil: nothing
	Named                bool          // File was named by the overrides, not found in the base path
	AllowForeign         bool          // the base path may belong to another user
	Passed               []string      // other users' base paths that the search has skipped

	settings []Setting
}

// Setting is one key of the configuration with its value in force.
type Setting struct {
	Key     string `json:"key"`
	Value   string // as written in config.yaml
	Default string // as written in config.yaml
	Source  string // default, a file with its line, a flag or an environment variable
}

// MarshalJSON writes numbers as numbers, and paths without YAML quotes.
func (s Setting) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(struct {
		Key     string `json:"key"`
		Value   any    `json:"value"`
		Default any    `json:"default"`
		Source  string `json:"source"`
	}{s.Key, typed(s.Key, s.Value), typed(s.Key, s.Default), s.Source})
	return b.Bytes(), err
}

// typed converts a value of config.yaml to its JSON form.
func typed(key, text string) any {
	if plain, err := strconv.Unquote(text); err == nil {
		return plain
	}
	if n, err := strconv.Atoi(text); err == nil && key != basePathKey {
		return n
	}
	if text == "true" || text == "false" {
		return text == "true"
	}
	return text
}

// Settings lists all keys in documented order.
func (c *Config) Settings() []Setting { return c.settings }
