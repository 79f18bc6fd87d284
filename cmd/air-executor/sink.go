package main

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// sink is where the log of a manager or runner goes. Writing to it never fails and
// never blocks: the reader of the log may have exited, or may have stopped reading. A
// regular file is written to directly; for a pipe, a terminal or a socket a goroutine
// writes, and lines are dropped and counted if its queue is full.
type sink struct {
	file    *os.File
	direct  bool
	begin   sync.Once
	begun   atomic.Bool
	lines   chan line
	dropped atomic.Int64
	report  func(n int64) // writes that n lines were dropped
}

// line is a line of the log. If it has an ack, it has no text, and ack is closed when
// all lines before it are written.
type line struct {
	text []byte
	ack  chan struct{}
}

// queued is how many lines may wait to be written.
const queued = 256

// newSink makes the sink for a file.
func newSink(f *os.File) *sink {
	info, err := f.Stat()
	s := &sink{file: f, direct: err == nil && info.Mode().IsRegular()}
	if !s.direct {
		s.lines = make(chan line, queued)
	}
	return s
}

// surviveClosedPipe makes this process continue when the reader of its log has exited.
// (If it ignored the signal, commands would inherit that.)
func surviveClosedPipe() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }

// Write takes a line. It never returns an error.
func (s *sink) Write(b []byte) (int, error) {
	if s.direct {
		_, _ = s.file.Write(b) // there is no way to report an error
		return len(b), nil
	}
	s.begin.Do(func() {
		s.begun.Store(true)
		go s.drain()
	})
	select {
	case s.lines <- line{text: bytes.Clone(b)}:
	default:
		s.dropped.Add(1)
	}
	return len(b), nil
}

func (s *sink) drain() {
	for l := range s.lines {
		if l.ack != nil {
			close(l.ack)
			continue
		}
		_, _ = s.file.Write(l.text)
	}
}

// flush waits until the lines are written, but not longer than patience, and then
// reports dropped lines that were not reported yet.
func (s *sink) flush(patience time.Duration) {
	if !s.begun.Load() {
		return
	}
	late := time.After(patience)
	if !s.written(late) || s.dropped.Load() == 0 {
		return
	}
	s.report(s.dropped.Swap(0))
	s.written(late)
}

// written waits until all lines so far are written, or until the deadline.
func (s *sink) written(late <-chan time.Time) bool {
	ack := make(chan struct{})
	select {
	case s.lines <- line{ack: ack}:
	case <-late:
		return false
	}
	select {
	case <-ack:
		return true
	case <-late:
		return false
	}
}

// takeDropped returns how many lines were dropped since its last call, once there is
// room to report it.
func (s *sink) takeDropped() int64 {
	if s.dropped.Load() == 0 || len(s.lines) > queued/2 {
		return 0
	}
	return s.dropped.Swap(0)
}

// honest is a handler that reports how many lines of the log are missing.
type honest struct {
	slog.Handler
	sink *sink
}

// Handle writes a record, and before it that lines were dropped.
func (h honest) Handle(ctx context.Context, r slog.Record) error {
	if n := h.sink.takeDropped(); n > 0 {
		h.sink.report(n)
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs returns the handler with attributes.
func (h honest) WithAttrs(attrs []slog.Attr) slog.Handler {
	return honest{h.Handler.WithAttrs(attrs), h.sink}
}

// WithGroup returns the handler with a group.
func (h honest) WithGroup(name string) slog.Handler { return honest{h.Handler.WithGroup(name), h.sink} }
