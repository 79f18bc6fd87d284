// Package db is the store of air-executor: every SQL statement stands here, once.
//
// The database is where enqueuers, the manager and the runners meet. Each of
// them opens it for itself with [Open], reads and writes in short transactions,
// and closes it. A write takes three locks, in this order: the mutex of the
// process, the gate (a kernel lock that serves waiting processes in turn, which
// SQLite's own retrying does not), and SQLite's write lock.
//
// Where to find what: tasks come in with [DB.Enqueue] (enqueue.go) and
// [DB.Import] (import.go), are claimed by [DB.Claim] (claim.go), end with
// [DB.Finish] (finish.go), and go back with [DB.Reset] (reset.go).
package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/jmoiron/sqlx"
	"golang.org/x/sys/unix"
	_ "modernc.org/sqlite" // the driver, pure Go

	"github.com/air-executor/air-executor/internal/basepath"
	"github.com/air-executor/air-executor/internal/failpoint"
	"github.com/air-executor/air-executor/lock"
	"github.com/air-executor/air-executor/migrations"
)

// The files of a base path that belong to the store.
const (
	FileName    = "air-executor.db"
	gateName    = "write.lock"
	migrateName = "migrate.lock"
	wakeName    = "wake"
)

// Options says how to open a database. The zero value is good for tests and
// programs: full durability, the real clock, and the file is created.
type Options struct {
	// Durability is "full" (the default: a commit that returned survives power
	// loss) or "normal" (it survives any crash of programs, and power loss may
	// take the newest commits, in order).
	Durability string
	// MustExist makes Open return ErrNoDatabase rather than create one.
	MustExist bool
	// Upgrade brings an older schema up to date, after a copy of the database (see
	// [DB.Upgraded]). Without it an older one is used as it is, and what needs the
	// newer one returns ErrOlder.
	Upgrade bool
	// Wait is how long a write waits for other writers; 0 means one minute.
	Wait time.Duration
	// Clock tells the time; nil means time.Now.
	Clock func() time.Time
	// AllowForeign accepts a base path or a database that another user owns or may
	// write to.
	AllowForeign bool
	// Runner opens the database for a process that lives for one task, whose
	// start is most of its life: a manager has just looked at the file and its
	// schema, and the rows that it writes refer to rows that it has read.
	Runner bool

	// migrations are others than those of this program; the zero value: none. (For
	// the tests, which try what a later version may do.)
	migrations source
}

// DB is an open database: one connection, used by one transaction at a time.
type DB struct {
	pool    *sqlx.DB
	conn    *sqlx.Conn
	path    string
	gate    *lock.File
	wait    time.Duration
	clock   func() time.Time
	dialect dialect
	stmts   map[string]*sqlx.Stmt
	turn    chan struct{} // holds one value while nobody uses conn
	files   files         // in use

	source   source    // of the migrations
	schema   int       // version of the schema, 0: not looked at
	upgraded *Upgraded // nil: the schema was left as it was

	environments int64 // the row after which RemoveUnusedEnvironments goes on
}

// Open opens the database in the folder base, creating folder and database if
// need be. An older schema is left as it is, or brought up to date with
// [Options.Upgrade]. Errors: [ErrNoDatabase], [ErrNewer], [ErrUnreleased],
// [ErrForeign], [ErrBusy], [ErrReadOnly], [ErrFull], [ErrTaken], [basepath.Untrusted], or what
// the system said.
func Open(ctx context.Context, base string, o Options) (*DB, error) {
	path := filepath.Join(base, FileName)
	if !o.Runner {
		if err := prepare(path, o); err != nil {
			return nil, err
		}
	}
	d := &DB{path: path, wait: o.Wait, clock: o.Clock, dialect: sqliteDialect, stmts: map[string]*sqlx.Stmt{}, turn: make(chan struct{}, 1)}
	if d.source = o.migrations; d.source.files == nil {
		d.source = source{migrations.SQLite, migrations.Version}
	}
	if d.wait == 0 {
		d.wait = failpoint.Wait(time.Minute)
	}
	if d.clock == nil {
		d.clock = time.Now
	}
	if err := d.connect(ctx, o); err != nil {
		d.Close()
		if denied := access(path); denied != nil {
			err = denied // SQLite says only that it could not
		}
		return nil, fmt.Errorf("open %s: %w", path, translate(err))
	}
	d.turn <- struct{}{}
	return d, nil
}

