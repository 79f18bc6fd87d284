package queue

import (
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/runner"
)

// LogFile is the log of one attempt, opened for reading anywhere. What was compressed
// reads as if it were not; the offset of such a read costs time, as all before it is
// unpacked. It must be used by one goroutine only.
type LogFile struct {
	Complete bool  // the attempt has ended, so Size does not change
	Size     int64 // bytes, when it was opened

	file     *os.File // nil: nothing was printed
	packed   bool
	unpacked io.Reader // of a packed file, at the place at
	at       int64
}

// OpenLog opens the log of an attempt of the task with a key. One that does not exist,
// or not yet, is empty. Errors: db.ErrNoTask, *NoAttempt.
func (q *Queue) OpenLog(ctx context.Context, key int64, attempt int) (*LogFile, error) {
	name, id, err := q.DB.TaskWithKey(ctx, key)
	if err != nil {
		return nil, err
	}
	const tries = 5
	for range tries {
		var f *LogFile
		var moved bool
		if f, moved, err = q.openLog(ctx, name, id, attempt); err != nil || !moved {
			return f, err
		}
		if f.file != nil {
			f.Close()
		}
	}
	return nil, fmt.Errorf("the log of attempt %d of task %q moves too often", attempt, id)
}

// openLog reports whether the log may have been moved away while it was opened.
func (q *Queue) openLog(ctx context.Context, name, id string, attempt int) (f *LogFile, moved bool, err error) {
	attempts, err := q.DB.Attempts(ctx, name, id)
	if err != nil {
		return nil, false, err
	}
	if attempt < 1 || attempt > len(attempts) {
		return nil, false, &NoAttempt{Task: id, Attempt: attempt, Had: len(attempts)}
	}
	a := attempts[attempt-1]
	f = &LogFile{Complete: a.Status != job.Running}
	if err := q.findLog(f, attempts, a); err != nil {
		return nil, false, err
	}
	if err := f.measure(); err != nil {
		f.Close()
		return nil, false, err
	}
	t, err := q.DB.Task(ctx, name, id)
	if err != nil {
		f.Close()
		return nil, false, err
	}
	return f, t.Attempts != len(attempts), nil
}

// findLog opens the file. The newest attempt's has a name of its own, from which the
// runner of the next attempt moves it away.
func (q *Queue) findLog(f *LogFile, attempts []job.Attempt, a job.Attempt) (err error) {
	base, last := q.conf.BasePath, attempts[len(attempts)-1]
	newest, old := runner.LogPath(base, a.Job, a.Task), runner.OldLogPath(base, a.Job, a.Task, a.Number)
	packed := runner.CompressedLogPath(base, a.Job, a.Task, a.Number)
	paths := []string{newest, packed}
	switch a.Number {
	case last.Number:
	case last.Number - 1:
		paths = []string{old, newest, old, packed} // it may be moved in between
	default:
		paths = []string{old, packed}
	}
	for _, p := range paths {
		f.file, err = runner.ReadLog(base, p)
		if errors.Is(err, fs.ErrNotExist) {
			f.file = nil
			continue
		}
		if err != nil {
			return err
		}
		f.packed = p == packed
		if p != newest || q.ofEarlier(f.file, last) == (a.Number != last.Number) {
			return nil
		}
		f.file.Close()
		f.file = nil
	}
	return nil
}

// ofEarlier reports whether the file is the log of the attempt before, which the runner
// has not moved away yet.
func (q *Queue) ofEarlier(f *os.File, a job.Attempt) bool {
	if a.Number == 1 {
		return false
	}
	for _, p := range []string{
		runner.OldLogPath(q.conf.BasePath, a.Job, a.Task, a.Number-1),
		runner.CompressedLogPath(q.conf.BasePath, a.Job, a.Task, a.Number-1),
	} {
		if _, err := os.Lstat(p); err == nil {
			return false
		}
	}
	info, err := f.Stat()
	return err == nil && info.ModTime().Before(a.StartedAt)
}

// measure finds out the size.
func (f *LogFile) measure() error {
	if f.file == nil {
		return nil
	}
	info, err := f.file.Stat()
	if err != nil || !f.packed {
		f.Size = info.Size()
		return err
	}
	// The end of the file has its size, modulo 4 GiB. Nothing is packed to less than a
	// thousandth.
	const least = 1 << 20
	if info.Size() >= 8 && info.Size() < least {
		var b [4]byte
		if _, err := f.file.ReadAt(b[:], info.Size()-4); err != nil {
			return err
		}
		f.Size = int64(binary.LittleEndian.Uint32(b[:]))
		return nil
	}
	z, err := gzip.NewReader(f.file)
	if err != nil {
		return f.broken(err)
	}
	f.Size, err = io.Copy(io.Discard, z)
	return f.broken(err)
}

func (f *LogFile) broken(err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return fmt.Errorf("%s cannot be unpacked: %w", f.file.Name(), err)
}

// ReadAt reads from an offset on, as far as Size.
func (f *LogFile) ReadAt(b []byte, offset int64) (int, error) {
	if offset >= f.Size || f.file == nil {
		return 0, io.EOF
	}
	b = b[:min(int64(len(b)), f.Size-offset)]
	if !f.packed {
		return f.file.ReadAt(b, offset)
	}
	if f.unpacked == nil || offset < f.at {
		if _, err := f.file.Seek(0, io.SeekStart); err != nil {
			return 0, err
		}
		z, err := gzip.NewReader(f.file)
		if err != nil {
			return 0, f.broken(err)
		}
		f.unpacked, f.at = z, 0
	}
	n, err := io.CopyN(io.Discard, f.unpacked, offset-f.at)
	f.at += n
	if err != nil {
		return 0, f.broken(err)
	}
	got, err := io.ReadFull(f.unpacked, b)
	f.at += int64(got)
	return got, f.broken(err)
}

// Close closes the file.
func (f *LogFile) Close() {
	if f.file != nil {
		f.file.Close()
	}
}

// AwaitLog returns when the log of an attempt has more than so many bytes, or is
// complete, or the time is over. The caller closes it. The errors are those of OpenLog.
func (q *Queue) AwaitLog(ctx context.Context, key int64, attempt int, size int64, most time.Duration) (*LogFile, error) {
	until := time.Now().Add(most)
	for {
		f, err := q.OpenLog(ctx, key, attempt)
		if err != nil || f.Complete || f.Size > size || !time.Now().Before(until) {
			return f, err
		}
		f.Close()
		if err := Pause(ctx, min(CheckEvery, time.Until(until))); err != nil {
			return nil, err
		}
	}
}
