// Package sqlite is the engine that keeps the rows of package db in a SQLite file,
// shared by the processes of one machine.
//
// A write takes three locks, in this order: the turn within the process, the gate (a
// kernel lock that serves waiting processes in order, which SQLite's own retrying does
// not), and SQLite's write lock. Files beside the database serve to wake other
// processes (wake.go), to reserve disk space for results (reserve.go), and to tell
// whether a runner is alive (alive.go).
package sqlite

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/air-executor/air-executor/db/engine"
	"github.com/air-executor/air-executor/internal/failpoint"
	"github.com/air-executor/air-executor/lock"
	"github.com/air-executor/air-executor/migrations"
)

// The files of a base path that belong to the store.
const (
	FileName    = "air-executor.db"
	LocksName   = "runners.lock" // where runners hold their locks
	gateName    = "write.lock"
	migrateName = "migrate.lock"
	wakeName    = "wake"
)

// DB is an open database.
type DB struct {
	*conns
	path  string
	gate  *lock.File
	wait  time.Duration
	files atomic.Pointer[files] // in use; nil: none yet
	locks locks                 // of runners

	source   engine.Source    // of the migrations
	schema   int              // version of the schema, 0: not looked at
	upgraded *engine.Upgraded // nil: the schema was left as it was
}

// Open opens the database in the folder base, as described at db.Open.
func Open(ctx context.Context, base string, o engine.Options) (*DB, error) {
	path := filepath.Join(base, FileName)
	if !o.RunnerOnly {
		if err := prepare(path, o); err != nil {
			return nil, err
		}
	}
	d := &DB{path: path, wait: o.Wait, source: o.Migrations}
	if d.source.Newest == 0 {
		d.source = engine.Source{Files: migrations.SQLite, Newest: migrations.Version}
	}
	if d.wait == 0 {
		d.wait = failpoint.Wait(time.Minute)
	}
	if err := d.connect(ctx, o); err != nil {
		d.Close()
		if denied := access(path); denied != nil {
			err = denied // SQLite would not say why
		}
		return nil, fmt.Errorf("open %s: %w", path, translate(err))
	}
	return d, nil
}

func (d *DB) connect(ctx context.Context, o engine.Options) error {
	syncWAL()
	pool, err := sqlx.Open("sqlite", dsn(d.path, o))
	if err != nil {
		return err
	}
	pool.SetMaxOpenConns(1) // as long as goose works with it
	d.conns = newConns(pool)
	first, err := d.toWrite(ctx)
	if err != nil {
		return err
	}
	defer d.free(first)
	if !o.RunnerOnly {
		if err := d.migrate(ctx, first, o); err != nil {
			return err
		}
	}
	pool.SetMaxOpenConns(len(d.all))
	if err := d.openBeside(ctx, o.Beside); err != nil {
		return err
	}
	d.gate, err = lock.Open(filepath.Join(filepath.Dir(d.path), gateName))
	return err
}

// dsn returns the data source name of the file. The path is escaped, because SQLite
// would read '?', '#' and '%' in it as parts of a URI.
//
// A writer in the background does not flush its commits, with the gate locked: Checkpoint
// does it after them, and so does the next commit of another process.
func dsn(path string, o engine.Options) string {
	sync := "FULL"
	if o.Durability == "normal" || o.Background {
		sync = "NORMAL"
	}
	name := "file:" + (&url.URL{Path: path}).EscapedPath() +
		"?_txlock=immediate&_defensive=1&_dqs=0&_error_rc=1" +
		"&_pragma=synchronous(" + sync + ")"
	if o.RunnerOnly {
		return name + "&mode=rw" // do not create what is not there
	}
	if o.Background {
		name += "&_pragma=wal_autocheckpoint(0)"
	}
	return name +
		"&_pragma=foreign_keys(1)" +
		"&_pragma=journal_size_limit(67108864)" +
		"&_pragma=trusted_schema(0)" +
		"&_pragma=cell_size_check(1)"
}

// Close closes the database. A connection that another goroutine still uses stays open
// until the process exits.
func (d *DB) Close() error {
	if err := d.CheckFiles(); err != nil {
		return err // the last connection to close cleans up, which would write
	}
	var errs []error
	if d.conns != nil {
		errs = append(errs, d.close())
	}
	errs = append(errs, d.locks.close())
	if d.gate != nil && len(d.turn) == 0 {
		errs = append(errs, d.gate.Close())
	}
	return errors.Join(errs...)
}

// openBeside opens n connections besides the one in use, and makes them open their
// files.
func (d *DB) openBeside(ctx context.Context, n int) error {
	for range min(n, MaxReaders) {
		c, err := d.toRead(ctx)
		if err != nil {
			return err
		}
		defer d.freeReader(c)
		if _, err = d.version(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// Path returns the path of the database file.
func (d *DB) Path() string { return d.path }

// Schema returns the version of the schema as it was when the database was opened; 0:
// it was not read.
func (d *DB) Schema() int { return d.schema }

// Upgraded says what Open did to an older database; nil: it left the schema as it was.
func (d *DB) Upgraded() *engine.Upgraded { return d.upgraded }

// Begin returns a connection for one transaction. For a write transaction, the gate is
// locked.
func (d *DB) Begin(ctx context.Context, write bool) (*engine.Conn, func(bool), error) {
	if write {
		return d.beginToWrite(ctx)
	}
	c, err := d.toRead(ctx)
	if err != nil {
		return nil, nil, translate(err)
	}
	return &c.Conn, func(well bool) {
		d.used(well)
		d.freeReader(c)
	}, nil
}

func (d *DB) beginToWrite(ctx context.Context) (_ *engine.Conn, _ func(bool), err error) {
	if err := enter(ctx, d.turn); err != nil {
		return nil, nil, err
	}
	if err := d.enter(ctx); err != nil {
		<-d.turn
		return nil, nil, err
	}
	leave := func() {
		_ = d.gate.Unlock()
		<-d.turn
	}
	if err := d.CheckFiles(); err != nil {
		leave()
		return nil, nil, err
	}
	c, err := d.toWrite(ctx)
	if err != nil {
		leave()
		return nil, nil, translate(err)
	}
	return &c.Conn, func(well bool) {
		d.used(well)
		d.free(c)
		leave()
	}, nil
}

// used records, after a successful transaction, which files are in use.
func (d *DB) used(well bool) {
	if well && d.files.Load() == nil {
		d.remember()
	}
}
