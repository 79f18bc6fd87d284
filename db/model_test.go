package db_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

// A model is what the rules of a job's life say, written down once more in the
// simplest way: everything is found out by looking at all tasks.
type model struct {
	jobs map[string]*modelJob
	last int // place in the order of age
}

type modelJob struct {
	state job.State
	tasks map[string]*modelTask
}

type modelTask struct {
	needs    []string
	priority int
	age      int
	status   job.Status
	attempts int
	asked    bool // somebody has asked for the end of the attempt under way
}

func (j *modelJob) blocked(t *modelTask) bool {
	return slices.ContainsFunc(t.needs, func(id string) bool {
		n := j.tasks[id]
		return n == nil || n.status != job.Completed
	})
}

// head is the id of the best ready task, or empty.
func (j *modelJob) head() string {
	best := ""
	for id, t := range j.tasks {
		if t.status == job.Pending && !j.blocked(t) && (best == "" || before(t, j.tasks[best])) {
			best = id
		}
	}
	return best
}

func before(a, b *modelTask) bool {
	return cmp.Or(cmp.Compare(b.priority, a.priority), cmp.Compare(a.age, b.age)) < 0
}

func (j *modelJob) counts() (c job.Counts, blocked int) {
	for _, t := range j.tasks {
		switch t.status {
		case job.Pending:
			c.Pending++
			if j.blocked(t) {
				blocked++
			}
		case job.Running:
			c.Running++
		case job.Completed:
			c.Completed++
		case job.Failed:
			c.Failed++
		}
	}
	return c, blocked
}

// settle sets the state that follows from the tasks.
func (j *modelJob) settle() {
	c, _ := j.counts()
	switch {
	case c.Running > 0:
		j.state = job.StateWorking
	case j.head() != "":
		if j.state.Ended() {
			j.state = job.StateWaiting
		}
	case c.Failed > 0:
		j.state = job.StateFailed
	case c.Pending > 0:
		j.state = job.StateWaiting
	default:
		j.state = job.StateCompleted
	}
}

