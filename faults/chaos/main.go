//go:build linux

// Command chaos breaks air-executor at random, from outside, and checks what
// must hold all the same.
//
// It plays rounds. In each, a fresh base path gets jobs of short tasks, while
// managers, runners, enqueuers and commands are killed with SIGKILL, alone or with
// all that they have started, told to end, or stopped for a while; tasks are
// cancelled, reset, dismissed and removed, also from another PID namespace; logs
// are not read; and the manager is stopped in every way, also while it starts. Then all faults end, a manager works off what is left, and the
// checks begin (check.go). Tasks prove what they did by a witness file and by
// kernel locks of their own, not by what air-executor says.
//
// The seed decides what is done and how often. When the system lets it happen
// it decides by itself, so that a seed shows the same kinds of trouble again,
// and not the same microseconds.
//
// Exit codes: 0 every check held; 1 one did not, the base path is kept; 2 the
// driver could not work.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/air-executor/air-executor/faults/internal/subject"
)

// plan is how much is to be done.
type plan struct {
	seed   uint64
	time   time.Duration
	round  time.Duration
	kills  int
	keep   bool
	faults moods
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == witnessWord {
		os.Exit(witnessMain(os.Args[2:]))
	}
	if len(os.Args) > 1 && os.Args[1] == insideWord {
		os.Exit(insideMain(os.Args[2:]))
	}
	var p plan
	var binary, only string
	flag.Uint64Var(&p.seed, "seed", 1, "`seed` of the first round; the next ones count up")
	flag.DurationVar(&p.time, "time", time.Minute, "how long faults go on, in all")
	flag.DurationVar(&p.round, "round", 30*time.Second, "how long faults go on in a round")
	flag.IntVar(&p.kills, "kills", 0, "go on until managers, runners and enqueuers were killed this often (instead of -time)")
	flag.BoolVar(&p.keep, "keep", false, "keep the base paths of good rounds too")
	flag.StringVar(&only, "mood", "", "kinds of trouble: "+moodNames()+"; empty: all in turn")
	flag.StringVar(&binary, "binary", "", "test this binary instead of building one")
	flag.Parse()
	var err error
	if p.faults, err = pickMoods(only); err != nil {
		fatal(err)
	}
	held, err := p.play(binary)
	if err != nil {
		fatal(err)
	}
	if !held {
		os.Exit(1)
	}
}

func fatal(err error) {
	fmt.Fprintf(os.Stderr, "chaos: %v\n", err)
	os.Exit(2)
}

// play plays the rounds and prints the report. It returns whether all checks held.
func (p *plan) play(binary string) (bool, error) {
	dir, err := os.MkdirTemp("", "chaos-")
	if err != nil {
		return false, err
	}
	prog, err := prepare(dir, binary)
	if err != nil {
		return false, err
	}
	begin := time.Now()
	total := newReport()
	rounds := 0
	for ; p.goesOn(rounds, total); rounds++ {
		seed := p.seed + uint64(rounds)
		w, err := newWorld(seed, prog, filepath.Join(dir, fmt.Sprintf("seed-%d", seed)), p.faults)
		if err != nil {
			return false, err
		}
		w.play(p.round)
		w.report.printRound(seed, w.conf)
		if w.report.held() && !p.keep {
			os.RemoveAll(w.dir)
		}
		total.add(w.report)
	}
	total.print(p.seed, rounds, time.Since(begin))
	if total.held() && !p.keep {
		return true, os.RemoveAll(dir)
	}
	fmt.Printf("kept: %s\n", dir)
	return total.held(), nil
}

// prepare builds what is tested into the folder, and copies this program there:
// where it lies, not every user may run it. A binary that is given cannot be told
// to collect garbage.
func prepare(dir, binary string) (p program, err error) {
	if err := os.Chmod(dir, 0o755); err != nil {
		return p, err
	}
	p.Path = binary
	if binary == "" {
		if p.Program, err = subject.Build(dir); err != nil {
			return p, err
		}
		if p.collector, err = subject.Build(dir, "failpoints"); err != nil {
			return p, err
		}
	}
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		return p, err
	}
	p.self = filepath.Join(dir, "chaos")
	if err := os.WriteFile(p.self, self, 0o755); err != nil {
		return p, err
	}
	p.isolates = canIsolate(p.self)
	return p, nil
}

// goesOn reports whether there is another round to play. After one in which a
// check did not hold there is none.
func (p *plan) goesOn(rounds int, r *report) bool {
	if p.kills > 0 {
		return r.held() && r.processKills() < p.kills
	}
	return r.held() && time.Duration(rounds)*p.round < p.time
}
