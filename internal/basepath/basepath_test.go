package basepath_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/air-executor/air-executor/internal/basepath"
)

const nobody = 65534

// foreignFolder is one that belongs to another user. Only root can make one; for
// everybody else, the root folder is one.
func foreignFolder(t *testing.T) string {
	t.Helper()
	if os.Geteuid() != 0 {
		return "/"
	}
	dir := t.TempDir()
	if err := os.Chown(dir, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	return dir
}

// needRoot skips a test that gives files away.
func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
}

func untrusted(t *testing.T, err error, path string) {
	t.Helper()
	var u *basepath.Untrusted
	if !errors.As(err, &u) || u.Path != path || u.Hint == "" {
		t.Errorf("%s: %v, want an Untrusted with a hint", path, err)
	}
}

func TestABasePathOfAnotherUserIsRefusedWithoutPermission(t *testing.T) {
	dir := foreignFolder(t)
	t.Setenv("SUDO_UID", "")
	untrusted(t, basepath.Check(dir), dir)
	// Nor is a link of one's own to it any better.
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	untrusted(t, basepath.Check(link), link)
	// Only root has users in whose name it works.
	t.Setenv("SUDO_UID", "65534")
	if err := basepath.Check(dir); (err == nil) != (os.Geteuid() == 0) {
		t.Errorf("as uid %d, with SUDO_UID: %v", os.Geteuid(), err)
	}
}

func TestALinkOfAnotherUserIsRefused(t *testing.T) {
	needRoot(t)
	link := filepath.Join(t.TempDir(), "link")
	if err := errors.Join(os.Symlink(t.TempDir(), link), os.Lchown(link, nobody, nobody)); err != nil {
		t.Fatal(err)
	}
	untrusted(t, basepath.Check(link), link)
}

func TestWhatOthersMayWriteToIsRefused(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct {
		mode os.FileMode
		ok   bool
	}{{0o700, true}, {0o755, true}, {0o770, false}, {0o707, false}, {0o777 | os.ModeSticky, false}} {
		if err := os.Chmod(dir, tt.mode); err != nil {
			t.Fatal(err)
		}
		if err := basepath.Check(dir); (err == nil) != tt.ok {
			t.Errorf("mode %v: %v", tt.mode, err)
		}
	}
	if err := basepath.Check(filepath.Join(dir, "none")); err != nil {
		t.Errorf("one that is not there: %v", err)
	}
}

func TestAConfigurationMayBeRoots(t *testing.T) {
	info, err := os.Stat("/etc/passwd")
	if err != nil {
		t.Skip(err)
	}
	if err := basepath.CheckConfig("/etc/passwd", info); err != nil {
		t.Error(err)
	}
}

// base makes a base path below dir.
func base(t *testing.T, dir string) string {
	t.Helper()
	path := filepath.Join(dir, ".air-executor")
	if err := os.MkdirAll(filepath.Join(path, "jobs"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTheSearchPassesOverThoseOfOtherUsersAbove(t *testing.T) {
	needRoot(t)
	home := t.TempDir()
	own := base(t, home)
	theirs := base(t, filepath.Join(home, "tmp"))
	if err := os.Chown(theirs, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	work := filepath.Join(home, "tmp", "work")
	found, passed := basepath.Find(".air-executor", work, home, false)
	if found != own || len(passed) != 1 || passed[0] != theirs {
		t.Errorf("found %q, passed over %q", found, passed)
	}
	if found, _ := basepath.Find(".air-executor", work, home, true); found != theirs {
		t.Errorf("with those of others allowed, found %q", found)
	}
	// In the folder itself, somebody meant it. Check then says whose it is.
	if found, _ := basepath.Find(".air-executor", filepath.Dir(theirs), home, false); found != theirs {
		t.Errorf("in its own folder, found %q", found)
	}
}

func TestAFolderThatCannotBeReadMayBeABasePathWithoutPermission(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may read everything")
	}
	home := t.TempDir()
	path := base(t, home)
	if err := os.Chmod(path, 0); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(path, 0o700)
	if found, _ := basepath.Find(".air-executor", filepath.Join(home, "a"), home, false); found != path {
		t.Errorf("found %q", found)
	}
}

func TestMakeKeepsANewBasePathOutOfVersionControl(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b", ".air-executor")
	for i, want := range []bool{true, false} {
		if made, err := basepath.Make(path); made != want || err != nil {
			t.Errorf("call %d: %t, %v", i+1, made, err)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	ignore, err := os.ReadFile(filepath.Join(path, ".gitignore"))
	if err != nil || !strings.HasSuffix(string(ignore), "\n*\n") {
		t.Errorf(".gitignore: %q, %v", ignore, err)
	}
}

func TestMakeKeepsAFolderThatWasThereOutOfVersionControl(t *testing.T) {
	for _, tt := range []struct {
		folder, file string
		mode         os.FileMode
		want         bool
	}{
		{"empty", "", 0o700, true},
		{"project", "README", 0o700, false}, // where other things are, they are not to be ignored
		{"project", "config.yaml", 0o700, false},
		{".air-executor", "config.yaml", 0o700, true},
		{".air-executor", "air-executor.db", 0o700, false}, // somebody has removed it
		{"shared", "", 0o777, false},                       // it is refused later
	} {
		path := filepath.Join(t.TempDir(), tt.folder)
		if err := errors.Join(os.Mkdir(path, 0o700), os.Chmod(path, tt.mode)); err != nil {
			t.Fatal(err)
		}
		if tt.file != "" {
			if err := os.WriteFile(filepath.Join(path, tt.file), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			if made, err := basepath.Make(path); made || err != nil {
				t.Errorf("%s with %q: %t, %v", tt.folder, tt.file, made, err)
			}
		}
		if _, err := os.Lstat(filepath.Join(path, ".gitignore")); (err == nil) != tt.want {
			t.Errorf("%s with %q: .gitignore: %v", tt.folder, tt.file, err)
		}
	}
}
