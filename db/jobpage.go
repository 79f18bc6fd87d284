package db

import (
	"context"
	"slices"
	"strings"

	"github.com/air-executor/air-executor/job"
)

// mostLooked is how many rows are looked at for one page. If a filter leaves none of
// them, the page is empty, and the next one goes on where it has ended.
const mostLooked = 20_000

// JobPageQuery says which page of which list of jobs JobPage reads. The zero value,
// with a Limit, is the first page of all, by name.
type JobPageQuery struct {
	State  *job.State // only in this state; nil: in any
	Text   string     // only those with this text in their names, in upper or lower case; empty: all
	Labels []LabelFilter
	Sort   Order      // ByJob (by name), ByCreated, ByUpdated or ByFailed
	Limit  int        // at least 1
	From   *JobCursor // the page begins after it; nil: at the beginning of the list
	Back   bool       // the page ends before From instead
}

// JobPage is a page of a list of jobs.
type JobPage struct {
	Jobs       []job.Job
	Cancelled  map[string]int // by job: failed tasks that were cancelled and not dismissed
	Next, Prev *JobCursor     // From of the page after and, with Back, before this one; nil: there is none
	AsOf       Cursor         // cursor of the events
}

// JobPage reads a page of a list. Sorted by name, it looks at a limited number of rows,
// so a page may be short although there is a next one. Other orders read the rows of
// all jobs.
func (d *DB) JobPage(ctx context.Context, q JobPageQuery) (JobPage, error) {
	var out JobPage
	err := d.read(ctx, func(t *tx) error {
		out = JobPage{}
		end, err := t.jobsEnd(&q)
		if err != nil {
			return err
		}
		query, args := q.query(d, end)
		if err := t.eachJob(&out.Jobs, query, args...); err != nil {
			return err
		}
		q.finish(&out, end)
		if out.Cancelled, err = t.cancelledOf(out.Jobs); err != nil {
			return err
		}
		out.AsOf, err = t.asOf()
		return err
	})
	return out, err
}

// JobsNamed returns those of the jobs that exist, in the order of the names.
func (d *DB) JobsNamed(ctx context.Context, names []string) (JobPage, error) {
	var out JobPage
	err := d.read(ctx, func(t *tx) error {
		out = JobPage{}
		for _, name := range distinct(names) {
			if err := t.eachJob(&out.Jobs, d.jobColumns()+`
WHERE name = ?`, name); err != nil {
				return err
			}
		}
		var err error
		if out.Cancelled, err = t.cancelledOf(out.Jobs); err != nil {
			return err
		}
		out.AsOf, err = t.asOf()
		return err
	})
	return out, err
}

// cancelledOf counts the failed tasks of jobs that were cancelled and not dismissed.
func (t *tx) cancelledOf(jobs []job.Job) (map[string]int, error) {
	out := map[string]int{}
	for _, j := range jobs {
		if j.Tasks.Failed == 0 {
			continue
		}
		var n int
		if _, err := t.get(&n, `
SELECT COUNT(*)
FROM job j
JOIN task t ON t.job = j.id
WHERE j.name = ?
  AND t.status = 'failed'
  AND t.reason = 'cancelled'
  AND t.dismissed_at IS NULL`, j.Name); err != nil {
			return nil, err
		}
		out[j.Name] = n
	}
	return out, nil
}

// filtered reports whether a page may be short.
func (q *JobPageQuery) filtered() bool {
	return q.State != nil || q.Text != "" || len(q.Labels) > 0
}

// jobsEnd returns the name at which a page by name ends at the latest; "": there is none.
func (t *tx) jobsEnd(q *JobPageQuery) (end string, err error) {
	if q.Sort != ByJob || !q.filtered() {
		return "", nil
	}
	query, args := "\nSELECT name\nFROM job "+t.d.dialect.byJobName, []any{}
	if q.From != nil {
		query, args = query+"\nWHERE name "+forth(q.Back)+" ?", append(args, q.From.Name)
	}
	_, err = t.get(&end, query+"\nORDER BY name"+direction(q.Back)+"\nLIMIT 1 OFFSET ?", append(args, mostLooked-1)...)
	return end, err
}

// forth is the comparison for what comes after a place of a list.
func forth(back bool) string {
	if back {
		return "<"
	}
	return ">"
}

func direction(back bool) string {
	if back {
		return " DESC"
	}
	return ""
}

// query reads one job more than the page has, to learn whether there are more.
func (q *JobPageQuery) query(d *DB, end string) (query string, args []any) {
	var terms []string
	only := func(term string, values ...any) {
		terms = append(terms, term)
		args = append(args, values...)
	}
	order := jobOrders[q.Sort].term
	if c := q.From; c != nil && order == "" {
		only("name "+forth(q.Back)+" ?", c.Name)
	} else if c != nil {
		only("("+order+" "+forth(q.Back)+" ? OR "+order+" = ? AND name "+forth(q.Back)+" ?)", c.Rank, c.Rank, c.Name)
	}
	if end != "" {
		only("name "+forth(!q.Back)+"= ?", end)
	}
	if q.State != nil {
		only("state = ?", *q.State)
	}
	if q.Text != "" {
		only("lower(name) LIKE ? ESCAPE '\\'", like(q.Text))
	}
	for _, l := range q.Labels {
		term, values := l.jobTerms("job")
		only(term, values...)
	}
	query = d.jobColumns()
	if len(terms) > 0 {
		query += "\nWHERE " + strings.Join(terms, "\n  AND ")
	}
	query += "\nORDER BY "
	if order != "" {
		query += order + direction(q.Back) + ", "
	}
	return query + "name" + direction(q.Back) + "\nLIMIT ?", append(args, q.Limit+1)
}

// like is a pattern for texts that have this one in them. What it is compared with is
// in lower case.
func like(text string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(strings.ToLower(text)) + "%"
}

// finish takes the row off that the page does not have, and sets the cursors.
func (q *JobPageQuery) finish(p *JobPage, end string) {
	var beyond *JobCursor // where the page after this one begins, in the direction of reading
	place := JobsQuery{Sort: q.Sort}.Place
	if len(p.Jobs) > q.Limit {
		p.Jobs = p.Jobs[:q.Limit]
		beyond = place(p.Jobs[q.Limit-1])
	} else if end != "" {
		beyond = &JobCursor{Name: end}
	}
	if q.Back {
		slices.Reverse(p.Jobs)
		p.Prev, p.Next = beyond, q.From
		if n := len(p.Jobs); n > 0 {
			p.Next = place(p.Jobs[n-1])
		}
		return
	}
	p.Next = beyond
	if q.From != nil {
		p.Prev = q.From
		if len(p.Jobs) > 0 {
			p.Prev = place(p.Jobs[0])
		}
	}
}
