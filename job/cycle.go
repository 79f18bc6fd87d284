package job

import (
	"fmt"
	"slices"
	"strings"
)

// Cycle finds a cycle in a directed graph whose nodes are 0 to n-1. Edges returns the
// nodes that a node leads to; it is called at most once per node. The result lists the
// nodes of one cycle in order, each leading to the next and the last to the first; it
// is nil when there is no cycle. Time and memory are linear in nodes and edges, however
// deep the graph is.
func Cycle(n int, edges func(i int) []int) []int {
	type step struct {
		node int
		next []int // edges not yet followed
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

// DescribeCycle names the tasks of a cycle: "a → b → a". A long cycle is shortened.
func DescribeCycle(ids []string) string {
	const most = 10
	if len(ids) <= most {
		return strings.Join(append(ids[:len(ids):len(ids)], ids[0]), " → ")
	}
	return fmt.Sprintf("%s → … → %s (%d tasks)", strings.Join(ids[:most], " → "), ids[0], len(ids))
}
