package taskfile

import (
	"bufio"
	"bytes"
	"io"
	"slices"
)

// lines passes on the data of a reader, without a byte order mark at the start, and
// remembers where lines begin, as long as that may be needed.
type lines struct {
	r      *bufio.Reader
	begun  bool
	err    error   // of r, final
	read   int64   // bytes passed on
	first  int     // number of the line that begins at starts[0]
	starts []int64 // offsets, ascending
}

// newLines reads from r in pieces of the size that Read is asked for.
func newLines(r io.Reader) *lines {
	return &lines{r: bufio.NewReaderSize(r, 16), first: 1, starts: []int64{0}}
}

// Read fills p, so that the caller does not depend on the size of r's pieces. If r
// keeps returning nothing, that is an error.
func (l *lines) Read(p []byte) (n int, err error) {
	const bom = "\xef\xbb\xbf"
	if !l.begun {
		l.begun = true
		if head, _ := l.r.Peek(len(bom)); string(head) == bom {
			_, l.err = l.r.Discard(len(bom))
		}
	}
	for empty := 0; n < len(p) && l.err == nil; {
		var more int
		more, l.err = l.r.Read(p[n:])
		if n += more; more > 0 {
			empty = 0
		} else if empty++; empty == 100 && l.err == nil {
			l.err = io.ErrNoProgress
		}
	}
	l.note(p[:n])
	if n > 0 {
		return n, nil
	}
	return 0, l.err
}

// note records the lines that begin in the data passed on.
func (l *lines) note(p []byte) {
	end := l.read + int64(len(p))
	for i := bytes.IndexByte(p, '\n'); i >= 0; i = bytes.IndexByte(p, '\n') {
		p = p[i+1:]
		l.starts = append(l.starts, end-int64(len(p)))
	}
	l.read = end
}

// at returns the line of an offset, and the byte in that line, both from 1.
func (l *lines) at(offset int64) (line, column int) {
	i := l.find(offset)
	return l.first + i, int(offset-l.starts[i]) + 1
}

// find returns the index in starts of the line of an offset.
func (l *lines) find(offset int64) int {
	i, exact := slices.BinarySearch(l.starts, offset)
	if exact {
		return i
	}
	return max(i-1, 0)
}

// forget drops the lines before an offset.
func (l *lines) forget(offset int64) {
	if i := l.find(offset); i > 0 {
		l.first += i
		l.starts = l.starts[:copy(l.starts, l.starts[i:])]
	}
}
