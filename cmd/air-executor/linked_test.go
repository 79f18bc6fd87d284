package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// linked are the modules that the program is made of. What is linked is initialised in
// every process, of which thousands are started: a new one needs a reason.
var linked = []string{
	"github.com/air-executor/air-executor",
	"github.com/alecthomas/kong",
	"github.com/clipperhouse/uax29/v2",
	"github.com/coder/websocket",
	"github.com/dustin/go-humanize",
	"github.com/go-json-experiment/json",
	"github.com/google/uuid",
	"github.com/jedib0t/go-pretty/v6",
	"github.com/jmoiron/sqlx",
	"github.com/lmittmann/tint",
	"github.com/mattn/go-runewidth",
	"github.com/mfridman/interpolate",
	"github.com/pressly/goose/v3",
	"github.com/remyoudompheng/bigfft",
	"github.com/sethvargo/go-retry",
	"go.uber.org/multierr",
	"go.yaml.in/yaml/v4",
	"golang.org/x/sync",
	"golang.org/x/sys",
	"golang.org/x/term",
	"golang.org/x/text",
	"modernc.org/libc",
	"modernc.org/mathutil",
	"modernc.org/memory",
	"modernc.org/sqlite",
}

func TestNothingElseIsLinked(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the list is that of Linux")
	}
	out, err := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Fields(string(out))
	slices.Sort(got)
	got = slices.Compact(got)
	for _, m := range got {
		if !slices.Contains(linked, m) {
			t.Errorf("%s is linked; it costs every runner and enqueue", m)
		}
	}
	for _, m := range linked {
		if !slices.Contains(got, m) {
			t.Errorf("%s is not linked any more", m)
		}
	}
}

// What packages allocate before main is a measure of what each process costs, and does
// not depend on the machine.
func TestPackagesDoLittleBeforeMain(t *testing.T) {
	const most = 1350
	program := filepath.Join(t.TempDir(), "air-executor")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := exec.Command(program, "version")
	cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	sum, dear := 0, []string{}
	for line := range strings.Lines(string(out)) {
		// init net/http @2.1 ms, 0.04 ms clock, 3392 bytes, 49 allocs
		f := strings.Fields(line)
		if len(f) < 4 || f[0] != "init" || f[len(f)-1] != "allocs" {
			continue
		}
		n, err := strconv.Atoi(f[len(f)-2])
		if err != nil {
			t.Fatal(line)
		}
		if sum += n; n > 20 {
			dear = append(dear, f[1]+" "+strconv.Itoa(n))
		}
	}
	if sum == 0 || sum > most {
		t.Errorf("%d allocations before main, at most %d are wanted: %s", sum, most, strings.Join(dear, ", "))
	}
}
