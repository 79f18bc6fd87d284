package main

import (
	"fmt"

	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/taskfile"
)

// hookFlags say what runs when a task or a job has ended.
type hookFlags struct {
	OnSuccess keyText `placeholder:"COMMAND" help:"Run this line in a shell when it has completed."`
	OnFailure keyText `placeholder:"COMMAND" help:"Run this line in a shell when it has failed and is not tried again, unless somebody has cancelled it."`
	OnEnd     keyText `placeholder:"COMMAND" help:"Run this line in a shell when it has ended, in whatever way; none: nothing, whatever the configuration says."`
}

func (f *hookFlags) all() []flagOfKey {
	return []flagOfKey{
		{"--on-success", job.OnSuccess, f.OnSuccess},
		{"--on-failure", job.OnFailure, f.OnFailure},
		{"--on-end", job.OnEnd, f.OnEnd},
	}
}

// hooks are what the flags say.
func (f *hookFlags) hooks() (job.Hooks, error) {
	var s job.Spec
	for _, one := range f.all() {
		if one.text == "" {
			continue
		}
		if err := taskfile.Flag(one.key, string(one.text), &s); err != nil {
			return s.Hooks, usage(fmt.Errorf("%s: %w", one.flag, err), "")
		}
	}
	return s.Hooks, nil
}

// shownHooks calls line with each hook that there is, for people.
func shownHooks(h job.Hooks, line func(key, value string)) {
	for _, one := range []struct {
		key  string
		hook job.Hook
	}{{"On success", h.OnSuccess}, {"On failure", h.OnFailure}, {"On end", h.OnEnd}} {
		if one.hook == nil {
			continue
		}
		text, ok := one.hook.Text()
		if !ok {
			text = shellLine(one.hook)
		}
		line(one.key, text)
	}
}
