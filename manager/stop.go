package manager

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/internal/failpoint"
	"github.com/air-executor/air-executor/runner/process"
)

// Ways to stop that are resolved when the manager handles the request. AsAsked is the
// way that was stored with db.AskToStop; if there is none, the current way of stopping;
// and if it is not stopping, db.StopLeave. Terminate is Options.OnTerm.
const (
	AsAsked   db.Stop = ""
	Terminate db.Stop = "term"
)

// NewStops makes a channel for requests to stop a manager. Its buffer has room for one
// request of each kind.
func NewStops() chan db.Stop { return make(chan db.Stop, 4) }

// requests collects requests to stop a manager, from [Manager.Stop], Options.Stops and
// the database.
type requests struct {
	stops    chan db.Stop
	alive    func() // may be nil
	db       *db.DB // nil: not open yet
	log      *slog.Logger
	instance string    // empty: none is stored in the database
	heeded   db.Stop   // newest request in the database that was handled
	changes  int64     // of the database, when it was last checked for a request
	looked   time.Time // when that was
}

func newRequests(stops chan db.Stop, alive func()) *requests {
	if stops == nil {
		stops = NewStops()
	}
	return &requests{stops: stops, alive: alive}
}

// attach lets requests be read from the database.
func (r *requests) attach(d *db.DB, log *slog.Logger, instance string) {
	r.db, r.log, r.instance = d, log, instance
}

// add adds a request. It may be called from any goroutine.
func (r *requests) add(how db.Stop) {
	select {
	case r.stops <- how:
	default: // enough requests are pending already
	}
}

// waiting reports whether there is a request that was not handled yet.
func (r *requests) waiting() bool { return len(r.stops) > 0 }

// told is like waiting, but also checks the database for a request, at most once a
// second. It is called wherever a manager may be busy for a long time.
func (r *requests) told(ctx context.Context) bool {
	if r.waiting() || ctx.Err() != nil {
		return true
	}
	const often = time.Second / 2 // the loop asks once a second
	if time.Since(r.looked) < often {
		return false
	}
	r.looked = time.Now()
	if r.alive != nil {
		r.alive()
	}
	changes, err := r.db.Changes(ctx)
	if err != nil || changes == r.changes {
		return false
	}
	r.changes = changes
	if how := r.asked(ctx); how != "" && how != r.heeded {
		r.heeded = how
		r.add(how)
	}
	return r.waiting()
}

// asked reads from the database how this manager was asked to stop; empty: it was not
// asked to.
func (r *requests) asked(ctx context.Context) db.Stop {
	if r.instance == "" {
		return ""
	}
	i, err := r.db.ManagerWith(ctx, r.instance)
	if err != nil {
		r.log.Error("cannot read how to stop", "error", err)
	}
	if err != nil || i == nil {
		return ""
	}
	return i.Stop
}

// resolve turns a request to stop into one of the three ways. The argument now is the
// way in which the manager is stopping already; empty: it serves. Terminate means
// onTerm.
func (r *requests) resolve(ctx context.Context, how, now, onTerm db.Stop) db.Stop {
	otherwise := db.StopLeave
	if how == Terminate && onTerm != "" {
		otherwise = onTerm
	}
	if how == AsAsked || how == Terminate {
		how = r.asked(ctx)
		r.heeded = how
	}
	if how == "" {
		how = now
	}
	if how == "" {
		how = otherwise
	}
	if how == db.StopLeave && isInit() {
		// The kernel kills what is left in the PID namespace of process 1.
		how = db.StopKill
	}
	return how
}

// Tell signals the runner of a cancelled attempt to end its task now, rather than at
// its next check of the database a second later. It does nothing if the runner is dead
// or in another PID namespace.
func Tell(a db.Active) error {
	failpoint.Hit("tell.before_signal")
	err := process.Signal(a.Runner.PID, a.Runner.PIDStart, unix.SIGTERM)
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

// TellToStop makes a manager look now for the request to stop that was stored for
// it; it looks every second by itself. heard is false if no process here got the
// signal: it has ended, is another user's, or in another PID namespace.
func TellToStop(i db.Instance) (heard bool, err error) {
	err = process.Signal(i.PID, i.PIDStart, unix.SIGTERM)
	if errors.Is(err, os.ErrProcessDone) || errors.Is(err, unix.EPERM) {
		return false, nil
	}
	return err == nil, err
}

// Poke makes the runner of an attempt look now for what it was asked in the database;
// it looks every second by itself. SIGCONT does nothing to a process that does not
// listen for it, such as a runner of an earlier version.
func Poke(a db.Active) {
	_ = process.Signal(a.Runner.PID, a.Runner.PIDStart, unix.SIGCONT) // it may be in another PID namespace
}
