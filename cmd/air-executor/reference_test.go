package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
)

// updateDocs has tests write what they find different into the pages:
//
//	go test ./cmd/air-executor -run 'TestReference|TestTranscripts' -update-docs
var updateDocs = flag.Bool("update-docs", false, "write docs/commands.md and the transcripts in the docs anew")

// examples has one or more command lines for each command. They are printed in
// docs/commands.md, and the parser must accept them.
var examples = map[string][]string{
	"start":           {"air-executor start", "air-executor start --foreground --on-term drain"},
	"stop":            {"air-executor stop", "air-executor stop --drain --timeout 10m"},
	"status":          {"air-executor status", "air-executor status build", "air-executor status --failed --limit 20", "air-executor status --label team=web --tasks"},
	"logs":            {"air-executor logs build", "air-executor logs build --task test --follow", "air-executor logs build --failed --tail 20"},
	"enqueue":         {"air-executor enqueue -- make", "air-executor enqueue --job build --id test --after compile --timeout 2h -- make test", "air-executor enqueue --job zip --from-file tasks.jsonl", "air-executor enqueue --job sync --unique docs --label team=web -- rsync -a docs/ host:docs"},
	"run":             {"air-executor run examples/pipeline.yaml", "air-executor run --timeout none -- make test", "air-executor run --resume examples/pipeline.yaml"},
	"submit":          {"air-executor submit nightly.yaml", "air-executor submit report.yaml --param day=2026-01-31 --label team=search"},
	"validate":        {"air-executor validate nightly.yaml report.yaml"},
	"show":            {"air-executor show report.yaml --param day=2026-01-31", "air-executor show --graph nightly.yaml", "air-executor show --graph --format mermaid nightly.yaml"},
	"wait":            {"air-executor wait build", "air-executor wait part-1 part-2 --timeout 10m", "air-executor wait build --task test"},
	"serve":           {"air-executor serve", "air-executor serve --listen 0.0.0.0:7711 --tls-cert server.pem --tls-key server.key --allowed-host jobs.example.org"},
	"open":            {"air-executor open"},
	"cancel":          {"air-executor cancel build", "air-executor cancel build --task test", "air-executor cancel pages --task 'page-*' --status pending"},
	"reset":           {"air-executor reset build", "air-executor reset build --task test", "air-executor reset build --cancelled"},
	"dismiss":         {"air-executor dismiss nightly", "air-executor dismiss nightly --task backup-2026-01-12"},
	"edit":            {"air-executor edit build --task test", "air-executor edit pages --task 'page-*' --set priority=5 --set timeout=2m"},
	"move":            {"air-executor move pages --task page-7 --first", "air-executor move pages --task page-7 --before page-3"},
	"rerun":           {"air-executor rerun build", "air-executor rerun build --as build-again"},
	"remove":          {"air-executor remove part-1 part-2", "air-executor remove build --task test"},
	"prune":           {"air-executor prune --older-than 30d --dry-run", "air-executor prune --older-than 30d --keep 100 --status completed --yes"},
	"schedule add":    {"air-executor schedule add nightly --cron @daily --timezone Europe/Berlin -- ./backup.sh", "air-executor schedule add report --cron @hourly report.yaml --param team=web", "air-executor schedule add --from-file schedules.json"},
	"schedule list":   {"air-executor schedule list"},
	"schedule show":   {"air-executor schedule show nightly"},
	"schedule pause":  {"air-executor schedule pause nightly"},
	"schedule resume": {"air-executor schedule resume nightly"},
	"schedule run":    {"air-executor schedule run nightly"},
	"schedule edit":   {"air-executor schedule edit nightly --cron @weekly", "air-executor schedule edit nightly -- ./backup.sh --full"},
	"schedule remove": {"air-executor schedule remove nightly"},
	"import":          {"air-executor import", "air-executor import --running failed ../old/.air-executor"},
	"export":          {"air-executor export", "air-executor export --job build backup"},
	"config show":     {"air-executor config show"},
	"config check":    {"air-executor config check"},
	"config init":     {"air-executor config init"},
	"doctor":          {"air-executor doctor"},
	"upgrade":         {"air-executor upgrade"},
	"managers":        {"air-executor managers"},
	"completion":      {"air-executor completion bash"},
	"schema":          {"air-executor schema", "air-executor schema tasks"},
	"help":            {"air-executor help enqueue"},
	"version":         {"air-executor version"},
	"pause":           {"air-executor pause nightly", "air-executor pause --all", "air-executor pause build --freeze"},
	"resume":          {"air-executor resume nightly", "air-executor resume --all"},
	"kill":            {"air-executor kill server --task 1 --signal HUP"},
	"retry":           {"air-executor retry build --task compile --completed --downstream", "air-executor retry pages --task 'page-*'"},
	"history":         {"air-executor history", "air-executor history --since 2d --status failed", "air-executor history build-* --limit 0"},
	"stats":           {"air-executor stats", "air-executor stats --since 30d --by command"},
	"events":          {"air-executor events --type task.ended", "air-executor events --follow build"},
	"job set":         {"air-executor job set render --parallel 4", "air-executor job set render --priority 10 --timeout 2h", "air-executor job set render --retries 3 --retry-delay 1m"},
	"job show":        {"air-executor job show render"},
	"pool set":        {"air-executor pool set gpu 2"},
	"pool list":       {"air-executor pool list"},
	"pool remove":     {"air-executor pool remove gpu"},
}

