package db

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"
)

// HistoryPageQuery says which page of the history HistoryPage reads. The query's Job and
// After are not for it, and its Limit is at least 1.
type HistoryPageQuery struct {
	HistoryQuery
	Name    string         // only of this job; empty: of all
	Command string         // only of this command, with or without its folder; empty: of any
	Started bool           // only attempts, and no tasks that have ended without one
	From    *HistoryCursor // the page begins after it; nil: with the newest
	Back    bool           // the page ends before From instead
}

// HistoryPage is a page of the history, newest first.
type HistoryPage struct {
	Items      []Ended
	Next, Prev *HistoryCursor // From of the page after and, with Back, before this one; nil: there is none
	AsOf       Cursor         // cursor of the events
}

// HistoryPlace is what a HistoryCursor says, for those who store it.
type HistoryPlace struct {
	Ended     int64 // Unix microseconds
	Unstarted bool  // a task without an attempt
	Row       int64
}

// At returns the cursor of a place.
func (p HistoryPlace) At() *HistoryCursor { return &HistoryCursor{p.Ended, p.Unstarted, p.Row} }

// Place is what the cursor says.
func (c *HistoryCursor) Place() HistoryPlace { return HistoryPlace{c.ended, c.unstarted, c.id} }

// compare orders places as the history has them: newest first.
func (c *HistoryCursor) compare(other *HistoryCursor) int {
	return cmp.Or(cmp.Compare(other.ended, c.ended), compareBool(c.unstarted, other.unstarted), cmp.Compare(other.id, c.id))
}

// HistoryPage reads a page of the history. It looks at a limited number of rows, so a
// page may be short although there is a next one. Errors: ErrNoJob.
func (d *DB) HistoryPage(ctx context.Context, q HistoryPageQuery) (HistoryPage, error) {
	var out HistoryPage
	err := d.read(ctx, func(t *tx) (err error) {
		out = HistoryPage{}
		var id int64
		if q.Name != "" {
			j, err := t.findJob(q.Name)
			if err != nil {
				return err
			}
			id = j.ID
		}
		few, err := t.hasFew(id)
		if err != nil {
			return err
		}
		var horizon *HistoryCursor // nothing after it was looked at
		for _, unstarted := range []bool{false, true} {
			if unstarted && q.Started {
				continue
			}
			items, end, err := t.historyPart(&q, id, few, unstarted)
			if err != nil {
				return err
			}
			out.Items = append(out.Items, items...)
			if end != nil && (horizon == nil || q.beyond(horizon, end)) {
				horizon = end
			}
		}
		q.finish(&out, horizon)
		out.AsOf, err = t.asOf()
		return err
	})
	return out, err
}

// hasFew reports whether a job has so few tasks that they are read one by one. Those of
// a larger one are found sooner in the history of all.
func (t *tx) hasFew(jobID int64) (bool, error) {
	if jobID == 0 {
		return false, nil
	}
	var tasks int
	_, err := t.get(&tasks, `SELECT pending + running + completed + failed + dismissed FROM job WHERE id = ?`, jobID)
	return tasks < fewTasks, err
}

// beyond reports whether the place a comes after b in the direction of reading.
func (q *HistoryPageQuery) beyond(a, b *HistoryCursor) bool {
	if q.Back {
		return a.compare(b) < 0
	}
	return a.compare(b) > 0
}

// historyPart reads what a page may have of the attempts, or of the tasks without one,
// and up to where it has looked; nil: to the end.
func (t *tx) historyPart(q *HistoryPageQuery, jobID int64, few, unstarted bool) (items []Ended, end *HistoryCursor, err error) {
	s := q.part(&t.d.dialect, jobID, few, unstarted)
	if !few {
		if end, err = t.historyEnd(q, unstarted); err != nil {
			return nil, nil, err
		}
		if end != nil {
			sign := forth(q.Back) // the newest come first
			s.add("\n  AND "+s.column+" "+sign+"= ?\n  AND ("+s.column+" "+sign+" ? OR "+s.row+" "+sign+"= ?)", end.ended, end.ended, end.id)
		}
	}
	order := " DESC"
	if q.Back {
		order = ""
	}
	s.add("\nORDER BY "+s.column+order+", "+s.row+order+"\nLIMIT ?", q.Limit+1)
	err = t.each(func(rows *sqlx.Rows) error {
		e, _, err := scanEnded(rows)
		items = append(items, e)
		return err
	}, s.query, s.args...)
	return items, end, err
}

// historySource is one of the lists of which a page is made.
type historySource struct {
	source
	column, row string // that it is sorted by
}

