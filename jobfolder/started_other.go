//go:build !linux

package jobfolder

import "time"

// startedAt is not known here.
func startedAt(int) (time.Time, bool) { return time.Time{}, false }
