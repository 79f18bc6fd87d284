// Package db is the store of air-executor. All SQL lives here, each statement once.
//
// The database is where enqueuers, the manager and the runners meet. Each of them opens
// it with [Open], reads and writes in short transactions, and closes it. What it needs
// from a database besides SQL is provided by an engine (package engine). There is one
// so far, which keeps the rows in a SQLite file (package sqlite).
//
// Where to find things: tasks come in with [DB.Enqueue] (enqueue.go) and [DB.Import]
// (import.go), are claimed by [DB.Claim] (claim.go), end with [DB.Finish] (finish.go),
// and go back with [DB.Reset] (reset.go).
package db

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/air-executor/air-executor/db/engine"
	"github.com/air-executor/air-executor/db/sqlite"
)

// The files of a base path that other packages need to know.
const (
	FileName  = sqlite.FileName  // the database
	LocksName = sqlite.LocksName // where runners hold their locks
)

// Options says how to open a database. The zero value is good for tests and
// programs: full durability, the real clock, and the file is created.
type Options struct {
	// Durability is "full" (the default: a commit that returned survives power loss) or
	// "normal" (it survives any crash of a program; power loss may undo the newest
	// commits, in order).
	Durability string
	// MustExist makes Open return ErrNoDatabase instead of creating a database.
	MustExist bool
	// Upgrade brings an older schema up to date, after copying the database (see
	// [DB.Upgraded]). Without it an older schema is used as it is, and operations that
	// need the newer one return ErrOlder.
	Upgrade bool
	// Wait is how long a write waits for other writers; 0 means one minute.
	Wait time.Duration
	// Clock tells the time; nil means time.Now.
	Clock func() time.Time
	// AllowForeign accepts a base path or a database that another user owns or can
	// write to.
	AllowForeign bool
	// Runner opens the database for a process that runs one task, and leaves out checks
	// that take time: a manager has just checked the file and its schema, and the rows
	// that a runner writes refer only to rows that it has read.
	Runner bool
	// Beside opens this many connections besides the first one at once, three at most,
	// for a process that will certainly read that much while it writes. Otherwise they
	// are opened when they are needed.
	Beside int

	// Background is for a writer that deletes much beside others: it calls
	// [DB.Checkpoint] between its commits, so that they do not wait for the disk. Until
	// then, power loss may undo a commit.
	Background bool

	// migrations replace those of this program, for tests that try what a later version
	// may do. The zero value keeps them.
	migrations engine.Source
}

// DB is an open database. Its methods may be called from several goroutines: one writes
// at a time, and others read meanwhile. A method that waits, for another goroutine or
// process, returns its context's error when the context ends.
type DB struct {
	engine  engine.Engine
	clock   func() time.Time
	dialect dialect
	schema  int // version of the schema, 0: not looked at
	newest  int // the version that this program builds

	within *tx // that all reads are part of, see AsOf; nil: each has its own

	trace func(t *tx, query string, args []any) // for tests: is called with every statement

	environments int64 // the row after which RemoveUnusedEnvironments continues
}

// Open opens the database in the folder base, creating folder and database if
// necessary. An older schema is left as it is, or brought up to date with
// [Options.Upgrade]. Errors: [ErrNoDatabase], [ErrNewer], [ErrUnreleased],
// [ErrForeign], [ErrBusy], [ErrReadOnly], [ErrFull], [ErrTaken], [basepath.Untrusted],
// or an error of the system.
func Open(ctx context.Context, base string, o Options) (*DB, error) {
	e, err := sqlite.Open(ctx, base, engine.Options{
		Durability: o.Durability, MustExist: o.MustExist, Upgrade: o.Upgrade, Wait: o.Wait,
		AllowForeign: o.AllowForeign, RunnerOnly: o.Runner, Beside: o.Beside, Background: o.Background,
		Migrations: o.migrations,
	})
	if err != nil {
		return nil, err
	}
	d := &DB{engine: e, clock: o.Clock, dialect: sqliteDialect, schema: e.Schema(), newest: o.migrations.Newest}
	if d.newest == 0 {
		d.newest = LatestSchema
	}
	if d.clock == nil {
		d.clock = time.Now
	}
	return d, nil
}

// wakeAfter returns the error of a write, and wakes the manager if it is nil.
func (d *DB) wakeAfter(err error) error {
	if err == nil {
		d.Wake()
	}
	return err
}

// tx is a transaction. Everything in it happens at one instant.
type tx struct {
	d    *DB
	conn *engine.Conn
	now  int64           // Unix microseconds
	stop context.Context // when it ends, no further statement is run
	// ctx is what statements run with. It cannot be cancelled: watching for that would
	// cost more than most statements do.
	ctx context.Context

	holds   []int64  // jobs whose rows are locked
	waited  bool     // places in pools are free for which tasks wait
	noted   bool     // the progress of this transaction was noted at the gate
	ended   []jobEnd // the jobs that have ended by this transaction
	told    hooksRow // the hooks of a task that has ended, and those of all, see updateJob
	telling bool     // the job of hooks was locked, if there is one
	added   any      // what the change has added, for once
}

