package queue

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

// Selection says which tasks of a job are meant.
type Selection struct {
	// Tasks are ids or patterns, in which * is any text, ? one character, [a-z] one of
	// these characters and [!a-z] none of them. What is the id of a task means that
	// task, whatever characters it has. Empty: all.
	Tasks    []string
	Statuses []job.Status // only those with one of these; empty: any. Dismissed failures are not among the failed
}

// All reports whether all tasks are meant.
func (s Selection) All() bool { return len(s.Tasks) == 0 && len(s.Statuses) == 0 }

// NoMatch is the error about a pattern that is like no id. It wraps db.ErrNoTask.
type NoMatch struct{ Job, Pattern string }

// Error names the pattern.
func (e *NoMatch) Error() string {
	return fmt.Sprintf("%v: no id in job %q matches %q", db.ErrNoTask, e.Job, e.Pattern)
}

// Unwrap is db.ErrNoTask.
func (*NoMatch) Unwrap() error { return db.ErrNoTask }

// BadPattern is the error about a pattern that cannot be read.
type BadPattern struct{ Pattern string }

// Error says what is wrong with it.
func (e *BadPattern) Error() string {
	return fmt.Sprintf("pattern %q has a [ without its ]; an example: 'page-[0-9]*'", e.Pattern)
}

// Select returns the ids of the tasks of a job that a selection means, each once. Of
// those that a pattern or a status names, only ones in a status of may are taken; an
// id that is named is taken anyway, if it has one of the selection's statuses. Errors:
// db.ErrNoJob, *db.Missing for an id, *NoMatch, *BadPattern.
func (q *Queue) Select(ctx context.Context, name string, s Selection, may ...job.Status) ([]string, error) {
	if _, err := q.DB.Job(ctx, name); err != nil {
		return nil, err
	}
	var out []string
	seen := map[string]bool{}
	take := func(t db.TaskName) {
		fits := len(s.Statuses) == 0 || slices.Contains(s.Statuses, t.Status) && !t.Dismissed
		if fits && !seen[t.ID] {
			out, seen[t.ID] = append(out, t.ID), true
		}
	}
	patterns := s.Tasks
	if len(patterns) == 0 {
		patterns = []string{"*"}
	}
	for _, p := range patterns {
		t, there, err := q.DB.TaskName(ctx, name, p)
		switch {
		case err != nil:
			return nil, err
		case there && len(s.Tasks) > 0:
			take(t)
			continue
		case !strings.ContainsAny(p, "*?["):
			return nil, &db.Missing{Job: name, Task: p}
		}
		if !sound(p) {
			return nil, &BadPattern{p}
		}
		matched := len(s.Tasks) == 0
		prefix := p[:strings.IndexAny(p, "*?[")]
		err = q.DB.EachTaskName(ctx, name, prefix, func(t db.TaskName) error {
			if Match(p, t.ID) {
				matched = true
				if slices.Contains(may, t.Status) {
					take(t)
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		if !matched {
			return nil, &NoMatch{name, p}
		}
	}
	return out, nil
}

// matchJobs returns what matches the names of jobs that are meant, by names or by
// patterns; nil: all. A job that is named in full must be there. Errors: *BadPattern,
// db.ErrNoJob.
func matchJobs(ctx context.Context, d *db.DB, patterns []string) (func(name string) bool, error) {
	if len(patterns) == 0 {
		return nil, nil
	}
	for _, p := range patterns {
		if !sound(p) {
			return nil, &BadPattern{p}
		}
		if strings.ContainsAny(p, "*?[") {
			continue
		}
		if _, err := d.Job(ctx, p); err != nil {
			return nil, err
		}
	}
	return func(name string) bool {
		return slices.ContainsFunc(patterns, func(p string) bool { return Match(p, name) })
	}, nil
}

// Match reports whether a pattern of a Selection is like the text.
func Match(pattern, text string) bool {
	// star is where to go on if what follows the last * does not fit: it takes one
	// character more.
	star, rest := "", ""
	starred := false
	for text != "" || pattern != "" {
		if strings.HasPrefix(pattern, "*") {
			star, rest, starred = pattern[1:], text, true
			pattern = pattern[1:]
			continue
		}
		if text != "" {
			c, size := utf8.DecodeRuneInString(text)
			if after, ok := one(pattern, c); ok {
				pattern, text = after, text[size:]
				continue
			}
		}
		if !starred || rest == "" {
			return false
		}
		_, size := utf8.DecodeRuneInString(rest)
		rest = rest[size:]
		pattern, text = star, rest
	}
	return true
}

// one reports whether a pattern begins with a sign for the character, and returns
// what comes after that.
func one(pattern string, c rune) (after string, ok bool) {
	if pattern == "" {
		return "", false
	}
	sign, size := utf8.DecodeRuneInString(pattern)
	switch sign {
	case '?':
		return pattern[size:], true
	case '[':
		set, after, closed := class(pattern)
		if !closed {
			return "", false
		}
		negated := strings.HasPrefix(set, "!")
		return after, within(strings.TrimPrefix(set, "!"), c) != negated
	}
	return pattern[size:], sign == c
}

// class takes [set] from the beginning of a pattern. A ] that comes first belongs to
// the set.
func class(pattern string) (set, after string, closed bool) {
	from := 1
	if strings.HasPrefix(pattern[from:], "!") {
		from++
	}
	if strings.HasPrefix(pattern[from:], "]") {
		from++
	}
	end := strings.IndexByte(pattern[from:], ']')
	if end < 0 {
		return "", "", false
	}
	return pattern[1 : from+end], pattern[from+end+1:], true
}

// within reports whether a set such as a-z0 has the character.
func within(set string, c rune) bool {
	chars := []rune(set)
	for i := 0; i < len(chars); i++ {
		if i+2 < len(chars) && chars[i+1] == '-' {
			if chars[i] <= c && c <= chars[i+2] {
				return true
			}
			i += 2
		} else if chars[i] == c {
			return true
		}
	}
	return false
}

// sound reports whether every [ of a pattern has its ].
func sound(pattern string) bool {
	for pattern != "" {
		if pattern[0] != '[' {
			pattern = pattern[1:]
			continue
		}
		_, after, closed := class(pattern)
		if !closed {
			return false
		}
		pattern = after
	}
	return true
}
