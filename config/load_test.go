package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/air-executor/air-executor/config"
	"github.com/air-executor/air-executor/internal/basepath"
	"github.com/air-executor/air-executor/internal/testkit"
)

// write puts a file into a folder, which it creates, and returns its path.
func write(t testing.TB, dir, name, content string) string {
	t.Helper()
	return testkit.Write(t, filepath.Join(dir, name), content)
}

func flag(value string) config.Override {
	return config.Override{Value: value, Source: config.FromFlag}
}

func environment(value string) config.Override {
	return config.Override{Value: value, Source: config.FromEnvironment}
}

// checkError compares an error, which must be a *config.Error, with its text.
func checkError(t *testing.T, err error, want string) {
	t.Helper()
	testkit.WantError[*config.Error](t, err, want)
}

// defaults is the documented configuration of a base path.
func defaults(base, file string) *config.Config {
	return &config.Config{
		PollInterval: 5 * time.Second, TaskTimeout: 30 * time.Minute, KillGrace: 5 * time.Second, MaxConcurrentRunners: 10, BasePath: base,
		LogLevel: "INFO", LogFormat: "json", Durability: "full", TasksPerRunner: 1,
		MaxLogSize: 1024, OnTerm: "leave", MaxSubtasks: 10_000, MaxSubtaskDepth: 100, File: file,
		RetryDelay: 10 * time.Second, RetryBackoff: 2, RetryMaxDelay: time.Hour, RetryJitter: 10,
		Retention: config.Retention{OlderThan: config.Never, Status: "any"}, CompressLogsAfter: config.Never, EventDays: 7, EventsKept: 1_000_000, ManagerLogSize: 10, ManagerLogFiles: 3,
	}
}

var ignoreSettings = cmpopts.IgnoreUnexported(config.Config{})

