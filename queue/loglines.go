package queue

import (
	"bytes"
	"regexp"
)

// LogLines is a LogSink that gives another one whole lines, only those that match if
// that is wanted. A line that has not ended is held back until it has, or until End.
type LogLines struct {
	To    LogSink
	Match *regexp.Regexp // nil: every line

	held  map[*Log][]byte
	order []*Log // in which their lines were begun
}

// mostHeld is how long a line may be that is taken whole; bytes.
const mostHeld = 1 << 20

// Output takes bytes of a log, and gives the lines on that they end.
func (s *LogLines) Output(l *Log, b []byte) error {
	if held := s.held[l]; len(held) > 0 {
		b = append(held, b...)
	}
	end := bytes.LastIndexByte(b, '\n') + 1
	if len(b)-end > mostHeld {
		end = len(b)
	}
	if s.held == nil {
		s.held = map[*Log][]byte{}
	}
	if _, known := s.held[l]; !known && end < len(b) {
		s.order = append(s.order, l)
	}
	if end < len(b) {
		s.held[l] = bytes.Clone(b[end:])
	} else {
		delete(s.held, l)
	}
	return s.give(l, b[:end])
}

func (s *LogLines) give(l *Log, b []byte) error {
	if s.Match != nil {
		var out []byte
		for line := range bytes.Lines(b) {
			if s.Match.Match(bytes.TrimSuffix(line, []byte("\n"))) {
				out = append(out, line...)
			}
		}
		b = out
	}
	if len(b) == 0 {
		return nil
	}
	return s.To.Output(l, b)
}

// Again forgets what is held of a log that is read anew.
func (s *LogLines) Again(l *Log, what string) {
	delete(s.held, l)
	s.To.Again(l, what)
}

// LogEnder is a LogSink that is told of the end of a log.
type LogEnder interface {
	// EndOf is called when nothing more comes of a log.
	EndOf(l *Log) error
}

// ended tells a sink that nothing more comes of a log.
func ended(sink LogSink, l *Log) error {
	if e, ok := sink.(LogEnder); ok {
		return e.EndOf(l)
	}
	return nil
}

// End gives on what is held of all logs, as lines that have ended.
func (s *LogLines) End() error {
	for _, l := range s.order {
		if err := s.EndOf(l); err != nil {
			return err
		}
	}
	s.order = nil
	return nil
}

// EndOf is End for one log.
func (s *LogLines) EndOf(l *Log) error {
	held := s.held[l]
	delete(s.held, l)
	if len(held) == 0 {
		return nil
	}
	return s.give(l, held)
}
