//go:build failpoints

package faults

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// program is the binary under test.
var program string

func TestMain(m *testing.M) {
	if path := os.Getenv(copierWord); path != "" {
		os.Exit(copyMain(path))
	}
	flag.Parse()
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	if inside := os.Getenv("FAULTS_PROGRAM"); inside != "" {
		program = inside // a test that has put itself into a namespace
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "air-executor-faults-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	_ = os.Chmod(dir, 0o755) // for tests that become another user
	program = filepath.Join(dir, "air-executor")
	build := exec.Command("go", "build", "-tags", "failpoints", "-o", program, "../cmd/air-executor")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the program: %v\n%s", err, out)
		return 1
	}
	// The tests wait much more than they work.
	_ = flag.Set("test.parallel", "8")
	return m.Run()
}
