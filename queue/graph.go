package queue

import (
	"context"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

// GraphForm is a part of the graph of a job.
type GraphForm struct {
	Nodes    []GraphNodeForm  `json:"nodes"`    // at most 300, those that are nearest
	Edges    []GraphEdgeForm  `json:"edges"`    // between those
	Levels   []GraphLevelForm `json:"levels"`   // also of tasks that are not among the nodes
	Complete bool             `json:"complete"` // false: there was more than is looked at
}

// GraphNodeForm is a task.
type GraphNodeForm struct {
	Key       int64       `json:"key"`
	Task      string      `json:"task"`
	Status    job.Status  `json:"status"`
	Reason    *job.Reason `json:"reason"`
	Dismissed bool        `json:"dismissed"`
	Level     int         `json:"level"`
}

// GraphEdgeForm says that the task To needs the task From.
type GraphEdgeForm struct {
	From      int64  `json:"from"`
	To        int64  `json:"to"`
	Condition string `json:"condition"` // success or any
}

// GraphLevelForm counts the tasks of a level.
type GraphLevelForm struct {
	Level     int `json:"level"`
	Total     int `json:"total"`
	Pending   int `json:"pending"`
	Running   int `json:"running"`
	Completed int `json:"completed"`
	Failed    int `json:"failed"`
	Dismissed int `json:"dismissed"`
}

// Graph reads a part of the graph of a job, and the cursor of the events. Errors:
// db.ErrNoJob, db.ErrNoTask.
func (q *Queue) Graph(ctx context.Context, query db.GraphQuery) (GraphForm, string, error) {
	out := GraphForm{Nodes: []GraphNodeForm{}, Edges: []GraphEdgeForm{}, Levels: []GraphLevelForm{}}
	g, err := q.DB.Graph(ctx, query)
	if err != nil {
		return out, "", err
	}
	out.Complete = g.Complete
	for _, n := range g.Nodes {
		out.Nodes = append(out.Nodes, GraphNodeForm{n.Key, n.Task, n.Status, OrNull(n.Reason), n.Dismissed, n.Level})
	}
	for _, e := range g.Edges {
		out.Edges = append(out.Edges, GraphEdgeForm(e))
	}
	for _, l := range g.Levels {
		c := l.Tasks
		out.Levels = append(out.Levels, GraphLevelForm{l.Level, c.Total(), c.Pending, c.Running, c.Completed, c.Failed, c.Dismissed})
	}
	return out, string(g.AsOf), nil
}
