package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/air-executor/air-executor/internal/testkit"
)

// printing is what a test knows of JSON that commands print.
type printing struct {
	*testing.T
	dir    string
	shapes map[string][]string // the keys of an object, by command and place
	known  map[string]bool     // names that docs/json.md has
	walked map[string]bool     // commands
}

// run runs a command with --json, which must end with this code, and looks at
// all that it prints.
func (p *printing) run(code int, args ...string) {
	p.Helper()
	cmd := exec.Command("air-executor", append([]string{"--json"}, args...)...)
	cmd.Dir = p.dir
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if _ = cmd.Run(); cmd.ProcessState.ExitCode() != code {
		p.Fatalf("%s: exit code %d, not %d\n%s%s", args, cmd.ProcessState.ExitCode(), code, out.String(), errs.String())
	}
	command := args[0]
	if slices.Contains([]string{"config", "job", "pool", "schedule"}, command) {
		command += " " + args[1]
	}
	p.walked[command] = true
	lines := strings.Split(strings.TrimSpace(errs.String()), "\n") // remarks, and then the error
	for name, printed := range map[string]string{command: out.String(), "an error": lines[len(lines)-1]} {
		if name == "an error" && (code == exitOK || code == exitFailed) {
			continue
		}
		for d := json.NewDecoder(strings.NewReader(printed)); ; {
			var v any
			if err := d.Decode(&v); err == io.EOF {
				break
			} else if err != nil {
				p.Errorf("%s prints no JSON: %v", args, err)
				break
			}
			p.look(name, v)
		}
	}
}

// shared are the places of objects that must look the same in all commands.
var shared = regexp.MustCompile(`\.(counts|history|blocked_by|tasks|jobs)$`)

// look compares the keys of every object with those of other objects at the same
// place, and with the names in the documentation.
func (p *printing) look(place string, v any) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			p.look(place, e)
		}
	case map[string]any:
		if s := shared.FindString(place); s != "" {
			place = s
		}
		var keys []string
		for key, e := range v {
			keys = append(keys, key)
			if !p.known[key] {
				p.Errorf("%s: docs/json.md does not know the key %q", place, key)
			}
			p.look(place+"."+key, e)
		}
		slices.Sort(keys)
		if before := p.shapes[place]; before != nil && !slices.Equal(before, keys) {
			p.Errorf("%s has the keys %q here, and %q elsewhere", place, keys, before)
		}
		p.shapes[place] = keys
	}
}

