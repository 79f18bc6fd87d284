package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/alecthomas/kong"

	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/taskfile"
)

// retryFlags say how a task is tried again. Their values are read as the keys of files
// are.
type retryFlags struct {
	Retries       keyText `placeholder:"N" help:"Try so many times more if an attempt fails; the default is 0, or what the job or the configuration says."`
	RetryDelay    keyText `placeholder:"D" help:"Wait so long before the second attempt, such as 30s; the default is 10s."`
	RetryBackoff  keyText `placeholder:"F" help:"Make each delay so many times the one before; the default is 2, and 1 keeps it as it is."`
	RetryMaxDelay keyText `placeholder:"D" help:"Wait no longer than this; the default is 1h, or --retry-delay if that is longer."`
	RetryJitter   keyText `placeholder:"PCT" help:"Make each delay longer or shorter at random, by at most so many percent; the default is 10."`
	RetryOn       keyText `placeholder:"CODES" help:"Try again only after these failures: exit codes, signal, timeout, lost, output, not-started, as in 75,signal. The default is all."`
	NoRetryOn     keyText `placeholder:"CODES" help:"Do not try again after these failures; none: always do. The default is exit code 100."`
}

// keyText is the text of a flag that is a key of a task.
type keyText string

// Decode takes any text. What it says is checked when it is known whose it is.
func (k *keyText) Decode(c *kong.DecodeContext) error {
	t := c.Scan.Pop()
	if t.IsEOL() {
		return errNoValue
	}
	if *k = keyText(fmt.Sprint(t.Value)); *k == "" {
		return errors.New("is empty")
	}
	return nil
}

// set puts what the flags say into a task.
func (f *retryFlags) set(s *job.Spec) error {
	for _, one := range f.all() {
		if one.text == "" {
			continue
		}
		if err := taskfile.Flag(one.key, string(one.text), s); err != nil {
			return usage(fmt.Errorf("%s: %w", one.flag, err), "")
		}
	}
	if err := s.Retry.Check(); errors.Is(err, job.ErrBothFailures) {
		return usage(fmt.Errorf("--no-retry-on: %w", err), "")
	} else if err != nil {
		return usage(fmt.Errorf("--retry-max-delay: %w", err), "")
	}
	return nil
}

// given is the first of the flags that was given, or nothing.
func (f *retryFlags) given() string {
	for _, one := range f.all() {
		if one.text != "" {
			return one.flag
		}
	}
	return ""
}

type flagOfKey struct {
	flag, key string
	text      keyText
}

func (f *retryFlags) all() []flagOfKey {
	return []flagOfKey{
		{"--retries", "retries", f.Retries},
		{"--retry-delay", "retry_delay", f.RetryDelay},
		{"--retry-backoff", "retry_backoff", f.RetryBackoff},
		{"--retry-max-delay", "retry_max_delay", f.RetryMaxDelay},
		{"--retry-jitter", "retry_jitter", f.RetryJitter},
		{"--retry-on", "retry_on", f.RetryOn},
		{"--no-retry-on", "no_retry_on", f.NoRetryOn},
	}
}

// laterFlags say when a task may start.
type laterFlags struct {
	Delay    keyText `placeholder:"D" help:"Do not start before so much time has passed, such as 10m."`
	At       string  `placeholder:"WHEN" help:"Do not start before: 22:30, 'tomorrow 09:00', 'friday 18:00', +90m, or a time with date and offset as in RFC 3339."`
	Timezone string  `placeholder:"ZONE" help:"Time zone of --at, such as Europe/Berlin; the default is the local one."`
}

// set puts what the flags say into a task.
func (f *laterFlags) set(s *job.Spec) error {
	switch {
	case f.Delay != "" && f.At != "":
		return usage(fmt.Errorf("--delay and --at do not go together"), "")
	case f.Timezone != "" && f.At == "":
		return usage(fmt.Errorf("--timezone is for --at"), "")
	case f.Delay != "":
		if err := taskfile.Flag("delay", string(f.Delay), s); err != nil {
			return usage(fmt.Errorf("--delay: %w", err), "")
		}
	case f.At != "":
		zone := time.Local
		if f.Timezone != "" {
			var err error
			if zone, err = time.LoadLocation(f.Timezone); err != nil || f.Timezone == "Local" {
				return usage(fmt.Errorf("--timezone: there is no time zone %q", f.Timezone), "give a name such as Europe/Berlin or UTC")
			}
		}
		var err error
		if s.Due, s.DueNote, err = job.When(f.At, time.Now(), zone); err != nil {
			return usage(fmt.Errorf("--at: %w", err), "")
		}
	}
	return nil
}

// given is the first of the flags that was given, or nothing.
func (f *laterFlags) given() string {
	return firstGiven(givenFlag{"--delay", f.Delay != ""}, givenFlag{"--at", f.At != ""}, givenFlag{"--timezone", f.Timezone != ""})
}
