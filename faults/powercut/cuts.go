//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// A scenario is a shell script whose power is cut at every step. Its words are
// $1 the program, $2 the base path, $3 a file in which it writes down what was
// promised.
type scenario struct {
	name   string
	script string
	jobs   []string
}

// What stands in the file of promises: ids, as enqueue prints them, and with
// these words in front, that a task has begun, and that one was seen completed.
const (
	saysBegin = "begin "
	saysDone  = "done "
)

var scenarios = []scenario{
	{"enqueue", `
		for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
			"$1" --base-path "$2" enqueue --job cut --id "t$i" -- true >>"$3"
		done
		i=0; while [ $i -lt 60 ]; do echo "{\"id\": \"b$i\", \"command\": \"true\"}"; i=$((i+1)); done >"$3.batch"
		"$1" --base-path "$2" enqueue --job cut --from-file "$3.batch" >>"$3"
		for i in 13 14 15 16; do
			"$1" --base-path "$2" enqueue --job cut --id "t$i" --after "t$((i-12))" -- true >>"$3"
		done`,
		[]string{"cut"}},
	{"run", `
		task() {
			"$1" --base-path "$2" enqueue --job cut --id "$4" -- sh -c 'echo begin $AIR_EXECUTOR_TASK >>"$0"' "$3" >>"$3"
		}
		for i in 1 2 3 4 5 6; do task "$1" "$2" "$3" "t$i"; done
		"$1" --base-path "$2" start --foreground 2>/dev/null &
		"$1" --base-path "$2" wait --quiet --job cut
		for i in 1 2 3 4 5 6; do echo "done t$i" >>"$3"; done
		"$1" --base-path "$2" enqueue --job big --id gate -- false >>"$3"
		i=0; while [ $i -lt 900 ]; do echo "{\"id\": \"b$i\", \"command\": \"true\", \"dependencies\": [\"gate\"]}"; i=$((i+1)); done >"$3.batch"
		"$1" --base-path "$2" enqueue --job big --from-file "$3.batch" >>"$3"
		for i in 7 8 9 10; do task "$1" "$2" "$3" "t$i"; done
		"$1" --base-path "$2" wait --quiet --job cut
		for i in 7 8 9 10; do echo "done t$i" >>"$3"; done
		"$1" --base-path "$2" stop >/dev/null
		wait`,
		[]string{"cut", "big"}},
}

// powerCuts records the scenarios, and replays them with a power cut after
// every step. With full durability nothing that was promised may be missing;
// with either, what is left must be sound.
func (t *test) powerCuts() error {
	for _, durability := range []string{"full", "normal"} {
		r := cutResult{durability: durability}
		for _, s := range scenarios {
			events, dir, err := t.recordScenario(s, durability)
			if err != nil {
				return err
			}
			c := newCutter(t, s, dir, events, &r)
			if err := c.replay(t.cuts/len(scenarios) + 1); err != nil {
				return err
			}
		}
		r.print()
		if durability == "full" && r.early > 0 {
			t.breaks("%d times something was promised before it was synced", r.early)
		}
	}
	return nil
}

// recordScenario lets a scenario happen, uncut.
func (t *test) recordScenario(s scenario, durability string) ([]event, string, error) {
	dir := filepath.Join(t.dir, s.name+"-"+durability)
	base := filepath.Join(dir, "base")
	if err := os.MkdirAll(base, 0o700); err != nil {
		return nil, "", err
	}
	err := os.WriteFile(filepath.Join(base, "config.yaml"), []byte("durability: "+durability+"\n"), 0o600)
	if err != nil {
		return nil, "", err
	}
	events, err := record(filepath.Join(dir, "strace"), s.script, t.prog.Path, base, filepath.Join(dir, "promises"))
	return events, dir, err
}

// cutResult is what the cuts with one durability have shown.
type cutResult struct {
	mu         sync.Mutex
	durability string
	cuts       int
	promises   int // in all scenarios
	starts     int // commands that began
	early      int // promised, or begun, while writes of the commit behind it were unsynced
	corrupt    int
	losing     int // cuts that took something that was promised
	lost       int // most that one cut took
}

func (r *cutResult) print() {
	fmt.Printf("power cuts, durability %-6s  %d cuts; promises %d, commands begun %d, before the sync behind them %d; corrupt %d; cuts that lose a promise %d, at most %d at once\n",
		r.durability, r.cuts, r.promises, r.starts, r.early, r.corrupt, r.losing, r.lost)
}

// cutter replays one recorded scenario.
type cutter struct {
	t        *test
	scenario scenario
	dir      string
	events   []event
	result   *cutResult
	disk     *disk
	promises []string
	said     string // of the file of promises, the line that is not whole yet
}

func newCutter(t *test, s scenario, dir string, events []event, r *cutResult) *cutter {
	return &cutter{t: t, scenario: s, dir: dir, events: events, result: r, disk: newDisk(filepath.Join(dir, "base"))}
}