func (d *DB) newTx(ctx context.Context, c *engine.Conn) *tx {
	return &tx{d: d, conn: c, now: d.clock().UnixMicro(), stop: ctx, ctx: context.WithoutCancel(ctx)}
}

// write runs fn in a transaction that holds the write lock from its start. Once the
// reserve has been spent on a full disk, it returns [ErrFull].
func (d *DB) write(ctx context.Context, fn func(*tx) error) error {
	if d.engine.RoomSpent() {
		if err := d.engine.KeepRoom(); err != nil {
			return err
		}
	}
	return d.try(ctx, once(ctx, fn))
}

// writeResult is write for what must be recorded even on a full disk: results, and
// requests to end what runs.
func (d *DB) writeResult(ctx context.Context, fn func(*tx) error) error {
	err := d.try(ctx, fn)
	if errors.Is(err, ErrFull) && d.engine.SpendRoom() {
		err = d.try(ctx, fn)
	}
	return err
}

// try runs fn in a transaction that holds the write lock from its start. If the
// database is busy nevertheless, the whole transaction is tried again.
func (d *DB) try(ctx context.Context, fn func(*tx) error) error {
	const tries = 5
	var err error
	var locked *outOfOrder
	for n := 0; n < tries; n++ {
		err = d.transact(ctx, d.dialect.begin, func(t *tx) error {
			if locked != nil {
				if err := t.lockJobs(locked.jobs...); err != nil {
					return err
				}
			}
			return fn(t)
		})
		switch {
		case errors.As(err, &locked):
			n--
		case !errors.Is(err, ErrBusy):
			return err
		}
	}
	return err
}

// read runs fn in a transaction that sees one state of the database. If the database is
// busy, the first statement of fn fails, and fn is called again.
func (d *DB) read(ctx context.Context, fn func(*tx) error) error {
	if d.within != nil {
		return fn(d.within)
	}
	return d.patient(ctx, func() error { return d.transact(ctx, "", fn) })
}

// patient calls fn again while the database is busy.
func (d *DB) patient(ctx context.Context, fn func() error) error {
	return engine.Patient(ctx, func(err error) bool { return errors.Is(d.engine.Translate(err), ErrBusy) }, fn)
}

// transact runs fn in a transaction, a read-only one if begin is empty.
func (d *DB) transact(ctx context.Context, begin string, fn func(*tx) error) (err error) {
	if d.within != nil {
		return errors.New("this reads the database as it was, and cannot write")
	}
	c, done, err := d.engine.Begin(ctx, begin != "")
	if err != nil {
		return err
	}
	defer func() { done(err == nil) }()
	if begin == "" {
		begin = "BEGIN"
	}
	t := d.newTx(ctx, c)
	err = d.patient(ctx, func() error {
		_, err := t.exec(begin)
		return err
	})
	if err != nil {
		return d.engine.Translate(err)
	}
	err = fn(t)
	if err == nil {
		err = t.commit()
	}
	t.forgetProgress()
	if err != nil {
		t.stop = t.ctx
		// If the failure has rolled back already, this does nothing.
		_, _ = t.exec("ROLLBACK")
	}
	return d.engine.Translate(d.older(err))
}

// commit ends the transaction. If it wrote and the disk fails now, it is unknown
// whether the commit was stored.
func (t *tx) commit() error {
	if err := t.stop.Err(); err != nil {
		return err
	}
	_, err := t.exec("COMMIT")
	if err = t.d.engine.Translate(err); errors.Is(err, ErrBusy) {
		return err
	}
	return inDoubt(err)
}

// stmt returns the prepared query. It is kept for the life of the connection.
func (t *tx) stmt(query string, args ...any) (*sqlx.Stmt, error) {
	if err := t.stop.Err(); err != nil {
		return nil, err
	}
	if t.d.trace != nil {
		t.d.trace(t, query, args)
	}
	if s := t.conn.Stmts[query]; s != nil {
		return s, nil
	}
	s, err := t.conn.PreparexContext(t.ctx, sqlx.Rebind(t.d.dialect.bind, query))
	if err != nil {
		return nil, err
	}
	t.conn.Stmts[query] = s
	return s, nil
}

// exec runs a statement and returns how many rows it changed.
func (t *tx) exec(query string, args ...any) (int64, error) {
	s, err := t.stmt(query, args...)
	if err != nil {
		return 0, err
	}
	res, err := s.ExecContext(t.ctx, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// get reads one row into dest, and reports whether there was one.
func (t *tx) get(dest any, query string, args ...any) (bool, error) {
	s, err := t.stmt(query, args...)
	if err != nil {
		return false, err
	}
	err = s.GetContext(t.ctx, dest, args...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// all reads every row into dest, a pointer to a slice.
func (t *tx) all(dest any, query string, args ...any) error {
	s, err := t.stmt(query, args...)
	if err != nil {
		return err
	}
	return s.SelectContext(t.ctx, dest, args...)
}

// each calls fn with a scanner for every row.
func (t *tx) each(fn func(*sqlx.Rows) error, query string, args ...any) error {
	s, err := t.stmt(query, args...)
	if err != nil {
		return err
	}
	rows, err := s.QueryxContext(t.ctx, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := t.stop.Err(); err != nil {
			return err
		}
		if err := fn(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
