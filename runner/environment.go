package runner

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/internal/basepath"
	"github.com/air-executor/air-executor/internal/traceparent"
	"github.com/air-executor/air-executor/job"
)

// The variables that tell a command which task it is. With them,
// `air-executor enqueue` inside a task needs no flags.
const (
	EnvBasePath = "AIR_EXECUTOR_BASE_PATH"
	EnvConfig   = "AIR_EXECUTOR_CONFIG" // the file that the manager was given, if it was
	EnvJob      = "AIR_EXECUTOR_JOB"
	EnvTask     = "AIR_EXECUTOR_TASK"
	EnvAttempt  = "AIR_EXECUTOR_ATTEMPT"
	EnvSlot     = "AIR_EXECUTOR_SLOT"  // its place among the running tasks of its job, from 0
	EnvPool     = "AIR_EXECUTOR_POOL_" // and the name of a pool in capitals: the places that it holds there
	EnvHook     = "AIR_EXECUTOR_HOOK"  // of a hook, which one it is; others begin with it
	EnvToken    = "AIR_EXECUTOR_TOKEN" // identifies the attempt; also marks its processes
)

// OwnVariables are the variables that a task gets from its runner, and must not inherit
// from the shell that queued it.
var OwnVariables = []string{EnvBasePath, EnvConfig, EnvJob, EnvTask, EnvAttempt, EnvSlot, EnvToken}

// passing are variables that are about one process or service and would mislead any
// other: those with which systemd tells a service about itself (systemd.exec(5)), and
// those in which a shell keeps its current and previous directory. A task gets its own
// PWD.
var passing = []string{
	"NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC",
	"LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PID", "LISTEN_PIDFDID", "FDSTORE",
	"INVOCATION_ID", "JOURNAL_STREAM", "MAINPID", "MANAGERPID", "MANAGERPIDFDID", "SYSTEMD_EXEC_PID",
	"MEMORY_PRESSURE_WATCH", "MEMORY_PRESSURE_WRITE",
	"_", "OLDPWD", "PWD",
}

// Mark is the setting that every process of an attempt carries, unless it has
// cleared its environment.
func Mark(token string) string { return EnvToken + "=" + token }

// environment returns the environment of a task's command.
func environment(s *Setup, a *db.Assignment) []string {
	env := a.Env
	switch {
	case env == nil:
		env = Inheritable(s.untuned())
	case len(env) > 0 && env[0] == job.OnManager:
		env = append(Inheritable(s.untuned()), env[1:]...)
	}
	env = append(without(withoutOwn(env), traceparent.Variables),
		EnvBasePath+"="+s.BasePath,
		EnvJob+"="+a.Job,
		EnvTask+"="+a.Task,
		EnvAttempt+"="+strconv.Itoa(a.Attempt),
		EnvSlot+"="+strconv.Itoa(a.Slot),
		Mark(a.Token))
	env = append(env, traceparent.Of(a.Token, a.Env).Settings()...)
	for _, p := range a.Pools {
		env = append(env, poolVariable(p))
	}
	if s.ConfigFile != "" {
		env = append(env, EnvConfig+"="+s.ConfigFile)
	}
	if s.AllowForeign {
		env = append(without(env, []string{basepath.AllowForeign}), basepath.AllowForeign+"=1")
	}
	return withProgram(withDir(env, workingDir(s.BasePath, a.Dir)), s.BasePath)
}

// poolVariable says which places of a pool a task holds.
func poolVariable(p db.PoolPlaces) string {
	numbers := make([]string, len(p.Numbers))
	for i, n := range p.Numbers {
		numbers[i] = strconv.Itoa(n)
	}
	return EnvPool + strings.ReplaceAll(strings.ToUpper(p.Pool), "-", "_") + "=" + strings.Join(numbers, ",")
}

// Inheritable returns the variables of a process that a task may inherit: all but ours,
// and those that are about one process or service.
func Inheritable(env []string) []string { return without(withoutOwn(env), passing) }

// Untraced returns an environment without a place in a trace, for tasks that are queued
// when that is long over. Nil stays nil: it is the environment of the manager.
func Untraced(env []string) []string {
	if env == nil {
		return nil
	}
	return without(env, traceparent.Variables)
}

// withoutOwn leaves out what a task gets from its runner: OwnVariables, and those of
// all pools and hooks.
func withoutOwn(env []string) []string {
	return slices.DeleteFunc(without(env, OwnVariables), func(kv string) bool {
		return strings.HasPrefix(kv, EnvPool) || strings.HasPrefix(kv, EnvHook+"=") || strings.HasPrefix(kv, EnvHook+"_")
	})
}

// without returns env without these variables, in a new slice.
func without(env, variables []string) []string {
	out := make([]string, 0, len(env)+len(OwnVariables)+3)
	for _, kv := range env {
		if key, _, _ := strings.Cut(kv, "="); !slices.Contains(variables, key) {
			out = append(out, kv)
		}
	}
	return out
}

// withDir sets PWD to the directory of the command, as a shell would.
func withDir(env []string, dir string) []string {
	return append(without(env, []string{"PWD"}), "PWD="+dir)
}

// defaultPath is where programs are looked for if a task has no PATH.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// withProgram puts the folder of this program at the end of PATH, so that a
// task finds air-executor even where it is not installed.
func withProgram(env []string, base string) []string {
	dir := filepath.Join(base, binFolder)
	at := len(env) - 1 // the last one counts: --env comes after the shell's
	for at >= 0 && !strings.HasPrefix(env[at], "PATH=") {
		at--
	}
	if at < 0 {
		at = len(env)
		env = append(env, "PATH="+defaultPath)
	}
	listed := filepath.SplitList(strings.TrimPrefix(env[at], "PATH="))
	if canList(dir) && !slices.Contains(listed, dir) {
		env[at] += string(filepath.ListSeparator) + dir
	}
	return env
}

// workingDir returns the directory in which a command runs: the requested one, or the
// one that holds the base path.
func workingDir(base, dir string) string {
	if dir == "" {
		return filepath.Dir(base)
	}
	return dir
}
