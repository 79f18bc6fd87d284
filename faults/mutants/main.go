// Command mutants shows that the tests of air-executor would notice if one of
// its safeguards were missing. It builds the program without the safeguard (the
// tree itself is not touched: the changed files are an overlay of the go
// command), runs the test that has to notice, and expects it to fail.
//
// A change that no longer applies is an error, so that the list keeps up with
// the program. Exit codes: 0 every mutant was caught; 1 one was not; 2 the
// tests could not work, or fail without any mutant.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// mutant is the program without one of its safeguards.
type mutant struct {
	name    string
	changes []change
	test    test   // notices
	shows   string // stands in its output then
}

// test is a test of a package, or one of its subtests.
type test struct{ pkg, tags, name string }

// line is the command that runs the test.
func (t test) line() []string {
	pattern := "^" + strings.ReplaceAll(t.name, "/", "$/^") + "$"
	return []string{"go", "test", "-count=1", "-tags=" + t.tags, "-run", pattern, t.pkg}
}

// change is a piece of source and what takes its place. It must be there once.
type change struct{ file, before, after string }

func main() {
	only := flag.String("only", "", "only the mutants with this `text` in their name")
	flag.Parse()
	caught, err := all(*only)
	if err != nil {
		fmt.Fprintf(os.Stderr, "mutants: %v\n", err)
		os.Exit(2)
	}
	if !caught {
		os.Exit(1)
	}
}

// all tries the mutants and returns whether every one was caught.
func all(only string) (bool, error) {
	dir, err := os.MkdirTemp("", "mutants-")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	fine := map[test]bool{} // tests that hold without a mutant
	survived := 0
	for i, m := range mutants {
		if !strings.Contains(m.name, only) {
			continue
		}
		overlay, err := m.overlay(filepath.Join(dir, fmt.Sprint(i)))
		if err != nil {
			return false, fmt.Errorf("%s: %w", m.name, err)
		}
		if !fine[m.test] {
			if out, failed := run(m.test.line(), ""); failed {
				return false, fmt.Errorf("without any mutant, this fails: %s\n%s", m.test.name, out)
			}
			fine[m.test] = true
		}
		if out, failed := run([]string{"go", "build", "-o", os.DevNull, "./cmd/air-executor"}, overlay); failed {
			return false, fmt.Errorf("%s does not compile:\n%s", m.name, out)
		}
		begin := time.Now()
		out, failed := run(m.test.line(), overlay)
		verdict := "caught by"
		if !failed || !strings.Contains(out, m.shows) {
			verdict = "SURVIVES "
			survived++
			fmt.Print(out)
		}
		fmt.Printf("%-62s %s  %s, %s  (%s)\n", m.name, verdict, m.test.name, m.test.pkg, time.Since(begin).Round(time.Second))
	}
	return survived == 0, nil
}

// overlay writes the changed files to dir, and the file that tells the go
// command to use them; it returns the name of that.
func (m *mutant) overlay(dir string) (string, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	texts := map[string]string{}
	for _, c := range m.changes {
		text, ok := texts[c.file]
		if !ok {
			b, err := os.ReadFile(c.file)
			if err != nil {
				return "", err
			}
			text = string(b)
		}
		if n := strings.Count(text, c.before); n != 1 {
			return "", fmt.Errorf("%s has %d times, not once: %s", c.file, n, c.before)
		}
		texts[c.file] = strings.Replace(text, c.before, c.after, 1)
	}
	replace := map[string]string{}
	for name, text := range texts {
		path, err := filepath.Abs(name)
		if err != nil {
			return "", err
		}
		replace[path] = filepath.Join(dir, strings.ReplaceAll(name, "/", "-"))
		if err := os.WriteFile(replace[path], []byte(text), 0o600); err != nil {
			return "", err
		}
	}
	b, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	return path, os.WriteFile(path, b, 0o600)
}

// run runs a command, with an overlay for every go command in it.
func run(line []string, overlay string) (out string, failed bool) {
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Env = os.Environ()
	if overlay != "" {
		cmd.Env = append(cmd.Env, "GOFLAGS="+strings.TrimSpace(os.Getenv("GOFLAGS")+" -overlay="+overlay))
	}
	b, err := cmd.CombinedOutput()
	return string(b), err != nil
}
