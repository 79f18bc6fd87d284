package config_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/config"
)

func TestSettings(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "my.yaml", "log_level: ERROR\npoll_interval: 7\nlog_format: console\n")
	c, err := config.Load(config.Overrides{
		WorkDir:    "/work/a b",
		ConfigPath: environment(path),
		BasePath:   flag("base"),
		LogLevel:   environment("debug"),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []config.Setting{
		{"poll_interval", "7", "5", path + ":2"},
		{"task_timeout", "1800", "1800", "default"},
		{"kill_grace", "5", "5", "default"},
		{"max_concurrent_runners", "10", "10", "default"},
		{"base_path", `"/work/a b/base"`, ".air-executor", "flag --base-path"},
		{"log_level", "DEBUG", "INFO", "environment AIR_EXECUTOR_LOG_LEVEL"},
		{"log_format", "console", "json", path + ":3"},
		{"durability", "full", "full", "default"},
		{"tasks_per_runner", "1", "1", "default"},
		{"max_log_size", "1024", "1024", "default"},
		{"on_term", "leave", "leave", "default"},
		{"max_subtasks", "10000", "10000", "default"},
		{"max_subtask_depth", "100", "100", "default"},
		{"mirror_json", "false", "false", "default"},
		{"schedules_dir", "none", "none", "default"},
		{"aging", "never", "never", "default"},
		{"listen", "none", "none", "default"},
		{"retries", "0", "0", "default"},
		{"retry_delay", "10", "10", "default"},
		{"retry_backoff", "2", "2", "default"},
		{"retry_max_delay", "3600", "3600", "default"},
		{"retry_jitter", "10", "10", "default"},
		{"retention.older_than", "never", "never", "default"},
		{"retention.keep", "0", "0", "default"},
		{"retention.keep_tasks", "0", "0", "default"},
		{"retention.status", "any", "any", "default"},
		{"compress_logs_after", "never", "never", "default"},
		{"max_logs_size", "0", "0", "default"},
		{"event_days", "7", "7", "default"},
		{"events_kept", "1000000", "1000000", "default"},
		{"manager_log_size", "10", "10", "default"},
		{"manager_log_files", "3", "3", "default"},
		{"task_hooks.on_success", "none", "none", "default"},
		{"task_hooks.on_failure", "none", "none", "default"},
		{"task_hooks.on_end", "none", "none", "default"},
		{"job_hooks.on_success", "none", "none", "default"},
		{"job_hooks.on_failure", "none", "none", "default"},
		{"job_hooks.on_end", "none", "none", "default"},
	}
	if diff := cmp.Diff(want, c.Settings()); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
}

func TestSettingsHaveTheirTypesInJSON(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a <ü>")
	c, err := config.Load(config.Overrides{WorkDir: "/", BasePath: flag(dir)})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range map[int]string{
		0: `{"key":"poll_interval","value":5,"default":5,"source":"default"}`,
		4: `{"key":"base_path","value":"` + dir + `","default":".air-executor","source":"flag --base-path"}`,
		6: `{"key":"log_format","value":"json","default":"json","source":"default"}`,
	} {
		if got, err := json.Marshal(c.Settings()[i]); err != nil || unescape(string(got)) != want {
			t.Errorf("%s, %v, want %s", got, err, want)
		}
	}
	c, err = config.Load(config.Overrides{WorkDir: "/", ConfigPath: flag(write(t, t.TempDir(), "c.yaml", "base_path: '/5'\nmirror_json: TRUE\n"))})
	if err != nil || !c.MirrorJSON {
		t.Fatalf("%+v, %v", c, err)
	}
	mirror := c.Settings()[slices.IndexFunc(c.Settings(), func(s config.Setting) bool { return s.Key == "mirror_json" })]
	if got, err := json.Marshal(mirror); err != nil || !strings.Contains(string(got), `"value":true,"default":false`) {
		t.Errorf("%s, %v", got, err)
	}
}

func TestAFolderOfSchedulesIsBesideTheFile(t *testing.T) {
	for value, want := range map[string]string{"schedules": "DIR/schedules", "/etc/schedules/": "/etc/schedules", "none": ""} {
		path := write(t, t.TempDir(), "c.yaml", "schedules_dir: "+value+"\n")
		c, err := config.Load(config.Overrides{WorkDir: "/", ConfigPath: flag(path)})
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Replace(c.SchedulesDir, filepath.Dir(path), "DIR", 1); got != want {
			t.Errorf("%s is %s, want %s", value, got, want)
		}
	}
}

// unescape undoes what json.Marshal does to the output of every MarshalJSON.
func unescape(s string) string {
	return strings.NewReplacer(`\u003c`, "<", `\u003e`, ">").Replace(s)
}

func TestTemplate(t *testing.T) {
	dir := t.TempDir()
	base := filepath.Join(dir, ".air-executor")
	uncommented := regexp.MustCompile(`(?m)^#([a-z])`).ReplaceAll(config.Template(), []byte("$1"))
	if n := len(regexp.MustCompile(`(?m)^[a-z_.]+: `).FindAll(uncommented, -1)); n != 38 {
		t.Errorf("the template has %d keys, want 38", n)
	}
	for _, content := range [][]byte{config.Template(), uncommented} {
		path := write(t, base, "config.yaml", string(content))
		got, err := config.Load(config.Overrides{WorkDir: dir})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(defaults(base, path), got, ignoreSettings); diff != "" {
			t.Errorf("template (-want +got):\n%s\n%s", diff, content)
		}
	}
	want := []byte("\n# The manager looks for work at least this often; most of the time it is woken earlier.\n" +
		"# (1 to 60 seconds)\n#poll_interval: 5\n")
	if !bytes.Contains(config.Template(), want) {
		t.Errorf("the template does not contain\n%s\nbut is\n%s", want, config.Template())
	}
}
