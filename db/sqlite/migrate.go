package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/air-executor/air-executor/db/engine"
	"github.com/air-executor/air-executor/internal/failpoint"
	"github.com/air-executor/air-executor/lock"
	"github.com/air-executor/air-executor/migrations"
)

// migrate looks at the version of the schema, which in the common case is one
// read. It builds a database that is new, and upgrades an older one if that is
// asked for; otherwise an older one is used as it is. With MustExist, a file in
// which nothing was ever stored is no database: looking must not make one of
// what a builder or a copier that was killed has left.
func (d *DB) migrate(ctx context.Context, c *conn, o engine.Options) (err error) {
	if d.schema, err = d.version(ctx, c); err != nil {
		return err
	}
	if d.schema == 0 && o.MustExist {
		return fmt.Errorf("%w: the file is empty", engine.ErrNoDatabase)
	}
	if d.schema == d.source.Newest || d.schema > 0 && !o.Upgrade {
		return nil
	}
	// goose takes no lock for SQLite, and two processes that migrate at once fail.
	l, err := lock.Open(filepath.Join(filepath.Dir(d.path), migrateName))
	if err != nil {
		return err
	}
	defer l.Close()
	if err := l.Lock(ctx, d.wait); err != nil {
		return err
	}
	defer l.Unlock()
	if d.schema, err = d.version(ctx, c); err != nil {
		return err
	}
	switch {
	case d.schema == 0:
		return d.build(ctx, c)
	case d.schema < d.source.Newest && o.Upgrade:
		return d.upgrade(ctx, c)
	}
	return nil
}

// version reads the version of the schema, 0 for a database that is empty or
// that another process is just building. It refuses files that are not ours to
// touch, and changes nothing.
func (d *DB) version(ctx context.Context, c *conn) (int, error) {
	// Asked one after the other, these read nothing but the head of the file. Both
	// are written by the same commit, and this one is read first: if it is there,
	// so is the other.
	var id, version int
	err := patient(ctx, func() error {
		if err := c.QueryRowxContext(ctx, "PRAGMA application_id").Scan(&id); err != nil {
			return err
		}
		return c.QueryRowxContext(ctx, "PRAGMA user_version").Scan(&version)
	})
	if err != nil {
		return 0, err
	}
	switch {
	case id == migrations.ApplicationID && version > d.source.Newest:
		return 0, fmt.Errorf("%w: its schema is version %d, this program knows %d", engine.ErrNewer, version, d.source.Newest)
	case id == migrations.ApplicationID:
		return version, nil
	case id == migrations.UnreleasedID:
		return 0, engine.ErrUnreleased
	case id != 0:
		return 0, fmt.Errorf("%w: its application id is %#x", engine.ErrForeign, id)
	}
	return 0, mayBuild(ctx, c)
}

// mayBuild refuses a database without a mark that has tables of others. Those
// of goose are there as soon as another process has begun to build it; by the
// time that ours are, so is the mark.
func mayBuild(ctx context.Context, c *conn) error {
	var strangers int
	err := patient(ctx, func() error { return c.GetContext(ctx, &strangers, foreignTables) })
	if err == nil && strangers > 0 {
		err = fmt.Errorf("%w: it has tables of another program", engine.ErrForeign)
	}
	return err
}

const foreignTables = `
SELECT COUNT(*)
FROM sqlite_master m, pragma_application_id a
WHERE m.type = 'table'
  AND m.name NOT IN ('goose_db_version', 'sqlite_sequence')
  AND a.application_id = 0`

// useWAL turns write-ahead logging on. It is a property of the file; set once,
// it stays. Another process may hold the write lock: one that opens an empty
// database beside which a builder was killed takes it for a moment, to remove the
// builder's journal.
func useWAL(ctx context.Context, c *conn) error {
	return patient(ctx, func() error {
		_, err := c.ExecContext(ctx, "PRAGMA journal_mode = WAL")
		return err
	})
}

// build makes the schema of a new database. All migrations are one commit, so
// that nobody finds a version in between.
func (d *DB) build(ctx context.Context, c *conn) error {
	// SQLite has made the file by the umask. Its companions take over its mode.
	if err := os.Chmod(d.path, 0o600); err != nil {
		return err
	}
	// The file can give pages back that are not used any more. That is decided before
	// its first page is written, or takes a VACUUM of the whole later.
	err := patient(ctx, func() error {
		_, err := c.ExecContext(ctx, "PRAGMA auto_vacuum = INCREMENTAL")
		return err
	})
	if err != nil {
		return err
	}
	if err := useWAL(ctx, c); err != nil {
		return err
	}
	all := func(ctx context.Context, tx *sql.Tx) error { return runAll(ctx, tx, d.source) }
	whole := goose.NewGoMigration(int64(d.source.Newest), &goose.GoFunc{RunTx: all}, nil)
	return d.up(ctx, c, nil, goose.WithGoMigrations(whole), goose.WithDisableGlobalRegistry(true))
}

// runAll runs every migration in one transaction. The newest is recorded by
// goose, the others here.
func runAll(ctx context.Context, tx *sql.Tx, s engine.Source) error {
	names, err := fs.Glob(s.Files, "sqlite/*.sql")
	if err != nil {
		return err
	}
	for i, name := range names { // in the order of their numbers
		text, err := fs.ReadFile(s.Files, name)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, string(text)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if version := i + 1; version < s.Newest {
			_, err := tx.ExecContext(ctx, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (?, 1)`, version)
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// up runs the migrations that are missing. goose wants a pool, which has only this
// connection; it waits for no lock by itself.
func (d *DB) up(ctx context.Context, c *conn, files fs.FS, options ...goose.ProviderOption) error {
	if err := setBusyTimeout(ctx, c, engine.BusyFor); err != nil {
		return err
	}
	if err := c.Close(); err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, d.pool.DB, files, options...)
	if err != nil {
		return err
	}
	failpoint.Hit("migrate.mid")
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if c.Conn.Conn, err = d.pool.Connx(ctx); err != nil {
		return err
	}
	d.schema = d.source.Newest
	return setBusyTimeout(ctx, c, 0)
}

// setBusyTimeout says how long SQLite waits by itself for locks of its own.
func setBusyTimeout(ctx context.Context, c *conn, wait time.Duration) error {
	_, err := c.ExecContext(ctx, fmt.Sprintf("PRAGMA busy_timeout = %d", wait.Milliseconds()))
	return err
}
