package sqlite

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/air-executor/air-executor/db/engine"
	"github.com/air-executor/air-executor/internal/basepath"
	"github.com/air-executor/air-executor/internal/failpoint"
	"github.com/air-executor/air-executor/migrations"
)

// copyAside writes a copy of the database beside it, and returns its path, which
// contains the version of the schema. An existing copy is never overwritten; if it has
// the same content, because an upgrade was tried before, it is used.
func (d *DB) copyAside(ctx context.Context, c *conn) (string, error) {
	path, err := filepath.Abs(d.path)
	if err != nil {
		return "", err
	}
	stem := strings.TrimSuffix(path, ".db") + fmt.Sprintf(".v%d", d.schema)
	part := stem + ".db.part"
	if err := removePart(part); err != nil {
		return "", err
	}
	if err := room(ctx, c, filepath.Dir(path)); err != nil {
		return "", err
	}
	defer os.Remove(part)
	if err := d.vacuumInto(ctx, c, part); err != nil {
		return "", err
	}
	for n := 1; ; n++ {
		name := stem + ".db"
		if n > 1 {
			name = fmt.Sprintf("%s-%d.db", stem, n)
		}
		err := link(part, name)
		same := err == nil
		if errors.Is(err, os.ErrExist) {
			same, err = sameContent(part, name)
		}
		if err != nil {
			return "", err
		}
		if same {
			return name, basepath.SyncFolder(filepath.Dir(path))
		}
	}
}

// removePart removes the partial copy of an upgrade that was killed. It refuses to
// remove any other file.
func removePart(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	begin := make([]byte, len(sqliteMagic))
	if info.Mode().IsRegular() && info.Size() > 0 {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		_, _ = io.ReadFull(f, begin)
		f.Close()
	}
	if !info.Mode().IsRegular() || info.Size() > 0 && string(begin) != sqliteMagic {
		return fmt.Errorf("%s is in the way, and no copy of a database: move it away", path)
	}
	return os.Remove(path)
}

// room returns engine.ErrFull unless the disk has space for a copy of the database, and
// as much again for what a migration may write.
func room(ctx context.Context, c *conn, folder string) error {
	var size uint64
	err := c.GetContext(ctx, &size, `
SELECT p.page_count * s.page_size
FROM pragma_page_count p, pragma_page_size s`)
	if err != nil {
		return err
	}
	free, err := freeSpace(folder)
	if err != nil {
		return err
	}
	const mib = 1 << 20
	if need := 2 * size; free < need {
		return fmt.Errorf("%w: that and the upgrade take up to %d MiB in %s, and %d MiB are free", engine.ErrFull, need/mib+1, folder, free/mib)
	}
	return nil
}

// freeSpace returns how many bytes a user may still write to a disk. (A variable, so
// that tests can fake a full disk.)
var freeSpace = func(folder string) (uint64, error) {
	var fs unix.Statfs_t
	err := unix.Statfs(folder, &fs)
	return fs.Bavail * uint64(fs.Bsize), err
}

// Offsets in the header of a SQLite file, see sqlite.org/fileformat.html.
const (
	sqliteMagic     = "SQLite format 3\x00"
	headSize        = 100
	writeFormatAt   = 18 // this byte and the next are 2 for write-ahead logging
	userVersionAt   = 60
	applicationIDAt = 68
)

// vacuumInto writes a consistent copy of the database, durably. Only its owner can read
// it.
func (d *DB) vacuumInto(ctx context.Context, c *conn, path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	basepath.Give(f)
	if _, err := c.ExecContext(ctx, "VACUUM INTO ?", path); err != nil {
		return err
	}
	failpoint.Hit("upgrade.copy")
	head := make([]byte, headSize)
	if _, err := f.ReadAt(head, 0); err != nil {
		return err
	}
	number := func(at int) int { return int(binary.BigEndian.Uint32(head[at:])) }
	if !bytes.HasPrefix(head, []byte(sqliteMagic)) || number(applicationIDAt) != migrations.ApplicationID || number(userVersionAt) != d.schema {
		return fmt.Errorf("%w: the copy is not like it", engine.ErrCorrupt)
	}
	// The copy does not use write-ahead logging, but the program expects that of an
	// existing database.
	if _, err := f.WriteAt([]byte{2, 2}, writeFormatAt); err != nil {
		return err
	}
	return f.Sync()
}

// link gives a file a second name, or returns os.ErrExist if that name is taken. On a
// file system without hard links, it moves the file.
func link(from, to string) error {
	err := os.Link(from, to)
	if err == nil || errors.Is(err, os.ErrExist) {
		return err
	}
	if exists(to) {
		return os.ErrExist
	}
	return os.Rename(from, to)
}

// sameContent reports whether two files are regular files with the same content.
func sameContent(a, b string) (bool, error) {
	var files [2]*os.File
	var sizes [2]int64
	for i, path := range []string{a, b} {
		info, err := os.Lstat(path)
		if err != nil || !info.Mode().IsRegular() {
			return false, err
		}
		sizes[i] = info.Size()
		if files[i], err = os.Open(path); err != nil {
			return false, err
		}
		defer files[i].Close()
	}
	if sizes[0] != sizes[1] {
		return false, nil
	}
	const piece = 1 << 20
	x, y := make([]byte, piece), make([]byte, piece)
	for {
		n, err := io.ReadFull(files[0], x)
		m, _ := io.ReadFull(files[1], y)
		if !bytes.Equal(x[:n], y[:m]) {
			return false, nil
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
	}
}
