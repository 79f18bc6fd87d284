package main

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/taskfile"
)

// differences returns the changes of a resumed job by its file, one per line. For
// variables it gives only names, and only of those that the file sets: the others come
// from the shell, which differs each time.
func differences(r db.Resumed, added map[string][]string) (lines []string) {
	for _, c := range r.Changes {
		stays := ""
		switch c.Status {
		case job.Completed:
			stays = "; it has completed and is not changed"
		case job.Running:
			stays = "; it is running and is not changed"
		}
		for _, d := range append(differ(c.Before, c.After), differEnv(c.Before.Env, c.After.Env, added[c.After.ID])...) {
			lines = append(lines, oneLine(c.After.ID)+": "+d+stays)
		}
	}
	for _, id := range r.Added {
		lines = append(lines, oneLine(id)+": new")
	}
	for _, t := range r.Removed {
		lines = append(lines, oneLine(t.Task)+": no longer in the file, removed")
	}
	for _, id := range r.Running {
		lines = append(lines, oneLine(id)+": no longer in the file, but running: it stays")
	}
	for _, id := range r.Kept {
		lines = append(lines, oneLine(id)+": not in the file, but queued separately; it runs too")
	}
	return lines
}

// differ compares two definitions of a task, except for the environment.
func differ(before, after job.Spec) (out []string) {
	say := func(what, a, b string) {
		if a != b {
			const most = 200 // of a value, in columns
			out = append(out, fmt.Sprintf("%s: %s → %s", what, shorten(oneLine(a), most), shorten(oneLine(b), most)))
		}
	}
	list := func(words []string) string { return "[" + shellLine(words) + "]" }
	say("command", shellLine([]string{before.Command}), shellLine([]string{after.Command}))
	if !slices.Equal(before.Args, after.Args) {
		say("args", list(before.Args), list(after.Args))
	}
	a, b := slices.Sorted(slices.Values(before.Dependencies)), slices.Sorted(slices.Values(after.Dependencies))
	if !slices.Equal(a, b) {
		say("dependencies", list(a), list(b))
	}
	a, b = slices.Sorted(slices.Values(before.AfterAny)), slices.Sorted(slices.Values(after.AfterAny))
	if !slices.Equal(a, b) {
		say("after_any", list(a), list(b))
	}
	say("run_if", string(cmp.Or(before.RunIf, job.RunOnSuccess)), string(cmp.Or(after.RunIf, job.RunOnSuccess)))
	numbers := map[string]string{}
	taskfile.Numbers(&before, func(name string, n int) { numbers[name] = strconv.Itoa(n) })
	taskfile.Numbers(&after, func(name string, n int) { say(name, numbers[name], strconv.Itoa(n)) })
	if !slices.Equal(before.Labels, after.Labels) {
		say("labels", list(before.Labels), list(after.Labels))
	}
	if !slices.Equal(before.Pools, after.Pools) {
		say("pools", list(before.Pools), list(after.Pools))
	}
	was := hookTexts(before.Hooks)
	for i, is := range hookTexts(after.Hooks) {
		say(is[0], was[i][1], is[1])
	}
	say("timeout", limitText(before), limitText(after))
	say("working_directory", filepath.Clean(before.Dir), filepath.Clean(after.Dir))
	return out
}

// hookTexts are the hooks of a task with their names.
func hookTexts(h job.Hooks) (out [][2]string) {
	for _, one := range []struct {
		name string
		hook job.Hook
	}{{job.OnSuccess, h.OnSuccess}, {job.OnFailure, h.OnFailure}, {job.OnEnd, h.OnEnd}} {
		text, ok := one.hook.Text()
		if !ok {
			text = shellLine(one.hook)
		}
		out = append(out, [2]string{one.name, text})
	}
	return out
}

func limitText(s job.Spec) string {
	if s.Timeout == 0 {
		return "task_timeout"
	}
	return job.TimeoutText(s.Timeout)
}

// differEnv names the variables that the file sets differently, or no longer.
// (Variables of a file come last in the environment, so those were the last ones
// before.)
func differEnv(before, after, added []string) (out []string) {
	was, is := values(before), values(after)
	for _, kv := range added {
		name, _, _ := strings.Cut(kv, "=")
		if old, ok := was[name]; !ok || old != is[name] {
			out = append(out, "env: "+oneLine(name)+" changed")
		}
	}
	for _, kv := range slices.Backward(before) {
		name, _, _ := strings.Cut(kv, "=")
		if ofShells[name] {
			continue
		}
		if _, still := is[name]; still {
			if slices.ContainsFunc(added, func(a string) bool { return strings.HasPrefix(a, name+"=") }) {
				continue
			}
			break
		}
		out = append(out, "env: "+oneLine(name)+" no longer set")
	}
	return out
}

// ofShells are variables that some shells set by themselves.
var ofShells = map[string]bool{"_": true, "OLDPWD": true, "PWD": true, "SHLVL": true}

// comparer compares an existing task with one that was to be queued. Of the environment
// it compares only what flags and file add to that of this shell, which is the given
// number of variables at the start of the template's.
func comparer(shell int) func(db.Definition) []string {
	return func(d db.Definition) []string {
		out := differ(d.Before, d.After)
		if (d.Before.Env == nil) != (d.After.Env == nil) {
			say := map[bool]string{true: "the manager's", false: "a shell's"}
			return append(out, fmt.Sprintf("environment: %s → %s", say[d.Before.Env == nil], say[d.After.Env == nil]))
		}
		return append(out, differEnv(d.Before.Env, d.After.Env, d.After.Env[min(shell, len(d.After.Env)):])...)
	}
}

// values returns an environment by name; the last value of a name counts.
func values(env []string) map[string]string {
	out := make(map[string]string, len(env))
	for _, kv := range env {
		name, value, _ := strings.Cut(kv, "=")
		out[name] = value
	}
	return out
}
