package config

import (
	"time"

	"github.com/air-executor/air-executor/internal/strictyaml"
	"github.com/air-executor/air-executor/job"
)

// Retention says what of what has ended the manager deletes by itself.
type Retention struct {
	OlderThan time.Duration // ended so long ago; Never: nothing by its age
	Keep      int           // so many jobs stay; 0: no number was given
	KeepTasks int           // so many ended tasks of a job stay; 0: no number was given
	Status    string        // any, completed or failed
}

// Never is an age that nothing reaches.
const Never time.Duration = -1

// tidyKeys are the keys about what is deleted or made smaller.
func tidyKeys() []key {
	return []key{
		{"retention.older_than", "never",
			"The manager deletes jobs and tasks that have ended so long ago, with their logs.",
			ageKey{func(c *Config) *time.Duration { return &c.Retention.OlderThan }}},
		{"retention.keep", "0",
			"So many of the jobs that have ended last stay, however old they are; 0: no number.\n" +
				"Without retention.older_than, all others are deleted.",
			number{0, 1_000_000_000, func(c *Config) *int { return &c.Retention.Keep }}},
		{"retention.keep_tasks", "0",
			"The same for the ended tasks of each job that stays.",
			number{0, 1_000_000_000, func(c *Config) *int { return &c.Retention.KeepTasks }}},
		{"retention.status", "any",
			"What is deleted: only what is completed, only what has failed, or any.",
			choice{[]string{"any", "completed", "failed"}, func(c *Config) *string { return &c.Retention.Status }}},
		{"compress_logs_after", "never",
			"The manager compresses the logs of attempts that have ended so long ago.",
			ageKey{func(c *Config) *time.Duration { return &c.CompressLogsAfter }}},
		{"max_logs_size", "0",
			"When all logs together have more than so many MiB, the manager deletes those of the attempts that have ended first; 0: no limit.",
			number{0, 1_073_741_824, func(c *Config) *int { return &c.MaxLogsSize }}},
		{"event_days", "7",
			"Events stay for so many days, for those that follow them.",
			number{1, 3650, func(c *Config) *int { return &c.EventDays }}},
		{"events_kept", "1000000",
			"So many events stay; older ones are deleted, however old they are.",
			number{1000, 100_000_000, func(c *Config) *int { return &c.EventsKept }}},
		{"manager_log_size", "10",
			"A manager.log with more than so many MiB is renamed to manager.log.1, and a new one begins.",
			number{1, 1_048_576, func(c *Config) *int { return &c.ManagerLogSize }}},
		{"manager_log_files", "3",
			"So many renamed ones stay.",
			number{1, 100, func(c *Config) *int { return &c.ManagerLogFiles }}},
	}
}

// ageKey is an age, or never.
type ageKey struct{ field func(*Config) *time.Duration }

const never = "never"

func (k ageKey) read(v strictyaml.Value) (string, error) {
	text, err := v.Literal()
	if err != nil {
		return "", err
	}
	if text == never {
		return text, nil
	}
	if _, err := job.ParseAge(text); err != nil {
		return "", v.Errorf("%v, or never", err)
	}
	return text, nil
}

func (k ageKey) store(c *Config, text string) {
	if *k.field(c) = Never; text != never {
		*k.field(c), _ = job.ParseAge(text)
	}
}

func (k ageKey) allowed() string { return "never, or an age such as 30d, 2w or 12h" }
