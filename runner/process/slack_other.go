//go:build !linux

package process

import "time"

// UsualSlack has no meaning on this system.
const UsualSlack time.Duration = 0

// WithSlack calls fn: this system has no such setting.
func WithSlack(_ time.Duration, fn func()) { fn() }

// OwnSlack does nothing: this system has no such setting.
func OwnSlack(time.Duration) {}
