// Package engine declares what package db needs from a database besides SQL:
// connections for transactions, and what the processes that share it need to know about
// each other. Package db/sqlite is the only implementation. Differences in SQL are in
// db (dialect.go).
package engine

import (
	"context"
	"io/fs"
	"time"

	"github.com/jmoiron/sqlx"
)

// Engine is an open database. Its methods may be called from several goroutines. A
// method that waits returns the error of its context when that ends.
type Engine interface {
	// Begin returns a connection for one transaction, and a function that gives it back
	// and is told whether the transaction went well. While one process or goroutine has
	// a connection that writes, no other has one. Readers do not wait for writers.
	Begin(ctx context.Context, write bool) (c *Conn, done func(well bool), err error)
	// Note tells processes that wait to write how far this writer has got; "" clears
	// that.
	Note(progress string)
	// Translate turns an error of the driver into one of this package, if one fits.
	Translate(err error) error

	// Wake wakes the listening process, if there is one. It can read everything that
	// the caller has committed before.
	Wake()
	// Listen returns a channel that receives a value after each Wake by any process. It
	// is closed when ctx ends.
	Listen(ctx context.Context) (<-chan struct{}, error)
	// Alive reports whether the runner with this lock number, started since this boot
	// of its machine, is alive. An error means that it cannot be known.
	Alive(lock int64, bootID string) (bool, error)

	// KeepRoom makes sure that disk space is reserved, in which results can be recorded
	// when the disk is full. SpendRoom releases the reserve, and reports whether it is
	// released now; RoomSpent reports whether it was released and not yet restored.
	KeepRoom() error
	SpendRoom() bool
	RoomSpent() bool

	// Shrink gives a little of the space that nothing uses any more back, where that is
	// worth it, and reports whether there is more. Writers wait for some milliseconds.
	Shrink(ctx context.Context) (more bool, err error)
	// Checkpoint does, for what was opened with Background, what commits do otherwise
	// before their locks are released, and holds none: it makes them durable.
	Checkpoint(ctx context.Context) error

	// CheckFiles returns ErrReplaced if other users of the database would not see what
	// this process writes.
	CheckFiles() error
	// Moved is like CheckFiles, and also returns an error if processes that open the
	// database from now on would find a different one, or none.
	Moved() error
	// Path returns where the database is, for messages.
	Path() string
	// Schema returns the version of the schema, 0 if it was not read.
	Schema() int
	// Upgraded says what opening the database did to its schema; nil: nothing.
	Upgraded() *Upgraded
	Close() error
}

// Conn is one connection, with its prepared statements.
type Conn struct {
	*sqlx.Conn
	Place int // tells the connections of one process apart
	Stmts map[string]*sqlx.Stmt
}

// Options says how to open a database; see db.Options for details.
type Options struct {
	Durability   string        // "full" or "normal"
	MustExist    bool          // do not create it
	Upgrade      bool          // bring an older schema up to date
	Wait         time.Duration // for other writers; 0: the usual time
	AllowForeign bool          // the database may belong to another user
	RunnerOnly   bool          // it is opened for the life of one task
	Migrations   Source        // replaces those of this program, for tests
	Beside       int           // open this many connections for reading at once
	Background   bool          // it is for a writer in the background, which calls Checkpoint
}

// Source is where migrations come from.
type Source struct {
	Files  fs.FS // with one folder per engine
	Newest int   // number of the last one; 0: those of this program
}

// Upgraded says what an upgrade of the schema did.
type Upgraded struct {
	From, To int    // versions of the schema
	Copy     string // path of a copy from before the upgrade
}
