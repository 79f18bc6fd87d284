package config

import (
	"encoding/json"
	"strings"

	"github.com/air-executor/air-executor/internal/strictyaml"
	"github.com/air-executor/air-executor/job"
)

// hookKeys are the keys about what runs when something has ended.
func hookKeys() []key {
	return []key{
		{"task_hooks.on_success", job.NoHook,
			"A command that runs when a task has completed that has no hook of this name itself: a line for a shell, or a list.\n" +
				"The manager reads these six at its start. docs/hooks.md says what the command is told.",
			hook{func(c *Config) *job.Hook { return &c.Hooks.Tasks.OnSuccess }}},
		{"task_hooks.on_failure", job.NoHook,
			"The same for a task that has failed and is not tried again, unless somebody has cancelled it.",
			hook{func(c *Config) *job.Hook { return &c.Hooks.Tasks.OnFailure }}},
		{"task_hooks.on_end", job.NoHook,
			"The same for a task that has ended, in whatever way.",
			hook{func(c *Config) *job.Hook { return &c.Hooks.Tasks.OnEnd }}},
		{"job_hooks.on_success", job.NoHook,
			"The same for a job that has completed.",
			hook{func(c *Config) *job.Hook { return &c.Hooks.Jobs.OnSuccess }}},
		{"job_hooks.on_failure", job.NoHook,
			"The same for a job that has ended with a failed task.",
			hook{func(c *Config) *job.Hook { return &c.Hooks.Jobs.OnFailure }}},
		{"job_hooks.on_end", job.NoHook,
			"The same for a job that has ended, in whatever way.",
			hook{func(c *Config) *job.Hook { return &c.Hooks.Jobs.OnEnd }}},
	}
}

// hook is a line for a shell, a list of a program and its arguments, or none.
type hook struct{ field func(*Config) *job.Hook }

func (hook) read(v strictyaml.Value) (string, error) {
	if v.Kind() == strictyaml.List {
		items, err := v.List()
		if err != nil {
			return "", err
		}
		var h job.Hook
		for _, item := range items {
			s, err := item.Text()
			if err != nil {
				return "", err
			}
			h = append(h, s)
		}
		if len(h) == 0 {
			return "", v.Errorf("must be a command, not an empty list")
		}
		if err := h.Check(); err != nil {
			return "", v.Errorf("%v", err)
		}
		b, err := json.Marshal([]string(h))
		return string(b), err
	}
	line, err := v.Text()
	if err != nil {
		return "", err
	}
	if _, err := job.ParseHook(line); err != nil {
		return "", v.Errorf("%v", err)
	}
	return line, nil
}

func (k hook) store(c *Config, text string) {
	var list []string
	switch {
	case text == job.NoHook: // there is nothing further away that would run instead
	case strings.HasPrefix(text, "[") && json.Unmarshal([]byte(text), &list) == nil:
		*k.field(c) = list
	default:
		*k.field(c) = job.ShellHook(text)
	}
}

func (hook) allowed() string {
	return "a line for a shell, a list of a program and its arguments, or none"
}
