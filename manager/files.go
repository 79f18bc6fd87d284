package manager

import (
	"fmt"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/lock"
	"github.com/air-executor/air-executor/runner"
)

// files are the files that a manager relies on, as it has opened them.
type files struct {
	db     *db.DB
	lock   *lock.File // nil: it takes no lock
	prober *lock.Prober
}

// replaced returns an error if the files that this manager relies on are no
// longer the ones that others see.
func (f *files) replaced() error {
	switch {
	case f.lock != nil && f.lock.Replaced():
		return fmt.Errorf("the lock file %s has been removed", LockName)
	case f.prober.Replaced():
		return fmt.Errorf("the lock file %s has been removed", runner.LocksName)
	}
	return f.db.Moved()
}
