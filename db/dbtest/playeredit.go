package dbtest

import (
	"context"
	"errors"
	"maps"
	"slices"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

// draw draws a job and some of its tasks, mostly pending ones.
func (p *player) draw() (name string, ids []string) {
	if name, _ = p.some(); name == "" {
		return "", nil
	}
	j := p.model.jobs[name]
	for _, id := range slices.Sorted(maps.Keys(j.tasks)) {
		often := 6
		if j.tasks[id].status == job.Pending {
			often = 2
		}
		if p.random.IntN(often*len(j.tasks)) < 3 {
			ids = append(ids, id)
		}
	}
	p.random.Shuffle(len(ids), func(i, k int) { ids[i], ids[k] = ids[k], ids[i] })
	return name, ids
}

func (j *modelJob) allPending(ids []string) bool {
	return !slices.ContainsFunc(ids, func(id string) bool { return j.tasks[id].status != job.Pending })
}

// editSome gives tasks other priorities and dependencies.
func (p *player) editSome() bool {
	name, ids := p.draw()
	if len(ids) == 0 {
		return false
	}
	j := p.model.jobs[name]
	known := slices.Sorted(maps.Keys(j.tasks))
	priorities, needs := map[string]int{}, map[string][]string{}
	good, graph := j.allPending(ids), map[string][]string{}
	for id, t := range j.tasks {
		graph[id] = t.needs
	}
	for _, id := range ids {
		priorities[id] = p.random.IntN(3)
		for range p.random.IntN(3) {
			need := known[p.random.IntN(len(known))]
			if p.random.IntN(20) == 0 {
				need = "none"
			}
			if need < id && !slices.Contains(needs[id], need) || p.random.IntN(20) == 0 {
				needs[id] = append(needs[id], need)
			}
		}
		good = good && !slices.ContainsFunc(needs[id], func(n string) bool {
			return j.tasks[n] == nil && !slices.Contains(j.tasks[id].needs, n)
		})
		graph[id] = needs[id]
	}
	good = good && acyclic(graph)
	_, err := p.Edit(context.Background(), name, ids, func(s *job.Spec) error {
		s.Priority, s.Dependencies = priorities[s.ID], needs[s.ID]
		return nil
	})
	if (err == nil) != good {
		p.T.Fatalf("edit %q of %s, needs %v: %v, the model says good is %t", ids, name, needs, err, good)
	}
	if !good {
		return false
	}
	for _, id := range ids {
		j.tasks[id].priority, j.tasks[id].needs = priorities[id], needs[id]
	}
	j.settle()
	return true
}

// order is the tasks of a job by their priorities, in the order in which they run.
// Completed ones do not run again.
func (j *modelJob) order() map[int][]string {
	out := map[int][]string{}
	for id, t := range j.tasks {
		if t.status != job.Completed {
			out[t.priority] = append(out[t.priority], id)
		}
	}
	for _, ids := range out {
		slices.SortFunc(ids, func(a, b string) int {
			if before(j.tasks[a], j.tasks[b]) {
				return -1
			}
			return 1
		})
	}
	return out
}

func (p *player) moveToEnd() bool {
	name, ids := p.draw()
	if len(ids) == 0 {
		return false
	}
	j := p.model.jobs[name]
	m := db.Move{Tasks: ids, Last: p.random.IntN(2) == 0}
	return p.move(name, m, j.allPending(ids), func(all []string) []string {
		moved, rest := parted(all, ids)
		if m.Last {
			return append(rest, moved...)
		}
		return append(moved, rest...)
	})
}

func (p *player) moveBefore() bool {
	name, ids := p.draw()
	if len(ids) == 0 {
		return false
	}
	j := p.model.jobs[name]
	all := slices.Sorted(maps.Keys(j.tasks))
	target := all[p.random.IntN(len(all))]
	if p.random.IntN(4) > 0 { // which may work
		some := slices.DeleteFunc(slices.Clone(all), func(id string) bool { return j.tasks[id].status != job.Pending })
		if len(some) == 0 {
			return false
		}
		target, ids = some[p.random.IntN(len(some))], some
		ids = slices.DeleteFunc(ids, func(id string) bool { return id == target || j.tasks[id].priority != j.tasks[target].priority })
	}
	if len(ids) == 0 {
		return false
	}
	good := j.allPending(append([]string{target}, ids...)) && !slices.ContainsFunc(ids, func(id string) bool {
		return id == target || j.tasks[id].priority != j.tasks[target].priority
	})
	return p.move(name, db.Move{Tasks: ids, Before: target}, good, func(all []string) []string {
		moved, rest := parted(all, ids)
		if at := slices.Index(rest, target); at >= 0 {
			return slices.Insert(rest, at, moved...)
		}
		return all
	})
}

// parted takes some ids out of a list, and keeps the order of both.
func parted(all, some []string) (out, rest []string) {
	for _, id := range all {
		if slices.Contains(some, id) {
			out = append(out, id)
		} else {
			rest = append(rest, id)
		}
	}
	return out, rest
}

// move moves tasks, and compares the order with what is wanted of the tasks of each priority.
// The places themselves are up to the database.
func (p *player) move(name string, m db.Move, good bool, wanted func([]string) []string) bool {
	j := p.model.jobs[name]
	want := j.order()
	for priority := range want {
		want[priority] = wanted(want[priority])
	}
	_, err := p.Move(context.Background(), name, m)
	if (err == nil) != good {
		p.T.Fatalf("move %+v of %s: %v, the model says good is %t", m, name, err, good)
	}
	if !good {
		if errors.Is(err, db.ErrNoTask) {
			p.T.Fatalf("move %+v of %s: %v", m, name, err)
		}
		return false
	}
	tasks, err := p.Tasks(context.Background(), name)
	if err != nil {
		p.T.Fatal(err)
	}
	for _, t := range tasks {
		j.tasks[t.ID].place = t.Place
		j.last = max(j.last, t.Place)
	}
	if diff := gocmp.Diff(want, j.order()); diff != "" {
		p.T.Fatalf("move %+v of %s (-model +database):\n%s", m, name, diff)
	}
	return true
}
