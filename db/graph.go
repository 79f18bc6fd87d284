package db

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/jmoiron/sqlx"

	"github.com/air-executor/air-executor/job"
)

// mostNodes is how many tasks a Graph shows.
const mostNodes = 300

// GraphQuery says which part of the graph of a job Graph reads.
type GraphQuery struct {
	Job    string
	Around int64 // key of a task: what it needs and what needs it; 0: the tasks that need none, and what needs them
	Depth  int   // how many levels in each direction
}

// Graph is a part of the graph of a job. A task's level is the number of steps from
// where the part begins, with a minus for what is needed.
type Graph struct {
	Nodes    []GraphNode  // by level, at most 300: those that are nearest
	Edges    []GraphEdge  // between those
	Levels   []GraphLevel // in order; also of tasks that are not among the nodes
	Complete bool         // false: there was more than is looked at
	AsOf     Cursor       // cursor of the events
}

// GraphNode is a task.
type GraphNode struct {
	Key       int64
	Task      string
	Status    job.Status
	Reason    job.Reason
	Dismissed bool
	Level     int
}

// GraphEdge says that To needs From.
type GraphEdge struct {
	From, To  int64
	Condition string // success, or any: after whatever end
}

// GraphLevel counts the tasks of a level.
type GraphLevel struct {
	Level int
	Tasks job.Counts
}

// Graph reads a part of the graph of a job. It looks at a limited number of rows.
// Errors: ErrNoJob, ErrNoTask.
func (d *DB) Graph(ctx context.Context, q GraphQuery) (*Graph, error) {
	var g *graphWalk
	err := d.read(ctx, func(t *tx) error {
		j, err := t.findJob(q.Job)
		if err != nil {
			return err
		}
		g = &graphWalk{tx: t, job: j.ID, left: mostLooked, found: map[int64]*GraphNode{}}
		if err := g.walk(&q); err != nil {
			return err
		}
		if err := g.finish(); err != nil {
			return err
		}
		g.AsOf, err = t.asOf()
		return err
	})
	if err != nil {
		return nil, err
	}
	return &g.Graph, nil
}

type graphWalk struct {
	Graph
	*tx
	job   int64
	left  int // rows to look at
	found map[int64]*GraphNode
}

const graphNode = `
SELECT t.id, t.name, t.status, coalesce(t.reason, ''), CASE WHEN t.dismissed_at IS NULL THEN 0 ELSE 1 END`

// walk finds the tasks, level by level.
func (g *graphWalk) walk(q *GraphQuery) error {
	if q.Around == 0 {
		start, err := g.nodes(0, graphNode+`
FROM (SELECT id FROM task `+g.d.dialect.byJob+` WHERE job = ? ORDER BY id LIMIT ?) f
CROSS JOIN task t
WHERE t.id = f.id
  AND NOT EXISTS (SELECT 1 FROM dependency d WHERE d.task = t.id)`, g.job, g.left)
		if err != nil {
			return err
		}
		var tasks int
		if _, err := g.get(&tasks, `SELECT pending + running + completed + failed + dismissed FROM job WHERE id = ?`, g.job); err != nil {
			return err
		}
		g.left = mostLooked
		err = g.below(start, q.Depth)
		if tasks > mostLooked {
			g.left = 0 // there may be more beginnings
		}
		return err
	}
	start, err := g.nodes(0, graphNode+"\nFROM task t\nWHERE t.id = ?\n  AND t.job = ?", q.Around, g.job)
	if err == nil && len(start) == 0 {
		err = fmt.Errorf("%w with the key %d in job %q", ErrNoTask, q.Around, q.Job)
	}
	if err != nil {
		return err
	}
	// Half of what is looked at is for each direction.
	g.left = mostLooked / 2
	if err := g.above(start, q.Depth); err != nil {
		return err
	}
	more := g.left <= 0
	g.left = mostLooked / 2
	err = g.below(start, q.Depth)
	if more {
		g.left = 0
	}
	return err
}

