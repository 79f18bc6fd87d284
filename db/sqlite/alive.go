package sqlite

import (
	"path/filepath"
	"sync"

	"github.com/air-executor/air-executor/lock"
	"github.com/air-executor/air-executor/runner/process"
)

// locks are those of runners, looked at when somebody asks.
type locks struct {
	mu     sync.Mutex
	prober *lock.Prober // nil: nobody has asked yet
	boot   string       // of this start of the machine
}

// Alive reports whether the runner with this lock lives. After a restart of the
// machine it cannot; otherwise its kernel lock tells.
func (d *DB) Alive(number int64, bootID string) (bool, error) {
	d.locks.mu.Lock()
	defer d.locks.mu.Unlock()
	if err := d.locks.open(filepath.Join(filepath.Dir(d.path), LocksName)); err != nil {
		return false, err
	}
	if bootID != d.locks.boot {
		return false, nil
	}
	return d.locks.prober.Held(number)
}

func (l *locks) open(path string) (err error) {
	if l.prober != nil {
		return nil
	}
	if l.boot, err = process.BootID(); err != nil {
		return err
	}
	l.prober, err = lock.NewProber(path)
	return err
}

func (l *locks) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.prober == nil {
		return nil
	}
	return l.prober.Close()
}
