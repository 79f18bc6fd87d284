package sqlite

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/air-executor/air-executor/db/engine"
	"github.com/air-executor/air-executor/internal/basepath"
)

// A sleeping manager is woken through a named pipe beside the database, one byte per
// wake-up. The byte is written after the commit, so the manager can read what woke it
// (a watch on the database's own files would fire too early). Nothing depends on the
// pipe: without it, the manager finds the work at its next poll.

// Wake wakes the manager, if one is listening.
func (d *DB) Wake() {
	f, err := os.OpenFile(d.wakePath(), os.O_WRONLY|unix.O_NONBLOCK|unix.O_NOFOLLOW, 0)
	if err != nil {
		return // no manager is listening, or none ever has
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || info.Mode()&os.ModeNamedPipe == 0 {
		return
	}
	_, _ = f.Write([]byte{'w'}) // a full pipe means that a wake-up is pending
}

// Listen returns a channel that receives a value after every Wake by any process. It is
// closed when ctx ends.
func (d *DB) Listen(ctx context.Context) (<-chan struct{}, error) {
	path := d.wakePath()
	made := unix.Mkfifo(path, 0o600)
	if made != nil && made != unix.EEXIST {
		return nil, fmt.Errorf("make %s: %w", path, made)
	}
	// It is open for writing too, so that it does not reach end of file when a writer
	// closes it.
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_NONBLOCK|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err != nil || info.Mode()&os.ModeNamedPipe == 0 {
		f.Close()
		return nil, fmt.Errorf("%w: %s is not a named pipe", engine.ErrTaken, path)
	}
	if made == nil {
		basepath.Give(f)
	}
	woken := make(chan struct{}, 1)
	context.AfterFunc(ctx, func() { f.Close() })
	go func() {
		defer func() {
			if ctx.Err() != nil {
				close(woken) // the pipe has failed, and nothing more will come from it
			}
		}()
		for buf := make([]byte, 512); ; {
			if _, err := f.Read(buf); err != nil {
				return
			}
			select {
			case woken <- struct{}{}:
			default: // a wake-up is pending already
			}
		}
	}()
	return woken, nil
}

func (d *DB) wakePath() string { return filepath.Join(filepath.Dir(d.path), wakeName) }
