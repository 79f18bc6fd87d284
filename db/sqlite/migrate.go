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

// migrate reads the version of the schema, which is all in the common case. It builds a
// new database, and upgrades an older one if that is asked for; otherwise an older one
// is used as it is. With MustExist, an empty file counts as no database: a command that
// only reads must not build a database from what a killed process has left.
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

// version reads the version of the schema: 0 for a database that is empty or that
// another process is building. It refuses databases that are not ours, and changes
// nothing.
func (d *DB) version(ctx context.Context, c *conn) (int, error) {
	// Two queries that read only the header of the file. Both values are written by the
	// same commit, and this one is read first: if it is set, so is the other.
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

// mayBuild refuses an unmarked database that has tables of other programs. goose's
// tables exist as soon as another process begins to build it; our own tables and the
// mark appear together.
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

// useWAL turns write-ahead logging on, permanently: it is a property of the file.
// Another process may hold the write lock for a moment: to remove the journal that a
// killed builder has left beside an empty database.
func useWAL(ctx context.Context, c *conn) error {
	return patient(ctx, func() error {
		_, err := c.ExecContext(ctx, "PRAGMA journal_mode = WAL")
		return err
	})
}

// build makes the schema of a new database. All migrations are one commit, so that no
// process sees an intermediate version.
func (d *DB) build(ctx context.Context, c *conn) error {
	// SQLite created the file with the umask. The files beside it get the same mode.
	if err := os.Chmod(d.path, 0o600); err != nil {
		return err
	}
	// Lets the file return unused pages. It must be set before the first page is
	// written; later it would take a VACUUM of the whole file.
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

// runAll runs every migration in one transaction. goose records the newest, and this
// function the others.
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

// up runs the missing migrations. goose needs a pool, which has only this connection,
// and takes no lock itself.
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

// setBusyTimeout sets how long SQLite itself waits for its own locks.
func setBusyTimeout(ctx context.Context, c *conn, wait time.Duration) error {
	_, err := c.ExecContext(ctx, fmt.Sprintf("PRAGMA busy_timeout = %d", wait.Milliseconds()))
	return err
}
