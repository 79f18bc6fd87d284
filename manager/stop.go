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

// Ways to stop that are decided when the manager handles the request: the one that was
// stored with db.AskToStop, else the one in which it is stopping already, else
const (
	AsAsked   db.Stop = ""     // db.StopLeave
	Terminate db.Stop = "term" // Options.OnTerm
)

// NewStops makes a channel for requests to stop a manager. Its buffer holds as many
// requests as can differ from each other.
func NewStops() chan db.Stop { return make(chan db.Stop, 4) }

// requests are those to stop a manager: from [Manager.Stop] and Options.Stops, and
// from the database.
type requests struct {
	stops    chan db.Stop
	alive    func() // may be nil
	db       *db.DB // nil: not open yet
	log      *slog.Logger
	instance string    // empty: none is stored in the database
	heeded   db.Stop   // newest request in the database that was acted on
	changes  int64     // of the database, when last looked at for a request
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
	default: // several requests are waiting already
	}
}

// waiting reports whether there is a request that was not handled yet.
func (r *requests) waiting() bool { return len(r.stops) > 0 }

// told is waiting, and also checks the database for a request, at most once a
// second. It is called wherever a manager may be busy for long.
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

// asked reads from the database how this manager was asked to stop; empty: it was not.
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

// resolve turns a request to stop into one of the three ways. The manager is stopping
// in the way now already; empty: it serves. Terminate means onTerm.
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

// Tell asks the runner of an attempt, which was cancelled in the database, to end
// its task now; it looks there every second by itself. Tell does nothing if that
// runner is gone, or in another PID namespace.
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
