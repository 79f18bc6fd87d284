package main

import (
	"fmt"
	"strings"

	"github.com/air-executor/air-executor/taskfile"
)

// mermaid is the graph of a job file for Mermaid.
func mermaid(f *taskfile.JobFile) string {
	var b strings.Builder
	b.WriteString("flowchart TD\n")
	number := map[string]int{}
	text := strings.NewReplacer("#", "#35;", `"`, "#quot;", "<", "#lt;", ">", "#gt;", "&", "#amp;")
	for i, t := range f.Tasks {
		number[t.ID] = i + 1
		fmt.Fprintf(&b, "    t%d[\"%s\"]\n", i+1, text.Replace(oneLine(t.ID)))
	}
	for _, t := range f.Tasks {
		for _, d := range t.Dependencies { // of other jobs
			if number[d] == 0 {
				number[d] = len(number) + 1
				fmt.Fprintf(&b, "    t%d([\"%s\"])\n", number[d], text.Replace(oneLine(d)))
			}
		}
	}
	for i, t := range f.Tasks {
		for _, d := range t.Dependencies {
			fmt.Fprintf(&b, "    t%d --> t%d\n", number[d], i+1)
		}
	}
	return b.String()
}

// dot is the graph of a job file for Graphviz.
func dot(f *taskfile.JobFile) string {
	var b strings.Builder
	quote := func(s string) string {
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(oneLine(s)) + `"`
	}
	fmt.Fprintf(&b, "digraph %s {\n", quote(f.Name))
	for _, t := range f.Tasks {
		fmt.Fprintf(&b, "    %s;\n", quote(t.ID))
	}
	for _, t := range f.Tasks {
		for _, d := range t.Dependencies {
			fmt.Fprintf(&b, "    %s -> %s;\n", quote(d), quote(t.ID))
		}
	}
	return b.String() + "}\n"
}

// tree is the graph of a job file for people: below each task what comes after it.
// A task is shown once, below the last of those that it waits for; the others are
// named beside it.
type tree struct {
	strings.Builder
	tasks []taskfile.JobTask
	below [][]int // by task, what is shown below it
	later []int   // what is shown at the margin again, for it is too far right
}

// deepest is how many levels are shown below each other.
const deepest = 30

func newTree(f *taskfile.JobFile) *tree {
	t := &tree{tasks: f.Tasks, below: make([][]int, len(f.Tasks))}
	number, level := map[string]int{}, make([]int, len(f.Tasks))
	for i, task := range f.Tasks {
		number[task.ID] = i
		level[i] = -1
	}
	for i := range f.Tasks {
		t.levelOf(i, number, level)
	}
	var roots []int
	for i, task := range f.Tasks {
		last := -1
		for _, d := range task.Dependencies {
			if n, ok := number[d]; ok && (last < 0 || level[n] > level[last]) {
				last = n
			}
		}
		if last < 0 {
			roots = append(roots, i)
		} else {
			t.below[last] = append(t.below[last], i)
		}
	}
	for _, i := range roots {
		t.show(i, "", "", 0, "")
	}
	for len(t.later) > 0 {
		i := t.later[0]
		t.later = t.later[1:]
		t.WriteString(oneLine(t.tasks[i].ID) + " …\n")
		t.children(i, "", 0)
	}
	return t
}

// levelOf finds the length of the longest way to a task, without recursion: chains
// may be long.
func (t *tree) levelOf(i int, number map[string]int, level []int) {
	stack := []int{i}
	for len(stack) > 0 {
		top := stack[len(stack)-1]
		most, ready := 0, true
		for _, d := range t.tasks[top].Dependencies {
			if n, ok := number[d]; !ok {
				continue // of another job
			} else if level[n] < 0 {
				stack, ready = append(stack, n), false
			} else {
				most = max(most, level[n]+1)
			}
		}
		if ready {
			level[top] = most
			stack = stack[:len(stack)-1]
		}
	}
}

// show shows a task and what is below it. Above is the one that it is shown below.
func (t *tree) show(i int, first, rest string, depth int, above string) {
	t.WriteString(first + oneLine(t.tasks[i].ID))
	var others []string
	for _, d := range t.tasks[i].Dependencies {
		if d != above {
			others = append(others, oneLine(d))
		}
	}
	const most = 5
	if more := len(others) - most; more > 0 {
		others = append(others[:most], fmt.Sprintf("%d more", more))
	}
	if len(others) > 0 {
		also := "also "
		if above == "" {
			also = "" // they are of other jobs
		}
		t.WriteString("  (" + also + "after " + strings.Join(others, ", ") + ")")
	}
	if depth == deepest && len(t.below[i]) > 0 {
		t.WriteString(" …\n")
		t.later = append(t.later, i)
		return
	}
	t.WriteString("\n")
	t.children(i, rest, depth)
}

func (t *tree) children(i int, rest string, depth int) {
	for n, child := range t.below[i] {
		first, next := "├─ ", "│  "
		if n == len(t.below[i])-1 {
			first, next = "└─ ", "   "
		}
		t.show(child, rest+first, rest+next, depth+1, t.tasks[i].ID)
	}
}
