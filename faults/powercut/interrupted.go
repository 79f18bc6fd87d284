//go:build linux

package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/air-executor/air-executor/faults/internal/subject"
)

// A place is a base path as an enqueue may find it.
type place struct {
	name  string
	fresh bool // there is no database yet, the enqueue builds it
}

var places = []place{{"existing database", false}, {"no database", true}}

// base makes the base path number n of a test.
func (t *test) base(p place, name string, n int) (string, error) {
	if p.fresh {
		return filepath.Join(t.dir, fmt.Sprintf("%s-fresh-%d", name, n)), nil
	}
	base := filepath.Join(t.dir, name+"-existing")
	if _, err := os.Stat(base); err == nil {
		return base, nil
	}
	if r := t.prog.Run(base, "enqueue", "--id", "first", "--", "true"); r.Code != 0 {
		return "", fmt.Errorf("enqueue: %s", r.Err)
	}
	return base, nil
}

// crashpoints kills an enqueue at its first system call that matters, at its
// second, and so on, until one comes through.
func (t *test) crashpoints() error {
	const calls = "pwrite64,write,fsync,fdatasync,ftruncate,open,openat,unlink,fcntl,flock,mmap,mkdirat"
	for _, p := range places {
		killed, doubt := 0, 0
		for n, through := 1, 0; through < 3; n++ {
			base, err := t.base(p, "crash", n)
			if err != nil {
				return err
			}
			id := fmt.Sprintf("t%d", n)
			r := t.prog.RunUnder(under(calls, fmt.Sprintf("signal=SIGKILL:when=%d", n)), base, "enqueue", "--id", id, "--", "true")
			switch {
			case r.Code == 0:
				through++
			default:
				killed++
				through = 0
			}
			acked := r.Out == id+"\n"
			if there := t.afterwards(base, id, acked); there && !acked {
				doubt++
			}
		}
		fmt.Printf("crash points, %-18s %d kills at a system call; in doubt %d\n", p.name, killed, doubt)
	}
	return nil
}

// under is the strace command line that makes calls go wrong.
func under(calls, how string) []string {
	return []string{"strace", "-f", "-o", "/dev/null", "-e", "trace=" + calls, "-e", "inject=" + calls + ":" + how}
}

// afterwards checks what an enqueue that went wrong has left: an acknowledged
// task is there, the database is sound, and the same enqueue again succeeds and
// leaves one task. It returns whether the task was there already.
func (t *test) afterwards(base, id string, acked bool) bool {
	r := t.prog.Run(base, "status", "--job", "default", "--task", id)
	there := r.Code == 0
	if !there && r.Code != 4 {
		t.breaks("%s %s: status: exit code %d: %s", base, id, r.Code, r.Err)
	}
	if acked && !there {
		t.breaks("%s: %s was acknowledged and is not there", base, id)
	}
	if r := t.prog.Run(base, "enqueue", "--id", id, "--if-absent", "--", "true"); r.Code != 0 || r.Out != id+"\n" {
		t.breaks("%s %s: the same again: exit code %d: %s", base, id, r.Code, r.Err)
	}
	if err := t.prog.Doctor(base); err != nil {
		t.breaks("%s %s: %v", base, id, err)
	}
	return there
}