// free returns the jobs of which nothing runs and something is ready.
func (m *model) free() (names []string) {
	for name, j := range m.jobs {
		if c, _ := j.counts(); c.Running == 0 && j.head() != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// best is the job whose head is to be claimed, or empty.
func (m *model) best() string {
	free := m.free()
	if len(free) == 0 {
		return ""
	}
	return slices.MinFunc(free, func(a, b string) int {
		x, y := m.jobs[a], m.jobs[b]
		if before(x.tasks[x.head()], y.tasks[y.head()]) {
			return -1
		}
		return 1
	})
}

func (m *model) running() (n int) {
	for _, j := range m.jobs {
		c, _ := j.counts()
		n += c.Running
	}
	return n
}

// accepts reports whether the tasks can be added to the job. What is not there
// may be depended on only in an import.
func (m *model) accepts(name string, tasks []job.Spec, dangling bool) bool {
	all := map[string][]string{}
	if j := m.jobs[name]; j != nil {
		for id, t := range j.tasks {
			all[id] = t.needs
		}
	}
	for _, s := range tasks {
		if _, taken := all[s.ID]; taken {
			return false
		}
		all[s.ID] = s.Dependencies
	}
	for _, s := range tasks {
		for _, n := range s.Dependencies {
			if _, there := all[n]; !there && !dangling {
				return false
			}
		}
	}
	// Take away what depends on nothing that is left, until that is all.
	for gone := true; gone; {
		gone = false
		for id, needs := range all {
			if !slices.ContainsFunc(needs, func(n string) bool { _, left := all[n]; return left }) {
				delete(all, id)
				gone = true
			}
		}
	}
	return len(all) == 0
}

func (m *model) add(name string, s job.Spec, status job.Status) {
	if m.jobs[name] == nil {
		m.jobs[name] = &modelJob{state: job.StateWaiting, tasks: map[string]*modelTask{}}
	}
	m.last++
	m.jobs[name].tasks[s.ID] = &modelTask{needs: s.Dependencies, priority: s.Priority, age: m.last, status: status}
}

// player does random things to a database and to the model.
type player struct {
	*store
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
	_, err := p.Enqueue(context.Background(), db.Batch{Job: name, Tasks: specs(tasks...)})
	if (err == nil) != good {
		p.t.Fatalf("enqueue %+v into %s: %v, the model says good is %t", tasks, name, err, good)
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
	j := aJob(name)
	if good {
		for _, t := range tasks {
			p.model.add(name, t.Spec, t.Status)
		}
		p.model.jobs[name].settle()
		j.State = p.model.jobs[name].state
	}
	if err := p.Import(context.Background(), j, seq(tasks)); (err == nil) != good {
		p.t.Fatalf("import %+v as %s: %v, the model says good is %t", tasks, name, err, good)
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
	a := p.claimAny(most, only)
	if a == nil || want == "" {
		if a != nil || want != "" {
			p.t.Fatalf("claimed %+v, the model says one of job %q", a, want)
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
		p.t.Fatalf("claimed %+v, the model says task %s of job %s", a, head, name)
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
	r := success
	if p.random.IntN(4) == 0 {
		r = failure
	}
	next := p.random.IntN(3) == 0
	goesOn := next && !p.model.jobs[a.Job].tasks[a.Task].asked
	done, err := p.Finish(context.Background(), a, r, next)
	if err != nil {
		p.t.Fatal(err)
	}
	j := p.ended(a, r.Status)
	ready := j.head() != ""
	if done.Ready != (ready && !goesOn) || (done.Next != nil) != (ready && goesOn) {
		p.t.Fatalf("after the end of %s of %s: %+v, the model says ready is %t", a.Task, a.Job, done, ready)
	}
	if done.Next != nil {
		p.started(a.Job, done.Next)
	}
	if _, err := p.Finish(context.Background(), a, success, true); err == nil {
		p.t.Fatal("a result was recorded twice")
	}
	return true
}

func (p *player) loseOne() bool {
	a := p.runningTask()
	if a == nil {
		return false
	}
	p.lose(a.Job, a.Task)
	p.ended(a, job.Failed)
	return true
}

func (p *player) giveBack() bool {
	a := p.runningTask()
	if a == nil {
		return false
	}
	if given, err := p.GiveBack(context.Background(), a); err != nil || given == p.model.jobs[a.Job].tasks[a.Task].asked {
		p.t.Fatalf("gave back %s of %s: %t, %v", a.Task, a.Job, given, err)
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
		ids := slices.Sorted(maps.Keys(p.model.jobs[name].tasks))
		id = ids[p.random.IntN(len(ids))]
	}
	return name, id
}

func (p *player) resetSome() bool {
	name, id := p.some()
	if name == "" {
		return false
	}
	j := p.model.jobs[name]
	good := id == "" || j.tasks[id].status == job.Failed
	n, err := p.Reset(context.Background(), name, id)
	if (err == nil) != good {
		p.t.Fatalf("reset %s of %s: %v, the model says good is %t", id, name, err, good)
	}
	want := 0
	for i, t := range j.tasks {
		if t.status == job.Failed && (id == "" || id == i) {
			t.status = job.Pending
			want++
		}
	}
	if n != want {
		p.t.Fatalf("reset %d tasks of %s, the model says %d", n, name, want)
	}
	if want == 0 {
		return false
	}
	if j.settle(); j.head() != "" && p.held[name] == nil {
		j.state = job.StateWaiting
	}
	return true
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
		p.t.Fatalf("cancel %s of %s: %v, the model says good is %t", id, name, err, good)
	}
	pending, running := 0, 0
	for i, t := range j.tasks {
		switch {
		case id != "" && id != i:
		case t.status == job.Pending:
			t.status = job.Failed
			pending++
		case t.status == job.Running:
			t.asked = true
			running++
		}
	}
	if c.Pending != pending || len(c.Running) != running {
		p.t.Fatalf("cancelled %+v of %s, the model says %d pending and %d running", c, name, pending, running)
	}
	if pending > 0 {
		j.settle()
	}
	return pending > 0
}

// compare fails the test if the database differs from the model.
func (p *player) compare() {
	p.t.Helper()
	type facts struct {
		State   job.State
		Counts  job.Counts
		Blocked int
	}
	want, got := map[string]facts{}, map[string]facts{}
	for name, j := range p.model.jobs {
		c, blocked := j.counts()
		want[name] = facts{j.state, c, blocked}
	}
	jobs, err := p.Jobs(context.Background())
	if err != nil {
		p.t.Fatal(err)
	}
	for _, j := range jobs {
		got[j.Name] = facts{j.State, j.Tasks, j.Blocked}
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		p.t.Fatalf("jobs (-model +database):\n%s", diff)
	}
	if n, err := p.Claimable(context.Background(), 1000, ""); err != nil || n != len(p.model.free()) {
		p.t.Fatalf("Claimable: %d, %v, the model says %d", n, err, len(p.model.free()))
	}
	if n := len(p.active()); n != len(p.held) {
		p.t.Fatalf("%d attempts run, the model says %d", n, len(p.held))
	}
}

// The seed can be given in DB_TEST_SEED, to see a failure again.
func TestRandomOperationsKeepTheRules(t *testing.T) {
	seed := rand.Uint64()
	if s := os.Getenv("DB_TEST_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("DB_TEST_SEED=%d", seed)
	p := &player{
		store: open(t), random: rand.New(rand.NewPCG(seed, 0)),
		model: model{jobs: map[string]*modelJob{}}, held: map[string]*db.Assignment{}, done: map[string]int{},
	}
	operations := []struct {
		name   string
		weight int
		do     func() bool
	}{
		{"enqueue", 8, p.enqueue}, {"claim", 12, p.claim}, {"finish", 12, p.finish}, {"lose", 1, p.loseOne}, {"give back", 2, p.giveBack},
		{"reset", 3, p.resetSome}, {"cancel", 2, p.cancelSome}, {"import", 2, p.load},
	}
	var wheel []int
	for i, o := range operations {
		wheel = append(wheel, slices.Repeat([]int{i}, o.weight)...)
	}
	const steps = 1500
	for n := range steps {
		o := operations[wheel[p.random.IntN(len(wheel))]]
		if o.do() {
			p.done[o.name]++
		}
		if p.compare(); n%100 == 99 {
			p.sound()
		}
		if t.Failed() {
			t.Fatalf("after step %d, %s", n+1, o.name)
		}
	}
	p.sound()
	for _, o := range operations {
		if p.done[o.name] == 0 {
			t.Errorf("%s never had an effect", o.name)
		}
	}
	t.Logf("had an effect: %v", p.done)
}
