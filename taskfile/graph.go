package taskfile

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/air-executor/air-executor/job"
)

// graph collects the ids and dependencies of a file's tasks, to find mistakes that
// involve several tasks: duplicate ids, dependencies on missing tasks, and cycles. It
// does not keep the tasks.
type graph struct {
	nodes map[string]int // by id, for tasks and for what they depend on
	tasks []graphTask    // by node
	deps  []int          // nodes; each task owns a range of it

	elsewhere map[int]bool // nodes that are tasks of other jobs, if the file has none of the name
}

type graphTask struct {
	index    int // in the file; -1: so far only named by a dependency
	line     int // of its dependencies or, if it has none, of the task
	anyLine  int // of its after_any, likewise
	own      int // of the task
	from, to int // its range of deps
	after    int // where those of after_any begin in it
}

// add adds a task. It returns a *mistake if its id is taken.
func (g *graph) add(t graphTask, s *job.Spec) error {
	node := g.node(s.ID)
	if first := g.tasks[node]; first.index >= 0 {
		return &mistake{key: "id", err: sameID(s.ID, first.own)}
	}
	t.from = len(g.deps)
	t.after = t.from + len(s.Dependencies)
	for _, d := range slices.Concat(s.Dependencies, s.AfterAny) {
		g.deps = append(g.deps, g.node(d))
	}
	t.to = len(g.deps)
	g.tasks[node] = t
	return nil
}

func (g *graph) node(id string) int {
	if n, ok := g.nodes[id]; ok {
		return n
	}
	if g.nodes == nil {
		g.nodes = make(map[string]int)
	}
	n := len(g.tasks)
	g.nodes[id] = n
	g.tasks = append(g.tasks, graphTask{index: -1})
	if _, _, ok := job.SplitLink(id); ok {
		if g.elsewhere == nil {
			g.elsewhere = map[int]bool{}
		}
		g.elsewhere[n] = true
	}
	return n
}

// names returns the id of each node.
func (g *graph) names() []string {
	names := make([]string, len(g.tasks))
	for id, node := range g.nodes {
		names[node] = id
	}
	return names
}

// cycle returns an error for one cycle, or nil.
func (g *graph) cycle(file string) error {
	nodes := job.Cycle(len(g.tasks), func(i int) []int { return g.deps[g.tasks[i].from:g.tasks[i].to] })
	if nodes == nil {
		return nil
	}
	first := 0 // in the file
	for i, node := range nodes {
		if g.tasks[node].index < g.tasks[nodes[first]].index {
			first = i
		}
	}
	nodes = append(nodes[first:len(nodes):len(nodes)], nodes[:first]...)
	names := g.names()
	var ids []string
	for _, node := range nodes {
		ids = append(ids, names[node])
	}
	t := g.tasks[nodes[0]]
	by := t.from + slices.Index(g.deps[t.from:t.to], nodes[1%len(nodes)])
	return g.at(file, nodes[0], by, ids[0], inCycle(ids))
}

// inCycle is the error about tasks that wait for each other.
func inCycle(ids []string) error { return fmt.Errorf("dependency cycle: %s", job.DescribeCycle(ids)) }

// missing returns an error for each task that depends on one that is not in the file, in
// the order of the file.
func (g *graph) missing(file string) (all []error) {
	type edge struct{ from, by int }
	var found []edge
	for node, t := range g.tasks {
		if t.index < 0 {
			continue
		}
		for i, d := range g.deps[t.from:t.to] {
			if g.tasks[d].index < 0 && !g.elsewhere[d] {
				found = append(found, edge{node, t.from + i})
				break
			}
		}
	}
	if len(found) == 0 {
		return nil
	}
	slices.SortFunc(found, func(a, b edge) int { return cmp.Compare(g.tasks[a.from].index, g.tasks[b.from].index) })
	names := g.names()
	var there []string
	for node, t := range g.tasks {
		if t.index >= 0 {
			there = append(there, names[node])
		}
	}
	for _, e := range found[:min(len(found), mostNoted)] {
		all = append(all, g.at(file, e.from, e.by, names[e.from], unknownTask(names[g.deps[e.by]], there)))
	}
	return all
}

// at places an error at the key of a task in which one of its deps is.
func (g *graph) at(file string, node, by int, id string, err error) error {
	t := g.tasks[node]
	e := &Error{File: file, Index: t.index, ID: id, Line: t.line, Key: "dependencies", Msg: err.Error(), Err: err}
	if by >= t.after {
		e.Key, e.Line = "after_any", t.anyLine
	}
	return e
}