func (g *graphWalk) below(start []int64, depth int) error {
	return g.levels(start, depth, 1, graphNode+`
FROM dependency d
CROSS JOIN task t
WHERE d.needs = ?
  AND t.id = d.task
  AND t.job = ?
LIMIT ?`)
}

func (g *graphWalk) above(start []int64, depth int) error {
	return g.levels(start, depth, -1, graphNode+`
FROM dependency d
CROSS JOIN task t
WHERE d.task = ?
  AND t.id = d.needs
  AND t.job = ?
LIMIT ?`)
}

func (g *graphWalk) levels(last []int64, depth, step int, query string) error {
	for level := step; depth > 0 && len(last) > 0; level, depth = level+step, depth-1 {
		var next []int64
		for _, id := range last {
			if g.left <= 0 {
				return nil
			}
			g.left-- // for the look itself
			found, err := g.nodes(level, query, id, g.job, g.left)
			if err != nil {
				return err
			}
			next = append(next, found...)
		}
		last = next
	}
	return nil
}

// nodes reads tasks of a level, and returns those that are new.
func (g *graphWalk) nodes(level int, query string, args ...any) (keys []int64, err error) {
	err = g.each(func(rows *sqlx.Rows) error {
		n := GraphNode{Level: level}
		if err := rows.Scan(&n.Key, &n.Task, &n.Status, &n.Reason, &n.Dismissed); err != nil {
			return err
		}
		g.left--
		if g.found[n.Key] == nil {
			g.found[n.Key] = &n
			keys = append(keys, n.Key)
		}
		return nil
	}, query, args...)
	return keys, err
}

// finish counts, picks the nodes that are shown, and reads the edges between them.
func (g *graphWalk) finish() error {
	g.Complete = g.left > 0
	all := slices.SortedFunc(maps.Values(g.found), func(a, b *GraphNode) int {
		return cmp.Or(cmp.Compare(max(a.Level, -a.Level), max(b.Level, -b.Level)), cmp.Compare(a.Key, b.Key))
	})
	counts := map[int]*job.Counts{}
	for _, n := range all {
		if counts[n.Level] == nil {
			counts[n.Level] = &job.Counts{}
		}
		n.count(counts[n.Level])
	}
	for _, level := range slices.Sorted(maps.Keys(counts)) {
		g.Levels = append(g.Levels, GraphLevel{level, *counts[level]})
	}
	all = all[:min(len(all), mostNodes)]
	shown := map[int64]bool{}
	for _, n := range all {
		shown[n.Key] = true
		g.Nodes = append(g.Nodes, *n)
	}
	slices.SortStableFunc(g.Nodes, func(a, b GraphNode) int { return cmp.Compare(a.Level, b.Level) })
	g.left = mostLooked
	for _, n := range g.Nodes {
		if err := g.edges(n.Key, shown); err != nil {
			return err
		}
	}
	return nil
}

// edges adds what a task needs of what is shown.
func (g *graphWalk) edges(key int64, shown map[int64]bool) error {
	err := g.each(func(rows *sqlx.Rows) error {
		e := GraphEdge{To: key}
		err := rows.Scan(&e.From, &e.Condition)
		if g.left--; shown[e.From] {
			g.Edges = append(g.Edges, e)
		}
		return err
	}, `
SELECT needs, condition
FROM dependency
WHERE task = ?
  AND needs IS NOT NULL
ORDER BY position
LIMIT ?`, key, max(g.left, 0))
	g.Complete = g.Complete && g.left > 0
	return err
}

// count counts a task.
func (n *GraphNode) count(c *job.Counts) {
	switch {
	case n.Dismissed:
		c.Dismissed++
	case n.Status == job.Failed:
		c.Failed++
	case n.Status == job.Completed:
		c.Completed++
	case n.Status == job.Running:
		c.Running++
	default:
		c.Pending++
	}
}
