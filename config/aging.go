package config

import (
	"time"

	"github.com/air-executor/air-executor/internal/strictyaml"
	"github.com/air-executor/air-executor/internal/words"
	"github.com/air-executor/air-executor/job"
)

// minAging is the shortest time after which a task may gain a step of priority.
const minAging = time.Second

// agingKey is a time of at least minAging, or never.
type agingKey struct{}

func (k agingKey) read(v strictyaml.Value) (string, error) {
	text, err := v.Literal()
	if err != nil || text == never {
		return text, err
	}
	if d, err := job.ParseAge(text); err != nil || d < minAging {
		return "", v.Errorf("must be %s, not %s", k.allowed(), words.Quote(text))
	}
	return text, nil
}

func (agingKey) store(c *Config, text string) {
	if c.Aging = 0; text != never {
		c.Aging, _ = job.ParseAge(text)
	}
}

func (agingKey) allowed() string {
	return "never, or a time of at least a second such as 10m, 1h or 1d"
}
