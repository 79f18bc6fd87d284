// Package wait is for tests that wait for something which no event announces.
package wait

import (
	"testing"
	"time"
)

// Until returns once ok does; the test fails if that takes half a minute. what names
// it in the message.
func Until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	late := time.After(30 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("never: %s", what)
		}
	}
}
