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

// enter waits for this process's turn to write. It gives up if the process whose turn
// it is has made no progress for the time that a write waits: then that process hangs,
// and is not merely storing a lot.
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

// stuck returns the error that names the process that held the gate the whole time.
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

// noted returns the progress that the holder of the gate has noted, or "" if it has
// noted none. Notes of earlier holders are ignored.
func noted(gate *lock.File) string {
	who, done, _ := strings.Cut(gate.Noted(), ": ")
	if pid := gate.Holder(); pid > 0 && who != fmt.Sprintf("process %d", pid) {
		return ""
	}
	return done
}

// Note tells waiting processes how far the transaction that holds the gate has got.
// Without it, they give up sooner.
func (d *DB) Note(progress string) {
	text := "nobody"
	if progress != "" {
		text = fmt.Sprintf("process %d: %s", os.Getpid(), progress)
	}
	_ = d.gate.Note(text)
}
