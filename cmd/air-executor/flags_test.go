package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
)

// sharedFlag is a flag of several commands, which means the same for each of them.
type sharedFlag struct {
	name    string
	several bool // it may be given several times, or not
	meaning string
	inBrief bool // whether README has it, too
}

// sharedFlags are all flags that two or more commands have, in the order of the table
// in docs/commands.md. The same name with and without several values has two lines.
var sharedFlags = []sharedFlag{
	{"job", false, "the job; `JOB` alone does, too, where there is no file, command or schedule", true},
	{"job", true, "the jobs; `JOB...` alone does, too. `history`, `prune` and `stats` take patterns such as `'build-*'`", true},
	{"task", false, "one task, by its id; in `status`, a pattern such as `'page-*'`, too", true},
	{"task", true, "tasks, by ids or patterns such as `'page-*'`", true},
	{"status", true, "only tasks with this status", true},
	{"status", false, "only what has ended so: `completed`, `failed`", true},
	{"failed", false, "only failed tasks", false},
	{"label", true, "`enqueue`, `run`, `submit`: give a label; others: only what has it", true},
	{"since", false, "only what is newer: `2d`, `yesterday`, `08:30`", true},
	{"until", false, "only what is older", false},
	{"limit", false, "show so many; 0: all", true},
	{"follow", false, "print new output as it comes", true},
	{"cancelled", false, "cancelled tasks, too", false},
	{"all", false, "all jobs", false},
	{"yes", false, "do not ask", true},
	{"force", false, "although pending tasks need it", false},
	{"id", false, "the id of the new task", false},
	{"timeout", false, "`wait`, `stop`: give up waiting; others: the time limit of a task", true},
	{"priority", false, "higher runs first", false},
	{"parallel", false, "how many tasks of the job may run at once", false},
	{"pool", true, "hold places in a pool: `gpu`, `gpu:2`", false},
	{"retries", false, "try again so often; see [retries](retries.md)", false},
	{"retry-delay", false, "the delay before the second attempt", false},
	{"retry-backoff", false, "how much longer each further delay is", false},
	{"retry-max-delay", false, "the longest delay", false},
	{"retry-jitter", false, "how much delays vary, in percent", false},
	{"retry-on", false, "which failures are tried again", false},
	{"no-retry-on", false, "which failures are not", false},
	{"on-success", false, "run this when it has completed; see [hooks](hooks.md)", false},
	{"on-failure", false, "run this when it has failed", false},
	{"on-end", false, "run this when it has ended", false},
	{"timezone", false, "the zone of `--at` or `--cron`", false},
	{"cron", false, "when a schedule fires; see [schedules](schedules.md)", false},
	{"overlap", false, "what if the run before has not ended", false},
	{"missed", false, "which missed times fire", false},
	{"catch-up", false, "how old a missed time may be", false},
	{"set", true, "a key of the task, as in a job file", false},
	{"working-directory", false, "where the command runs", false},
	{"env", true, "a variable of the command", false},
	{"no-env", false, "without the environment of this shell", false},
	{"param", true, "a parameter of the job file", false},
	{"from-file", false, "read what to add from a file", false},
	{"if-absent", false, "leave alone what is there already", false},
	{"socket", false, "the unix socket of the server", false},
}

// dryRun is of one command; README's table has it, since people look for it.
var dryRun = sharedFlag{"dry-run", false, "say what would be deleted, and delete nothing", true}

// shorts are the one-letter flags that stand for several long ones.
var shorts = map[rune][]string{
	'f': {"follow", "from-file"},
	'n': {"dry-run", "limit", "tail"},
	'w': {"watch", "working-directory"},
}

// twoMeanings are flags that mean something else in another command.
var twoMeanings = []string{
	"running", // status: list what runs; import: what becomes of what ran
	"after",   // enqueue: the tasks that it needs; events: the place to go on from
}

