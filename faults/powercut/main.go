//go:build linux

// Command powercut tests what air-executor keeps when writing is cut short: by
// a power cut, by a kill in the middle of an enqueue, by a disk that fails, by
// many who write at once. Most of it needs strace.
//
// Exit codes: 0 every check held; 1 one did not; 2 the tests could not work.
package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/air-executor/air-executor/faults/internal/subject"
)

// test is one of the tests, and what they share.
type test struct {
	prog   subject.Program
	dir    string // for its files
	seed   uint64
	rng    *rand.Rand
	cuts   int
	kills  int
	time   time.Duration
	brief  bool
	broken int
}

// all are the tests, in the order in which they run.
var all = []struct {
	name   string
	strace bool
	run    func(*test) error
}{
	{"crashpoints", true, (*test).crashpoints},
	{"ioerrors", true, (*test).ioErrors},
	{"cuts", true, (*test).powerCuts},
	{"kills", false, (*test).randomKills},
	{"starvation", false, (*test).starvation},
}

func main() {
	if len(os.Args) > 2 && os.Args[1] == writerWord {
		os.Exit(writerMain(os.Args[2], os.Args[3]))
	}
	var t test
	var binary, only string
	flag.StringVar(&only, "test", "", "which tests, of "+names()+"; empty: all")
	flag.Uint64Var(&t.seed, "seed", 1, "`seed` of what is drawn at random")
	flag.IntVar(&t.cuts, "cuts", 1000, "power cuts with each durability, about")
	flag.BoolVar(&t.brief, "brief", false, "leave out what takes long: errors of the disk while a database is built")
	flag.IntVar(&t.kills, "kills", 1000, "kills of enqueuers")
	flag.DurationVar(&t.time, "time", 10*time.Second, "how long the writers of the starvation test write")
	flag.StringVar(&binary, "binary", "", "test this binary instead of building one")
	flag.Parse()
	if err := t.play(binary, only); err != nil {
		fmt.Fprintf(os.Stderr, "powercut: %v\n", err)
		os.Exit(2)
	}
	if t.broken > 0 {
		os.Exit(1)
	}
}

func names() string {
	var out []string
	for _, a := range all {
		out = append(out, a.name)
	}
	return strings.Join(out, ", ")
}

func (t *test) play(binary, only string) error {
	var wanted []string
	if only != "" {
		wanted = strings.Split(only, ",")
	}
	for _, w := range wanted {
		if !strings.Contains(names(), w) {
			return fmt.Errorf("-test %s: there are %s", w, names())
		}
	}
	dir, err := os.MkdirTemp("", "powercut-")
	if err != nil {
		return err
	}
	t.dir = dir
	t.prog = subject.Program{Path: binary}
	if binary == "" {
		if t.prog, err = subject.Build(dir); err != nil {
			return err
		}
	}
	for _, a := range all {
		if wanted != nil && !slices.Contains(wanted, a.name) {
			continue
		}
		if _, err := exec.LookPath("strace"); err != nil && a.strace {
			return fmt.Errorf("%s: %w", a.name, err)
		}
		t.rng = rand.New(rand.NewPCG(t.seed, 0))
		if err := a.run(t); err != nil {
			return fmt.Errorf("%s: %w", a.name, err)
		}
	}
	if t.broken > 0 {
		fmt.Printf("kept: %s\n", dir)
		return nil
	}
	return os.RemoveAll(dir)
}

// breaks says that a check did not hold.
func (t *test) breaks(format string, args ...any) {
	const most = 20
	if t.broken++; t.broken <= most {
		fmt.Printf("  BROKEN "+format+"\n", args...)
	}
}
