package job

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// Hook is a command that runs when something has ended: a program and its arguments.
// Nil: nothing was said; not nil and empty: none is to run.
type Hook []string

// Hooks are the commands that run when a task or a job has ended. The zero value says
// nothing.
type Hooks struct {
	OnSuccess Hook `json:"on_success,omitzero"` // when it has completed
	OnFailure Hook `json:"on_failure,omitzero"` // when it has failed for good, unless somebody has cancelled it
	OnEnd     Hook `json:"on_end,omitzero"`     // in any case
}

// The names of hooks.
const (
	OnSuccess = "on_success"
	OnFailure = "on_failure"
	OnEnd     = "on_end"
)

// NoHook is the text for a hook that is not to run.
const NoHook = "none"

// HooksJob is the name of the job whose tasks are the hooks that run, or will. Its tasks
// have no hooks themselves.
const HooksJob = "hooks"

// ShellHook is the hook that runs a line in a shell.
func ShellHook(line string) Hook { return Hook{"sh", "-c", line} }

// ParseHook reads a hook from a text: NoHook, or a line for a shell.
func ParseHook(text string) (Hook, error) {
	switch text {
	case "":
		return nil, errors.New("is empty; want a command for a shell, or none")
	case NoHook:
		return Hook{}, nil
	}
	return ShellHook(text), CheckText("the command", text)
}

// Text is what ParseHook reads, if the hook is a line for a shell, or none.
func (h Hook) Text() (line string, ok bool) {
	switch {
	case len(h) == 0:
		return NoHook, h != nil
	case len(h) == 3 && h[0] == "sh" && h[1] == "-c" && h[2] != "" && h[2] != NoHook:
		return h[2], true
	}
	return "", false
}

// Check returns an error for what cannot be run.
func (h Hook) Check() error {
	if len(h) > 0 && h[0] == "" {
		return errors.New("the program is empty")
	}
	for _, s := range h {
		if err := CheckText("the command", s); err != nil {
			return err
		}
	}
	return nil
}

// MarshalJSON writes a line for a shell as a string, and other hooks as an array.
func (h Hook) MarshalJSON() ([]byte, error) {
	if line, ok := h.Text(); ok {
		return json.Marshal(line)
	}
	return json.Marshal([]string(h))
}

// UnmarshalJSON reads what MarshalJSON writes.
func (h *Hook) UnmarshalJSON(b []byte) (err error) {
	if string(b) == "null" {
		*h = nil
		return nil
	}
	var line string
	if json.Unmarshal(b, &line) == nil {
		*h, err = ParseHook(line)
		return err
	}
	var list []string
	if err := json.Unmarshal(b, &list); err != nil {
		return fmt.Errorf("want a string or a list of strings: %w", err)
	}
	*h = list
	return h.Check()
}

// IsZero reports whether nothing is said.
func (h Hooks) IsZero() bool { return h.OnSuccess == nil && h.OnFailure == nil && h.OnEnd == nil }

// Equal reports whether both say the same.
func (h Hooks) Equal(o Hooks) bool {
	same := func(a, b Hook) bool { return (a == nil) == (b == nil) && slices.Equal(a, b) }
	return same(h.OnSuccess, o.OnSuccess) && same(h.OnFailure, o.OnFailure) && same(h.OnEnd, o.OnEnd)
}

// Over returns the hooks, with those of o where h says nothing.
func (h Hooks) Over(o Hooks) Hooks {
	if h.OnSuccess == nil {
		h.OnSuccess = o.OnSuccess
	}
	if h.OnFailure == nil {
		h.OnFailure = o.OnFailure
	}
	if h.OnEnd == nil {
		h.OnEnd = o.OnEnd
	}
	return h
}

// EncodeHooks returns hooks as a JSON object; empty: they say nothing.
func EncodeHooks(h Hooks) string {
	if h.IsZero() {
		return ""
	}
	b, _ := json.Marshal(h) // no value of it can fail
	return string(b)
}

// DecodeHooks reads what EncodeHooks wrote. What it cannot read says nothing: the end of
// a task must be recorded all the same.
func DecodeHooks(text string) Hooks {
	var h Hooks
	if text == "" || json.Unmarshal([]byte(text), &h) != nil {
		return Hooks{}
	}
	return h
}

// AllHooks are those of tasks and jobs that have none themselves.
type AllHooks struct {
	Tasks Hooks `json:"tasks,omitzero"`
	Jobs  Hooks `json:"jobs,omitzero"`
}
