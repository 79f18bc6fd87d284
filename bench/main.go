// Command bench measures air-executor from outside, side by side with what is
// installed of xargs, GNU parallel, task-spooler (tsp), nq, pueue and others, and
// prints a table. Everything is real: processes started as a shell would start
// them, logs in files, durability full unless a row says otherwise.
//
//	go run ./bench [-rounds 5] [-only NAME] [-markdown] [-long] [-base BINARY]
//
// With -base, another build of air-executor is measured beside this one. Builds are
// compared as copies that are equally fresh: how a file came to lie in the page
// cache decides a fifth of the time of a process that is started from it. So every
// program of ours is written anew before each group.
//
// Every round measures all contenders of a row in turn, so that a change in
// the machine's speed meets all of them; a cell is the median over the rounds,
// with the smallest and the largest.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// bench is what the measurements share.
type bench struct {
	dir    string            // scratch folder, removed at the end
	built  map[string]string // what the binaries are copied from, by their names
	ae     string            // binary
	base   string            // another build of it; empty: none
	linked string            // does nothing, linked with the same libraries
	stamp  string            // this program; "stamp FILE" writes down the time
	rounds int
	long   bool
	n      int // numbers base paths
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == "stamp" {
		stamp(os.Args[2])
		return
	}
	rounds := flag.Int("rounds", 5, "rounds to take the median of")
	only := flag.String("only", "", "measure only the groups whose name contains this")
	markdown := flag.Bool("markdown", false, "print Markdown")
	long := flag.Bool("long", false, "also drain 100,000 tasks, and look at a base path after a year of use")
	base := flag.String("base", "", "another air-executor `binary`, to be measured as well")
	flag.Parse()
	if err := run(*rounds, *only, *markdown, *long, *base); err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

func run(rounds int, only string, markdown, long bool, base string) error {
	b, err := prepare(rounds, long, base)
	if err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	fmt.Printf("%s, %d rounds\n\n", machine(), rounds)
	for _, g := range groups {
		if !strings.Contains(g.name, only) || g.long && !long {
			continue
		}
		fmt.Fprintf(os.Stderr, "%s …\n", g.name)
		if err := b.writeAnew(); err != nil {
			return err
		}
		t, err := g.measure(b)
		if err != nil {
			return fmt.Errorf("%s: %w", g.name, err)
		}
		t.print(os.Stdout, g.name, markdown)
	}
	return nil
}

// group is a number of things measured in turn.
type group struct {
	name    string
	long    bool // only with -long
	measure func(*bench) (printer, error)
}

// figures is a group whose result is a table of figures.
func figures(measure func(*bench) (*table, error)) func(*bench) (printer, error) {
	return func(b *bench) (printer, error) { return measure(b) }
}

var groups = []group{
	{"one job, 500 no-op tasks, drained one after the other", false, figures(sequential)},
	{"20 jobs of 100 no-op tasks, 10 at a time", false, figures(parallel)},
	{"from the start of enqueue to the first instruction of the command", false, figures(latency)},
	{"one enqueue from a shell, manager up", false, figures(enqueueOne)},
	{"enqueue --from-file of 1,000,000 tasks", false, figures(enqueueMany)},
	{"with 1,000,000 pending tasks in 10,000 jobs, against 1,000 in 10", false, figures(depth)},
	{"idle manager", false, figures(idle)},
	{"3,000 no-op tasks in 20 jobs, drained while 200 clients follow over WebSockets", false, figures(feed)},
	{"100,000 no-op tasks in 10 jobs, drained", true, figures(drain)},
	{"a year of use: 2,000,000 ended tasks in 10,000 jobs", true, figures(year)},
	{"kill -9 of the daemon", false, func(b *bench) (printer, error) { return crash(b) }},
}

// prepare builds the programs into a scratch folder.
func prepare(rounds int, long bool, base string) (*bench, error) {
	dir, err := os.MkdirTemp("", "air-executor-bench-")
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	b := &bench{dir: dir, rounds: rounds, long: long, stamp: self, built: map[string]string{}}
	if base != "" {
		b.built["base"] = base
	}
	for name, pkg := range map[string]string{
		"air-executor": "github.com/air-executor/air-executor/cmd/air-executor",
		"linked":       "github.com/air-executor/air-executor/bench/linked",
	} {
		out := filepath.Join(dir, name)
		b.built[name] = out
		cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", out, pkg)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if text, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("build %s: %w\n%s", pkg, err, text)
		}
	}
	return b, nil
}

// writeAnew makes fresh copies of the binaries.
func (b *bench) writeAnew() error {
	dir, err := b.folder()
	if err != nil {
		return err
	}
	for name, from := range b.built {
		if err := writeCopy(filepath.Join(dir, name), from); err != nil {
			return err
		}
	}
	b.ae, b.linked = filepath.Join(dir, "air-executor"), filepath.Join(dir, "linked")
	if b.built["base"] != "" {
		b.base = filepath.Join(dir, "base")
	}
	return nil
}

// writeCopy copies a program in large pieces, which the page cache keeps in large
// pieces as well.
func writeCopy(to, from string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o700)
	if err != nil {
		return err
	}
	for piece := range slices.Chunk(data, 1<<20) {
		if _, err := f.Write(piece); err != nil {
			f.Close()
			return err
		}
	}
	return f.Close()
}

// machine describes the machine in a line.
func machine() string {
	cpus, _ := exec.Command("nproc").Output()
	kernel, _ := exec.Command("uname", "-sr").Output()
	return fmt.Sprintf("%s processors, %s, %s", strings.TrimSpace(string(cpus)), strings.TrimSpace(string(kernel)), time.Now().Format(time.DateOnly))
}

// stamp writes the time at which this process came to run its first line.
func stamp(file string) {
	now := time.Now().UnixNano()
	if err := os.WriteFile(file, fmt.Appendf(nil, "%d", now), 0o600); err != nil {
		os.Exit(1)
	}
}
