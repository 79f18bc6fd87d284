package dbtest

import (
	"cmp"
	"context"
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
	last  int64 // the highest place of a task so far
}

type modelTask struct {
	needs    []string
	priority int
	place    int64 // as the database has it, see moveSome
	age      int
	status   job.Status
	attempts int

	cancelled, dismissed bool // of failed ones
	asked                bool // of running ones: to end
	fromFile             bool
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

// before reports which of two tasks of a job runs first.
func before(a, b *modelTask) bool {
	return cmp.Or(cmp.Compare(b.priority, a.priority), cmp.Compare(a.place, b.place), cmp.Compare(a.age, b.age)) < 0
}

// olderOrHigher reports which of two tasks of different jobs runs first.
func olderOrHigher(a, b *modelTask) bool {
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
			if t.dismissed {
				c.Dismissed++
			} else {
				c.Failed++
			}
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

// revive makes a failed task pending.
func (t *modelTask) revive() { t.status, t.cancelled, t.dismissed = job.Pending, false, false }

// best is the job whose head is to be claimed, or empty.
func (m *model) best() string {
	free := m.free()
	if len(free) == 0 {
		return ""
	}
	return slices.MinFunc(free, func(a, b string) int {
		x, y := m.jobs[a], m.jobs[b]
		if olderOrHigher(x.tasks[x.head()], y.tasks[y.head()]) {
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
	return acyclic(all)
}

// acyclic takes away what depends on nothing that is left, until that is all.
func acyclic(all map[string][]string) bool {
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
	m.jobs[name].tasks[s.ID] = &modelTask{needs: s.Dependencies, priority: s.Priority, place: m.jobs[name].last, age: m.last, status: status}
}

// compare fails the test if the database differs from the model.
func (p *player) compare() {
	p.T.Helper()
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
		p.T.Fatal(err)
	}
	for _, j := range jobs {
		got[j.Name] = facts{j.State, j.Tasks, j.Blocked}
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		p.T.Fatalf("jobs (-model +database):\n%s", diff)
	}
	if n, err := p.Claimable(context.Background(), 1000, ""); err != nil || n != len(p.model.free()) {
		p.T.Fatalf("Claimable: %d, %v, the model says %d", n, err, len(p.model.free()))
	}
	if n := len(p.Running()); n != len(p.held) {
		p.T.Fatalf("%d attempts run, the model says %d", n, len(p.held))
	}
}

// random returns random numbers. Their seed can be given in DB_TEST_SEED, to see a
// failure again.
func random(t *testing.T) *rand.Rand {
	seed := rand.Uint64()
	if s := os.Getenv("DB_TEST_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("DB_TEST_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

func (e suite) RandomOperationsKeepTheRules(t *testing.T) {
	p := &player{
		Store: e.open(t), random: random(t),
		model: model{jobs: map[string]*modelJob{}}, held: map[string]*db.Assignment{}, done: map[string]int{},
	}
	operations := []struct {
		name   string
		weight int
		do     func() bool
	}{
		{"enqueue", 8, p.enqueue}, {"claim", 12, p.claim}, {"finish", 12, p.finish}, {"lose", 1, p.loseOne}, {"give back", 2, p.giveBack},
		{"reset", 3, p.resetSome}, {"cancel", 2, p.cancelSome}, {"import", 2, p.load},
		{"dismiss", 2, p.dismissSome}, {"remove", 2, p.removeSome}, {"resume", 2, p.resumeSome},
		{"edit", 3, p.editSome}, {"move to an end", 2, p.moveToEnd}, {"move before", 5, p.moveBefore},
	}
	var wheel []int
	for i, o := range operations {
		wheel = append(wheel, slices.Repeat([]int{i}, o.weight)...)
	}
	listener := p.follow()
	for n := range steps(1500) {
		o := operations[wheel[p.random.IntN(len(wheel))]]
		if o.do() {
			p.done[o.name]++
		}
		if !race || n%10 == 9 {
			listener.catchUp()
		}
		if p.compare(); n%100 == 99 {
			p.Sound()
		}
		if t.Failed() {
			t.Fatalf("after step %d, %s", n+1, o.name)
		}
	}
	p.Sound()
	for _, o := range operations {
		if p.done[o.name] == 0 && !race {
			t.Errorf("%s never had an effect", o.name)
		}
	}
	t.Logf("had an effect: %v", p.done)
}

// steps is how many random steps a test takes: fewer with the race detector, which makes
// each ten times as long.
func steps(n int) int {
	if race {
		return n / 4
	}
	return n
}