// prepare makes the folder and looks at what is there before SQLite does.
func prepare(path string, o Options) error {
	if err := checkLength(path); err != nil {
		return err
	}
	info, err := os.Lstat(path)
	if errors.Is(err, os.ErrNotExist) {
		if o.MustExist {
			return fmt.Errorf("%w at %s", ErrNoDatabase, path)
		}
		return create(path, o)
	}
	if err != nil {
		return err
	}
	if err := trust(filepath.Dir(path), o); err != nil {
		return err
	}
	if info.Mode()&os.ModeSymlink != 0 {
		return fmt.Errorf("%w: %s is a symbolic link, beside which the locks of its users cannot be seen; link the folder instead", ErrForeign, path)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%w: %s is not a regular file", ErrForeign, path)
	}
	if err := checkFilesystem(filepath.Dir(path)); err != nil {
		return err
	}
	if !o.AllowForeign {
		if err := basepath.CheckInfo(path, info); err != nil {
			return err
		}
	}
	if hardLinks(info) > 1 {
		return fmt.Errorf("%w: %s has a second name (hard link), which would split its write-ahead log in two", ErrForeign, path)
	}
	if err := checkCompanions(path); err != nil {
		return err
	}
	return checkEmptied(path)
}

// longestPath is the longest name that SQLite gives a database: 512 bytes, with
// a zero at the end and -journal behind it.
const longestPath = 504

// checkLength refuses a path that SQLite could not open, and would not say why.
func checkLength(path string) error {
	whole, err := filepath.Abs(path)
	if err == nil && len(whole) > longestPath {
		err = fmt.Errorf("the base path is %d bytes long, and may be at most %d: %s",
			len(filepath.Dir(whole)), longestPath-len(FileName)-1, filepath.Dir(whole))
	}
	return err
}

// checkCompanions refuses what is no regular file where SQLite keeps its own,
// beside the database: it would wait for a named pipe for ever.
func checkCompanions(path string) error {
	for _, suffix := range []string{"-wal", "-shm", "-journal"} {
		info, err := os.Lstat(path + suffix)
		if err == nil && !info.Mode().IsRegular() {
			return fmt.Errorf("%w: %s is %s, %w", ErrTaken, path+suffix, basepath.Kind(info.Mode()), basepath.ErrNotRegular)
		}
	}
	return nil
}

// checkEmptied refuses an empty database beside which there is a write-ahead log
// with contents: SQLite would delete that. One that another process is just
// building is never so, as its log comes after its first page; which is why the
// log is looked at first.
func checkEmptied(path string) error {
	wal, err := os.Lstat(path + "-wal")
	if err != nil || wal.Size() == 0 {
		return nil
	}
	info, err := os.Lstat(path)
	if err != nil || info.Size() > 0 {
		return nil
	}
	return fmt.Errorf("%w: %s is empty, and there is its write-ahead log, which may hold the newest of its rows", ErrCorrupt, path)
}

// access says what keeps this process from reading and writing the database.
// Who may not write its folder cannot even read it: the write-ahead log and its
// index are files beside it.
func access(path string) error {
	if err := unix.Access(path, unix.R_OK|unix.W_OK); err != nil {
		return fmt.Errorf("%w: %w", ErrReadOnly, err)
	}
	folder := filepath.Dir(path)
	if err := unix.Access(folder, unix.W_OK|unix.X_OK); err != nil {
		return fmt.Errorf("%w: its folder, %s: %w", ErrReadOnly, folder, err)
	}
	return nil
}

