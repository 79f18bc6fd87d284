package queue

import (
	"context"

	"github.com/air-executor/air-executor/manager"
	"github.com/air-executor/air-executor/runner"
)

// Caller is the task that a process runs inside, if any. The zero value means none.
type Caller struct {
	BasePath string // of the task
	Job      string
	Task     string
	Token    string // of its attempt; empty: the process has unset it
}

// CallerByEnv reads the caller from the environment, such as with os.Getenv.
func CallerByEnv(getenv func(string) string) Caller {
	return Caller{
		BasePath: getenv(runner.EnvBasePath), Job: getenv(runner.EnvJob), Task: getenv(runner.EnvTask), Token: getenv(runner.EnvToken),
	}
}

// Park is for a caller that waits for other tasks of the queue: until resume is called,
// its attempt is parked, and its place among the tasks that may run at once is free for
// others. It does nothing if the caller is not a task of this queue.
func (q *Queue) Park(ctx context.Context, c Caller) (resume func(), err error) {
	if c.Token == "" || c.BasePath != q.conf.BasePath {
		return func() {}, nil
	}
	// This lock tells managers that this process waits. If it is killed, they take the
	// place back.
	held, err := manager.ParkLock(q.conf.BasePath, c.Token)
	if err != nil {
		return nil, err
	}
	if err := q.DB.SetParked(ctx, c.Token, true); err != nil {
		held.Close()
		return nil, err
	}
	return func() {
		// The place is taken back even if we were interrupted.
		_ = q.DB.SetParked(context.WithoutCancel(ctx), c.Token, false)
		held.Close()
	}, nil
}
