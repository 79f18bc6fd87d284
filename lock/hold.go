package lock

import (
	"os"

	"github.com/air-executor/air-executor/internal/basepath"
)

// Hold takes the lock with number n of the lock file at path, and returns the
// descriptor that holds it. The lock lives as long as any copy of the descriptor, in
// this process or in children that inherit it; so if a process passes it to a child and
// closes its own copy, the lock lasts as long as the child. It returns [ErrHeld] if the
// number is taken.
//
// On Linux a number is one byte of the file, locked by an open file
// description lock (F_OFD_SETLK, fcntl(2)): one file serves every runner, and
// no file is created or removed for any of them. Systems without such locks use
// one file per number, path.n, and flock(2), which children inherit in the same
// way.
func Hold(path string, n int64) (*os.File, error) { return locked(path, n, take) }

// Share is Hold for a lock that any number of processes may hold at once. A [Prober]
// sees it as held until the last of them has exited.
func Share(path string, n int64) (*os.File, error) { return locked(path, n, share) }

// locked opens the file for lock n and locks it.
func locked(path string, n int64, how func(*os.File, int64) error) (*os.File, error) {
	f, err := basepath.Open(numbered(path, n), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := how(f, n); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
