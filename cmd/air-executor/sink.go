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

// sink is where the log of a manager or runner goes. Writing to it never fails
// and never waits: what reads the log may have ended, or may read no further. A
// regular file is written to directly; for a pipe, a terminal or a socket a
// goroutine writes, and lines that find its queue full are dropped and counted.
type sink struct {
	file    *os.File
	direct  bool
	begin   sync.Once
	begun   atomic.Bool
	lines   chan line
	dropped atomic.Int64
}

// line is one of the log. With ack, it has no text, and ack is closed when all
// before it are written.
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

// surviveClosedPipe has this process go on when what reads its log has ended.
// (To ignore the signal would be handed on to the commands.)
func surviveClosedPipe() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }

// Write takes a line. It never returns an error.
func (s *sink) Write(b []byte) (int, error) {
	if s.direct {
		_, _ = s.file.Write(b) // there is nowhere to say that it failed
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

// flush waits until the lines are written, but not longer than patience.
func (s *sink) flush(patience time.Duration) {
	if !s.begun.Load() {
		return
	}
	late := time.After(patience)
	ack := make(chan struct{})
	select {
	case s.lines <- line{ack: ack}:
	case <-late:
		return
	}
	select {
	case <-ack:
	case <-late:
	}
}

// takeDropped returns how many lines were dropped since it was last called, once
// there is room to say so.
func (s *sink) takeDropped() int64 {
	if s.dropped.Load() == 0 || len(s.lines) > queued/2 {
		return 0
	}
	return s.dropped.Swap(0)
}

// honest is a handler that says how many lines of the log are missing.
type honest struct {
	slog.Handler
	sink *sink
}

// Handle writes a record, and before it that lines were dropped.
func (h honest) Handle(ctx context.Context, r slog.Record) error {
	if n := h.sink.takeDropped(); n > 0 {
		missing := slog.NewRecord(r.Time, slog.LevelWarn, "lines of this log were dropped: nobody read it", 0)
		missing.AddAttrs(slog.Int64("lines", n))
		_ = h.Handler.Handle(ctx, missing)
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs returns the handler with attributes.
func (h honest) WithAttrs(attrs []slog.Attr) slog.Handler {
	return honest{h.Handler.WithAttrs(attrs), h.sink}
}

// WithGroup returns the handler with a group.
func (h honest) WithGroup(name string) slog.Handler { return honest{h.Handler.WithGroup(name), h.sink} }
