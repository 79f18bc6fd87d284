package api

import (
	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/queue"
)

// defaultDepth is how many levels of a graph are read.
const defaultDepth = 3

// GraphAt is a part of the graph of a job, with the cursor of the events.
type GraphAt struct {
	queue.GraphForm
	Nodes []GraphNode `json:"nodes"`
	AsOf  *string     `json:"as_of"`
}

// GraphNode is a task of it.
type GraphNode struct {
	queue.GraphNodeForm
	URL string `json:"url"` // of its page
}

func getGraph(c *call) (answer, error) {
	var p GetGraphParams
	if err := c.parameters(&p); err != nil {
		return answer{}, err
	}
	f, asOf, err := c.api.queue.Graph(c.Context(), db.GraphQuery{Job: c.PathValue("job"), Around: or(p.Around, 0), Depth: or(p.Depth, defaultDepth)})
	if err != nil {
		return answer{}, err
	}
	out := GraphAt{GraphForm: f, Nodes: []GraphNode{}, AsOf: orNull(asOf)}
	for _, n := range f.Nodes {
		out.Nodes = append(out.Nodes, GraphNode{n, c.taskAddress(n.Key)})
	}
	return ok(out, nil)
}