// ioErrors makes the first write fail, the second, and so on, once or from then
// on, until an enqueue meets none. It must say that it failed, or have worked.
func (t *test) ioErrors() error {
	for _, p := range places {
		if p.fresh && t.brief {
			continue
		}
		injected, failed, doubt := 0, 0, 0
		for i, how := range []struct{ call, fault string }{
			{"pwrite64", "error=EIO:when=%d"}, {"pwrite64", "error=ENOSPC:when=%d"},
			{"pwrite64", "error=EIO:when=%d+"}, {"pwrite64", "error=ENOSPC:when=%d+"},
			{"fsync", "error=EIO:when=%d"}, {"fsync,fdatasync", "error=EIO:when=%d+"},
			{"fdatasync", "error=EIO:when=%d"}, {"fdatasync", "error=EIO:when=%d+"},
			{"ftruncate", "error=EIO:when=%d"}, {"ftruncate", "error=ENOSPC:when=%d+"},
		} {
			for n, through := 1, 0; through < 5; n++ {
				base, err := t.base(p, "io", 10000*i+n)
				if err != nil {
					return err
				}
				id := fmt.Sprintf("t%d-%d", i, n)
				r := t.prog.RunUnder(under(how.call, fmt.Sprintf(how.fault, n)), base, "enqueue", "--id", id, "--", "true")
				injected++
				through++
				if r.Code != 0 {
					failed, through = failed+1, 0
				}
				acked := strings.HasPrefix(r.Out, id+"\n")
				if acked != (r.Code == 0) {
					t.breaks("%s %s, %s %s: exit code %d, printed %q: %s", base, id, how.call, how.fault, r.Code, r.Out, r.Err)
				}
				if there := t.afterwards(base, id, acked); there && !acked {
					doubt++
				}
			}
		}
		fmt.Printf("io errors, %-21s %d enqueues with errors, %d failed and said so; in doubt %d\n", p.name, injected, failed, doubt)
	}
	return nil
}

// randomKills kills enqueuers at random moments, several at work at once, and
// has each id tried again until it is acknowledged.
func (t *test) randomKills() error {
	const enqueuers = 8
	base := filepath.Join(t.dir, "kills")
	var mu sync.Mutex
	var acked []string
	kills, begin := 0, time.Now()
	more := func() bool {
		mu.Lock()
		defer mu.Unlock()
		return kills < t.kills
	}
	var all sync.WaitGroup
	for e := range enqueuers {
		rng := rand.New(rand.NewPCG(t.seed, uint64(e)))
		all.Go(func() {
			usual := 30 * time.Millisecond
			for i := 0; more(); i++ {
				id := fmt.Sprintf("t%d-%d", e, i)
				n := t.untilAcked(base, id, rng, &usual)
				mu.Lock()
				kills, acked = kills+n, append(acked, id)
				mu.Unlock()
			}
		})
	}
	all.Wait()
	there, err := t.prog.Job(base, "default")
	if err != nil {
		return err
	}
	t.compare(acked, there)
	if err := t.prog.Doctor(base); err != nil {
		t.breaks("%v", err)
	}
	fmt.Printf("random kills  %d enqueuers killed, %d at work, %d ids acknowledged, %d tasks, in %s\n",
		kills, enqueuers, len(acked), len(there.Tasks), time.Since(begin).Round(time.Second))
	return nil
}

// untilAcked enqueues until the id is acknowledged, and returns how many
// enqueuers were killed on the way.
func (t *test) untilAcked(base, id string, rng *rand.Rand, usual *time.Duration) (kills int) {
	for {
		after := time.Duration(rng.Float64() * 1.5 * float64(*usual))
		begin := time.Now()
		r := t.prog.RunAndKill(base, after, "enqueue", "--id", id, "--if-absent", "--", "true")
		if r.Out == id+"\n" {
			*usual = (9**usual + time.Since(begin)) / 10
			return kills
		}
		if !r.Killed {
			t.breaks("enqueue %s: exit code %d: %s", id, r.Code, r.Err)
			return kills
		}
		// Killed always, the estimate would never learn that all has become slower.
		*usual += *usual / 50
		kills++
	}
}

// compare checks that every id is there once, and nothing else.
func (t *test) compare(acked []string, there subject.Job) {
	count := map[string]int{}
	for _, task := range there.Tasks {
		count[task.ID]++
	}
	for _, id := range acked {
		if count[id] != 1 {
			t.breaks("%s was acknowledged and is there %d times", id, count[id])
		}
		delete(count, id)
	}
	for id := range count {
		t.breaks("%s is there, and nobody was told so in the end", id)
	}
}
