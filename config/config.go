// Package config reads config.yaml: which keys there are, their ranges and
// defaults, and where each value in force came from. Nothing that is wrong in
// the file is replaced by a default; it is an error that names file, line and
// key.
package config

import (
	"time"

	"github.com/air-executor/air-executor/internal/strictyaml"
)

// FileName is the name of the configuration file in a base path.
const FileName = "config.yaml"

// DefaultBasePath is the base path, below the working directory, of who names
// no other.
const DefaultBasePath = ".air-executor"

// Error is a mistake in the configuration: in the file, in a flag or in an
// environment variable. Every error of Load is one.
type Error = strictyaml.Error

// Config is the configuration in force.
type Config struct {
	PollInterval         time.Duration // longest time between two looks for work
	TaskTimeout          time.Duration // time limit of tasks that have none of their own
	MaxConcurrentRunners int           // how many tasks run at the same time, over all jobs
	BasePath             string        // absolute
	LogLevel             string        // DEBUG, INFO, WARNING, ERROR or CRITICAL
	LogFormat            string        // json or console
	Durability           string        // full or normal
	TasksPerRunner       int           // tasks of one job that a runner process carries out before it ends
	MaxLogSize           int           // MiB that the log of an attempt may have
	MaxSubtasks          int           // how many tasks all descendants of one task may number
	MaxSubtaskDepth      int           // how many generations of tasks may queue one another
	File                 string        // absolute path of the file that was read; empty: there is none

	settings []Setting
}

// Setting is one key of the configuration with its value in force.
type Setting struct {
	Key     string `json:"key"`
	Value   string `json:"value"`   // as it can stand in config.yaml
	Default string `json:"default"` // as it can stand in config.yaml
	Source  string `json:"source"`  // default, a file with its line, a flag or an environment variable
}

// Settings lists every key in documented order.
func (c *Config) Settings() []Setting { return c.settings }