// generated is the line of docs/commands.md below which everything is written
// by TestReference.
const generated = "<!-- Generated from the program's own help, by the test in cmd/air-executor/reference_test.go. Do not edit below. -->\n"

// docs/commands.md says what the help says.
func TestReference(t *testing.T) {
	const page = "../../docs/commands.md"
	b, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	written, old, found := strings.Cut(string(b), generated)
	if !found {
		t.Fatalf("%s has lost the line %q", page, generated)
	}
	parser := parserOfAll()
	var r reference
	r.intro(parser.Model)
	for _, n := range parser.Model.Leaves(true) {
		r.command(t, n)
	}
	r.globals(parser.Model)
	if *updateDocs {
		if err := os.WriteFile(page, []byte(written+generated+r.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if diff := cmp.Diff(old, r.String()); diff != "" {
		t.Errorf("%s differs from the help (-page +help); to write it anew: go test ./cmd/air-executor -run TestReference -update-docs\n%s", page, diff)
	}
	for name := range r.examples() {
		t.Errorf("examples for a command that there is not: %s", name)
	}
}

// parserOfAll returns the parser of the whole command line.
func parserOfAll() *kong.Kong {
	return kong.Must(new(commandLine), kong.Name("air-executor"), kong.Writers(io.Discard, io.Discard), kong.Bind(new(app)))
}

// reference is the generated part of the page.
type reference struct {
	strings.Builder
	seen []string
}

func (r *reference) intro(model *kong.Application) {
	r.WriteString("\n| command | |\n|---|---|\n")
	for _, n := range model.Leaves(true) {
		fmt.Fprintf(r, "| [`%s`](#%s) | %s |\n", commandName(n), strings.ReplaceAll(commandName(n), " ", "-"), n.Help)
	}
}

func (r *reference) command(t *testing.T, n *kong.Node) {
	name := commandName(n)
	r.seen = append(r.seen, name)
	fmt.Fprintf(r, "\n### %s\n\n%s\n\n```text\nair-executor %s\n```\n", name, n.Help, strings.TrimPrefix(n.Summary(), "air-executor "))
	text, codes, _ := strings.Cut("\n\n"+detailOf(n), "\n\nExit codes: ")
	if text = strings.TrimSpace(withoutExamples(text)); text != "" {
		fmt.Fprintf(r, "\n%s\n", text)
	}
	if len(examples[name]) == 0 {
		t.Errorf("no example of %s", name)
	}
	r.WriteString("\n```sh\n")
	for _, line := range examples[name] {
		if _, err := parserOfAll().Parse(strings.Fields(line)[1:]); err != nil {
			t.Errorf("example %q: %v", line, err)
		}
		r.WriteString(line + "\n")
	}
	r.WriteString("```\n")
	r.flags(n)
	if codes == "" {
		t.Errorf("the help of %s says nothing of its exit codes", name)
	}
	fmt.Fprintf(r, "\nExit codes: %s\n", codes)
}

// flags writes the table of the arguments and flags of a command.
func (r *reference) flags(n *kong.Node) {
	var rows []string
	for _, p := range n.Positional {
		rows = append(rows, row(p.Summary(), p.Help))
	}
	for _, f := range n.Flags {
		if !f.Hidden && f.Name != "help" {
			rows = append(rows, row(flagName(f), f.Help))
		}
	}
	if len(rows) > 0 {
		r.WriteString("\n| argument or flag | |\n|---|---|\n" + strings.Join(rows, ""))
	}
}

// globals writes the table of the flags that every command has.
func (r *reference) globals(model *kong.Application) {
	r.WriteString("\n### Flags of every command\n\n| flag | |\n|---|---|\n")
	for _, f := range model.Flags {
		if !f.Hidden {
			r.WriteString(row(flagName(f), f.Help))
		}
	}
}

// examples returns those of commands that there are not.
func (r *reference) examples() map[string][]string {
	left := map[string][]string{}
	for name, lines := range examples {
		left[name] = lines
	}
	for _, name := range r.seen {
		delete(left, name)
	}
	return left
}

func row(name, help string) string {
	return fmt.Sprintf("| `%s` | %s |\n", strings.ReplaceAll(name, "|", `\|`), strings.ReplaceAll(help, "|", `\|`))
}

func flagName(f *kong.Flag) string {
	name := "--" + f.Name
	if f.Short != 0 {
		name = fmt.Sprintf("-%c, %s", f.Short, name)
	}
	if !f.IsBool() {
		name += "=" + f.FormatPlaceHolder()
	}
	return name
}

// commandName is the name of a command with those that it is below.
func commandName(n *kong.Node) string {
	return strings.TrimPrefix(n.Path(), "air-executor ")
}

// detailOf is the long help of a command, or of the one that it is below.
func detailOf(n *kong.Node) string {
	if n.Detail == "" && n.Parent != nil && n.Parent.Type == kong.CommandNode {
		return n.Parent.Detail
	}
	return n.Detail
}

var exampleLines = regexp.MustCompile(`(?m):?\n\n(    air-executor .*\n?)+`)

// withoutExamples leaves out the examples in a help: the page has its own.
func withoutExamples(text string) string {
	return exampleLines.ReplaceAllStringFunc(text, func(lines string) string {
		if strings.HasPrefix(lines, ":") {
			return ".\n"
		}
		return "\n"
	})
}
