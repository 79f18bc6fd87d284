package manager

import (
	"context"
	"os"
	"path/filepath"
	"strconv"

	"github.com/air-executor/air-executor/lock"
	"github.com/air-executor/air-executor/runner"
)

// ParkLock takes a lock that tells managers that a command of the attempt with this
// token is waiting. The caller closes the file when it stops waiting; if the process
// dies, the kernel releases the lock.
func ParkLock(base, token string) (*os.File, error) {
	return lock.Share(filepath.Join(base, runner.LocksName), parkNumber(token))
}

// parkNumber returns the number of the lock for the waiting commands of an attempt,
// which is taken from the random token. Runners draw their numbers from the same range.
func parkNumber(token string) int64 {
	n, _ := strconv.ParseInt(token[:min(15, len(token))], 16, 64)
	return n
}

// freeParked takes back the places of parked attempts whose command was killed while it
// waited. If there were any, it returns how many attempts are still parked.
func (r *recovery) freeParked(ctx context.Context) (parked int, freed bool) {
	alive := func(token string) (bool, error) { return r.prober.Held(parkNumber(token)) }
	dead, err := r.db.DeadParked(ctx, alive)
	if err == nil && dead {
		parked, err = r.db.FreeParked(ctx, alive)
	}
	if err != nil {
		r.log.Error("cannot look whether tasks still wait for others", "error", err)
	}
	return parked, dead && err == nil
}
