package api

import (
	"encoding/base64"
	"io"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/air-executor/air-executor/queue"
)

// Logs of attempts.

func getLog(c *call) (answer, error) {
	var p GetLogParams
	if err := c.parameters(&p); err != nil {
		return answer{}, err
	}
	key, n, err := c.attempt()
	if err != nil {
		return answer{}, err
	}
	f, offset, err := c.openLog(key, n, or(p.Offset, 0), or(p.Wait, 0))
	if err != nil {
		return answer{}, err
	}
	defer f.Close()
	if offset > f.Size {
		return answer{}, outside.errorf("the log has %d bytes, and none at %d", f.Size, offset)
	}
	if or(p.Format, Raw) == JSON {
		return ok(readPiece(f, offset, or(p.Limit, 64<<10)))
	}
	size := f.Size - offset
	if p.Limit != nil {
		size = min(size, *p.Limit)
	}
	h := c.w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Content-Disposition", "attachment; filename=log.txt")
	http.ServeContent(&logWriter{ResponseWriter: c.w, call: c}, c.Request, "", time.Time{}, io.NewSectionReader(f, offset, size))
	return answer{written: true}, nil
}

// openLog opens a log, and says where an offset is, which counts from the end if it is
// negative. Whoever waits for more than there is gets it as soon as it is written.
func (c *call) openLog(key int64, n int, offset int64, seconds int) (*queue.LogFile, int64, error) {
	q := c.api.queue
	f, err := q.OpenLog(c.Context(), key, n)
	if err != nil {
		return nil, 0, err
	}
	if offset < 0 {
		offset = max(f.Size+offset, 0)
	}
	if seconds == 0 || f.Complete || f.Size > offset {
		return f, offset, nil
	}
	f.Close()
	done, err := c.wait()
	if err != nil {
		return nil, 0, err
	}
	defer done()
	f, err = q.AwaitLog(c.Context(), key, n, offset, time.Duration(seconds)*time.Second)
	return f, offset, err
}

// logWriter gives a client time for each block that it takes, and makes a problem of
// what net/http says about a range outside of the log.
type logWriter struct {
	http.ResponseWriter
	call    *call
	refused bool
}

// WriteHeader writes the status.
func (w *logWriter) WriteHeader(status int) {
	if status == http.StatusRequestedRangeNotSatisfiable {
		w.refused = true
		w.Header().Del("Content-Disposition")
		w.call.api.refuse(w.ResponseWriter, w.call.Request, outside.errorf("the range %q is outside of the log", w.call.Header.Get("Range")))
		return
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write writes a block.
func (w *logWriter) Write(b []byte) (int, error) {
	if w.refused {
		return len(b), nil
	}
	_ = http.NewResponseController(w.ResponseWriter).SetWriteDeadline(time.Now().Add(writeLimit))
	return w.ResponseWriter.Write(b)
}

// readPiece reads at most limit bytes. A character that is cut off at the end is left to
// the next piece.
func readPiece(f *queue.LogFile, offset, limit int64) (LogPiece, error) {
	b := make([]byte, min(limit, f.Size-offset))
	n, err := f.ReadAt(b, offset)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = nil // it was cut meanwhile
	}
	b = b[:n]
	out := LogPiece{Offset: offset, Size: f.Size, Complete: f.Complete, Stream: Output, Encoding: UTF8}
	if atEnd := offset+int64(n) == f.Size; !atEnd || !f.Complete {
		b = b[:len(b)-cutOff(b)]
	}
	out.Next = offset + int64(len(b))
	if utf8.Valid(b) {
		out.Data = string(b)
	} else {
		out.Encoding, out.Data = Base64, base64.StdEncoding.EncodeToString(b)
	}
	return out, err
}

// cutOff returns how many bytes at the end begin a character that is not whole.
func cutOff(b []byte) int {
	for n := 1; n < utf8.UTFMax && n < len(b); n++ {
		if c := b[len(b)-n]; utf8.RuneStart(c) {
			if c >= utf8.RuneSelf && !utf8.FullRune(b[len(b)-n:]) {
				return n
			}
			return 0
		}
	}
	return 0
}

// attempt returns the key of the task and the number of the attempt in the path.
func (c *call) attempt() (key int64, n int, err error) {
	if key, err = c.number("key", noSuchTask); err != nil {
		return 0, 0, err
	}
	number, err := c.number("n", noSuchAttempt)
	return key, int(number), err
}
