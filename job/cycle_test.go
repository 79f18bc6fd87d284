package job_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/job"
)

func TestCycle(t *testing.T) {
	tests := []struct {
		name  string
		edges [][]int
		want  []int
	}{
		{"nothing", nil, nil},
		{"one", [][]int{{}}, nil},
		{"itself", [][]int{{0}}, []int{0}},
		{"two", [][]int{{1}, {0}}, []int{0, 1}},
		{"diamond", [][]int{{1, 2}, {3}, {3}, {}}, nil},
		{"twice the same edge", [][]int{{1, 1}, {}}, nil},
		{"behind a tail", [][]int{{1}, {2}, {3}, {1}}, []int{1, 2, 3}},
		{"in the second part", [][]int{{}, {0, 2}, {0, 1}}, []int{1, 2}},
		{"after a dead end", [][]int{{1, 2}, {}, {1, 3}, {0}}, []int{0, 2, 3}},
	}
	for _, tt := range tests {
		got := job.Cycle(len(tt.edges), func(i int) []int { return tt.edges[i] })
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestCycleOfALongChain(t *testing.T) {
	const n = 100_000
	chain := func(last []int) func(int) []int {
		return func(i int) []int {
			if i == n-1 {
				return last
			}
			return []int{i + 1}
		}
	}
	if got := job.Cycle(n, chain(nil)); got != nil {
		t.Errorf("found a cycle of %d in a chain", len(got))
	}
	if got := job.Cycle(n, chain([]int{0})); len(got) != n {
		t.Errorf("found a cycle of %d, want %d", len(got), n)
	}
}

// TestCycleOfRandomGraphs compares with another way to tell: a graph has no
// cycle when its nodes can be taken away one by one, each time one that leads
// nowhere.
func TestCycleOfRandomGraphs(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	found := 0
	for range 3000 {
		n := 1 + random.IntN(9)
		edges := make([][]int, n)
		for range random.IntN(2 * n) {
			from := random.IntN(n)
			edges[from] = append(edges[from], random.IntN(n))
		}
		got := job.Cycle(n, func(i int) []int { return edges[i] })
		if (got != nil) != stuck(edges) {
			t.Fatalf("%v: got %v", edges, got)
		}
		if got == nil {
			continue
		}
		found++
		for i, node := range got {
			next := got[(i+1)%len(got)]
			if !slices.Contains(edges[node], next) {
				t.Fatalf("%v: %v is not a cycle: %d does not lead to %d", edges, got, node, next)
			}
		}
	}
	if found < 500 || found > 2500 {
		t.Errorf("%d of 3000 graphs had a cycle: the test no longer sees both kinds", found)
	}
}

func stuck(edges [][]int) bool {
	gone := make([]bool, len(edges))
	for range edges {
		for i, to := range edges {
			free := true
			for _, node := range to {
				free = free && gone[node]
			}
			gone[i] = gone[i] || free
		}
	}
	return slices.Contains(gone, false)
}
