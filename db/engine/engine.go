// Package engine says what package db needs of a database beside SQL: connections
// for transactions, and what the processes that share it need to know of each other.
// Package db/sqlite is the one that there is. The words in which SQL differs are
// in db (dialect.go).
package engine

import (
	"context"
	"io/fs"
	"time"

	"github.com/jmoiron/sqlx"
)

// Engine is an open database. Its methods may be called from several goroutines.
// What waits returns the error of its context when that ends.
type Engine interface {
	// Begin returns a connection for one transaction, and a function that gives it
	// back and is told whether the transaction went well. While one that writes has its
	// connection, no other process or goroutine has one to write. Those that read
	// wait for no writer.
	Begin(ctx context.Context, write bool) (c *Conn, done func(well bool), err error)
	// Note tells those that wait to write how far the writer is; "" takes that back.
	Note(progress string)
	// Translate gives an error of the driver one of the names of this package, if one
	// fits.
	Translate(err error) error

	// Wake wakes the process that listens, if there is one. What the caller has
	// committed before is there for it to read.
	Wake()
	// Listen returns a channel that gets a value after each Wake of any process. It
	// is closed when ctx ends.
	Listen(ctx context.Context) (<-chan struct{}, error)
	// Alive reports whether the process lives that holds the lock of a runner with
	// this number, since this start of its machine. An error says that this cannot be
	// known.
	Alive(lock int64, bootID string) (bool, error)

	// KeepRoom sets room aside in which results can be recorded when there is none
	// else, unless it is there. SpendRoom gives it to the caller, and reports whether
	// it is free now; RoomSpent reports whether it has been given to somebody and is
	// not there again.
	KeepRoom() error
	SpendRoom() bool
	RoomSpent() bool

	// CheckFiles returns ErrReplaced if others that use the database would not see what
	// this process writes.
	CheckFiles() error
	// Moved is CheckFiles, and returns an error too if others that open the database from
	// now on would find another one, or none.
	Moved() error
	// Path is where the database is, for people.
	Path() string
	// Schema is the version of the schema, 0 if that was not looked at.
	Schema() int
	// Upgraded is what opening the database did to its schema, nil for nothing.
	Upgraded() *Upgraded
	Close() error
}

// Conn is one connection, with the statements that were prepared on it.
type Conn struct {
	*sqlx.Conn
	Place int // to tell the connections of one process apart
	Stmts map[string]*sqlx.Stmt
}

// Options says how to open a database; see those of package db, which say more.
type Options struct {
	Durability   string        // "full" or "normal"
	MustExist    bool          // do not create it
	Upgrade      bool          // bring an older schema up to date
	Wait         time.Duration // for other writers; 0: the usual time
	AllowForeign bool          // it may be another user's
	RunnerOnly   bool          // it is opened for the life of one task
	Migrations   Source        // others than those of this program, for tests
	Beside       int           // open so many connections to read beside a writer at once
}

// Source is where migrations come from.
type Source struct {
	Files  fs.FS // with a folder for each engine
	Newest int   // number of the last one; 0: those of this program
}

// Upgraded is what an upgrade of the schema did.
type Upgraded struct {
	From, To int    // versions of the schema
	Copy     string // path of the database as it was before
}
