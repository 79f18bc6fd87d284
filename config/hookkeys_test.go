package config_test

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/config"
	"github.com/air-executor/air-executor/job"
)

func TestHooks(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, ".air-executor"), "config.yaml", `
task_hooks:
  on_failure: mail me
  on_success: none
job_hooks.on_end: [notify, "a b"]
`)
	c, err := config.Load(config.Overrides{WorkDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	want := job.AllHooks{Tasks: job.Hooks{OnFailure: job.ShellHook("mail me")}, Jobs: job.Hooks{OnEnd: job.Hook{"notify", "a b"}}}
	if diff := cmp.Diff(want, c.Hooks); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, bad := range []string{"task_hooks: {on_end: ''}", "task_hooks: {on_end: []}", "task_hooks: {on_end: ['']}", "task_hooks: {on_end: {a: b}}", "task_hooks: {on_fail: x}"} {
		write(t, filepath.Join(dir, ".air-executor"), "config.yaml", bad)
		if _, err := config.Load(config.Overrides{WorkDir: dir}); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
}
