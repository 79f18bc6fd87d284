package sqlite

import (
	"path/filepath"
	"sync"

	"github.com/air-executor/air-executor/lock"
	"github.com/air-executor/air-executor/runner/process"
)

// locks checks the locks of runners. The file is opened on the first check.
type locks struct {
	mu     sync.Mutex
	prober *lock.Prober // nil: not opened yet
	boot   string       // of this boot of the machine
}

// Alive reports whether the runner with this lock is alive. After a reboot of the
// machine it cannot be; otherwise its kernel lock tells.
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
