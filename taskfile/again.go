package taskfile

import (
	"io"
	"slices"

	"github.com/air-executor/air-executor/job"
)

// Again reads a file of tasks a second time, to find the lines of mistakes that only
// the database could detect. So a SpecReader need not keep all ids. It reads the file
// from its start.
type Again struct {
	File string    // its name for messages
	From io.Reader // at its start
}

// Twice returns the error for an id that occurs twice in the file; nil: it does not.
func (a Again) Twice(id string, cause error) (found *Error) {
	first := 0
	a.each(func(r *SpecReader, s *job.Spec) bool {
		switch {
		case s.ID != id:
		case first == 0:
			first = r.in.o.line()
		default:
			found = r.At("id", sameID(id, first))
			found.Err = cause
		}
		return found == nil
	})
	return found
}

// Missing returns the error for a task that depends on one that does not exist; nil:
// the file has no such task.
func (a Again) Missing(by, on string, cause error) (found *Error) {
	const most = 10_000 // ids to search for a similar one
	var ids []string
	sure := false // by its id; until then, a task without an id may be the one
	a.each(func(r *SpecReader, s *job.Spec) bool {
		if len(ids) < most {
			ids = append(ids, s.ID)
		}
		its := s.ID == by || s.ID == "" && found == nil
		if !sure && its && (slices.Contains(s.Dependencies, on) || slices.Contains(s.AfterAny, on)) {
			key := "dependencies"
			if !slices.Contains(s.Dependencies, on) {
				key = "after_any"
			}
			found, sure = r.At(key, cause), s.ID == by
		}
		return !sure || len(ids) < most
	})
	if found != nil {
		found.Msg = unknownTask(on, ids).Error()
	}
	return found
}

// Cycle returns the error for tasks that wait for each other, at the first of them in
// the file; nil: the file has none of them.
func (a Again) Cycle(ids []string, cause error) (found *Error) {
	a.each(func(r *SpecReader, s *job.Spec) bool {
		if i := slices.Index(ids, s.ID); i >= 0 {
			key := "dependencies"
			if !slices.Contains(s.Dependencies, ids[(i+1)%len(ids)]) {
				key = "after_any"
			}
			found = r.At(key, inCycle(append(slices.Clone(ids[i:]), ids[:i]...)))
			found.Err = cause
		}
		return found == nil
	})
	return found
}

// each calls look with the tasks of the file, until look returns false.
func (a Again) each(look func(*SpecReader, *job.Spec) bool) {
	r := NewSpecReader(a.File, a.From)
	for {
		s, err := r.Next()
		if err != nil || !look(r, &s) {
			return
		}
	}
}
