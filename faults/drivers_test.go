//go:build failpoints

package faults

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// powercut builds the driver of that name, once. The folder is that of the
// program, and is removed with it.
var powercut = sync.OnceValues(func() (path string, err error) {
	path = filepath.Join(filepath.Dir(program), "powercut")
	out, err := exec.Command("go", "build", "-o", path, "./powercut").CombinedOutput()
	if err != nil {
		os.Stderr.Write(out)
	}
	return path, err
})

// drive has the driver carry out some of its tests. What takes half an hour with
// just chaos is a sample here.
func drive(t *testing.T, args ...string) {
	t.Helper()
	if _, err := exec.LookPath("strace"); err != nil && args[1] != "kills" && args[1] != "starvation" {
		t.Skip(err)
	}
	path, err := powercut()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(path, append([]string{"-binary", program}, args...)...)
	c.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
	out, err := c.CombinedOutput()
	if err != nil {
		t.Errorf("%v", err)
	}
	t.Logf("%s", out)
}

// T1, T2, T3, T5, T46: what was acknowledged outlives kills at every system call,
// errors of the disk, power cuts, and kills at random.
func TestWritingIsCutShort(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"crashpoints": nil,
		"ioerrors":    {"-brief"},
		"cuts":        {"-cuts", "100"},
		"kills":       {"-kills", "100"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			drive(t, append([]string{"-test", name}, args...)...)
		})
	}
}

// T19: of many who write at once all get on. It does not share the machine with
// the other tests.
func TestStarvation(t *testing.T) {
	drive(t, "-test", "starvation", "-time", "3s")
}