// replay goes through the history, and cuts the power after every step as often
// as it takes to have so many cuts, or after some steps if that is enough.
func (c *cutter) replay(cuts int) error {
	steps := 0
	dry := newCutter(c.t, c.scenario, c.dir, c.events, &cutResult{})
	for _, e := range c.events {
		if dry.step(e) {
			steps++
		}
	}
	if steps == 0 {
		return fmt.Errorf("%s: nothing was recorded", c.scenario.name)
	}
	each := (cuts + steps - 1) / steps
	done := 0
	var checking sync.WaitGroup
	limit := make(chan struct{}, 3)
	for _, e := range c.events {
		if !c.step(e) {
			continue
		}
		if done++; done*cuts/steps == (done-1)*cuts/steps {
			continue
		}
		for range each {
			c.result.cuts++
			image := filepath.Join(c.dir, fmt.Sprintf("cut-%d", c.result.cuts))
			if err := c.disk.cut(c.t.rng, image); err != nil {
				return err
			}
			promised := slices.Clone(c.promises)
			limit <- struct{}{}
			checking.Go(func() {
				c.check(image, promised)
				<-limit
			})
		}
	}
	checking.Wait()
	c.result.promises += len(c.promises)
	return nil
}

// step takes an event, and reports whether a power cut after it differs from
// one before.
func (c *cutter) step(e event) bool {
	switch {
	case e.op == opExec:
		if slices.ContainsFunc(e.args, func(a string) bool { return strings.HasPrefix(a, "echo begin") }) && e.args[0] == "sh" {
			c.result.starts++
			c.early(e.parent)
		}
		return false
	case e.op == opSay && e.path == filepath.Join(c.dir, "promises"):
		c.early(e.proc)
		lines := strings.Split(c.said+string(e.data), "\n")
		c.said = lines[len(lines)-1]
		c.promises = append(c.promises, lines[:len(lines)-1]...)
		return true
	}
	return c.disk.apply(e)
}

// early counts what a process promises before its commits are durable.
func (c *cutter) early(proc int) {
	if c.disk.unsynced(proc) > 0 {
		c.result.early++
	}
}

// check looks at what a power cut has left, with the program.
func (c *cutter) check(image string, promised []string) {
	corrupt := c.unsound(image, len(promised) > 0)
	missing := []string{"everything"}
	if corrupt == nil {
		missing, corrupt = c.missing(image, promised)
	}
	r := c.result
	r.mu.Lock()
	defer r.mu.Unlock()
	if corrupt != nil {
		r.corrupt++
		c.t.breaks("%s: %s", image, strings.TrimSpace(corrupt.Error()))
		return
	}
	if len(missing) > 0 {
		r.losing++
		r.lost = max(r.lost, len(missing))
		if r.durability == "full" {
			c.t.breaks("%s: lost %s", image, strings.Join(missing, ", "))
			return
		}
	}
	os.RemoveAll(image)
}

// unsound returns what doctor finds, apart from runners that are gone: after a
// power cut they are. There need not be a database if nothing was promised.
func (c *cutter) unsound(image string, promised bool) error {
	r := c.t.prog.Run(image, "--json", "doctor")
	if r.Code == 0 || r.Code == 4 && (!promised || c.result.durability == "normal") {
		return nil
	}
	var report struct {
		Findings []struct{ Rule, Place, What string }
	}
	if r.Code != 1 || json.Unmarshal([]byte(r.Out), &report) != nil {
		return fmt.Errorf("doctor: exit code %d: %s", r.Code, r.Err)
	}
	for _, f := range report.Findings {
		if f.Rule != "a running task has a living runner" {
			return fmt.Errorf("doctor: %v", f)
		}
	}
	return nil
}

// missing returns which promises do not stand.
func (c *cutter) missing(image string, promised []string) (out []string, err error) {
	type fate struct {
		attempts int
		done     bool
	}
	tasks := map[string]fate{}
	for _, name := range c.scenario.jobs {
		r := c.t.prog.Run(image, "--json", "status", "--job", name)
		if r.Code == 4 { // no such job
			continue
		}
		var j struct {
			Tasks []struct {
				ID       string `json:"task"`
				Status   string
				Attempts int
			}
		}
		if err := json.Unmarshal([]byte(r.Out), &j); err != nil {
			return nil, fmt.Errorf("status: exit code %d: %s%w", r.Code, r.Err, err)
		}
		for _, task := range j.Tasks {
			tasks[task.ID] = fate{task.Attempts, task.Status == "completed"}
		}
	}
	for _, p := range promised {
		id, begun := strings.CutPrefix(p, saysBegin)
		id, done := strings.CutPrefix(id, saysDone)
		now, ok := tasks[id]
		if !ok || begun && now.attempts == 0 || done && !now.done {
			out = append(out, p)
		}
	}
	return out, nil
}
