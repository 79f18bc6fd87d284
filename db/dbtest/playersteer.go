package dbtest

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

func (p *player) resetSome() bool {
	name, id := p.some()
	if name == "" {
		return false
	}
	j := p.model.jobs[name]
	which := db.Which{Cancelled: p.random.IntN(2) == 0}
	if id != "" {
		which = db.Which{Tasks: []string{id, id}}
	}
	good := id == "" || j.tasks[id].status == job.Failed
	got, err := p.Reset(context.Background(), name, which)
	if (err == nil) != good {
		p.T.Fatalf("reset %s of %s: %v, the model says good is %t", id, name, err, good)
	}
	var want db.Resetting
	for i, t := range j.tasks {
		switch {
		case !good || t.status != job.Failed || id != "" && id != i:
		case id == "" && t.dismissed:
			want.Dismissed++
		case id == "" && t.cancelled && !which.Cancelled:
			want.Cancelled++
		default:
			t.revive()
			want.Reset++
		}
	}
	if got != want {
		p.T.Fatalf("reset %+v of %s, the model says %+v", got, name, want)
	}
	if want.Reset == 0 {
		return false
	}
	p.reopened(name)
	return true
}

// reopened is what becomes of a job that got pending tasks.
func (p *player) reopened(name string) {
	j := p.model.jobs[name]
	if j.settle(); j.head() != "" && p.held[name] == nil {
		j.state = job.StateWaiting
	}
}

func (p *player) dismissSome() bool {
	name, id := p.some()
	if name == "" {
		return false
	}
	j := p.model.jobs[name]
	var ids []string
	if id != "" {
		ids = []string{id}
	}
	good := id == "" || j.tasks[id].status == job.Failed
	got, err := p.Dismiss(context.Background(), name, ids)
	if (err == nil) != good {
		p.T.Fatalf("dismiss %s of %s: %v, the model says good is %t", id, name, err, good)
	}
	if !good {
		return false
	}
	want := 0
	for i, t := range j.tasks {
		if t.status == job.Failed && !t.dismissed && (id == "" || id == i) {
			t.dismissed = true
			want++
		}
	}
	if want > 0 {
		j.settle()
	}
	if _, blocked := j.counts(); got != (db.Dismissing{Dismissed: want, Blocked: blocked, State: j.state}) {
		p.T.Fatalf("dismissed %+v of %s, the model says %d, with %d blocked, %s", got, name, want, blocked, j.state)
	}
	return want > 0
}

// removeSome removes a task, or a job.
func (p *player) removeSome() bool {
	name, id := p.some()
	if name == "" {
		return false
	}
	j := p.model.jobs[name]
	if id == "" {
		c, _ := j.counts()
		good := c.Running == 0
		if _, err := p.RemoveJobs(context.Background(), []string{name}); (err == nil) != good {
			p.T.Fatalf("remove %s: %v, the model says good is %t", name, err, good)
		}
		if good {
			delete(p.model.jobs, name)
		}
		return good
	}
	good := j.tasks[id].status != job.Running
	for _, t := range j.tasks {
		good = good && !slices.Contains(t.needs, id)
	}
	if _, err := p.RemoveTasks(context.Background(), name, []string{id}); (err == nil) != good {
		p.T.Fatalf("remove %s of %s: %v, the model says good is %t", id, name, err, good)
	}
	if good {
		delete(j.tasks, id)
		j.settle()
	}
	return good
}

// resumeSome lets a job go on with other tasks: some of those that it has, with
// other dependencies and priorities, and new ones.
func (p *player) resumeSome() bool {
	name, _ := p.some()
	if name == "" {
		return false
	}
	j := p.model.jobs[name]
	var batch []job.Spec
	given := map[string]bool{}
	offer := func(id string) {
		s := job.Spec{ID: id, Command: "true", Priority: p.random.IntN(3)}
		for _, b := range batch {
			if p.random.IntN(3) == 0 {
				s.Dependencies = append(s.Dependencies, b.ID)
			}
		}
		batch = append(batch, s)
		given[id] = true
	}
	for _, id := range slices.Sorted(maps.Keys(j.tasks)) {
		if p.random.IntN(5) > 0 {
			offer(id)
		}
	}
	offer(fmt.Sprintf("%04d", p.model.last+1))
	good := j.resumes(batch, given)
	_, err := p.Resume(context.Background(), db.Batch{Job: name, Tasks: Specs(batch...)})
	if (err == nil) != good {
		p.T.Fatalf("resume %s with %+v: %v, the model says good is %t", name, batch, err, good)
	}
	if !good {
		return false
	}
	for id, t := range j.tasks {
		switch {
		case !given[id] && t.drops():
			delete(j.tasks, id)
		case t.status == job.Failed:
			t.revive()
		}
	}
	for _, s := range batch {
		t := j.tasks[s.ID]
		if t == nil {
			p.model.add(name, s, job.Pending)
			t = j.tasks[s.ID]
		}
		if t.status == job.Pending {
			t.needs, t.priority, t.fromFile = s.Dependencies, s.Priority, true
		}
	}
	p.reopened(name)
	return true
}

func (t *modelTask) fixed() bool { return t.status == job.Completed || t.status == job.Running }
func (t *modelTask) drops() bool { return t.fromFile && !t.fixed() }

// resumes reports whether the job can go on with these tasks.
func (j *modelJob) resumes(batch []job.Spec, given map[string]bool) bool {
	graph := map[string][]string{} // as it would be
	for id, t := range j.tasks {
		if given[id] || !t.drops() {
			graph[id] = t.needs
		}
	}
	for _, s := range batch {
		t := j.tasks[s.ID]
		if t == nil || !t.fixed() {
			graph[s.ID] = s.Dependencies
			continue
		}
		for _, n := range s.Dependencies {
			if d := j.tasks[n]; d == nil || d.status != job.Completed {
				return false
			}
		}
	}
	for id := range graph {
		for _, n := range graph[id] {
			if d := j.tasks[n]; d != nil && !given[n] && d.drops() {
				return false
			}
		}
	}
	return acyclic(graph)
}

func (p *player) cancelSome() bool {
	name, id := p.some()
	if name == "" {
		return false
	}
	j := p.model.jobs[name]
	good := id == "" || !j.tasks[id].status.Ended()
	c, err := p.Cancel(context.Background(), name, id)
	if (err == nil) != good {
		p.T.Fatalf("cancel %s of %s: %v, the model says good is %t", id, name, err, good)
	}
	pending, running := 0, 0
	for i, t := range j.tasks {
		switch {
		case id != "" && id != i:
		case t.status == job.Pending:
			t.status, t.cancelled = job.Failed, true
			pending++
		case t.status == job.Running:
			t.asked = true
			running++
		}
	}
	if c.Pending != pending || len(c.Running) != running {
		p.T.Fatalf("cancelled %+v of %s, the model says %d pending and %d running", c, name, pending, running)
	}
	if pending > 0 {
		j.settle()
	}
	return pending > 0
}
