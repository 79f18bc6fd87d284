package runner_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/air-executor/air-executor/runner"
)

// program is a file that stands for the program.
func program(t *testing.T) string {
	t.Helper()
	exe := filepath.Join(t.TempDir(), "air-executor")
	if err := os.WriteFile(exe, []byte("ours"), 0o700); err != nil {
		t.Fatal(err)
	}
	return exe
}

func TestALinkToTheProgramIsMadeAndRenewed(t *testing.T) {
	base, exe := t.TempDir(), program(t)
	link := filepath.Join(base, "bin", "air-executor")
	for _, old := range []string{"", "/of/an/earlier/version", program(t)} {
		if old != "" {
			if err := errors.Join(os.Remove(link), os.Symlink(old, link), os.Symlink(old, link+".123")); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			if err := runner.LinkProgram(base, exe); err != nil {
				t.Fatalf("instead of %q: %v", old, err)
			}
		}
		if now, err := os.Readlink(link); err != nil || now != exe {
			t.Errorf("instead of %q: %q, %v", old, now, err)
		}
		os.Remove(link + ".123")
	}
}

// What is called bin/air-executor in a base path may be a program that somebody
// has installed there.
func TestNoProgramIsOverwrittenByTheLink(t *testing.T) {
	exe := program(t)
	other := t.TempDir() // with the installed program of somebody
	if err := os.WriteFile(filepath.Join(other, "air-executor"), []byte("theirs"), 0o700); err != nil {
		t.Fatal(err)
	}
	tests := map[string]func(bin, link string) error{
		"a program": func(bin, link string) error {
			return errors.Join(os.Mkdir(bin, 0o700), os.WriteFile(link, []byte("theirs"), 0o700))
		},
		"bin is a link": func(bin, _ string) error { return os.Symlink(other, bin) },
		"a link among programs": func(bin, link string) error {
			return errors.Join(os.Mkdir(bin, 0o700), os.WriteFile(bin+"/tool", nil, 0o700),
				os.Symlink(filepath.Join(other, "air-executor"), link))
		},
		"a link of another kind": func(bin, link string) error {
			return errors.Join(os.Mkdir(bin, 0o700), os.WriteFile(bin+"/../v1", []byte("theirs"), 0o700), os.Symlink("../v1", link))
		},
	}
	for name, plant := range tests {
		base := t.TempDir()
		bin := filepath.Join(base, "bin")
		link := filepath.Join(bin, "air-executor")
		if err := plant(bin, link); err != nil {
			t.Fatal(err)
		}
		if err := runner.CheckLink(base, exe); err == nil {
			t.Errorf("%s: CheckLink says nothing", name)
		}
		if err := runner.LinkProgram(base, exe); err == nil {
			t.Errorf("%s: LinkProgram says nothing", name)
		}
		if b, err := os.ReadFile(link); err != nil || string(b) != "theirs" {
			t.Errorf("%s: bin/air-executor is %q now, %v", name, b, err)
		}
	}
}

func TestAProgramInTheBasePathIsItsOwnLink(t *testing.T) {
	base := t.TempDir()
	exe := filepath.Join(base, "bin", "air-executor")
	if err := errors.Join(os.Mkdir(filepath.Dir(exe), 0o700), os.WriteFile(exe, []byte("ours"), 0o700)); err != nil {
		t.Fatal(err)
	}
	if err := runner.LinkProgram(base, exe); err != nil {
		t.Error(err)
	}
	if info, err := os.Lstat(exe); err != nil || !info.Mode().IsRegular() {
		t.Errorf("the program is %v now, %v", info.Mode(), err)
	}
}

func TestAFolderWithAColonIsNoneOfPATH(t *testing.T) {
	base := filepath.Join(t.TempDir(), "a:b")
	if err := runner.LinkProgram(base, program(t)); err == nil {
		t.Error("LinkProgram says nothing")
	}
}
