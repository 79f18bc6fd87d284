package dbtest

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

// player does random things to a database and to the model.
type player struct {
	*Store
	random *rand.Rand
	model  model
	held   map[string]*db.Assignment // of running tasks, by job
	done   map[string]int            // how often each thing was done, and had an effect
}

var jobNames = []string{"a", "b", "c"}

func (p *player) jobName() string { return jobNames[p.random.IntN(len(jobNames))] }

// specs draws new tasks, mostly good ones.
func (p *player) specs(name string) []job.Spec {
	known := []string{}
	if j := p.model.jobs[name]; j != nil {
		known = slices.Sorted(maps.Keys(j.tasks))
	}
	var out []job.Spec
	for i := range 1 + p.random.IntN(4) {
		id := fmt.Sprintf("%04d", p.model.last+1+i)
		if len(known) > 0 && p.random.IntN(25) == 0 {
			id = known[p.random.IntN(len(known))] // which is taken
		}
		out = append(out, job.Spec{ID: id, Command: "true", Priority: p.random.IntN(3)})
		known = append(known, id)
	}
	for i := range out {
		for range p.random.IntN(3) {
			need := known[p.random.IntN(len(known))]
			if p.random.IntN(60) == 0 {
				need = "future-" + strconv.Itoa(p.random.IntN(3))
			}
			if need != out[i].ID && (p.random.IntN(15) == 0 || need < out[i].ID) {
				out[i].Dependencies = append(out[i].Dependencies, need)
			}
		}
	}
	if p.random.IntN(12) == 0 {
		out[0].ID = "future-" + strconv.Itoa(p.random.IntN(3))
		out[0].Dependencies = slices.DeleteFunc(out[0].Dependencies, func(n string) bool { return n == out[0].ID })
	}
	p.random.Shuffle(len(out), func(i, k int) { out[i], out[k] = out[k], out[i] })
	return out
}

func (p *player) enqueue() bool {
	name := p.jobName()
	tasks := p.specs(name)
	good := p.model.accepts(name, tasks, false)
	_, err := p.Enqueue(context.Background(), db.Batch{Job: name, Tasks: Specs(tasks...)})
	if (err == nil) != good {
		p.T.Fatalf("enqueue %+v into %s: %v, the model says good is %t", tasks, name, err, good)
	}
	if !good {
		return false
	}
	for _, s := range tasks {
		p.model.add(name, s, job.Pending)
	}
	p.model.jobs[name].settle()
	return true
}

// load imports a job, now and then under a name that is taken.
func (p *player) load() bool {
	name := "imported" + strconv.Itoa(p.random.IntN(6))
	specs := p.specs(name)
	var tasks []job.Task
	for _, s := range specs {
		t := job.Task{Spec: s, Status: job.Pending}
		switch p.random.IntN(4) {
		case 0:
			t.Status = job.Completed
		case 1:
			t.Status, t.Reason = job.Failed, job.Imported
		}
		tasks = append(tasks, t)
	}
	good := p.model.jobs[name] == nil && p.model.accepts(name, specs, true)
	j := AJob(name)
	if good {
		for _, t := range tasks {
			p.model.add(name, t.Spec, t.Status)
		}
		p.model.jobs[name].settle()
		j.State = p.model.jobs[name].state
	}
	if err := p.Import(context.Background(), j, Seq(tasks)); (err == nil) != good {
		p.T.Fatalf("import %+v as %s: %v, the model says good is %t", tasks, name, err, good)
	}
	return good
}

func (p *player) claim() bool {
	most, only := 1+p.random.IntN(4), ""
	want := p.model.best()
	if p.random.IntN(4) == 0 {
		names := slices.Sorted(maps.Keys(p.model.jobs))
		if len(names) == 0 {
			return false
		}
		only = names[p.random.IntN(len(names))]
		if want = only; !slices.Contains(p.model.free(), only) {
			want = ""
		}
	}
	if p.model.running() >= most {
		want = ""
	}
	a := p.ClaimAny(most, only)
	if a == nil || want == "" {
		if a != nil || want != "" {
			p.T.Fatalf("claimed %+v, the model says one of job %q", a, want)
		}
		return false
	}
	p.started(want, a)
	return true
}

// started compares a claim with the model, and goes on from there.
func (p *player) started(name string, a *db.Assignment) {
	j := p.model.jobs[name]
	head := j.head()
	if a.Job != name || a.Task != head || a.Attempt != j.tasks[head].attempts+1 {
		p.T.Fatalf("claimed %+v, the model says task %s of job %s", a, head, name)
	}
	j.tasks[head].status = job.Running
	j.tasks[head].attempts++
	j.tasks[head].asked = false
	j.state = job.StateWorking
	p.held[name] = a
}

// runningTask draws a running task, or returns nil.
func (p *player) runningTask() *db.Assignment {
	names := slices.Sorted(maps.Keys(p.held))
	if len(names) == 0 {
		return nil
	}
	return p.held[names[p.random.IntN(len(names))]]
}

func (p *player) ended(a *db.Assignment, status job.Status) *modelJob {
	delete(p.held, a.Job)
	j := p.model.jobs[a.Job]
	j.tasks[a.Task].status = status
	j.settle()
	return j
}

func (p *player) finish() bool {
	a := p.runningTask()
	if a == nil {
		return false
	}
	r := Success
	if p.random.IntN(4) == 0 {
		r = Failure
	}
	next := p.random.IntN(3) == 0
	goesOn := next && !p.model.jobs[a.Job].tasks[a.Task].asked
	done, err := p.Finish(context.Background(), a, r, next)
	if err != nil {
		p.T.Fatal(err)
	}
	j := p.ended(a, r.Status)
	ready := j.head() != ""
	if done.Ready != (ready && !goesOn) || (done.Next != nil) != (ready && goesOn) {
		p.T.Fatalf("after the end of %s of %s: %+v, the model says ready is %t", a.Task, a.Job, done, ready)
	}
	if done.Next != nil {
		p.started(a.Job, done.Next)
	}
	if _, err := p.Finish(context.Background(), a, Success, true); err == nil {
		p.T.Fatal("a result was recorded twice")
	}
	return true
}

func (p *player) loseOne() bool {
	a := p.runningTask()
	if a == nil {
		return false
	}
	p.MustLose(a.Job, a.Task)
	t := p.ended(a, job.Failed).tasks[a.Task]
	t.cancelled = t.asked
	return true
}

func (p *player) giveBack() bool {
	a := p.runningTask()
	if a == nil {
		return false
	}
	if given, err := p.GiveBack(context.Background(), a); err != nil || given == p.model.jobs[a.Job].tasks[a.Task].asked {
		p.T.Fatalf("gave back %s of %s: %t, %v", a.Task, a.Job, given, err)
	} else if !given {
		return false
	}
	delete(p.held, a.Job)
	j := p.model.jobs[a.Job]
	j.tasks[a.Task].status = job.Pending
	j.tasks[a.Task].attempts--
	if c, _ := j.counts(); c.Completed+c.Failed == 0 {
		j.state = job.StateWaiting
	}
	return true
}

// some draws a job, and with it one of its tasks or none.
func (p *player) some() (name, id string) {
	names := slices.Sorted(maps.Keys(p.model.jobs))
	if len(names) == 0 {
		return "", ""
	}
	name = names[p.random.IntN(len(names))]
	if p.random.IntN(3) > 0 {
		if ids := slices.Sorted(maps.Keys(p.model.jobs[name].tasks)); len(ids) > 0 {
			id = ids[p.random.IntN(len(ids))]
		}
	}
	return name, id
}
