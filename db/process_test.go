package db_test

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/internal/testkit"
	"github.com/air-executor/air-executor/job"
)

func TestProcessesThatOpenAFreshBasePathAtOnceAllSucceed(t *testing.T) {
	const rounds, processes = 4, 20
	for round := range rounds {
		base := filepath.Join(t.TempDir(), "fresh")
		var all []*testkit.Process
		for range processes {
			all = append(all, start(t, base, "open"))
		}
		for _, p := range all { // only now do they begin
			p.In.Close()
		}
		for _, p := range all {
			wait(t, p)
		}
		s := openAt(t, base, db.Options{MustExist: true})
		s.Sound()
		if t.Failed() {
			t.Fatalf("in round %d", round+1)
		}
	}
}

func TestProcessesThatEnqueueAtOnceAllSucceed(t *testing.T) {
	const processes, each = 8, 50
	s := open(t)
	var all []*testkit.Process
	for i := range processes {
		name := "shared"
		if i%2 == 1 {
			name = fmt.Sprint("own", i)
		}
		all = append(all, start(t, s.Base, fmt.Sprint("enqueue ", name, " ", each)))
	}
	for _, p := range all {
		p.In.Close()
	}
	said := map[string][]string{}
	for i, p := range all {
		ids := wait(t, p)
		if len(ids) != each {
			t.Errorf("process %d said %d ids", i, len(ids))
		}
		name := "shared"
		if i%2 == 1 {
			name = fmt.Sprint("own", i)
		}
		said[name] = append(said[name], ids...)
	}
	for name, ids := range said {
		tasks, err := s.Tasks(ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		var stored []string
		for _, task := range tasks {
			stored = append(stored, task.ID)
		}
		slices.Sort(stored)
		slices.Sort(ids)
		if diff := cmp.Diff(stored, ids); diff != "" {
			t.Errorf("job %s (-stored +said):\n%s", name, diff)
		}
	}
	s.Sound()
}

func TestProcessesThatClaimAtOnceGetEveryTaskOnce(t *testing.T) {
	const processes, jobs, each = 4, 10, 8
	s := open(t)
	want := map[string]int{}
	for j := range jobs {
		name := fmt.Sprint("job", j)
		for i := range each {
			var needs []string
			if i%2 == 1 {
				needs = []string{fmt.Sprint(i - 1)}
			}
			s.MustEnqueue(name, task(fmt.Sprint(i), needs...))
			want[fmt.Sprintf("%s/%d", name, i)] = 1
		}
	}
	var all []*testkit.Process
	for i := range processes {
		all = append(all, start(t, s.Base, fmt.Sprint("work ", i)))
	}
	for _, p := range all {
		p.In.Close()
	}
	got := map[string]int{}
	for _, p := range all {
		for _, task := range wait(t, p) {
			got[task]++
		}
	}
	// One process may find the last job taken, and leave it to the other.
	for _, task := range s.Work() {
		t.Errorf("task %s was left over", task)
	}
	if !maps.Equal(want, got) {
		t.Errorf("tasks were claimed so many times: %v", got)
	}
	s.Sound()
}

func TestWhatWasAcknowledgedSurvivesKill(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	s := open(t)
	acknowledged := map[string]bool{}
	for range 12 {
		p := start(t, s.Base, "enqueue j 1000000")
		p.In.Close()
		for range 1 + random.IntN(20) {
			id, err := p.Out.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			acknowledged[strings.TrimSpace(id)] = true
		}
		_ = p.Process.Kill()
		rest, _ := io.ReadAll(p.Out)
		for id := range strings.Lines(string(rest)) {
			if strings.HasSuffix(id, "\n") {
				acknowledged[strings.TrimSpace(id)] = true
			}
		}
		_ = p.Wait()
		s.Sound()
	}
	tasks, err := s.Tasks(ctx, "j")
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		delete(acknowledged, task.ID)
	}
	if len(acknowledged) > 0 {
		t.Errorf("of %d tasks, acknowledged ones are missing: %v", len(tasks), slices.Collect(maps.Keys(acknowledged)))
	}
	s.MustEnqueue("j", task("after"))
}

