package sqlite

import (
	"fmt"
	"os"

	"github.com/air-executor/air-executor/db/engine"
)

// files are the database and the two files beside it in which SQLite keeps the newest
// commits and their index: -wal and -shm.
type files [3]os.FileInfo

var suffixes = [3]string{"", "-wal", "-shm"}

// remember records which files are in use. Both files beside the database exist as long
// as a connection that has used them is open; see sqlite.org/walformat.html.
func (d *DB) remember() {
	var now files
	for i, suffix := range suffixes {
		info, err := os.Lstat(d.path + suffix)
		if err != nil {
			return
		}
		now[i] = info
	}
	d.files.Store(&now)
}

// CheckFiles returns [engine.ErrReplaced] if one of the files that SQLite keeps beside
// the database was removed or replaced while in use. Processes that have opened the
// database since then use the new file, and each side overwrites what the other has
// written. Moving all of its files away together does no harm.
func (d *DB) CheckFiles() error {
	used := d.files.Load()
	if used == nil {
		return nil // not in use yet
	}
	for i, suffix := range suffixes {
		now, err := os.Lstat(d.path + suffix)
		if err == nil && os.SameFile(now, used[i]) {
			continue
		}
		if i == 0 {
			return nil
		}
		return fmt.Errorf("%w: %s", engine.ErrReplaced, d.path+suffix)
	}
	return nil
}

// Moved is like CheckFiles, and also returns an error if the path no longer leads to
// this database.
func (d *DB) Moved() error {
	used := d.files.Load()
	now, err := os.Lstat(d.path)
	switch {
	case err != nil:
		return fmt.Errorf("the database is missing: %w", err)
	case used != nil && !os.SameFile(now, used[0]):
		return fmt.Errorf("the database %s has been replaced by another file", d.path)
	}
	return d.CheckFiles()
}
