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

// A runner's kernel lock is seen everywhere on the machine; what it leaves behind
// is seen only in its own PID namespace and in those above. Where this process
// does not see it, an attempt is not lost before it is certain that its namespace
// has ended. Process 1 of a namespace takes everything in it along, and if it is a
// manager, it holds a lock that tells.

// initLock is held as long as this process lives, if it is process 1: until the
// kernel ends everything else in its PID namespace.
var initLock *os.File

// initNumber is the number of the lock of process 1 of a PID namespace. Runners
// draw theirs from those below.
func initNumber(namespace int64) int64 { return 1<<62 + namespace }

// placed finds out where the processes of this manager's attempts can be seen: in
// which PID namespace, and which lock shows that its process 1 lives; 0: none does.
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
	// Beside process 1, others may be managers in the same container.
	held, err := prober.Held(n)
	if !held {
		n = 0
	}
	return namespace, n, err
}

// unseenError says that a runner has died, and that nothing can be said here of
// what it has left behind.
type unseenError struct{ host string }

func (e *unseenError) Error() string {
	return fmt.Sprintf("its runner died in another container (PID namespace) of host %s, and what it left behind cannot be seen from here", e.host)
}

// stuckText says for status what to do.
func (e *unseenError) stuckText() string {
	return e.Error() + "; " + SettleHint
}

// SettleHint says what to do about an attempt that [Settle] cannot settle.
const SettleHint = "air-executor start, where that task ran, settles it; if nothing of it lives any more, say so with air-executor cancel JOB --task ID --lost"

// seen returns an unseenError if this process would not see what the dead runner
// of the attempt has left behind.
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