func TestDefaults(t *testing.T) {
	dir := t.TempDir()
	base := filepath.Join(dir, ".air-executor")
	got, err := config.Load(config.Overrides{WorkDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(defaults(base, ""), got, ignoreSettings); diff != "" {
		t.Errorf("without a file (-want +got):\n%s", diff)
	}
	for _, content := range []string{"# nothing\n", "---\n", "# nothing\r\n"} {
		path := write(t, base, "config.yaml", content)
		got, err := config.Load(config.Overrides{WorkDir: dir})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(defaults(base, path), got, ignoreSettings); diff != "" {
			t.Errorf("with the file %q (-want +got):\n%s", content, diff)
		}
	}
}

func TestEveryKey(t *testing.T) {
	dir := t.TempDir()
	base := filepath.Join(dir, "base")
	path := write(t, dir, "my.yaml", `
poll_interval: 60
task_timeout: 60
kill_grace: 600
max_concurrent_runners: 50
aging: 1d
base_path: base
log_level: warning
log_format: CONSOLE
durability: normal
tasks_per_runner: 1000
max_log_size: 1048576
on_term: Drain
max_subtasks: 1_000_000
max_subtask_depth: 10000
mirror_json: true
retries: 10000
retry_delay: 86400
retry_backoff: 100
retry_max_delay: 2592000
retry_jitter: 100
`)
	got, err := config.Load(config.Overrides{WorkDir: "/elsewhere", ConfigPath: flag(path)})
	if err != nil {
		t.Fatal(err)
	}
	want := &config.Config{
		PollInterval: time.Minute, TaskTimeout: time.Minute, KillGrace: 10 * time.Minute, MaxConcurrentRunners: 50, Aging: 24 * time.Hour, BasePath: base,
		LogLevel: "WARNING", LogFormat: "console", Durability: "normal", TasksPerRunner: 1000,
		MaxLogSize: 1_048_576, OnTerm: "drain", MaxSubtasks: 1_000_000, MaxSubtaskDepth: 10_000, MirrorJSON: true, File: path, Named: true,
		Retries: 10_000, RetryDelay: 24 * time.Hour, RetryBackoff: 100, RetryMaxDelay: 30 * 24 * time.Hour, RetryJitter: 100,
		Retention: config.Retention{OlderThan: config.Never, Status: "any"}, CompressLogsAfter: config.Never, EventDays: 7, EventsKept: 1_000_000, ManagerLogSize: 10, ManagerLogFiles: 3,
	}
	if diff := cmp.Diff(want, got, ignoreSettings); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
}

func TestBadFiles(t *testing.T) {
	tests := []struct{ name, give, want string }{
		{"too small", "poll_interval: 0", `:1: poll_interval: must be between 1 and 60, not 0`},
		{"too large", "\n\npoll_interval: 99", `:3: poll_interval: must be between 1 and 60, not 99`},
		{"negative", "poll_interval: -1", `:1: poll_interval: must be between 1 and 60, not -1`},
		{"huge", "max_subtasks: 100000000000000000000", `:1: max_subtasks: must be between 1 and 1000000, not 100000000000000000000`},
		{"timeout too small", "task_timeout: 59", `:1: task_timeout: must be between 60 and 7200, not 59`},
		{"timeout too large", "task_timeout: 7201", `:1: task_timeout: must be between 60 and 7200, not 7201`},
		{"grace too long", "kill_grace: 601", `:1: kill_grace: must be between 0 and 600, not 601`},
		{"aging too fast", "aging: 10ms", `:1: aging: must be never, or a time of at least a second such as 10m, 1h or 1d, not "10ms"`},
		{"aging without a unit", "aging: soon", `:1: aging: must be never, or a time of at least a second such as 10m, 1h or 1d, not "soon"`},
		{"too many runners", "max_concurrent_runners: 51", `:1: max_concurrent_runners: must be between 1 and 50, not 51`},
		{"tasks per runner", "tasks_per_runner: 1001", `:1: tasks_per_runner: must be between 1 and 1000, not 1001`},
		{"depth", "max_subtask_depth: 10001", `:1: max_subtask_depth: must be between 1 and 10000, not 10001`},
		{"fraction", "poll_interval: 2.5", `:1: poll_interval: must be a whole number, not the number 2.5`},
		{"quoted octal", `poll_interval: "05"`, `:1: poll_interval: must be a whole number without leading zeros, not 05`},
		{"mirror", "mirror_json: yes", `:1: mirror_json: must be true or false, not the text "yes"`},
		{"truth value", "poll_interval: true", `:1: poll_interval: must be a whole number, not true`},
		{"unit", "poll_interval: 5s", `:1: poll_interval: must be a whole number, not the text "5s"`},
		{"octal", "poll_interval: 010", `:1: poll_interval: must be a whole number without leading zeros, not 010`},
		{"list", "poll_interval: [5]", `:1: poll_interval: must be a whole number, not a list`},
		{"nothing", "", `: is empty; remove it, or write a new one with air-executor config init`},
		{"empty lines", " \n\r\n", `: is empty; remove it, or write a new one with air-executor config init`},
		{"byte order mark", "\ufeffpoll_interval: 5\n", `:1: begins with a byte order mark; save it as UTF-8 without one`},
		{"no value", "log_level: INFO\npoll_interval:\n", `:2: poll_interval: must be a whole number, not empty`},
		{"null", "log_level: null", `:1: log_level: must be text, not null`},
		{"level", "log_level: TRACE", `:1: log_level: must be DEBUG, INFO, WARNING, ERROR or CRITICAL, not "TRACE"`},
		{"level empty", `log_level: ""`, `:1: log_level: must be DEBUG, INFO, WARNING, ERROR or CRITICAL, not ""`},
		{"level number", "log_level: 10", `:1: log_level: must be text, not the number 10`},
		{"format", "log_format: text", `:1: log_format: must be json or console, not "text"`},
		{"durability", "durability: off", `:1: durability: must be full or normal, not "off"`},
		{"on term", "on_term: wait", `:1: on_term: must be leave, drain or kill, not "wait"`},
		{"typing error", "poll_intervall: 5", `:1: poll_intervall: unknown key; did you mean poll_interval?`},
		{"other spelling", "poll-interval: 5", `:1: poll-interval: unknown key; did you mean poll_interval?`},
		{"unknown key", "color: red", `:1: color: unknown key; the known keys are poll_interval, task_timeout, kill_grace, ` +
			`max_concurrent_runners, base_path, log_level, log_format, durability, tasks_per_runner, max_log_size, on_term, max_subtasks, max_subtask_depth, mirror_json, schedules_dir, aging, listen, retries, retry_delay, retry_backoff, retry_max_delay, retry_jitter, retention, compress_logs_after, max_logs_size, event_days, events_kept, manager_log_size, manager_log_files, task_hooks, job_hooks`},
		{"a group that is none", "retention: 30d", `:1: retention: must be a mapping (key: value), not the text "30d"`},
		{"unknown key of a group", "retention:\n  older_then: 30d", `:2: retention.older_then: unknown key; did you mean older_than?`},
		{"age", "retention:\n  older_than: month", `:2: retention.older_than: want an age such as 30d, 2w or 12h, got "month", or never`},
		{"in both ways", "retention.keep: 1\nretention:\n  keep: 2", `:3: retention.keep: is there twice, once as retention.keep`},
		{"twice", "poll_interval: 5\npoll_interval: 6", `:2: poll_interval: is already set on line 1`},
		{"base path empty", `base_path: ""`, `:1: base_path: must not be empty`},
		{"base path null", "base_path: ~", `:1: base_path: must be text, not ~`},
		{"base path home", "base_path: ~/x", `:1: base_path: ~ does not stand for the home folder here; write "~/x" in full`},
		{"base path NUL", `base_path: "a\0b"`, `:1: base_path: must not contain a NUL byte`},
		{"not YAML", "poll_interval: 5\nlog_level: [\n", `:2: not valid YAML: did not find expected node content`},
		{"tab", "log_level: INFO\n\tpoll_interval: 5", `:2: not valid YAML: found a tab character that violates indentation (while scanning a plain scalar that begins on line 1); indent with spaces, not with tabs`},
		{"no colon", "poll_interval 5", `:1: must be a mapping (key: value), not the text "poll_interval 5"`},
		{"list at the root", "- poll_interval: 5", `:1: must be a mapping (key: value), not a list`},
		{"two documents", "poll_interval: 5\n---\npoll_interval: 6\n", `:2: another YAML document begins here; only one is allowed`},
		{"anchor", "poll_interval: &a 5\ntasks_per_runner: *a\n", `:1: poll_interval: anchors (&a) are not allowed; write the value out where it is used`},
		{"UTF-16", "\xff\xfep\x00", `: is UTF-16 text; save it as UTF-8`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := write(t, t.TempDir(), "config.yaml", tt.give)
			_, err := config.Load(config.Overrides{WorkDir: "/", ConfigPath: flag(path)})
			checkError(t, err, path+tt.want)
		})
	}
}

func TestBadFileIsAnErrorWhenOverridden(t *testing.T) {
	path := write(t, t.TempDir(), "config.yaml", "log_level: LOUD\nbase_path: ''\n")
	o := config.Overrides{WorkDir: "/", ConfigPath: flag(path), LogLevel: flag("INFO"), BasePath: flag("/tmp/x")}
	_, err := config.Load(o)
	checkError(t, err, path+`:1: log_level: must be DEBUG, INFO, WARNING, ERROR or CRITICAL, not "LOUD"`)
}

func TestNumbersAreTakenForWhatTheyCanOnlyMean(t *testing.T) {
	for _, give := range []string{"7", `"7"`, "'7'", "7.0", "7.000", "0x7", "!!int"} {
		path := write(t, t.TempDir(), "config.yaml", "poll_interval: "+give+"\nlog_format: JSON\ndurability: Full\n")
		c, err := config.Load(config.Overrides{WorkDir: "/", ConfigPath: flag(path)})
		if give == "!!int" {
			if err == nil {
				t.Error("a tag is no number")
			}
		} else if err != nil || c.PollInterval != 7*time.Second || c.LogFormat != "json" || c.Durability != "full" {
			t.Errorf("%s: %+v, %v", give, c, err)
		}
	}
}

// What is wrong in the file does not keep a command from its work that needs
// only the base path. What is right there counts.
func TestAWrongFileIsReadAsFarAsItIsRight(t *testing.T) {
	const level = "log_level: ERROR\n"
	for _, c := range []struct {
		name, content string
		base          string // given by a flag; empty: by the file, if at all
		inBase        bool   // the file is that of the base path, not one that is named
		refused       bool
	}{
		{"value out of range", level + "max_subtasks: 0\n", "", false, false},
		{"unknown key", level + "colour: 1\n", "", false, false},
		{"base path, and something wrong", level + "base_path: D\npoll_interval: 99\n", "", false, false},
		{"no YAML, in the base path", "\t[", "", true, false},
		{"base path misspelt, in the base path", level + "base_pth: D\n", "", true, false},
		{"base path misspelt", level + "base_pth: D\n", "", false, true},
		{"base path misspelt, but given", level + "base_pth: D\n", "D", false, false},
		{"base path of another type", level + "base_path: [D]\n", "", false, true},
		{"no YAML", "\t[", "", false, true},
		{"no YAML, but the base path is given", "\t[", "D", false, false},
		{"empty", "", "", false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			base := filepath.Join(dir, ".air-executor")
			o := config.Overrides{WorkDir: dir, ConfigPath: flag("c.yaml"), BasePath: flag(base)}
			path := filepath.Join(dir, "c.yaml")
			if c.inBase {
				o.ConfigPath = config.Override{}
				path = filepath.Join(base, "config.yaml")
			}
			if c.base == "" {
				o.BasePath = config.Override{}
			}
			write(t, filepath.Dir(path), filepath.Base(path), strings.ReplaceAll(c.content, "D", base))
			_, strict := config.Load(o)
			if strict == nil {
				t.Fatal("the file is right")
			}
			o.Lenient = true
			got, err := config.Load(o)
			if c.refused {
				if err == nil || err.Error() != strict.Error() {
					t.Errorf("error %v, want %v", err, strict)
				}
				return
			}
			if err != nil || got.Wrong == nil || got.Wrong.Error() != strict.Error() {
				t.Fatalf("%+v, %v, want one that says %v", got, err, strict)
			}
			want := defaults(base, path)
			if strings.HasPrefix(c.content, level) {
				want.LogLevel = "ERROR"
			}
			want.Wrong, want.Named = got.Wrong, !c.inBase
			if diff := cmp.Diff(want, got, ignoreSettings, cmpopts.EquateErrors()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestATOMLFileIsNamedSo(t *testing.T) {
	for name, content := range map[string]string{
		"a.toml": "x\ny", "b.yaml": "# settings\n\n[airflow]\nurl = \"http://x\"\n", "c": "poll_interval = 5\n",
	} {
		path := write(t, t.TempDir(), name, content)
		_, err := config.Load(config.Overrides{WorkDir: "/", ConfigPath: flag(path)})
		checkError(t, err, path+`: is a TOML file; the configuration of air-executor is YAML (see air-executor config init)`)
	}
}

func TestBadOverrides(t *testing.T) {
	dir := t.TempDir()
	plain := write(t, dir, "plain", "")
	tests := []struct {
		name string
		give config.Overrides
		want string
	}{
		{"level flag", config.Overrides{LogLevel: flag("LOUD")},
			`--log-level: must be DEBUG, INFO, WARNING, ERROR or CRITICAL, not "LOUD"`},
		{"level variable", config.Overrides{LogLevel: environment("")},
			`AIR_EXECUTOR_LOG_LEVEL: must be DEBUG, INFO, WARNING, ERROR or CRITICAL, not ""`},
		{"format flag", config.Overrides{LogFormat: flag("XML")}, `--log-format: must be json or console, not "XML"`},
		{"base path empty", config.Overrides{BasePath: flag("")}, `--base-path: must not be empty`},
		{"base path NUL", config.Overrides{BasePath: environment("a\x00")}, `AIR_EXECUTOR_BASE_PATH: must not contain a NUL byte`},
		{"base path home", config.Overrides{BasePath: flag("~/x")},
			`--base-path: ~ does not stand for the home folder here; write "~/x" in full`},
		{"base path is a file", config.Overrides{BasePath: flag("plain")}, `--base-path: ` + plain + ` is not a folder`},
		{"base path below a file", config.Overrides{BasePath: flag("plain/x")},
			plain + `/x/config.yaml: cannot be read: not a directory`},
		{"config empty", config.Overrides{ConfigPath: environment("")}, `AIR_EXECUTOR_CONFIG: must not be empty`},
		{"config missing", config.Overrides{ConfigPath: flag("missing.yaml")}, dir + `/missing.yaml: no such file`},
		{"config is a folder", config.Overrides{ConfigPath: flag(".")}, dir + `: is a folder, not a file`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.give.WorkDir = dir
			_, err := config.Load(tt.give)
			checkError(t, err, tt.want)
		})
	}
}

func TestUnknownWorkingDirectory(t *testing.T) {
	_, err := config.Load(config.Overrides{})
	checkError(t, err, `base_path: the current directory is gone; name a base path with --base-path DIR`)
	_, err = config.Load(config.Overrides{BasePath: flag("x")})
	checkError(t, err, `--base-path: "x" is relative, and the current directory is gone`)
	_, err = config.Load(config.Overrides{ConfigPath: flag("x.yaml")})
	checkError(t, err, `--config: "x.yaml" is relative, and the current directory is gone`)
	c, err := config.Load(config.Overrides{BasePath: flag(t.TempDir())})
	if err != nil || c.PollInterval != 5*time.Second {
		t.Errorf("Load with an absolute base path = %v, %v; want the defaults", c, err)
	}
}

func TestBasePath(t *testing.T) {
	tests := []struct {
		name  string
		files map[string]string // below the temporary folder D
		give  config.Overrides
		want  string // base path; D/ stands for the temporary folder
		file  string // configuration file that was read
	}{
		{"default", nil, config.Overrides{}, "D/work/.air-executor", ""},
		{"own file", map[string]string{"work/.air-executor/config.yaml": "# nothing"}, config.Overrides{},
			"D/work/.air-executor", "D/work/.air-executor/config.yaml"},
		{"own file names itself from above", map[string]string{"work/.air-executor/config.yaml": "base_path: .air-executor"},
			config.Overrides{}, "D/work/.air-executor", "D/work/.air-executor/config.yaml"},
		{"own file names itself as .", map[string]string{"work/.air-executor/config.yaml": "base_path: ."},
			config.Overrides{}, "D/work/.air-executor", "D/work/.air-executor/config.yaml"},
		{"flag relative to the working directory", nil, config.Overrides{BasePath: flag("../x")}, "D/x", ""},
		{"flag before file", map[string]string{"my.yaml": "base_path: data"},
			config.Overrides{ConfigPath: flag("../my.yaml"), BasePath: flag("x")}, "D/work/x", "D/my.yaml"},
		{"variable", nil, config.Overrides{BasePath: environment("x")}, "D/work/x", ""},
		{"named file without a base path", map[string]string{"etc/my.yaml": "poll_interval: 5"},
			config.Overrides{ConfigPath: flag("../etc/my.yaml")}, "D/work/.air-executor", "D/etc/my.yaml"},
		{"named file, relative", map[string]string{"etc/my.yaml": "base_path: data/./x"},
			config.Overrides{ConfigPath: flag("../etc/my.yaml")}, "D/etc/data/x", "D/etc/my.yaml"},
		{"named file, absolute", map[string]string{"etc/my.yaml": "base_path: /srv/air/"},
			config.Overrides{ConfigPath: flag("../etc/my.yaml")}, "/srv/air", "D/etc/my.yaml"},
		{"named file in its base path", map[string]string{"p/.air-executor/config.yaml": "base_path: .air-executor"},
			config.Overrides{ConfigPath: environment("../p/.air-executor/config.yaml")},
			"D/p/.air-executor", "D/p/.air-executor/config.yaml"},
		{"named file, another folder", map[string]string{"p/.air-executor/config.yaml": "base_path: other"},
			config.Overrides{ConfigPath: flag("../p/.air-executor/config.yaml")},
			"D/p/.air-executor/other", "D/p/.air-executor/config.yaml"},
		{"named file goes before that of the base path",
			map[string]string{"my.yaml": "# nothing", "work/.air-executor/config.yaml": "rubbish"},
			config.Overrides{ConfigPath: flag("../my.yaml")}, "D/work/.air-executor", "D/my.yaml"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, content := range tt.files {
				write(t, dir, name, content)
			}
			tt.give.WorkDir = filepath.Join(dir, "work")
			c, err := config.Load(tt.give)
			if err != nil {
				t.Fatal(err)
			}
			got := []string{c.BasePath, c.File}
			for i := range got {
				got[i] = strings.Replace(got[i], dir, "D", 1)
			}
			if diff := cmp.Diff([]string{tt.want, tt.file}, got); diff != "" {
				t.Errorf("base path and file (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBasePathOfAnotherFolder(t *testing.T) {
	dir := t.TempDir()
	base := filepath.Join(dir, ".air-executor")
	path := write(t, base, "config.yaml", "poll_interval: 5\nbase_path: data\n")
	for _, o := range []config.Overrides{{WorkDir: dir}, {WorkDir: "/", BasePath: flag(base)}} {
		_, err := config.Load(o)
		checkError(t, err, path+":2: base_path: is "+base+"/data, but this file is that of the base path "+base+
			"; remove the line, or name the file with --config")
	}
}

func TestBasePathThroughSymlink(t *testing.T) {
	dir := t.TempDir()
	base := filepath.Join(dir, "real")
	link := filepath.Join(dir, "link")
	write(t, base, "config.yaml", "base_path: "+base+"\npoll_interval: 7\n")
	if err := os.Symlink(base, link); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(config.Overrides{BasePath: flag(link)})
	if err != nil {
		t.Fatal(err)
	}
	if c.BasePath != link || c.PollInterval != 7*time.Second {
		t.Errorf("base path %s, poll interval %v; want %s, 7s", c.BasePath, c.PollInterval, link)
	}
}

func TestDanglingConfigFile(t *testing.T) {
	base := t.TempDir()
	path := filepath.Join(base, "config.yaml")
	if err := os.Symlink("nowhere", path); err != nil {
		t.Fatal(err)
	}
	_, err := config.Load(config.Overrides{BasePath: flag(base)})
	checkError(t, err, path+": no such file")
}

// source is where the value of a key came from.
func source(c *config.Config, key string) string {
	for _, s := range c.Settings() {
		if s.Key == key {
			return s.Source
		}
	}
	return ""
}

func TestBasePathIsFoundAbove(t *testing.T) {
	home := t.TempDir()
	base := filepath.Join(home, "p", ".air-executor")
	write(t, base, "air-executor.db", "")
	deep := filepath.Join(home, "p", "a", "b")
	if err := os.MkdirAll(filepath.Join(deep, ".air-executor"), 0o700); err != nil { // an empty one is none
		t.Fatal(err)
	}
	for _, tt := range []struct{ from, home, want, source string }{
		{deep, home, base, "found in " + filepath.Join(home, "p")},
		{filepath.Join(home, "p"), home, base, "found in " + filepath.Join(home, "p")},
		{home, home, filepath.Join(home, ".air-executor"), "default"},
		{deep, filepath.Join(home, "p", "a"), filepath.Join(deep, ".air-executor"), "default"},
	} {
		c, err := config.Load(config.Overrides{WorkDir: tt.from, Home: tt.home})
		if err != nil {
			t.Fatal(err)
		}
		if source := source(c, "base_path"); c.BasePath != tt.want || source != tt.source {
			t.Errorf("from %s, home %s: %s (%s), want %s (%s)", tt.from, tt.home, c.BasePath, source, tt.want, tt.source)
		}
	}
}

func TestABasePathThatOthersMayWriteToIsRefused(t *testing.T) {
	dir := t.TempDir()
	base := filepath.Join(dir, ".air-executor")
	path := write(t, base, "config.yaml", "# nothing\n")
	for _, untrusted := range []string{base, path} {
		info, err := os.Stat(untrusted)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(untrusted, info.Mode().Perm()|0o020); err != nil {
			t.Fatal(err)
		}
		_, err = config.Load(config.Overrides{WorkDir: dir})
		var e *basepath.Untrusted
		if !errors.As(err, &e) || e.Path != untrusted {
			t.Errorf("%s: %v", untrusted, err)
		}
		if _, err := config.Load(config.Overrides{WorkDir: dir, AllowForeign: true}); err != nil {
			t.Errorf("%s, allowed: %v", untrusted, err)
		}
		if err := os.Chmod(untrusted, info.Mode().Perm()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestANamedPipeIsNoConfiguration(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "config.yaml")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := config.Load(config.Overrides{BasePath: flag(dir)})
	checkError(t, err, path+": is a named pipe, not a file")
}

func TestAFileNamedByAFlagGoesBeforeABasePathOfTheEnvironment(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "my.yaml", "base_path: mine\n")
	outer, mine := filepath.Join(dir, "outer"), filepath.Join(dir, "mine")
	for _, tt := range []struct {
		give config.Overrides
		want string
	}{
		{config.Overrides{ConfigPath: flag(path), BasePath: environment(outer)}, mine},
		{config.Overrides{ConfigPath: environment(path), BasePath: environment(outer)}, outer},
		{config.Overrides{ConfigPath: flag(path), BasePath: flag(outer)}, outer},
	} {
		c, err := config.Load(tt.give)
		if err != nil {
			t.Fatal(err)
		}
		if c.BasePath != tt.want {
			t.Errorf("%+v: base path %s, want %s", tt.give, c.BasePath, tt.want)
		}
	}
}

func TestKeysOfAGroupMayBeWrittenInEitherWay(t *testing.T) {
	for _, content := range []string{
		"retention:\n  older_than: 2w\n  keep: 7\n  status: Failed\ncompress_logs_after: 12h\n",
		"retention.older_than: 14d\nretention.keep: 7\nretention:\n  status: failed\ncompress_logs_after: 720m\n",
	} {
		dir := t.TempDir()
		c, err := config.Load(config.Overrides{WorkDir: dir, ConfigPath: flag(write(t, dir, "c.yaml", content))})
		if err != nil {
			t.Fatal(err)
		}
		want := config.Retention{OlderThan: 14 * 24 * time.Hour, Keep: 7, Status: "failed"}
		if diff := cmp.Diff(want, c.Retention); diff != "" || c.CompressLogsAfter != 12*time.Hour {
			t.Errorf("%s (-want +got):\n%s, logs after %v", content, diff, c.CompressLogsAfter)
		}
	}
}