// part is the list of attempts, or of tasks without one, from the place on at which the
// page begins.
func (q *HistoryPageQuery) part(d *dialect, jobID int64, few, unstarted bool) historySource {
	s := historySource{column: "a.ended_at", row: "a.id"}
	list, table, row := (*HistoryQuery).attemptList, "a", int64(0)
	if unstarted {
		s.column, s.row = "t.completed_at", "t.id"
		list, table = (*HistoryQuery).unstartedList, "t"
	}
	if few {
		row = jobID
	}
	list(&q.HistoryQuery, &s.source, d, row)
	q.between(&s, unstarted)
	q.only(&s.source, table)
	if jobID != 0 && !few {
		s.add("\n  AND t.job = ?", jobID)
	}
	if q.Command != "" {
		s.add("\n  AND (t.command = ? OR t.command LIKE ? ESCAPE '\\')", q.Command, "%/"+likeText(q.Command))
	}
	return s
}

// between adds from where to where a list is read.
func (q *HistoryPageQuery) between(s *historySource, unstarted bool) {
	first, last, id := q.HistoryQuery.bounds(unstarted)
	if c := q.From; c != nil && !q.Back {
		after := q.HistoryQuery
		after.After = c
		first, last, id = after.bounds(unstarted)
	}
	sign, edge := "<", last
	if c := q.From; c != nil && q.Back {
		sign, id = ">", c.id
		first = max(first, c.ended)
		if c.unstarted != unstarted {
			id = -1 // of the same instant, all attempts come before, and no task
			if unstarted {
				first = max(first, c.ended+1)
			}
		}
		if first > c.ended {
			id = -1
		}
		edge = first
	}
	s.add("\n  AND "+s.column+" BETWEEN ? AND ?\n  AND ("+s.column+" "+sign+" ? OR "+s.row+" "+sign+" ?)", first, last, edge, id)
}

// historyEnd returns the place of the last row that is looked at; nil: there are fewer.
func (t *tx) historyEnd(q *HistoryPageQuery, unstarted bool) (*HistoryCursor, error) {
	s := historySource{column: "a.ended_at", row: "a.id"}
	switch {
	case unstarted:
		s.column, s.row = "t.completed_at", "t.id"
		s.add("\nSELECT t.completed_at AS ended, t.id AS row\nFROM task t " + t.d.dialect.byUnstarted + `
WHERE t.completed_at IS NOT NULL
  AND (t.attempts = 0 OR t.reason IN ('cancelled', 'skipped'))`)
	case q.Failed || q.Reason != "":
		s.add("\nSELECT a.ended_at AS ended, a.id AS row\nFROM attempt a " + t.d.dialect.byFailure + "\nWHERE a.status = 'failed'")
	default:
		s.add("\nSELECT a.ended_at AS ended, a.id AS row\nFROM attempt a " + t.d.dialect.byEnd + "\nWHERE a.ended_at IS NOT NULL")
	}
	q.between(&s, unstarted)
	order := " DESC"
	if q.Back {
		order = ""
	}
	s.add("\nORDER BY "+s.column+order+", "+s.row+order+"\nLIMIT 1 OFFSET ?", mostLooked-1)
	var at struct{ Ended, Row int64 }
	found, err := t.get(&at, s.query, s.args...)
	if err != nil || !found {
		return nil, err
	}
	return &HistoryCursor{at.Ended, unstarted, at.Row}, nil
}

// finish puts the two lists together, takes off what the page does not have, and sets
// the cursors.
func (q *HistoryPageQuery) finish(p *HistoryPage, horizon *HistoryCursor) {
	slices.SortFunc(p.Items, func(a, b Ended) int {
		n := a.Place().compare(b.Place())
		if q.Back {
			return -n
		}
		return n
	})
	if horizon != nil {
		p.Items = slices.DeleteFunc(p.Items, func(e Ended) bool { return q.beyond(e.Place(), horizon) })
	}
	beyond := horizon
	if len(p.Items) > q.Limit {
		p.Items = p.Items[:q.Limit]
		beyond = p.Items[q.Limit-1].Place()
	}
	if q.Back {
		slices.Reverse(p.Items)
		p.Prev, p.Next = beyond, q.From
		if n := len(p.Items); n > 0 {
			p.Next = p.Items[n-1].Place()
		}
		return
	}
	p.Next = beyond
	if q.From != nil {
		p.Prev = q.From
		if len(p.Items) > 0 {
			p.Prev = p.Items[0].Place()
		}
	}
}

// likeText is a text in a pattern that is compared with case.
func likeText(text string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text)
}
