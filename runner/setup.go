package runner

import (
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/air-executor/air-executor/internal/failpoint"
)

// Setup is what a manager tells a runner at its start. It is passed on the command
// line, so that ps(1) shows whose runner it is.
type Setup struct {
	BasePath       string
	Lock           int64 // number of its kernel lock
	BootID         string
	Durability     string
	TaskTimeout    time.Duration
	Grace          time.Duration // between SIGTERM and SIGKILL
	TasksPerRunner int           // how many tasks of one job this runner may do
	MaxLogSize     int64         // maximum size of an attempt's log in bytes
	LogLevel       string
	LogFormat      string
	ConfigFile     string // configuration file that tasks are to use, absolute; empty: that of the base path
	AllowForeign   bool   // the base path may belong to another user

	tuned []string // variables that tuning replaced
}

// option is a word of the command line, and where its value belongs: a pointer to
// a string, a whole number, a truth value or a duration.
type option struct {
	key   string
	value any
}

// options are the words for all that a setup says but the tuning.
func (s *Setup) options() []option {
	return []option{
		{"base-path", &s.BasePath},
		{lockKey, &s.Lock},
		{"boot-id", &s.BootID},
		{"durability", &s.Durability},
		{"task-timeout", &s.TaskTimeout},
		{"grace", &s.Grace},
		{"tasks-per-runner", &s.TasksPerRunner},
		{"max-log-size", &s.MaxLogSize},
		{"log-level", &s.LogLevel},
		{"log-format", &s.LogFormat},
		{"config", &s.ConfigFile},
		{"allow-foreign", &s.AllowForeign},
	}
}

// args returns the command line of a runner with this setup, without the program.
// What is empty or false is left out.
func (s *Setup) args() []string {
	args := []string{Argument}
	for _, o := range s.options() {
		if text := o.text(); text != "" {
			args = append(args, o.key+"="+text)
		}
	}
	for _, kv := range s.tuned {
		args = append(args, "tuned="+kv)
	}
	return args
}

const lockKey = "lock"

func lockArg(lock int64) string { return lockKey + "=" + strconv.FormatInt(lock, 10) }

// text is the value as it is written, empty for what is empty or false.
func (o option) text() string {
	switch v := o.value.(type) {
	case *int:
		return strconv.Itoa(*v)
	case *int64:
		return strconv.FormatInt(*v, 10)
	case *time.Duration:
		return v.String()
	case *bool:
		if *v {
			return "true"
		}
		return ""
	}
	return *o.value.(*string)
}

// set reads a value that text has written.
func (o option) set(text string) (err error) {
	switch v := o.value.(type) {
	case *string:
		*v = text
	case *int:
		*v, err = strconv.Atoi(text)
	case *int64:
		*v, err = strconv.ParseInt(text, 10, 64)
	case *time.Duration:
		*v, err = time.ParseDuration(text)
	case *bool:
		*v, err = strconv.ParseBool(text)
	}
	return err
}

// parseSetup parses the result of args, from after Argument.
func parseSetup(args []string) (s Setup, err error) {
	options := s.options()
	for _, arg := range args {
		key, value, _ := strings.Cut(arg, "=")
		i := slices.IndexFunc(options, func(o option) bool { return o.key == key })
		switch {
		case i >= 0:
			err = options[i].set(value)
		case key == "tuned":
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

// tuning configures the Go runtime of a runner. A runner lives for one command and
// allocates little, so a second thread of execution and a garbage collector would cost
// more than they bring. The memory limit brings the collector back for a runner that
// lives long.
func tuning() []string {
	return failpoint.Tuning([]string{"GOMAXPROCS=1", "GOGC=off", "GOMEMLIMIT=64MiB"})
}

// untuneAfter is how long a runner works without the garbage collector. A runner that
// lives longer can afford it, and must not grow.
const untuneAfter = time.Minute

// collect turns the garbage collector on again, unless the limit has done so.
func collect() { debug.SetGCPercent(100) }

// tune returns the environment of this process with the tuning, and the variables that
// it replaced. Commands must not see the tuning (see untuned).
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

// untuned returns the environment of the manager, reconstructed in its runner.
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
