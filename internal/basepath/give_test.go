package basepath_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/air-executor/air-executor/internal/basepath"
)

func ownerOf(t *testing.T, path string) int {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return int(info.Sys().(*syscall.Stat_t).Uid)
}

func TestWhatRootMakesBelongsToTheOwnerOfTheFolder(t *testing.T) {
	needRoot(t)
	base := foreignFolder(t)
	in := func(name string) string { return filepath.Join(base, name) }
	for name, flag := range map[string]int{"a": os.O_CREATE, "b": os.O_CREATE | os.O_EXCL} {
		f, err := basepath.Open(in(name), os.O_RDWR|flag, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	if err := basepath.MkdirAll(in("c/d")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("a", in("e")); err != nil {
		t.Fatal(err)
	}
	basepath.GiveLink(in("e"))
	for _, name := range []string{"a", "b", "c", "c/d", "e"} {
		if uid := ownerOf(t, in(name)); uid != nobody {
			t.Errorf("%s belongs to uid %d", name, uid)
		}
	}
}

// A user may link or move a file of root into their folder, under a name that
// root opens there. It must not become theirs.
func TestWhatRootHasNotMadeIsNotGivenAway(t *testing.T) {
	needRoot(t)
	base := foreignFolder(t)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(base, "manager.lock")
	if err := os.Rename(secret, name); err != nil {
		t.Skip(err) // on another disk
	}
	folder := filepath.Join(base, "bin")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	f, err := basepath.Open(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	if err := basepath.MkdirAll(folder); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{name, folder} {
		if uid := ownerOf(t, path); uid != 0 {
			t.Errorf("%s belongs to uid %d", path, uid)
		}
	}
}

func TestDeniedNamesTheOwnerAndTheWayBack(t *testing.T) {
	base := t.TempDir()
	path := filepath.Join(base, "manager.lock")
	if err := os.WriteFile(path, nil, 0); err != nil {
		t.Fatal(err)
	}
	if why, hint := basepath.Denied(path); why != path+" has mode 0000" || hint != "" {
		t.Errorf("one's own: %q, %q", why, hint)
	}
	needRoot(t)
	t.Setenv("SUDO_UID", "")
	if err := os.Chown(path, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	why, hint := basepath.Denied(path)
	if why != path+" is owned by uid 65534, not by you (uid 0)" || !strings.Contains(hint, "--base-path") {
		t.Errorf("another's: %q, %q", why, hint)
	}
}
