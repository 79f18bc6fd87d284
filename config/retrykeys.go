package config

import "time"

// retryKeys are the keys about tasks that are tried again.
func retryKeys() []key {
	return []key{
		{"retries", "0",
			"How often a task is tried again after a failed attempt, unless it or its job says that itself.",
			number{0, 10_000, func(c *Config) *int { return &c.Retries }}},
		{"retry_delay", "10",
			"How long to wait before the second attempt.",
			seconds{1, 86_400, func(c *Config) *time.Duration { return &c.RetryDelay }}},
		{"retry_backoff", "2",
			"Each delay is so many times the one before; 1 keeps it as it is.",
			number{1, 100, func(c *Config) *int { return &c.RetryBackoff }}},
		{"retry_max_delay", "3600",
			"No delay before a retry is longer.",
			seconds{1, 2_592_000, func(c *Config) *time.Duration { return &c.RetryMaxDelay }}},
		{"retry_jitter", "10",
			"Each delay is made longer or shorter at random, by at most so many percent.",
			number{0, 100, func(c *Config) *int { return &c.RetryJitter }}},
	}
}
