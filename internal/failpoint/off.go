//go:build !failpoints || !linux

package failpoint

import "time"

// Hit does nothing.
func Hit(string) {}

// Wait returns the usual time.
func Wait(usual time.Duration) time.Duration { return usual }
