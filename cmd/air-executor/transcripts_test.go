package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// transcribed are the pages whose blocks of commands are run: "```sh" blocks must
// succeed, and "```console" blocks must print what the page shows. A block below a
// comment that begins with notRun is not run; the comment says why.
var transcribed = []string{"README.md", "docs/recipes.md", "docs/job-files.md", "docs/sqlite3.md", "docs/hooks.md"}

const notRun = "<!-- not run: "

// home is where the examples take place.
const home = "/home/ada/project"

// Every page can be followed from its beginning, word by word.
func TestTranscripts(t *testing.T) {
	for _, name := range transcribed {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			followPage(t, filepath.Join("../..", name))
		})
	}
}

func followPage(t *testing.T, path string) {
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(b), "$ sqlite3 ") {
		if _, err := exec.LookPath("sqlite3"); err != nil {
			t.Skip("the sqlite3 shell is not installed")
		}
	}
	blocks := shellBlocks(string(b))
	got := runBlocks(t, blocks)
	page := string(b)
	for i, block := range blocks {
		if block.console && plainly(got[i]) != plainly(block.text) {
			if *updateDocs {
				page = strings.Replace(page, block.text, got[i], 1)
				continue
			}
			t.Errorf("%s says something else (-page +program); to write it anew: go test ./cmd/air-executor -run TestTranscripts -update-docs\n%s",
				path, cmp.Diff(plainly(block.text), plainly(got[i])))
		}
	}
	if *updateDocs {
		if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// shellBlock is a block of commands of a page. In a transcript (console) a line
// with a command begins with "$ ".
type shellBlock struct {
	text    string
	console bool
}

var blockOfShell = regexp.MustCompile("(?ms)^(" + notRun + "[^\n]*\n)?```(sh|console)\n(.*?)^```$")

func shellBlocks(page string) (blocks []shellBlock) {
	for _, m := range blockOfShell.FindAllStringSubmatch(page, -1) {
		if m[1] == "" {
			blocks = append(blocks, shellBlock{m[3], m[2] == "console"})
		}
	}
	return blocks
}

// commands returns the commands of a block.
func (b *shellBlock) commands() (lines []string) {
	if !b.console {
		return []string{b.text}
	}
	goesOn := false
	for line := range strings.Lines(b.text) {
		if rest, ok := strings.CutPrefix(line, "$ "); ok {
			lines = append(lines, rest)
		} else if goesOn {
			lines[len(lines)-1] += line
		} else {
			continue
		}
		goesOn = strings.HasSuffix(line, "\\\n")
	}
	return lines
}

// endOfCommand is a line that the shell prints after each command.
const endOfCommand = "@@@ "

// runBlocks runs all blocks in one shell, in an empty folder, and returns them
// with what they have printed.
func runBlocks(t *testing.T, blocks []shellBlock) (out []string) {
	dir := t.TempDir()
	var script bytes.Buffer
	for _, b := range blocks {
		for _, c := range b.commands() {
			fmt.Fprintf(&script, "%s\nprintf '\\n%s%%d\\n' $?\n", strings.TrimSuffix(c, "\n"), endOfCommand)
		}
	}
	work := filepath.Join(dir, "project")
	if err := os.Mkdir(work, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("bash", "-s")
	cmd.Dir, cmd.Stdin = work, &script
	cmd.Env = []string{"HOME=" + dir, "PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8", "TZ=UTC"}
	t.Cleanup(func() { endAll(t, dir) })
	printed, err := cmd.CombinedOutput()
	if err != nil {
		t.Logf("the last command: %v", err)
	}
	rest := strings.ReplaceAll(string(printed), work, home)
	for _, b := range blocks {
		var text strings.Builder
		for _, c := range b.commands() {
			one, after, ok := strings.Cut(rest, "\n"+endOfCommand)
			if !ok {
				t.Fatalf("the shell ended at %q:\n%s", c, rest)
			}
			var code string
			code, rest, _ = strings.Cut(after, "\n")
			if !b.console && code != "0" {
				t.Errorf("exit code %s:\n%s\n%s", code, c, one)
			}
			text.WriteString("$ " + c + one)
			if one != "" && !strings.HasSuffix(one, "\n") {
				text.WriteByte('\n')
			}
		}
		out = append(out, text.String())
	}
	return out
}

// vary is what is another each time.
var vary = []struct {
	what *regexp.Regexp
	text string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`), "DATE"},
	{regexp.MustCompile(`(?m)^Environment .*$`), "Environment"},
	{regexp.MustCompile(`PID \d+`), "PID N"},
	{regexp.MustCompile(`\b\d+(\.\d+)? ?(ms|s|MiB)\b`), "AMOUNT"},
	{regexp.MustCompile(`\b\d+\.\d+ *│`), "SECONDS │"},
	{regexp.MustCompile(`─+`), "─"},
	{regexp.MustCompile(` +`), " "},
	{regexp.MustCompile(` *\n`), "\n"},
}

// plainly returns text without what is another each time.
func plainly(text string) string {
	for _, v := range vary {
		text = v.what.ReplaceAllString(text, v.text)
	}
	return text
}
