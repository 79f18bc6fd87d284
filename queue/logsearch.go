package queue

import (
	"bytes"
	"context"
	"io"
	"regexp"
)

// Limits of a search.
const (
	searchHits  = 500
	searchBytes = 256 << 20
	searchLine  = 16 << 20 // a longer line is searched in pieces of this size
	searchBlock = 256 << 10
	searchShown = 1000 // bytes of a line
	searchAhead = 200  // of them before what was found
)

// LogSearch says what to search a log for: a text, or what a regular expression matches.
type LogSearch struct {
	Text  string         // searched for as it is, with case
	Match *regexp.Regexp // nil: Text
	From  int64          // offset of the first byte
}

// LogHit is a line in which something was found.
type LogHit struct {
	Offset int64  // of the line, or of the piece of a line of more than 16 MiB
	At     int64  // offset of what was found
	Length int64  // of what was found, bytes
	Line   string // as UTF-8, without its end
	Cut    bool   // Line is a part of it, around what was found
}

// LogHits is what a search has found.
type LogHits struct {
	Hits     []LogHit
	Next     int64 // where to go on; Size if all was searched
	Size     int64
	Complete bool // nothing will be added
}

// SearchLog searches the log of an attempt for lines, at most 256 MiB of it and for at
// most 500 of them. The last line of a log that grows is left to the next search until
// it is ended. Errors: db.ErrNoTask, *NoAttempt.
func (q *Queue) SearchLog(ctx context.Context, key int64, attempt int, query LogSearch) (*LogHits, error) {
	f, err := q.OpenLog(ctx, key, attempt)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s := &searching{LogSearch: query, f: f, out: LogHits{Hits: []LogHit{}, Next: min(query.From, f.Size), Size: f.Size, Complete: f.Complete}}
	if err := s.run(ctx); err != nil {
		return nil, err
	}
	return &s.out, nil
}

type searching struct {
	LogSearch
	f   *LogFile
	out LogHits
}

// run reads block by block, and searches what ends with a line. out.Next is the offset
// of the first byte in held.
func (s *searching) run(ctx context.Context) error {
	var held []byte
	block := make([]byte, searchBlock)
	at := s.out.Next
	end := min(s.out.Size, at+searchBytes)
	for at < end && len(s.out.Hits) < searchHits {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := s.f.ReadAt(block[:min(searchBlock, end-at)], at)
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return err
		}
		if n == 0 {
			s.out.Size = at // it was cut meanwhile
			break
		}
		held, at = append(held, block[:n]...), at+int64(n)
		if i := bytes.LastIndexByte(block[:n], '\n'); i >= 0 {
			held = append(held[:0], held[s.lines(held[:len(held)-n+i+1]):]...)
		} else if len(held) >= searchLine {
			held = append(held[:0], held[s.piece(held):]...)
		}
	}
	if at == s.out.Size && s.out.Complete {
		s.lines(held)
	}
	return nil
}

// piece searches a part of a long line, and returns how many bytes of it are done with:
// all but those in which a text may begin that goes on behind them.
func (s *searching) piece(b []byte) int {
	if loc := s.find(b); loc != nil {
		s.out.Hits = append(s.out.Hits, hit(b, s.out.Next, loc))
	}
	done := len(b) - max(len(s.Text)-1, 0)
	s.out.Next += int64(done)
	return done
}

// lines searches lines, and returns how many bytes of them it has searched.
func (s *searching) lines(b []byte) int {
	if s.Match == nil && !bytes.Contains(b, []byte(s.Text)) {
		s.out.Next += int64(len(b))
		return len(b)
	}
	done := 0
	for line := range bytes.Lines(b) {
		if len(s.out.Hits) == searchHits {
			break
		}
		if loc := s.find(bytes.TrimSuffix(line, []byte("\n"))); loc != nil {
			s.out.Hits = append(s.out.Hits, hit(line, s.out.Next, loc))
		}
		done += len(line)
		s.out.Next += int64(len(line))
	}
	return done
}

// find returns the place of what is searched for, or nil.
func (s *searching) find(line []byte) []int {
	if s.Match != nil {
		return s.Match.FindIndex(line)
	}
	if i := bytes.Index(line, []byte(s.Text)); i >= 0 {
		return []int{i, i + len(s.Text)}
	}
	return nil
}

// hit shows a line that begins at an offset, or of a long one what is around a place.
func hit(line []byte, offset int64, loc []int) LogHit {
	h := LogHit{Offset: offset, At: offset + int64(loc[0]), Length: int64(loc[1] - loc[0])}
	shown := bytes.TrimRight(line, "\r\n")
	if len(shown) > searchShown {
		from := max(0, min(loc[0]-searchAhead, len(shown)-searchShown))
		shown, h.Cut = shown[from:min(len(shown), from+searchShown)], true
	}
	h.Line = cutLine(string(shown), searchShown)
	return h
}
