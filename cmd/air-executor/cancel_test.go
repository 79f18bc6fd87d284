package main

import (
	"strings"
	"testing"

	"github.com/air-executor/air-executor/runner/process"
)

// To start a manager does not help against a process that nobody but root may end.
func TestTheHintOfCancelNamesTheProcessThatIsLeft(t *testing.T) {
	refused := process.Survivor{PID: 12, Refused: true}
	if hint := endThem([]process.Survivor{refused, {PID: 13}}); !strings.HasSuffix(hint, "as its owner or root: kill -9 12") {
		t.Errorf("hint: %s", hint)
	}
	if hint := endThem([]process.Survivor{{PID: 13}}); strings.Contains(hint, "kill") {
		t.Errorf("a process that hangs in the kernel: %s", hint)
	}
}
