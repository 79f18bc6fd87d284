package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/air-executor/air-executor/db/engine"
	"github.com/air-executor/air-executor/lock"
)

// enter waits for this process's turn to write. It gives up when the process
// whose turn it is has shown no progress for the time that a write waits: that
// one was stopped, and did not just have much to store.
func (d *DB) enter(ctx context.Context) error {
	var before string
	for {
		err := d.gate.Lock(ctx, d.wait)
		if !errors.Is(err, lock.ErrHeld) {
			return err
		}
		now := noted(d.gate)
		if now == "" || now == before {
			return stuck(d.gate, d.wait)
		}
		before = now
	}
}

// stuck returns the error that names the process which held the gate the whole time.
func stuck(gate *lock.File, waited time.Duration) error {
	who := "another process"
	if pid := gate.Holder(); pid > 0 {
		who = fmt.Sprintf("process %d", pid)
	}
	err := fmt.Errorf("%w: %s has held the write lock for over %s", engine.ErrStuck, who, waited)
	if done := noted(gate); done != "" {
		err = fmt.Errorf("%w, and gets no further: it %s", err, done)
	}
	return err
}

// noted returns how far the process that holds the gate says that it is, empty
// if it says nothing. What another one has left there does not count.
func noted(gate *lock.File) string {
	who, done, _ := strings.Cut(gate.Noted(), ": ")
	if pid := gate.Holder(); pid > 0 && who != fmt.Sprintf("process %d", pid) {
		return ""
	}
	return done
}

// Note notes for those that wait how far the transaction is that holds the gate.
// Without it, they wait less long.
func (d *DB) Note(progress string) {
	text := "nobody"
	if progress != "" {
		text = fmt.Sprintf("process %d: %s", os.Getpid(), progress)
	}
	_ = d.gate.Note(text)
}
