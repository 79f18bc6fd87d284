package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/air-executor/air-executor/internal/failpoint"
	"github.com/air-executor/air-executor/lock"
	"github.com/air-executor/air-executor/migrations"
)

// source is where migrations come from.
type source struct {
	files  fs.FS // with a folder for each dialect
	newest int   // number of the last one
}

// migrate looks at the version of the schema, which in the common case is one
// read. It builds a database that is new, and upgrades an older one if that is
// asked for; otherwise an older one is used as it is. With MustExist, a file in
// which nothing was ever stored is no database: looking must not make one of
// what a builder or a copier that was killed has left.
func (d *DB) migrate(ctx context.Context, o Options) (err error) {
	if d.schema, err = d.version(ctx); err != nil {
		return err
	}
	if d.schema == 0 && o.MustExist {
		return fmt.Errorf("%w: the file is empty", ErrNoDatabase)
	}
	if d.schema == d.source.newest || d.schema > 0 && !o.Upgrade {
		return nil
	}
	// goose takes no lock for SQLite, and two processes that migrate at once fail.
	l, err := lock.Open(filepath.Join(filepath.Dir(d.path), migrateName))
	if err != nil {
		return err
	}
	defer l.Close()
	if err := l.Lock(d.wait); err != nil {
		return err
	}
	defer l.Unlock()
	if d.schema, err = d.version(ctx); err != nil {
		return err
	}
	switch {
	case d.schema == 0:
		return d.build(ctx)
	case d.schema < d.source.newest && o.Upgrade:
		return d.upgrade(ctx)
	}
	return nil
}

// version reads the version of the schema, 0 for a database that is empty or
// that another process is just building. It refuses files that are not ours to
// touch, and changes nothing.
func (d *DB) version(ctx context.Context) (int, error) {
	// Asked one after the other, these read nothing but the head of the file. Both
	// are written by the same commit, and this one is read first: if it is there,
	// so is the other.
	var id, version int
	if err := d.conn.QueryRowxContext(ctx, "PRAGMA application_id").Scan(&id); err != nil {
		return 0, err
	}
	if err := d.conn.QueryRowxContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return 0, err
	}
	switch {
	case id == migrations.ApplicationID && version > d.source.newest:
		return 0, fmt.Errorf("%w: its schema is version %d, this program knows %d", ErrNewer, version, d.source.newest)
	case id == migrations.ApplicationID:
		return version, nil
	case id == migrations.UnreleasedID:
		return 0, ErrUnreleased
	case id != 0:
		return 0, fmt.Errorf("%w: its application id is %#x", ErrForeign, id)
	}
	return 0, d.mayBuild(ctx)
}

// mayBuild refuses a database without a mark that has tables of others. Those
// of goose are there as soon as another process has begun to build it; by the
// time that ours are, so is the mark.
func (d *DB) mayBuild(ctx context.Context) error {
	var strangers int
	err := d.conn.GetContext(ctx, &strangers, `
SELECT COUNT(*)
FROM sqlite_master m, pragma_application_id a
WHERE m.type = 'table'
  AND m.name NOT IN ('goose_db_version', 'sqlite_sequence')
  AND a.application_id = 0`)
	if err == nil && strangers > 0 {
		err = fmt.Errorf("%w: it has tables of another program", ErrForeign)
	}
	return err
}

// useWAL turns write-ahead logging on. It is a property of the file; set once,
// it stays. SQLite does not wait by itself for who has the write lock here, and
// somebody may: whoever opens an empty database beside which a builder was
// killed takes it for a moment, to remove the builder's journal.
func (d *DB) useWAL(ctx context.Context) error {
	for begin := time.Now(); ; time.Sleep(time.Millisecond) {
		_, err := d.conn.ExecContext(ctx, "PRAGMA journal_mode = WAL")
		if !errors.Is(translate(err), ErrBusy) || time.Since(begin) > d.wait {
			return err
		}
	}
}

// build makes the schema of a new database. All migrations are one commit, so
// that nobody finds a version in between.
func (d *DB) build(ctx context.Context) error {
	// SQLite has made the file by the umask. Its companions take over its mode.
	if err := os.Chmod(d.path, 0o600); err != nil {
		return err
	}
	// The file can give pages back that are not used any more. That is decided before
	// its first page is written, or takes a VACUUM of the whole later.
	if _, err := d.conn.ExecContext(ctx, "PRAGMA auto_vacuum = INCREMENTAL"); err != nil {
		return err
	}
	if err := d.useWAL(ctx); err != nil {
		return err
	}
	whole := goose.NewGoMigration(int64(d.source.newest), &goose.GoFunc{RunTx: d.source.runAll}, nil)
	return d.up(ctx, nil, goose.WithGoMigrations(whole), goose.WithDisableGlobalRegistry(true))
}

// runAll runs every migration in one transaction. The newest is recorded by
// goose, the others here.
func (s source) runAll(ctx context.Context, tx *sql.Tx) error {
	names, err := fs.Glob(s.files, "sqlite/*.sql")
	if err != nil {
		return err
	}
	for i, name := range names { // in the order of their numbers
		text, err := fs.ReadFile(s.files, name)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, string(text)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if version := i + 1; version < s.newest {
			_, err := tx.ExecContext(ctx, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (?, 1)`, version)
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// up runs the migrations that are missing, on a connection of its own, since
// goose wants a pool.
func (d *DB) up(ctx context.Context, files fs.FS, options ...goose.ProviderOption) error {
	if err := d.conn.Close(); err != nil {
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
	if d.conn, err = d.pool.Connx(ctx); err != nil {
		return err
	}
	d.schema = d.source.newest
	return nil
}