func TestAWriterThatDoesNotLetGoIsNamed(t *testing.T) {
	s := openAt(t, t.TempDir(), db.Options{Wait: 20 * time.Millisecond})
	s.MustEnqueue("j", task("a"))
	p := start(t, s.Base, "block")
	if line, err := p.Out.ReadString('\n'); line != "inside\n" {
		t.Fatalf("the child said %q, %v", line, err)
	}
	_, err := s.Enqueue(ctx, db.Batch{Job: "j", Tasks: specs(task("b"))})
	if name := fmt.Sprintf("process %d ", p.Process.Pid); !errors.Is(err, db.ErrStuck) || !strings.Contains(err.Error(), name) {
		t.Errorf("error %v, want ErrStuck that names %s", err, name)
	}
	s.WantJob("j", job.StateWaiting, job.Counts{Pending: 1}, 0) // readers do not wait
	p.Kill()
	testkit.Eventually(t, "the database can be written again", func() bool {
		_, err := s.Enqueue(ctx, db.Batch{Job: "j", Tasks: specs(task("b")), IfAbsent: true})
		if err != nil && !errors.Is(err, db.ErrStuck) {
			t.Fatal(err)
		}
		return err == nil
	})
	if _, err := s.Job(ctx, "blocked"); !errors.Is(err, db.ErrNoJob) {
		t.Errorf("the killed writer has left something: %v", err)
	}
	s.Sound()
}

// listen returns the channel on which wakes arrive.
func listen(t *testing.T, s *store) <-chan struct{} {
	t.Helper()
	woken, err := s.Listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return woken
}

// wantWake waits for a wake, and fails if there never is one.
func wantWake(t *testing.T, after string, woken <-chan struct{}) {
	t.Helper()
	select {
	case _, open := <-woken:
		if !open {
			t.Errorf("after %s: the channel is closed", after)
		}
	case <-time.After(30 * time.Second):
		t.Errorf("after %s: nobody was woken", after)
	}
}

func TestNewWorkWakesWhoListens(t *testing.T) {
	s := open(t)
	woken := listen(t, s)
	for _, c := range []struct {
		what string
		do   func()
	}{
		{"Wake", s.Wake},
		{"Enqueue", func() { s.MustEnqueue("j", task("a")) }},
		{"Enqueue of another process", func() { wait(t, start(t, s.Base, "enqueue k 1")) }},
		{"Import", func() { s.MustImport("l", aTask("a")) }},
		{"Reset", func() { s.MustCancel("j", ""); s.MustReset("j", "a") }},
	} {
		c.do()
		wantWake(t, c.what, woken)
	}
}

func TestWakesWhileNobodyLooksAreOne(t *testing.T) {
	s := open(t)
	woken := listen(t, s)
	const more = 100_000 // than a pipe holds
	for range more {
		s.Wake()
	}
	wantWake(t, "many wakes", woken)
}

func TestListeningEndsWithItsContext(t *testing.T) {
	s := open(t)
	t.Run("", func(t *testing.T) {
		woken := listen(t, s)
		t.Cleanup(func() { // t.Context() ends just before
			for range woken {
			}
		})
	})
	s.Wake() // finds nobody, and does not wait for anybody
	woken := listen(t, s)
	s.Wake()
	wantWake(t, "listening again", woken)
}

func TestWakeWritesIntoNoOrdinaryFile(t *testing.T) {
	s := open(t)
	listen(t, s)
	var pipe string
	for _, name := range files(t, s.Base) {
		if info, err := os.Stat(filepath.Join(s.Base, name)); err == nil && info.Mode()&os.ModeNamedPipe != 0 {
			pipe = filepath.Join(s.Base, name)
		}
	}
	if err := os.Remove(pipe); err != nil {
		t.Fatal(err)
	}
	s.Wake() // nobody can be reached
	write(t, pipe, nil)
	s.Wake()
	if got, err := os.ReadFile(pipe); len(got) != 0 || err != nil {
		t.Errorf("the file holds %q, %v", got, err)
	}
	if _, err := s.Listen(ctx); err == nil {
		t.Error("listening to an ordinary file")
	}
}
