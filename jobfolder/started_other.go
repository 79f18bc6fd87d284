//go:build !linux

package jobfolder

import "time"

// startedAt is not available on this system.
func startedAt(int) (time.Time, bool) { return time.Time{}, false }