// CheckNames returns [ErrTaken] if files that are not of our making have names that
// we need in the base path folder.
func CheckNames(folder string) error {
	f, err := openReserve(filepath.Join(folder, reserveName), 0)
	if err == nil {
		f.Close()
	} else if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	wake := filepath.Join(folder, wakeName)
	if info, err := os.Lstat(wake); err == nil && info.Mode()&os.ModeNamedPipe == 0 {
		return fmt.Errorf("%w: %s; move it away, or choose another base path", ErrTaken, wake)
	}
	return nil
}

// trust refuses a folder in which other users could put a database of theirs.
func trust(folder string, o Options) error {
	if o.AllowForeign {
		return nil
	}
	return basepath.Check(folder)
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// create makes the folder, and an empty file that only its owner can read, for
// environments are stored in it. SQLite would make it readable to all.
func create(path string, o Options) error {
	folder := filepath.Dir(path)
	if _, err := basepath.Make(folder); err != nil {
		return err
	}
	if err := trust(folder, o); err != nil {
		return err
	}
	if err := checkFilesystem(folder); err != nil {
		return err
	}
	if err := CheckNames(folder); err != nil {
		return err
	}
	if exists(path+"-wal") && !exists(path) {
		// SQLite would delete it.
		return fmt.Errorf("%w: %s has gone, and there is its write-ahead log, which may hold the newest of its rows", ErrForeign, path)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil // another process was faster
	}
	if err != nil {
		return err
	}
	basepath.Give(f)
	// Closing a file drops this process's SQLite locks on it; on one that is
	// new there are none.
	return f.Close()
}

func (d *DB) connect(ctx context.Context, o Options) error {
	syncWAL()
	pool, err := sqlx.Open("sqlite", dsn(d.path, o))
	if err != nil {
		return err
	}
	pool.SetMaxOpenConns(1)
	d.pool = pool
	if d.conn, err = pool.Connx(ctx); err != nil {
		return err
	}
	if !o.Runner {
		if err := d.migrate(ctx, o); err != nil {
			return err
		}
	}
	d.gate, err = lock.Open(filepath.Join(filepath.Dir(d.path), gateName))
	return err
}

// dsn spells out how to open the file. The path is escaped, because SQLite
// would read '?', '#' and '%' in it as parts of a URI.
func dsn(path string, o Options) string {
	sync := "FULL"
	if o.Durability == "normal" {
		sync = "NORMAL"
	}
	name := "file:" + (&url.URL{Path: path}).EscapedPath() +
		"?_txlock=immediate&_defensive=1&_dqs=0&_error_rc=1" +
		"&_pragma=busy_timeout(10000)" +
		"&_pragma=synchronous(" + sync + ")"
	if o.Runner {
		return name + "&mode=rw" // do not create what is not there
	}
	return name +
		"&_pragma=foreign_keys(1)" +
		"&_pragma=journal_size_limit(67108864)" +
		"&_pragma=trusted_schema(0)" +
		"&_pragma=cell_size_check(1)"
}

// Close closes the database.
func (d *DB) Close() error {
	if err := d.Whole(); err != nil {
		return err // whoever closes last tidies up, and would write
	}
	var errs []error
	for _, s := range d.stmts {
		errs = append(errs, s.Close())
	}
	if d.conn != nil {
		errs = append(errs, d.conn.Close())
	}
	if d.pool != nil {
		errs = append(errs, d.pool.Close())
	}
	if d.gate != nil {
		errs = append(errs, d.gate.Close())
	}
	return errors.Join(errs...)
}

// wakeAfter passes the error of a write on, and wakes the manager if there is none.
func (d *DB) wakeAfter(err error) error {
	if err == nil {
		d.Wake()
	}
	return err
}

// Path is the database file.
func (d *DB) Path() string { return d.path }

// tx is a transaction with the one instant that everything in it happens at.
type tx struct {
	d    *DB
	now  int64           // Unix microseconds
	stop context.Context // when it ends, no further statement is run
	// ctx is what statements run with. It cannot be cancelled, for watching
	// over that costs more than most statements do.
	ctx context.Context

	noted bool // the gate says how far this transaction is
}

func (d *DB) newTx(ctx context.Context) *tx {
	return &tx{d: d, now: d.clock().UnixMicro(), stop: ctx, ctx: context.WithoutCancel(ctx)}
}

// write runs fn in a transaction that holds the write lock from its start. On a
// disk that is full but for what results need, it returns [ErrFull].
func (d *DB) write(ctx context.Context, fn func(*tx) error) error {
	if d.spent() {
		if err := d.KeepReserve(); err != nil {
			return err
		}
	}
	return d.try(ctx, fn)
}

// try runs fn in a transaction that holds the write lock from its start. If
// SQLite reports that it was busy all the same, the whole is tried again.
func (d *DB) try(ctx context.Context, fn func(*tx) error) error {
	const tries = 5
	var err error
	for range tries {
		if err = d.writeOnce(ctx, fn); !errors.Is(err, ErrBusy) {
			return err
		}
	}
	return err
}

func (d *DB) writeOnce(ctx context.Context, fn func(*tx) error) error {
	<-d.turn
	defer func() { d.turn <- struct{}{} }()
	if err := d.enter(); err != nil {
		return err
	}
	defer d.gate.Unlock()
	if err := d.Whole(); err != nil {
		return err
	}
	return d.transact(ctx, d.dialect.begin, fn)
}

// read runs fn in a transaction that sees one state of the database.
func (d *DB) read(ctx context.Context, fn func(*tx) error) error {
	<-d.turn
	defer func() { d.turn <- struct{}{} }()
	return d.transact(ctx, "BEGIN", fn)
}

func (d *DB) transact(ctx context.Context, begin string, fn func(*tx) error) error {
	t := d.newTx(ctx)
	if _, err := t.exec(begin); err != nil {
		return translate(err)
	}
	err := fn(t)
	if err == nil {
		err = t.commit()
	}
	t.forgetProgress()
	if err != nil {
		t.stop = t.ctx
		// Where the failure has rolled back by itself, this one does nothing.
		_, _ = t.exec("ROLLBACK")
	} else if d.files[0] == nil {
		d.remember()
	}
	return translate(d.older(err))
}

// commit ends the transaction. If it wrote, and the disk fails now, nobody can
// say what the disk has.
func (t *tx) commit() error {
	if err := t.stop.Err(); err != nil {
		return err
	}
	_, err := t.exec("COMMIT")
	if err = translate(err); errors.Is(err, ErrBusy) {
		return err
	}
	return inDoubt(err)
}

// stmt returns the query, prepared. It is kept for the life of the connection.
func (t *tx) stmt(query string) (*sqlx.Stmt, error) {
	if err := t.stop.Err(); err != nil {
		return nil, err
	}
	if s := t.d.stmts[query]; s != nil {
		return s, nil
	}
	s, err := t.d.conn.PreparexContext(t.ctx, sqlx.Rebind(t.d.dialect.bind, query))
	if err != nil {
		return nil, err
	}
	t.d.stmts[query] = s
	return s, nil
}

// exec runs a statement and returns how many rows it changed.
func (t *tx) exec(query string, args ...any) (int64, error) {
	s, err := t.stmt(query)
	if err != nil {
		return 0, err
	}
	res, err := s.ExecContext(t.ctx, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// get reads one row into dest and reports whether there was one.
func (t *tx) get(dest any, query string, args ...any) (bool, error) {
	s, err := t.stmt(query)
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
	s, err := t.stmt(query)
	if err != nil {
		return err
	}
	return s.SelectContext(t.ctx, dest, args...)
}

// each calls fn with a scanner for every row.
func (t *tx) each(fn func(*sqlx.Rows) error, query string, args ...any) error {
	s, err := t.stmt(query)
	if err != nil {
		return err
	}
	rows, err := s.QueryxContext(t.ctx, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := fn(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