// A flag of several commands has one meaning, one short form and one kind of value,
// and the pages say which commands have it.
func TestFlagsAgree(t *testing.T) {
	flags := flagsByName(parserOfAll().Model)
	known := map[string]bool{}
	for _, s := range sharedFlags {
		known[s.name] = true
	}
	short := map[rune]map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(flags)) {
		uses := flags[name]
		if slices.Contains(twoMeanings, name) {
			continue
		}
		if len(uses) > 1 != known[name] {
			t.Errorf("--%s is a flag of %d commands: %s; sharedFlags has those of several, with their one meaning", name, len(uses), commandsOf(uses, nil))
		}
		for _, u := range uses {
			if u.flag.Short != uses[0].flag.Short {
				t.Errorf("--%s has a short form in %s and another or none in %s", name, u.command, uses[0].command)
			}
			if value := u.flag.FormatPlaceHolder(); u.flag.IsBool() != uses[0].flag.IsBool() || strings.TrimSuffix(value, ",...") != strings.TrimSuffix(uses[0].flag.FormatPlaceHolder(), ",...") {
				t.Errorf("--%s takes %s in %s, and %s in %s", name, value, u.command, uses[0].flag.FormatPlaceHolder(), uses[0].command)
			}
			if u.flag.Short != 0 {
				if short[u.flag.Short] == nil {
					short[u.flag.Short] = map[string]bool{}
				}
				short[u.flag.Short][name] = true
			}
		}
	}
	for letter, names := range short {
		if got := slices.Sorted(maps.Keys(names)); len(got) > 1 && !slices.Equal(got, shorts[letter]) {
			t.Errorf("-%c stands for %v, want %v", letter, got, shorts[letter])
		}
	}
	inPage(t, "../../docs/commands.md", tableOfFlags(flags, sharedFlags))
	brief := slices.DeleteFunc(append(slices.Clone(sharedFlags), dryRun), func(s sharedFlag) bool { return !s.inBrief })
	inPage(t, "../../README.md", strings.ReplaceAll(tableOfFlags(flags, brief), "](", "](docs/"))
}

// flagUse is a flag of a command.
type flagUse struct {
	command string
	flag    *kong.Flag
}

// flagsByName has for each flag, but those of every command, where it is.
func flagsByName(model *kong.Application) map[string][]flagUse {
	out := map[string][]flagUse{}
	for _, n := range model.Leaves(true) {
		for _, f := range n.Flags {
			if !f.Hidden && f.Name != "help" {
				out[f.Name] = append(out[f.Name], flagUse{commandName(n), f})
			}
		}
	}
	return out
}

// commandsOf lists the commands whose flags are wanted; nil: all.
func commandsOf(uses []flagUse, wanted func(*kong.Flag) bool) string {
	var names []string
	for _, u := range uses {
		if wanted == nil || wanted(u.flag) {
			names = append(names, "`"+u.command+"`")
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

func tableOfFlags(flags map[string][]flagUse, rows []sharedFlag) string {
	var b strings.Builder
	b.WriteString("| flag | means | commands |\n|---|---|---|\n")
	for _, s := range rows {
		name := flagName(flags[s.name][0].flag)
		if name = strings.Replace(strings.TrimSuffix(name, ",..."), "=", " ", 1); s.several {
			name += "`, several"
		} else {
			name += "`"
		}
		of := commandsOf(flags[s.name], func(f *kong.Flag) bool { return f.IsSlice() == s.several })
		fmt.Fprintf(&b, "| `%s | %s | %s |\n", name, s.meaning, of)
	}
	return b.String()
}

// inPage compares the table of a page, between two comments, with what it should be.
func inPage(t *testing.T, path, want string) {
	t.Helper()
	const begin, end = "<!-- Flags: written by the test in cmd/air-executor/flags_test.go. -->\n", "<!-- End of flags. -->\n"
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(b), begin)
	got, after, ended := strings.Cut(rest, end)
	switch {
	case !ok || !ended:
		t.Errorf("%s has no table between the lines %q and %q", path, begin, end)
	case *updateDocs:
		if err := os.WriteFile(path, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	case got != want:
		t.Errorf("%s has another table (-page +program); to write it anew: go test ./cmd/air-executor -run TestFlagsAgree -update-docs\n%s", path, cmp.Diff(got, want))
	}
}
