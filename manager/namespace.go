package manager

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/lock"
	"github.com/air-executor/air-executor/runner"
	"github.com/air-executor/air-executor/runner/process"
)

// A runner's kernel lock is visible everywhere on the machine; the processes that it
// leaves behind are visible only in its own PID namespace and those above. If this
// process cannot see them, an attempt is not recorded as lost until its namespace has
// certainly ended. When process 1 of a namespace exits, the kernel kills everything in
// the namespace; a manager that is process 1 holds a lock that shows whether it is
// alive.

// initLock is held for the life of this process, if it is process 1: when it is free,
// the kernel ends everything else in the PID namespace.
var initLock *os.File

// initNumber is the number of the lock of process 1 of a PID namespace. Runners draw
// theirs from the numbers below.
func initNumber(namespace int64) int64 { return 1<<62 + namespace }

// placed finds out the PID namespace in which the processes of this manager's attempts
// can be seen, and the number of the lock that shows that its process 1 is alive; 0:
// there is no such lock.
func placed(base string, prober *lock.Prober) (namespace, initLockNumber int64, err error) {
	namespace, err = process.Namespace()
	if err != nil || namespace == 0 || namespace == process.InitialNamespace {
		return namespace, 0, err
	}
	n := initNumber(namespace)
	if isInit() && initLock == nil {
		if initLock, err = lock.Share(filepath.Join(base, runner.LocksName), n); err != nil {
			return namespace, 0, err
		}
	}
	// Besides process 1, other processes in the same container may be managers.
	held, err := prober.Held(n)
	if !held {
		n = 0
	}
	return namespace, n, err
}

// unseenError says that a runner has died, and that this process cannot see what it has
// left behind.
type unseenError struct{ host string }

func (e *unseenError) Error() string {
	return fmt.Sprintf("its runner died in another container (PID namespace) of host %s, and what it left behind cannot be seen from here", e.host)
}

// stuckText tells the reader of status what to do.
func (e *unseenError) stuckText() string {
	return e.Error() + "; " + SettleHint
}

// SettleHint says what to do about an attempt that [Settle] cannot settle.
const SettleHint = "air-executor start, where that task ran, settles it; if nothing of it lives any more, say so with air-executor cancel JOB --task ID --lost"

// seen returns an unseenError if this process could not see what the dead runner of the
// attempt has left behind.
func (r *recovery) seen(a db.Active) error {
	of := a.Runner
	switch {
	case of.BootID != r.bootID, of.Namespace == 0, of.Namespace == r.namespace:
		return nil
	case r.namespace == process.InitialNamespace, process.SeesNamespace(of.Namespace):
		return nil
	case of.InitLock == 0:
		return &unseenError{of.Host}
	}
	held, err := r.prober.Held(of.InitLock)
	if err != nil {
		return err
	}
	if held {
		return &unseenError{of.Host}
	}
	// When process 1 ends, the kernel closes its files, and next kills the others.
	const moment = 100 * time.Millisecond
	time.Sleep(moment)
	return nil
}
