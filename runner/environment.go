package runner

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/air-executor/air-executor/db"
)

// The variables that tell a command which task it is. With them,
// `air-executor enqueue` inside a task needs no flags.
const (
	EnvBasePath = "AIR_EXECUTOR_BASE_PATH"
	EnvJob      = "AIR_EXECUTOR_JOB"
	EnvTask     = "AIR_EXECUTOR_TASK"
	EnvAttempt  = "AIR_EXECUTOR_ATTEMPT"
	EnvToken    = "AIR_EXECUTOR_TOKEN" // proves which attempt it is; also marks the processes of the attempt
)

// OwnVariables are those that a task gets from its runner, and must not
// inherit from the shell that queued it.
var OwnVariables = []string{EnvBasePath, EnvJob, EnvTask, EnvAttempt, EnvToken}

// Mark is the setting that every process of an attempt carries, unless it has
// cleared its environment.
func Mark(token string) string { return EnvToken + "=" + token }

// environment is what the command of a task gets.
func environment(s *Setup, a *db.Assignment) []string {
	env := a.Env
	if env == nil {
		env = s.untuned()
	}
	env = append(WithoutOwn(env),
		EnvBasePath+"="+s.BasePath,
		EnvJob+"="+a.Job,
		EnvTask+"="+a.Task,
		EnvAttempt+"="+strconv.Itoa(a.Attempt),
		Mark(a.Token))
	return withProgram(withDir(env, a.Dir), s.BasePath)
}

// WithoutOwn returns the settings that are not ours, in a slice of its own.
func WithoutOwn(env []string) []string {
	out := make([]string, 0, len(env)+len(OwnVariables)+2)
	for _, kv := range env {
		if key, _, _ := strings.Cut(kv, "="); !slices.Contains(OwnVariables, key) {
			out = append(out, kv)
		}
	}
	return out
}

// withDir makes PWD say where the command runs, as a shell would.
func withDir(env []string, dir string) []string {
	if dir == "" {
		return env
	}
	for i, kv := range env {
		if strings.HasPrefix(kv, "PWD=") {
			env[i] = "PWD=" + dir
		}
	}
	return env
}

// binFolder is the folder in the base path in which tasks find this program
// under its proper name, whatever its file is called and wherever it lies.
const binFolder = "bin"

// LinkProgram makes bin/air-executor in the base path name the program exe.
func LinkProgram(base, exe string) error {
	folder := filepath.Join(base, binFolder)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	link := filepath.Join(folder, "air-executor")
	if now, err := os.Readlink(link); err == nil && now == exe {
		return nil
	}
	// Two managers may do this at once; each replaces the link as a whole.
	fresh := fmt.Sprintf("%s.%d", link, os.Getpid())
	os.Remove(fresh)
	if err := os.Symlink(exe, fresh); err != nil {
		return err
	}
	return os.Rename(fresh, link)
}

// ProgramLinked reports whether bin/air-executor in the base path leads to a
// program.
func ProgramLinked(base string) bool {
	info, err := os.Stat(filepath.Join(base, binFolder, "air-executor"))
	return err == nil && info.Mode().IsRegular()
}

// withProgram puts the folder of this program at the end of PATH, so that a
// task finds air-executor even where it is not installed.
func withProgram(env []string, base string) []string {
	dir := filepath.Join(base, binFolder)
	for i, kv := range env {
		path, ok := strings.CutPrefix(kv, "PATH=")
		if !ok {
			continue
		}
		if !slices.Contains(filepath.SplitList(path), dir) {
			env[i] = kv + string(filepath.ListSeparator) + dir
		}
		return env
	}
	return env
}

// workingDir is where a command runs: where it was asked to, or in the folder
// that holds the base path.
func workingDir(base, dir string) string {
	if dir == "" {
		return filepath.Dir(base)
	}
	return dir
}
