//go:build linux

package main

import (
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/air-executor/air-executor/faults/internal/subject"
)

// settings are what a round draws for itself.
type settings struct {
	jobs           int // at least
	slots          int // max_concurrent_runners
	tasksPerRunner int
	enqueuers      int
	// Runners live long: they have up to a thousand tasks with large environments,
	// and collect garbage all the time. Nothing ends a task that is not asked to
	// end that one, so that every cancel can be accounted for.
	long bool
	// Everything but this program belongs to a user who may not look into
	// processes that hide.
	nobody bool
}

// nobodyID is a user and a group with no rights.
const nobodyID = 65534

// drawSettings draws the settings of a round. What makes rounds different in
// kind takes turns instead, so that a few rounds have all of it.
func drawSettings(seed uint64, rng *rand.Rand, collector bool) settings {
	s := settings{
		jobs:           2 + rng.IntN(9),
		slots:          2 + rng.IntN(4),
		tasksPerRunner: []int{1, 5}[rng.IntN(2)],
		enqueuers:      2 + rng.IntN(3),
		long:           seed%3 == 1 && collector,
		nobody:         seed%4 == 2 && os.Geteuid() == 0,
	}
	if s.long {
		s.jobs, s.tasksPerRunner = 2+rng.IntN(2), 1000
	}
	return s
}

func (s settings) String() string {
	text := fmt.Sprintf("%d jobs, %d slots, %d tasks per runner, %d enqueuers", s.jobs, s.slots, s.tasksPerRunner, s.enqueuers)
	if s.long {
		text += ", garbage collected all the time"
	}
	if s.nobody {
		text += ", nobody's"
	}
	return text
}

// world is one round: a base path, those who use it, and those who break it.
type world struct {
	seed   uint64
	prog   subject.Program
	self   string // this program, which is also the command of the tasks
	dir    string // holds all that follows
	base   string
	conf   settings
	moods  moods
	report *report
	ids    *ledger
	said   *answers
	killed sync.Map // PIDs of those that nemesis has killed
	told   sync.Map // PIDs of those that were told to end, with a signal

	isolates bool           // this process may make PID namespaces
	later    sync.WaitGroup // what goes on for a while after an act
	fronts   sync.WaitGroup // managers in the foreground, and those who read their logs
	mu       sync.Mutex
	unread   []*os.File // logs that nobody reads
}

// program is what is tested, and what the tests need.
type program struct {
	subject.Program                 // plain
	collector       subject.Program // one that can be told to collect garbage; its path may be empty
	self            string          // this program, where everybody may run it
	isolates        bool            // this process may make PID namespaces
}

func newWorld(seed uint64, prog program, dir string, m moods) (*world, error) {
	w := &world{
		seed: seed, prog: prog.Program, self: prog.self, dir: dir, base: filepath.Join(dir, "base"), isolates: prog.isolates,
		moods: m, report: newReport(), ids: newLedger(), said: newAnswers(),
	}
	w.conf = drawSettings(seed, w.random("settings"), prog.collector.Path != "")
	if w.conf.long {
		w.prog, w.moods = prog.collector, m.gentle()
		w.prog.Env = []string{"AIR_EXECUTOR_TUNING=GOMAXPROCS=1,GOGC=5,GOMEMLIMIT=64MiB"}
	}
	if err := os.MkdirAll(w.base, 0o700); err != nil {
		return nil, err
	}
	config := fmt.Sprintf("poll_interval: 1\ntask_timeout: 60\nmax_concurrent_runners: %d\ntasks_per_runner: %d\n",
		w.conf.slots, w.conf.tasksPerRunner)
	if err := os.WriteFile(filepath.Join(w.base, "config.yaml"), []byte(config), 0o600); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, witnessName), nil, 0o600); err != nil {
		return nil, err
	}
	if !w.conf.nobody {
		return w, nil
	}
	w.prog.UID = nobodyID
	w.prog.Env = append(w.prog.Env, "HOME="+dir)
	return w, filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chown(path, nobodyID, nobodyID)
	})
}

// random is a source of decisions for one actor of this round.
func (w *world) random(actor string) *rand.Rand {
	var n uint64
	for _, c := range []byte(actor) {
		n = n*131 + uint64(c)
	}
	return rand.New(rand.NewPCG(w.seed, n))
}

// play makes trouble for the given time, lets the dust settle, and checks.
func (w *world) play(faults time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), faults)
	defer cancel()
	var actors sync.WaitGroup
	for i := range w.conf.enqueuers {
		actors.Go(func() { w.enqueuer(ctx, i) })
	}
	actors.Go(func() { w.keeper(ctx) })
	actors.Go(func() { w.nemesis(ctx) })
	actors.Go(func() { w.operator(ctx) })
	actors.Go(func() { w.canceller(ctx) })
	actors.Go(func() { w.inspector(ctx) })
	actors.Wait()
	w.later.Wait()
	w.settle()
	w.check()
	w.clear()
}

// pause sleeps for a random time up to most, or until ctx ends. It reports
// whether there is more to do.
func pause(ctx context.Context, rng *rand.Rand, most time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(time.Duration(rng.Int64N(int64(most)))):
		return true
	}
}

func (w *world) jobName(n int) string { return fmt.Sprintf("job-%d", n) }
