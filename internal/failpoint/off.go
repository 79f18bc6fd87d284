//go:build !failpoints || !linux

package failpoint

import "time"

// Hit does nothing.
func Hit(string) {}

// Wait returns the usual time.
func Wait(usual time.Duration) time.Duration { return usual }

// Err returns nil.
func Err(string) error { return nil }

// Tuning returns the usual settings.
func Tuning(usual []string) []string { return usual }

// Haste returns the usual time.
func Haste(usual time.Duration) time.Duration { return usual }
