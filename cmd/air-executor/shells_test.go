package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/air-executor/air-executor/internal/testkit"
)

// TestCompletionInShells types into real shells, in a terminal of tmux, and
// looks at what the Tab key makes of it.
func TestCompletionInShells(t *testing.T) {
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Skip("tmux is not installed")
	}
	shells := []struct{ start, source string }{
		{"bash --norc", "source <(air-executor completion bash)"},
		{"zsh -f", "source <(air-executor completion zsh)"},
		{"fish --no-config", "air-executor completion fish | source"},
	}
	lines := []struct{ typed, completed string }{
		{"air-executor ru", "air-executor run "},
		{"air-executor logs bu", "air-executor logs build "},
		{"air-executor status --job=bu", "air-executor status --job=build "},
		{"air-executor logs build --task pa", "air-executor logs build --task page-1 "},
		{"air-executor logs build --task my", `air-executor logs build --task my\ task `},
		{`air-executor logs build --task "my`, `air-executor logs build --task "my task" `},
		{"air-executor logs build --task a", `air-executor logs build --task a\&b `},
		{"air-executor run ex", "air-executor run examples/"},
		{"air-executor run examples/tw", `air-executor run examples/two\ words.yaml `},
		{"air-executor enqueue --from-file=ex", "air-executor enqueue --from-file=examples/"},
		{"air-executor enqueue -- dirna", "air-executor enqueue -- dirname "},
		{"air-executor enqueue -- ls ex", "air-executor enqueue -- ls examples/"},
	}
	for _, sh := range shells {
		name, _, _ := strings.Cut(sh.start, " ")
		t.Run(name, func(t *testing.T) {
			if _, err := exec.LookPath(name); err != nil {
				t.Skip(name + " is not installed")
			}
			term := newTerminal(t, sh.start)
			term.send(sh.source, "Enter")
			for _, l := range lines {
				term.send("clear", "Enter")
				term.send(l.typed, "Tab")
				// One more letter shows whether a blank has come after the word.
				term.await(strings.TrimSpace(l.completed))
				term.send("X")
				term.await(l.completed + "X")
				term.send("", "C-u")
			}
		})
	}
}

// terminal is a shell in a terminal of tmux, with jobs and files to complete.
type terminal struct {
	t      *testing.T
	socket string
}

func newTerminal(t *testing.T, shell string) *terminal {
	dir := t.TempDir()
	for _, f := range []string{"pipeline.yaml", "two words.yaml"} {
		testkit.Write(t, filepath.Join(dir, "examples", f), "")
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "bin", "air-executor")
	if err := os.Mkdir(filepath.Dir(program), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(exe, program); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"my task", "page-1", "a&b"} {
		cmd := exec.Command(program, "enqueue", "--job", "build", "--id", id, "--", "true")
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("enqueue: %v\n%s", err, out)
		}
	}
	term := &terminal{t: t, socket: filepath.Join(dir, "tmux")}
	path := "PATH=" + filepath.Dir(program) + ":" + os.Getenv("PATH")
	term.tmux("-f", "/dev/null", "new-session", "-d", "-x", "100", "-y", "30", "-c", dir, "env", "HOME="+dir, path, "PS1=> ", "sh", "-c", "exec "+shell)
	t.Cleanup(func() {
		_ = exec.Command("tmux", "-S", term.socket, "kill-server").Run()
		for try := 0; try < 100 && os.RemoveAll(dir) != nil; try++ {
			time.Sleep(20 * time.Millisecond) // the shell still writes its history
		}
	})
	return term
}

func (m *terminal) tmux(args ...string) string {
	m.t.Helper()
	out, err := exec.Command("tmux", append([]string{"-S", m.socket}, args...)...).CombinedOutput()
	if err != nil {
		m.t.Fatalf("tmux %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// send types a text, and then keys.
func (m *terminal) send(text string, keys ...string) {
	m.t.Helper()
	if text != "" {
		m.tmux("send-keys", "-l", text)
	}
	for _, k := range keys {
		m.tmux("send-keys", k)
	}
}

// await waits until the screen shows the text.
func (m *terminal) await(text string) {
	m.t.Helper()
	screen := ""
	for try := 0; try < 400; try++ {
		if screen = m.tmux("capture-pane", "-p"); strings.Contains(screen, text) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	m.t.Fatalf("the screen does not show %q:\n%s", text, screen)
}
