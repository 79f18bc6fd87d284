package runner

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/air-executor/air-executor/db"
)

func TestTheTailOfALogIsWholeLines(t *testing.T) {
	base := t.TempDir()
	path := LogPath(base, "j", "a")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	many := strings.Repeat("line\n", 100)
	wide := strings.Repeat("x", tailBytes)
	for _, c := range []struct{ name, log, want string }{
		{"nothing", "", ""},
		{"no line end", "a\nb", "a\nb"},
		{"many lines", many, strings.Repeat("line\n", tailLines)},
		{"long lines", wide + "\n" + "last\n", "last\n"},
		{"no UTF-8, and a NUL", "a\xff\x00b\n", "a\ufffdb\n"},
	} {
		if err := os.WriteFile(path, []byte(c.log), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := logTail(base, path); got != c.want || err != nil {
			t.Errorf("%s: %q, %v, want %q", c.name, got, err, c.want)
		}
	}
	if got, err := logTail(base, LogPath(base, "j", "b")); err == nil {
		t.Errorf("a log that is not there: %q", got)
	}
}

// A variable larger than the system allows would keep the hook from starting.
func TestALongCommandFitsIntoAVariable(t *testing.T) {
	for _, kv := range hookEnv(&db.Told{Hook: "on_end", Command: "sh", Args: []string{"-c", strings.Repeat("ä", 1<<20)}}) {
		if len(kv) > 100<<10 {
			t.Errorf("a variable has %d bytes", len(kv))
		}
	}
}

func TestATaskDoesNotInheritWhatAHookWasTold(t *testing.T) {
	got := Inheritable([]string{"A=1", EnvHook + "=on_end", EnvHook + "_JOB=j", "AIR_EXECUTOR_HOOKS=mine"})
	if want := []string{"A=1", "AIR_EXECUTOR_HOOKS=mine"}; !slices.Equal(got, want) {
		t.Errorf("it inherits %q, want %q", got, want)
	}
}

func TestInputIsReadFromItsBegin(t *testing.T) {
	want := strings.Repeat("x", 1<<20)
	f, err := unnamed([]byte(want))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got, err := io.ReadAll(f); string(got) != want || err != nil {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}
