package job

import (
	"fmt"
	"slices"
	"strings"
)

// Cycle finds a cycle in a directed graph whose nodes are 0 to n-1. Edges
// returns the nodes that a node leads to; it is called once per node at most.
// The result lists the nodes of one cycle in order, each leading to the next
// and the last to the first; it is nil when there is no cycle. Time and memory
// are linear in nodes and edges, however deep the graph is.
func Cycle(n int, edges func(i int) []int) []int {
	type step struct {
		node int
		next []int // edges that are still to be followed
	}
	const (
		onPath = 1 + iota
		done
	)
	marks := make([]uint8, n)
	var path []step
	for root := range n {
		if marks[root] != 0 {
			continue
		}
		marks[root] = onPath
		path = append(path[:0], step{root, edges(root)})
		for len(path) > 0 {
			top := &path[len(path)-1]
			if len(top.next) == 0 {
				marks[top.node] = done
				path = path[:len(path)-1]
				continue
			}
			to := top.next[0]
			top.next = top.next[1:]
			switch marks[to] {
			case 0:
				marks[to] = onPath
				path = append(path, step{to, edges(to)})
			case onPath:
				var cycle []int
				for i := len(path) - 1; ; i-- {
					cycle = append(cycle, path[i].node)
					if path[i].node == to {
						break
					}
				}
				slices.Reverse(cycle)
				return cycle
			}
		}
	}
	return nil
}

// graph collects the ids and dependencies of a file's tasks, to find what no
// single task shows: an id that is used twice, and a cycle. It keeps no task.
type graph struct {
	nodes map[string]int // by id, for tasks and for what they depend on
	tasks []graphTask    // by node
	deps  []int          // nodes; each task holds a stretch of it
}

type graphTask struct {
	index    int // in the file; -1: only a dependency names it so far
	from, to int // its stretch of deps
}

// add notes the task at the given index. When its id is taken, ok is false,
// and taken is the index of the task that has it.
func (g *graph) add(index int, s *Spec) (taken int, ok bool) {
	node := g.node(s.ID)
	if at := g.tasks[node].index; at >= 0 {
		return at, false
	}
	from := len(g.deps)
	for _, d := range s.Dependencies {
		g.deps = append(g.deps, g.node(d))
	}
	g.tasks[node] = graphTask{index: index, from: from, to: len(g.deps)}
	return 0, true
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
	return n
}

// cycle returns the ids of one cycle, and the index of the first of them in
// the file; ids is nil when there is no cycle.
func (g *graph) cycle() (index int, ids []string) {
	nodes := Cycle(len(g.tasks), func(i int) []int { return g.deps[g.tasks[i].from:g.tasks[i].to] })
	if nodes == nil {
		return -1, nil
	}
	names := make([]string, len(g.tasks))
	for id, node := range g.nodes {
		names[node] = id
	}
	for _, node := range nodes {
		ids = append(ids, names[node])
	}
	return g.tasks[nodes[0]].index, ids
}

// DescribeCycle names the tasks of a cycle: "a → b → a". A long one is shortened.
func DescribeCycle(ids []string) string {
	const most = 10
	if len(ids) <= most {
		return strings.Join(append(ids[:len(ids):len(ids)], ids[0]), " → ")
	}
	return fmt.Sprintf("%s → … → %s (%d tasks)", strings.Join(ids[:most], " → "), ids[0], len(ids))
}
