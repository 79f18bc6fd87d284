package dbtest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

// wantStates compares the states of jobs, as in "a completed, b waiting".
func (s *Store) wantStates(want string) {
	s.T.Helper()
	jobs, err := s.Jobs(ctx)
	if err != nil {
		s.T.Fatal(err)
	}
	var got []string
	for _, j := range jobs {
		got = append(got, j.Name+" "+string(j.State))
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, strings.Join(got, ", ")); diff != "" {
		s.T.Errorf("states (-want +got):\n%s", diff)
	}
	s.Sound()
}

func (e suite) ATaskWaitsForOneOfAnotherJob(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("a", Task("x"), Task("y", "x"))
	s.MustEnqueue("b", Task("z", "a:y"), Task("zz", "z"))
	s.wantStates("a waiting, b waiting")
	if got := s.MustTask("b", "z").Dependencies; !slices.Equal(got, []string{"a:y"}) {
		t.Errorf("it depends on %q", got)
	}
	if got := s.blockers("b")["z"]; len(got) != 1 || got[0].Needs != "a:y" || got[0].Status != job.Pending {
		t.Errorf("it is blocked by %+v", got)
	}
	s.MustFinish(s.MustClaim("a"), Success)
	s.wantStates("a working, b waiting")
	y := s.MustClaim()
	if y.Task != "y" {
		t.Fatalf("claimed %s", y.Task)
	}
	if f := s.MustFinish(y, Success); !f.Ready {
		t.Error("nobody is told that there is something to do")
	}
	s.wantStates("a completed, b waiting")
	if diff := cmp.Diff([]string{"z", "zz"}, s.Work()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	s.wantStates("a completed, b completed")
	s.MustEnqueue("b", Task("late", "a:x"))
	s.MustFinish(s.MustClaim("b"), Success)
}

func (e suite) AFailureInAnotherJobBlocks(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("a", Task("x"), Task("y", "x"))
	s.MustEnqueue("b", Task("z", "a:y"), afterAny("clean", "z"))
	s.MustEnqueue("c", afterAny("last", "b:z"), Task("never", "b:z"), Task("neither", "a:x"))
	s.MustFinish(s.MustClaim(), Failure)
	s.wantStates("a failed, b waiting, c waiting")
	if diff := cmp.Diff([]string{"clean", "last"}, s.Work()); diff != "" {
		t.Errorf("what runs (-want +got):\n%s", diff)
	}
	s.wantStates("a failed, b waiting, c waiting")
	s.MustReset("a")
	if diff := cmp.Diff([]string{"x", "y", "z", "never", "neither"}, s.Work()); diff != "" {
		t.Errorf("what runs after a reset (-want +got):\n%s", diff)
	}
	s.wantStates("a completed, b completed, c completed")
}

func (e suite) ATaskOfAnotherJobMayComeLater(t *testing.T) {
	s := e.open(t)
	b := db.Batch{Job: "b", Tasks: Specs(Task("z", "a:x"))}
	if err := s.Refused(b); !errors.Is(err, db.ErrNoTask) {
		t.Errorf("error %v", err)
	}
	b.AllowMissing = true
	if _, err := s.Enqueue(ctx, b); err != nil {
		t.Fatal(err)
	}
	s.MustEnqueue("a", Task("other"))
	s.MustEnqueue("c", Task("x"))
	s.wantStates("a waiting, b waiting, c waiting")
	s.MustEnqueue("a", Task("x"))
	s.wantStates("a waiting, b waiting, c waiting")
	if diff := cmp.Diff([]string{"other", "x", "x", "z"}, s.Work()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// A task of the own job goes first.
	s.MustEnqueue("b", Task("a:x"), Task("own", "a:x"))
	s.MustFinish(s.MustClaim(), Failure)
	s.wantStates("a completed, b failed, c completed")
}

func (e suite) ARetryInAnotherJobIsWaitedFor(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("a", Task("x"))
	s.MustEnqueue("b", Task("z", "a:x"))
	s.MustFinish(s.MustClaim("a"), Success)
	if _, err := s.Retry(ctx, "a", db.Retry{Which: db.Which{Tasks: []string{"x"}}, Completed: true}); err != nil {
		t.Fatal(err)
	}
	s.wantStates("a waiting, b waiting")
	if diff := cmp.Diff([]string{"x", "z"}, s.Work()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func (e suite) WhatIsSkippedReachesOtherJobs(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("a", Task("x"), runIf(job.RunOnFailure, "alarm", "x"))
	s.MustEnqueue("b", afterAny("z", "a:alarm"), Task("never", "a:alarm"))
	s.MustFinish(s.MustClaim("a"), Success)
	s.wantSkipped("a", "alarm")
	s.Sound()
	if diff := cmp.Diff([]string{"z"}, s.Work()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	s.wantStates("a completed, b waiting")
}

func (e suite) WhatComesLaterReachesOtherJobs(t *testing.T) {
	s := e.open(t)
	if _, err := s.Enqueue(ctx, db.Batch{Job: "a", Tasks: Specs(Task("y", "x")), AllowMissing: true}); err != nil {
		t.Fatal(err)
	}
	s.MustEnqueue("b", Task("z", "a:y"))
	s.Sound()
	s.MustEnqueue("a", Task("x"))
	s.Sound()
	if diff := cmp.Diff([]string{"x", "y", "z"}, s.Work()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func (e suite) AnEndInAnotherJobIsTold(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("a", hooked("x"), Task("y"))
	s.MustEnqueue("b", Task("bad"), Task("z", "a:x"))
	s.MustEnqueue("c", runIf(job.RunOnFailure, "alarm", "a:y"))
	s.setHooks("b", every)
	s.setHooks("c", every)
	s.MustFinish(s.MustClaim("b"), Failure)
	if got := s.hooks(); got != nil {
		t.Errorf("job b goes on, and yet there is %q", got)
	}
	s.MustFinish(s.MustClaim("a"), Failure)
	if diff := cmp.Diff([]string{"on_end a:x", "on_end b", "on_failure a:x", "on_failure b"}, s.hooks()); diff != "" {
		t.Errorf("after a failure (-want +got):\n%s", diff)
	}
	s.MustFinish(s.MustClaim("a"), Success)
	if diff := cmp.Diff([]string{"on_end c", "on_success c"}, s.hooks()); diff != "" {
		t.Errorf("after a success (-want +got):\n%s", diff)
	}
	s.wantStates("a failed, b failed, c completed")
}

func (e suite) ACycleOverJobsIsRefused(t *testing.T) {
	s := e.open(t)
	if _, err := s.Enqueue(ctx, db.Batch{Job: "b", Tasks: Specs(Task("z", "a:x")), AllowMissing: true}); err != nil {
		t.Fatal(err)
	}
	s.MustEnqueue("c", Task("y", "b:z"))
	err := s.Refused(db.Batch{Job: "a", Tasks: Specs(Task("x", "c:y"))})
	if !errors.Is(err, db.ErrCycle) || !strings.Contains(err.Error(), "c:y → b:z") {
		t.Errorf("error %v", err)
	}
}

func (e suite) WhatAnotherJobNeedsIsNotRemoved(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("a", Task("x"))
	s.MustEnqueue("b", Task("z", "a:x"))
	if _, err := s.RemoveTasks(ctx, "a", []string{"x"}); !errors.Is(err, db.ErrInUse) || !strings.Contains(err.Error(), `"b:z"`) {
		t.Errorf("remove the task: %v", err)
	}
	s.MustFinish(s.MustClaim("a"), Success)
	if _, err := s.PauseJobs(ctx, []string{"b"}, false); err != nil {
		t.Fatal(err)
	}
	s.wantPruned(db.PruneQuery{Status: job.Completed})
	if _, err := s.RemoveJobs(ctx, []string{"a"}); !errors.Is(err, db.ErrInUse) || !strings.Contains(err.Error(), `"b:z"`) {
		t.Errorf("remove the job: %v", err)
	}
	if _, err := s.RemoveJobs(ctx, []string{"a", "b"}); err != nil {
		t.Errorf("remove both: %v", err)
	}
	s.wantStates("")
}

func (e suite) AnEditConnectsJobs(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("a", Task("x"), Task("y"))
	s.MustEnqueue("j", Task("z"), Task("zz", "z"))
	s.MustEnqueue("c", Task("end", "j:zz"))
	needs := func(needs ...string) func(*job.Spec) {
		return func(spec *job.Spec) { spec.Dependencies = needs }
	}
	s.mustEdit(needs("a:x", "j:z"), "zz")
	if got := s.MustTask("j", "zz").Dependencies; !slices.Equal(got, []string{"a:x", "z"}) {
		t.Errorf("it depends on %q", got)
	}
	_, err := s.Edit(ctx, "j", []string{"z"}, func(spec *job.Spec) error {
		spec.Dependencies = []string{"a:none"}
		return nil
	})
	if !errors.Is(err, db.ErrNoTask) {
		t.Errorf("a link to what is not there: %v", err)
	}
	_, err = s.Edit(ctx, "j", []string{"z"}, func(spec *job.Spec) error {
		spec.Dependencies = []string{"c:end"}
		return nil
	})
	if !errors.Is(err, db.ErrCycle) || !strings.Contains(err.Error(), "c:end") {
		t.Errorf("a cycle over jobs: %v", err)
	}
	s.Sound()
	s.MustFinish(s.MustClaim("a"), Failure)
	s.MustFinish(s.MustClaim("j"), Success)
	s.wantStates("a working, c waiting, j waiting")
	// What other jobs say of the task follows from what it needs now.
	s.mustEdit(needs("a:y"), "zz")
	s.mustEdit(needs("a:x"), "zz")
	s.mustEdit(needs(), "zz")
	if diff := cmp.Diff([]string{"y", "zz", "end"}, s.Work()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	s.wantStates("a failed, c completed, j completed")
}

func (e suite) AResumeKnowsTheNameOfItsOwnJob(t *testing.T) {
	s := e.open(t)
	s.MustEnqueue("a", Task("x"))
	tasks := []job.Spec{Task("y"), Task("z", "j:y", "a:x"), Task("zz", "z")}
	s.MustEnqueue("j", tasks...)
	if got := s.MustTask("j", "z").Dependencies; !slices.Equal(got, []string{"y", "a:x"}) {
		t.Errorf("it depends on %q", got)
	}
	s.MustFinish(s.MustClaim("a"), Success)
	s.MustFinish(s.MustClaim("j"), Success)
	s.MustFinish(s.MustClaim("j"), Success)
	s.MustFinish(s.MustClaim("j"), Failure)
	if _, err := s.Resume(ctx, db.Batch{Job: "j", Tasks: Specs(tasks...)}); err != nil {
		t.Fatal(err)
	}
	s.wantStates("a completed, j waiting")
}

// linkPlayer does random things to jobs that need one another.
type linkPlayer struct {
	*Store
	random *rand.Rand
	count  int
	held   []*db.Assignment
}

func (p *linkPlayer) name() string { return string(rune('a' + p.random.IntN(3))) }

func (p *linkPlayer) id(most int) string { return fmt.Sprint(1 + p.random.IntN(max(1, most))) }

// ids of the tasks are the numbers from 1, whatever the job, so a need of a lower
// number closes no cycle.
func (p *linkPlayer) spec() job.Spec {
	p.count++
	return p.needs(Task(fmt.Sprint(p.count)), p.count)
}

// needs gives a task random dependencies.
func (p *linkPlayer) needs(s job.Spec, number int) job.Spec {
	for range p.random.IntN(3) {
		need := p.id(number - 1)
		if p.random.IntN(20) == 0 {
			need = fmt.Sprint(number + 3) // may still come
		}
		if p.random.IntN(2) == 0 {
			need = p.name() + ":" + need
		}
		if p.random.IntN(3) == 0 {
			s.AfterAny = append(s.AfterAny, need)
		} else {
			s.Dependencies = append(s.Dependencies, need)
		}
	}
	if len(s.Dependencies) > 0 && p.random.IntN(6) == 0 {
		s.RunIf = []job.RunIf{job.RunAlways, job.RunOnFailure}[p.random.IntN(2)]
	}
	return s
}

func (p *linkPlayer) step() (what string) {
	name, id := p.name(), p.id(p.count)
	var err error
	switch p.random.IntN(18) {
	case 0, 1, 2, 3:
		specs := []job.Spec{p.spec(), p.spec()}
		what = "enqueue in " + name
		for _, s := range specs {
			what += fmt.Sprintf(" %s%s%v%v", s.ID, s.RunIf, s.Dependencies, s.AfterAny)
		}
		_, err = p.Enqueue(ctx, db.Batch{Job: name, Tasks: Specs(specs...), AllowMissing: p.random.IntN(3) > 0})
	case 4, 5, 6:
		what = "claim"
		if a := p.ClaimAny(3); a != nil {
			p.held = append(p.held, a)
		}
	case 7, 8, 9:
		if len(p.held) > 0 {
			a := p.held[0]
			p.held = p.held[1:]
			r := Success
			if p.random.IntN(3) == 0 {
				r = Failure
			}
			what = fmt.Sprintf("finish %s:%s, %s", a.Job, a.Task, r.Status)
			_, err = p.Finish(ctx, a, r, false)
		}
	case 10:
		what = "reset " + name
		_, err = p.Reset(ctx, name, db.Which{Cancelled: true})
	case 11:
		what = "retry " + name + ":" + id
		_, err = p.Retry(ctx, name, db.Retry{Which: db.Which{Tasks: []string{id}}, Completed: true, Downstream: p.random.IntN(2) == 0})
	case 12:
		what = "cancel " + name + ":" + id
		if !slices.ContainsFunc(p.held, func(a *db.Assignment) bool { return a.Job == name && a.Task == id }) {
			_, err = p.Cancel(ctx, name, id)
		}
	case 13:
		what = "remove " + name + ":" + id
		if p.random.IntN(2) == 0 {
			_, err = p.RemoveTasks(ctx, name, []string{id})
		} else {
			_, err = p.Dismiss(ctx, name, []string{id})
		}
	case 14, 15, 16:
		what = "edit " + name + ":" + id
		_, err = p.Edit(ctx, name, []string{id}, func(s *job.Spec) error {
			number, err := strconv.Atoi(s.ID)
			if err != nil {
				return err
			}
			is := p.needs(job.Spec{ID: s.ID, Command: s.Command}, number)
			what += fmt.Sprintf(" %s%v%v", is.RunIf, is.Dependencies, is.AfterAny)
			s.Dependencies, s.AfterAny, s.RunIf = is.Dependencies, is.AfterAny, is.RunIf
			return nil
		})
	case 17:
		what = "move " + name + ":" + id
		_, err = p.Move(ctx, name, db.Move{Tasks: []string{id}, Last: p.random.IntN(2) == 0})
	}
	if err != nil {
		what += " (" + err.Error() + ")"
	}
	return what
}

func (e suite) RandomLinksKeepTheRules(t *testing.T) {
	p := &linkPlayer{Store: e.open(t), random: random(t)}
	var said []string
	listener := p.follow()
	for range steps(400) {
		said = append(said, p.step())
		listener.catchUp()
		p.compareLinks()
		if p.Sound(); t.Failed() {
			t.Fatalf("after %s", strings.Join(said, "\n"))
		}
	}
}

// compareLinks works out from scratch which tasks are ready, and which jobs have ended.
func (p *linkPlayer) compareLinks() {
	p.T.Helper()
	jobs, err := p.Jobs(ctx)
	if err != nil {
		p.T.Fatal(err)
	}
	all := map[string]job.Task{}
	for _, j := range jobs {
		tasks, err := p.Tasks(ctx, j.Name)
		if err != nil {
			p.T.Fatal(err)
		}
		for _, task := range tasks {
			all[j.Name+":"+task.ID] = task
		}
	}
	find := func(of job.Task, need string) (job.Task, bool) {
		if n, ok := all[of.Job+":"+need]; ok {
			return n, true
		}
		n, ok := all[need]
		return n, ok
	}
	var why func(task job.Task) int // 0: it can run; 1: what it needs is not there; 2: something has failed
	blockers := func(task job.Task) (open, worst int) {
		for i, need := range slices.Concat(task.Dependencies, task.AfterAny) {
			any := i >= len(task.Dependencies) || task.RunIf.Any()
			n, ok := find(task, need)
			bad := 1
			switch {
			case ok && n.Status == job.Completed, ok && any && n.Status == job.Failed:
				continue
			case ok && n.Status == job.Failed:
				bad = 2
			case ok && n.Status == job.Running:
				bad = 0
			case ok:
				if bad = why(n); any && bad == 2 {
					continue
				}
			}
			open++
			worst = max(worst, bad)
		}
		return open, worst
	}
	why = func(task job.Task) int { _, worst := blockers(task); return worst }
	for _, j := range jobs {
		blocked, comes := 0, false
		for key, task := range all {
			if task.Job != j.Name || task.Status != job.Pending || task.Attempts > 0 && strings.Contains(key, "?") {
				continue
			}
			open, worst := blockers(task)
			if open > 0 {
				blocked++
			}
			comes = comes || worst == 0
		}
		if blocked != j.Blocked {
			p.T.Errorf("job %s has %d blocked tasks, want %d", j.Name, j.Blocked, blocked)
		}
		if want := comes || j.Tasks.Running > 0; want && j.State.Ended() {
			p.T.Errorf("job %s is %s, and not all is done", j.Name, j.State)
		}
	}
}
