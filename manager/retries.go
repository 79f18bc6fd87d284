package manager

import (
	"github.com/air-executor/air-executor/config"
	"github.com/air-executor/air-executor/job"
)

// Retries are those of a configuration, for tasks that say none. What is as usual is left
// out.
func Retries(c *config.Config) job.Spec {
	s := job.Spec{Retries: c.Retries}
	if c.RetryDelay != job.UsualRetryDelay {
		s.Retry.Delay = c.RetryDelay
	}
	if c.RetryBackoff != job.UsualRetryBackoff {
		s.Retry.Backoff = float64(c.RetryBackoff)
	}
	if c.RetryMaxDelay != job.UsualRetryMaxDelay {
		s.Retry.MaxDelay = c.RetryMaxDelay
	}
	switch c.RetryJitter {
	case job.UsualRetryJitter:
	case 0:
		s.Retry.Jitter = job.NoJitter
	default:
		s.Retry.Jitter = c.RetryJitter
	}
	return s
}
