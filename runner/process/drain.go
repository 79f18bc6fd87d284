package process

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// chunk is how many bytes are moved at a time: the capacity of a pipe.
const chunk = 64 << 10

// drain moves the contents of a pipe to a file.
type drain struct {
	pipe    int // non-blocking; -1: its end was reached
	out     *os.File
	most    int64 // limit in bytes; 0: none
	came    int64 // bytes
	tooMuch bool  // more than the limit came; the rest was dropped
	lost    int64 // bytes that could not be written to the file
	lostErr error
	limit   int64  // largest file that the system lets this process write; below 0: any size
	copies  bool   // the file does not support splice(2)
	buf     []byte // for copying and dropping
}

func newDrain(pipe int, out *os.File, most int64) drain {
	d := drain{pipe: pipe, out: out, most: most, limit: -1, copies: !splices}
	// Writing beyond it would raise SIGXFSZ, which ends a Go program.
	var r unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_FSIZE, &r) == nil && int64(r.Cur) >= 0 {
		d.limit = int64(r.Cur)
	}
	return d
}

func (d *drain) close() {
	if d.pipe >= 0 {
		unix.Close(d.pipe)
		d.pipe = -1
	}
}

// rest takes what is in the pipe now, and closes it. A process outside the tree may
// keep it open and keep writing.
func (d *drain) rest() {
	for left := d.waiting(); left > 0 && d.pipe >= 0; {
		n := d.step(min(left, chunk))
		if n == 0 {
			break
		}
		left -= n
	}
	d.close()
}

// waiting returns how many bytes are in the pipe.
func (d *drain) waiting() int {
	if d.pipe < 0 {
		return 0
	}
	n, _ := unix.IoctlGetInt(d.pipe, fionread)
	return n
}

// step takes at most this many bytes out of the pipe, and returns how many it took.
func (d *drain) step(most int) int {
	if d.most > 0 && !d.tooMuch {
		room := d.most - d.came
		if room == 0 {
			n := d.drop(most)
			d.tooMuch = n > 0
			return n
		}
		most = int(min(int64(most), room))
	}
	if d.tooMuch {
		return d.drop(most)
	}
	n, err := d.move(most)
	switch {
	case err == nil && n == 0:
		d.close() // all writers have closed it
	case errors.Is(err, unix.EAGAIN):
	case errors.Is(err, unix.EINVAL) && !d.copies:
		d.copies = true
		return d.step(most)
	case err != nil: // no space
		dropped := d.drop(most - n)
		d.lost += int64(dropped)
		d.lostErr = err
		n += dropped
	}
	d.came += int64(n)
	return n
}

// move moves bytes from the pipe to the end of the file. On error, it returns how many
// bytes were taken out of the pipe and lost.
func (d *drain) move(most int) (int, error) {
	fd := int(d.out.Fd())
	// The user may have truncated the file to free space: continue at its end, not at
	// the old position. (Fails for a pipe, as in tests.)
	end, err := unix.Seek(fd, 0, io.SeekEnd)
	if d.limit >= 0 && err == nil {
		if end >= d.limit {
			return 0, unix.EFBIG
		}
		most = int(min(int64(most), d.limit-end))
	}
	if !d.copies {
		for {
			n, err := splice(d.pipe, fd, most)
			if !errors.Is(err, unix.EINTR) {
				return n, err
			}
		}
	}
	n, err := read(d.pipe, d.room(most))
	if n <= 0 {
		return 0, err
	}
	done, err := d.out.Write(d.buf[:n])
	if err != nil {
		d.lost += int64(n - done)
		d.lostErr = err
	}
	return n, nil
}

// drop takes bytes out of the pipe and discards them.
func (d *drain) drop(most int) int {
	n, err := read(d.pipe, d.room(most))
	if n == 0 && err == nil && most > 0 {
		d.close()
	}
	return max(n, 0)
}

func (d *drain) room(n int) []byte {
	if d.buf == nil {
		d.buf = make([]byte, chunk)
	}
	return d.buf[:min(n, chunk)]
}

func read(fd int, b []byte) (int, error) {
	for {
		n, err := unix.Read(fd, b)
		if !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}