// Keys came and went with what there was to tell, and the same thing had several
// names.
func TestJSONHasOneShape(t *testing.T) {
	doc, err := os.ReadFile("../../docs/json.md")
	if err != nil {
		t.Fatal(err)
	}
	p := &printing{T: t, dir: t.TempDir(), shapes: map[string][]string{}, known: map[string]bool{}, walked: map[string]bool{}}
	for _, m := range regexp.MustCompile("[`\"]([a-z_]+[0-9]*)[`\"]").FindAllStringSubmatch(string(doc), -1) {
		p.known[m[1]] = true
	}
	for _, name := range []string{"BASE_PATH", "CONFIG", "JSON", "JOB", "TOKEN"} {
		t.Setenv("AIR_EXECUTOR_"+name, "")
	}
	p.run(0, "status")
	p.run(0, "config", "check")
	p.run(0, "config", "init")
	p.run(0, "config", "check")
	p.run(0, "config", "show")
	p.run(0, "enqueue", "-j", "j", "--id", "bad", "--", "sh", "-c", "echo x; exit 3")
	p.run(0, "enqueue", "-j", "j", "--id", "blocked", "--after", "bad", "--no-env", "--", "true")
	p.run(0, "enqueue", "-j", "j", "--id", "killed", "--timeout", "90s", "-w", "/", "--", "sh", "-c", "kill -9 $$")
	p.run(0, "enqueue", "-j", "k", "--", "true")
	p.run(0, "status", "j")
	p.run(0, "status", "j", "bad")
	p.run(0, "cancel", "k")
	const file = "tasks: [{id: a, command: x}, {id: b, command: x, dependencies: [a]}]"
	if err := os.WriteFile(filepath.Join(p.dir, "file.yaml"), []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	p.run(0, "validate", "file.yaml")
	p.run(exitUsage, "validate", "file.yaml", "missing.yaml")
	p.run(0, "show", "file.yaml")
	p.run(0, "submit", "file.yaml", "--job", "k2")
	p.run(0, "remove", "k2")
	p.run(0, "start")
	t.Cleanup(func() {
		stop := exec.Command("air-executor", "stop", "--kill")
		stop.Dir = p.dir
		_ = stop.Run()
	})
	p.run(exitManager, "start")
	p.run(exitFailed, "wait", "j")
	p.run(exitFailed, "wait", "j", "--task", "bad")
	p.run(exitFailed, "wait", "j", "--task", "killed")
	p.run(exitFailed, "run", "-j", "r", "--", "false")
	p.run(exitOK, "run", "-j", "s", "--", "true")
	p.run(0, "status")
	p.run(0, "status", "--tasks")
	p.run(0, "status", "j")
	p.run(0, "status", "j", "bad")
	p.run(0, "status", "s", "1")
	p.run(0, "logs", "j", "r", "s")
	p.run(0, "logs", "--path", "j")
	p.run(0, "logs", "--follow", "j")
	p.run(0, "history")
	p.run(0, "events", "--type", "task.ended") // one type: each has its own keys
	p.run(0, "stats")
	p.run(0, "stats", "--by", "command", "--until", "1s")
	p.run(0, "job", "set", "j", "--parallel", "2", "--timeout", "2h")
	p.run(0, "job", "show", "j")
	p.run(0, "pool", "set", "gpu", "2")
	p.run(0, "pool", "list")
	p.run(0, "pool", "remove", "gpu")
	p.run(0, "reset", "r")
	p.run(exitFailed, "wait", "r")
	p.run(exitFailed, "wait", "r", "s")
	p.run(0, "pause", "j", "--freeze")
	p.run(0, "pause", "--all")
	p.run(0, "resume", "j")
	p.run(0, "resume", "--all")
	p.run(0, "kill", "j")
	p.run(0, "retry", "s", "--completed")
	p.run(0, "wait", "s")
	p.run(0, "managers")
	p.run(0, "dismiss", "j")
	p.run(0, "status", "j", "bad")
	p.run(0, "enqueue", "-j", "j", "--id", "bad", "--if-absent", "--", "true")
	p.run(0, "remove", "j", "--task", "killed")
	p.run(0, "rerun", "s")
	p.run(0, "rerun", "s", "--as", "changed")
	p.run(0, "pause", "changed")
	p.run(0, "enqueue", "-j", "changed", "--id", "x", "--", "true")
	p.run(0, "edit", "changed", "--task", "x", "--set", "priority=1")
	p.run(0, "move", "changed", "--task", "x", "--first")
	p.run(0, "remove", "r")
	p.run(0, "prune", "--older-than", "30d", "--dry-run")
	p.run(0, "export", "out")
	p.run(0, "import", "--base-path", "other", "out/s")
	p.run(exitError, "import", "out/s")
	p.run(0, "schedule", "add", "s", "--cron", "@daily", "--timezone", "UTC", "--", "true")
	p.run(0, "schedule", "run", "s")
	p.run(0, "schedule", "pause", "s")
	p.run(0, "schedule", "resume", "s")
	p.run(0, "schedule", "edit", "s", "--missed", "none")
	p.run(0, "schedule", "show", "s")
	p.run(0, "schedule", "list")
	p.run(0, "schedule", "remove", "s")
	p.run(exitNoSuch, "schedule", "show", "s")
	p.run(exitManager, "open")
	p.serves()
	p.run(0, "doctor")
	p.run(0, "upgrade")
	p.run(0, "completion", "bash")
	p.walked["schema"] = true // its keys are those of JSON Schema
	p.run(0, "version")
	p.run(exitUsage, "status", "--frob")
	p.run(exitNoSuch, "logs", "nope")
	p.run(0, "stop")
	for _, c := range commands(t) {
		if !p.walked[c] {
			t.Errorf("what %s prints was not looked at", c)
		}
	}
}

// serves looks at what serve prints, and at what open prints meanwhile.
func (p *printing) serves() {
	p.Helper()
	cmd := exec.Command("air-executor", "--json", "serve", "--listen", "127.0.0.1:0")
	cmd.Dir = p.dir
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		p.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	var v any
	if err := json.NewDecoder(out).Decode(&v); err != nil {
		p.Errorf("serve prints no JSON: %v", err)
	}
	p.look("serve", v)
	p.walked["serve"] = true
	p.run(0, "open")
}

// commands are the names of all commands but help, which prints none.
func commands(t *testing.T) (names []string) {
	t.Helper()
	parser, err := kong.New(new(commandLine), kong.Bind(new(app)))
	if err != nil {
		t.Fatal(err)
	}
	for _, leaf := range parser.Model.Leaves(true) {
		words := strings.Fields(leaf.Path())
		words = slices.DeleteFunc(words, func(w string) bool { return strings.ContainsAny(w, "[<") || w == parser.Model.Name })
		if name := strings.Join(words, " "); name != "help" {
			names = append(names, name)
		}
	}
	return names
}

// A control sequence in a stored text, a file name or a flag must not reach
// stderr, which may be a terminal.
func TestNoCommandRepeatsAControlSequence(t *testing.T) {
	const evil = "x\x1b]0;title\x07\x1b[2J\u202ey"
	dir := t.TempDir()
	for _, name := range []string{"BASE_PATH", "CONFIG", "JSON", "JOB", "TOKEN"} {
		t.Setenv("AIR_EXECUTOR_"+name, "")
	}
	write := func(name, content string) {
		t.Helper()
		testkit.Write(t, filepath.Join(dir, name), content)
	}
	quoted := strconv.QuoteToASCII(evil)
	write("jobs/old/tasks.json", fmt.Sprintf(`[{"id": "a", "command": "true", "status": "failed", "error": %s}]`, strings.ReplaceAll(quoted, `\x`, `\u00`)))
	write("jobs/"+evil+"/tasks.json", `[{"id": "a"}]`)
	write(evil+".yaml", "tasks: 5\n")
	write(evil+".json", "[5]")
	for _, args := range [][]string{
		{"import", "jobs/old"}, {"import", "jobs/" + evil}, {"import", evil},
		{"run", evil + ".yaml"}, {"run", "-j", "own", "--", evil}, {"run", "-j", "own2", "--", "sh", "-c", "exit 1", evil},
		{"enqueue", "--from-file", evil + ".json"}, {"enqueue", "--from-file", evil},
		{"enqueue", "--id", evil, "--", "true"}, {"enqueue", "--after", evil, "--", "true"}, {"enqueue", "--env", evil, "--", "true"},
		{"wait", "old"}, {"wait", "old", "--task", "a"}, {"wait", evil}, {"wait", "old", "--task", evil},
		{"status", evil}, {"status", "old", evil}, {"status", "old"}, {"status", "old", "a"}, {"status", "--failed"},
		{"logs", evil}, {"logs", "old", "--task", evil}, {"logs", "--tail", evil, "old"},
		{"cancel", evil}, {"reset", "old", "--task", evil}, {"export", "--job", evil}, {"export", "jobs/old/tasks.json/" + evil},
		{"doctor", "--base-path", evil + ".yaml"}, {"status", "--base-path", evil}, {"status", "--config", evil}, {"start", "--log-level", evil},
		{"status", "--" + evil}, {evil}, {"stop", evil},
		{"config", "show", "--base-path", evil}, {"config", "init", "--config", evil + ".yaml"},
	} {
		cmd := exec.Command("air-executor", args...)
		cmd.Dir = dir
		var errs bytes.Buffer
		cmd.Stderr = &errs
		_ = cmd.Run()
		for line := range strings.Lines(errs.String()) {
			if found := forbidden.FindString(strings.TrimSuffix(line, "\n")); found != "" {
				t.Errorf("%q repeats %q: %q", args, found, line)
			}
		}
	}
}
