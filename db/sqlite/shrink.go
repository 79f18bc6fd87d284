package sqlite

import (
	"context"
	"fmt"
)

// What Shrink leaves and takes, in pages of 4 KiB.
const (
	leastFree = 64  // less is not worth the work
	freeShare = 10  // nor is less than a tenth: the next rows will need it
	atOnce    = 100 // so that others wait for some milliseconds
)

// Shrink gives a few of the pages that nothing uses back to the file system. The file
// becomes smaller when the write-ahead log is copied into it. A database that an
// early version has made cannot be shrunk so, and stays as it is.
func (d *DB) Shrink(ctx context.Context) (more bool, err error) {
	if free, pages, err := d.space(ctx); err != nil || !worthIt(free, pages) {
		return false, err
	}
	c, done, err := d.Begin(ctx, true)
	if err != nil {
		return false, err
	}
	defer func() { done(err == nil) }()
	var free, pages, left int
	if err := c.GetContext(ctx, &free, "PRAGMA freelist_count"); err != nil {
		return false, translate(err)
	}
	rows, err := c.QueryContext(ctx, fmt.Sprintf("PRAGMA incremental_vacuum(%d)", atOnce))
	if err != nil {
		return false, translate(err)
	}
	for rows.Next() { // a page each
	}
	if err := rows.Close(); err != nil {
		return false, translate(err)
	}
	if err := c.GetContext(ctx, &left, "PRAGMA freelist_count"); err != nil {
		return false, translate(err)
	}
	if err := c.GetContext(ctx, &pages, "PRAGMA page_count"); err != nil {
		return false, translate(err)
	}
	return left < free && worthIt(left, pages), nil
}

func worthIt(free, pages int) bool { return free > leastFree && free > pages/freeShare }

// space returns how many pages nothing uses, and how many there are.
func (d *DB) space(ctx context.Context) (free, pages int, err error) {
	c, done, err := d.Begin(ctx, false)
	if err != nil {
		return 0, 0, err
	}
	defer func() { done(err == nil) }()
	if err = c.GetContext(ctx, &free, "PRAGMA freelist_count"); err == nil {
		err = c.GetContext(ctx, &pages, "PRAGMA page_count")
	}
	return free, pages, translate(err)
}

// Checkpoint copies the write-ahead log into the file. SQLite would do so at the end of
// a commit, with the gate still locked, and others would wait for the disk.
func (d *DB) Checkpoint(ctx context.Context) (err error) {
	c, done, err := d.Begin(ctx, false)
	if err != nil {
		return err
	}
	defer func() { done(err == nil) }()
	var busy, frames, copied int // what cannot be copied now waits for the next time
	err = c.QueryRowContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)").Scan(&busy, &frames, &copied)
	return translate(err)
}
