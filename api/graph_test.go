package api

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/air-executor/air-executor/job"
)

// shape is a graph as text.
func shape(g GraphAt) string {
	var nodes, edges []string
	name := map[int64]string{}
	for _, n := range g.Nodes {
		name[n.Key] = n.Task
		nodes = append(nodes, fmt.Sprintf("%s%+d", n.Task, n.Level))
	}
	for _, e := range g.Edges {
		edges = append(edges, name[e.From]+">"+name[e.To])
	}
	slices.Sort(edges)
	return strings.Join(nodes, " ") + " " + strings.Join(edges, " ")
}

func TestTheGraphOfAJob(t *testing.T) {
	s := serve(t, Options{})
	task := func(id string, needs ...string) job.Spec {
		return job.Spec{ID: id, Command: "true", Dependencies: needs}
	}
	s.enqueue("j", task("a"), task("b", "a"), task("c", "a"), task("d", "b", "c"), task("e", "d"), task("f", "e"), task("g", "f"), task("alone"))
	s.ran("j", "", job.Result{Status: job.Completed, ExitCode: new(0)})
	s.ran("j", "", failed)
	get := func(query string) GraphAt {
		t.Helper()
		return read[GraphAt](s.get("/api/v1/jobs/j/graph" + query))
	}
	key := func(id string) string { return strings.TrimPrefix(s.keyOf("j", id), "/api/v1/tasks/") }
	for query, want := range map[string]string{
		"":                                "a+0 alone+0 b+1 c+1 d+2 e+3 a>b a>c b>d c>d d>e",
		"?depth=1":                        "a+0 alone+0 b+1 c+1 a>b a>c",
		"?depth=100":                      "a+0 alone+0 b+1 c+1 d+2 e+3 f+4 g+5 a>b a>c b>d c>d d>e e>f f>g",
		"?depth=1&around=" + key("d"):     "b-1 c-1 d+0 e+1 b>d c>d d>e",
		"?depth=0&around=" + key("d"):     "d+0 ",
		"?depth=9&around=" + key("b"):     "a-1 b+0 d+1 e+2 f+3 g+4 a>b b>d d>e e>f f>g",
		"?depth=9&around=" + key("alone"): "alone+0 ",
	} {
		g := get(query)
		if got := shape(g); got != want || !g.Complete {
			t.Errorf("%s\nwant %s\ngot  %s", query, want, got)
		}
	}
	g := get("?depth=1")
	if l := g.Levels; len(l) != 2 || l[0].Total != 2 || l[0].Completed != 1 || l[1].Total != 2 || l[1].Failed+l[0].Failed != 1 {
		t.Errorf("%+v", g.Levels)
	}
	s.full("GET", "/api/v1/jobs/none/graph").problem(noSuchJob)
	s.enqueue("other", command("x")...)
	for _, around := range []string{"999", strings.TrimPrefix(s.keyOf("other", "x"), "/api/v1/tasks/")} {
		s.full("GET", "/api/v1/jobs/j/graph?around="+around).problem(noSuchTask)
	}
}

// Of a large job, what is nearest is shown, and all of a level is counted.
func TestTheGraphOfALargeJob(t *testing.T) {
	s := serve(t, Options{})
	specs := command("first")
	for range 1000 {
		specs = append(specs, job.Spec{Command: "true", Dependencies: []string{"first"}})
	}
	s.enqueue("j", specs...)
	g := read[GraphAt](s.get("/api/v1/jobs/j/graph"))
	if len(g.Nodes) != 300 || len(g.Edges) != 299 || len(g.Levels) != 2 || g.Levels[1].Pending != 1000 || !g.Complete {
		t.Errorf("%d nodes, %d edges, %+v", len(g.Nodes), len(g.Edges), g.Levels)
	}
	for range 25 {
		more := []job.Spec{}
		for range 1000 {
			more = append(more, job.Spec{Command: "true", Dependencies: []string{"first"}})
		}
		s.enqueue("j", more...)
	}
	if g := read[GraphAt](s.get("/api/v1/jobs/j/graph")); len(g.Nodes) != 300 || g.Complete || g.Levels[1].Total > 20_000 {
		t.Errorf("%d nodes, %+v", len(g.Nodes), g.Levels)
	}
}
