package runner

import (
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/air-executor/air-executor/internal/failpoint"
)

// Setup is what a manager tells a runner at its start. It travels on the
// command line, where ps(1) shows whose runner it is.
type Setup struct {
	BasePath       string
	Lock           int64 // number of its kernel lock
	BootID         string
	Durability     string
	TaskTimeout    time.Duration
	Grace          time.Duration // between SIGTERM and SIGKILL
	TasksPerRunner int           // how many tasks of one job this runner may do
	MaxLogSize     int64         // bytes that the log of an attempt may have
	LogLevel       string
	LogFormat      string
	ConfigFile     string // configuration file that tasks are to use, absolute; empty: that of the base path
	AllowForeign   bool   // the base path may belong to another user

	tuned []string // settings of the environment that tuning replaced
}

// args returns the command line of a runner with this setup, without the program.
func (s *Setup) args() []string {
	args := []string{
		Argument,
		"base-path=" + s.BasePath,
		lockArg(s.Lock),
		"boot-id=" + s.BootID,
		"durability=" + s.Durability,
		"task-timeout=" + s.TaskTimeout.String(),
		"grace=" + s.Grace.String(),
		"tasks-per-runner=" + strconv.Itoa(s.TasksPerRunner),
		"max-log-size=" + strconv.FormatInt(s.MaxLogSize, 10),
		"log-level=" + s.LogLevel,
		"log-format=" + s.LogFormat,
	}
	if s.ConfigFile != "" {
		args = append(args, "config="+s.ConfigFile)
	}
	if s.AllowForeign {
		args = append(args, "allow-foreign=true")
	}
	for _, kv := range s.tuned {
		args = append(args, "tuned="+kv)
	}
	return args
}

func lockArg(lock int64) string { return "lock=" + strconv.FormatInt(lock, 10) }

// parseSetup reads what args has written, from after Argument.
func parseSetup(args []string) (s Setup, err error) {
	for _, arg := range args {
		key, value, _ := strings.Cut(arg, "=")
		switch key {
		case "base-path":
			s.BasePath = value
		case "lock":
			s.Lock, err = strconv.ParseInt(value, 10, 64)
		case "boot-id":
			s.BootID = value
		case "durability":
			s.Durability = value
		case "task-timeout":
			s.TaskTimeout, err = time.ParseDuration(value)
		case "grace":
			s.Grace, err = time.ParseDuration(value)
		case "tasks-per-runner":
			s.TasksPerRunner, err = strconv.Atoi(value)
		case "max-log-size":
			s.MaxLogSize, err = strconv.ParseInt(value, 10, 64)
		case "log-level":
			s.LogLevel = value
		case "log-format":
			s.LogFormat = value
		case "config":
			s.ConfigFile = value
		case "allow-foreign":
			s.AllowForeign, err = strconv.ParseBool(value)
		case "tuned":
			s.tuned = append(s.tuned, value)
		default:
			err = fmt.Errorf("unknown key")
		}
		if err != nil {
			return s, fmt.Errorf("%s %s: %w", Argument, arg, err)
		}
	}
	if s.BasePath == "" {
		return s, fmt.Errorf("%s is for the manager, not for people", Argument)
	}
	return s, nil
}

// tuning is how the Go runtime of a runner is set: it lives for one command and
// allocates little, so that a second thread of execution and a garbage
// collector would cost it more than they bring. The limit brings the collector
// back for a runner that lives long.
func tuning() []string {
	return failpoint.Tuning([]string{"GOMAXPROCS=1", "GOGC=off", "GOMEMLIMIT=64MiB"})
}

// untuneAfter is how long a runner works without the garbage collector. One that
// lives longer can afford the usual one, and then does not grow.
const untuneAfter = time.Minute

// collect turns the garbage collector on again, unless the limit has done so.
func collect() { debug.SetGCPercent(100) }

// tune returns the environment of this process with the tuning, and the
// settings that it replaced. Commands are not to notice (see untuned).
func tune(env []string) (tuned, replaced []string) {
	tuned = tuning()
	for _, kv := range env {
		if isTuning(kv) {
			replaced = append(replaced, kv)
		} else {
			tuned = append(tuned, kv)
		}
	}
	return tuned, replaced
}

// untuned is the environment of the manager, as seen from its runner.
func (s *Setup) untuned() []string {
	var env []string
	for _, kv := range os.Environ() {
		if !isTuning(kv) {
			env = append(env, kv)
		}
	}
	return append(env, s.tuned...)
}

func isTuning(kv string) bool {
	for _, t := range tuning() {
		key, _, _ := strings.Cut(t, "=")
		if strings.HasPrefix(kv, key+"=") {
			return true
		}
	}
	return false
}
