package runner

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/runner/process"
)

// open opens the log of a first attempt.
func open(t *testing.T, base string) (*os.File, error) {
	t.Helper()
	f, err := openLog(base, &db.Assignment{Job: "j", Task: "t", Attempt: 1})
	if err == nil {
		t.Cleanup(func() { f.Close() })
	}
	return f, err
}

// Logs are what fills a disk, so people move them to another one.
func TestJobsMayBeALinkOfTheOwner(t *testing.T) {
	base, disk := t.TempDir(), t.TempDir()
	if err := os.Symlink(disk, filepath.Join(base, "jobs")); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t, base); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(LogPath(base, "j", "t")); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(disk, "j", "logs", "t.log")); err != nil {
		t.Error(err)
	}
}

// What is wrong with the folders for logs is said in words, before a manager
// serves and when a task begins.
func TestWhatIsInThePlaceOfLogsIsNamed(t *testing.T) {
	for want, plant := range map[string]func(base, jobs string) error{
		"/jobs is a regular file, not a folder":               func(_, jobs string) error { return os.WriteFile(jobs, nil, 0o600) },
		"/jobs is a link to /nonexistent, which is not there": func(_, jobs string) error { return os.Symlink("/nonexistent", jobs) },
		"/jobs is a link to what cannot be used as a folder":  func(_, jobs string) error { return os.Symlink(os.Args[0], jobs) },
	} {
		base := t.TempDir()
		if err := plant(base, filepath.Join(base, "jobs")); err != nil {
			t.Fatal(err)
		}
		if err := CheckJobs(base); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	for want, plant := range map[string]func(job string) error{
		"/jobs/j is a link to no folder in the base path": func(j string) error { return os.Symlink(os.TempDir(), j) },
		"/jobs/j is a named pipe, not a folder":           func(j string) error { return syscall.Mkfifo(j, 0o600) },
		"/jobs/j/logs is a regular file, not a folder": func(j string) error {
			return errors.Join(os.Mkdir(j, 0o700), os.WriteFile(j+"/logs", nil, 0o600))
		},
	} {
		base := t.TempDir()
		if err := errors.Join(os.Mkdir(filepath.Join(base, "jobs"), 0o700), plant(filepath.Join(base, "jobs/j"))); err != nil {
			t.Fatal(err)
		}
		_, err := open(t, base)
		for _, err := range []error{CheckJob(base, "j"), err} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want %q", err, want)
			}
		}
	}
}

func TestALinkThatSomebodyMayHavePlantedIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		plant func(base, disk string) error
		want  string
		root  bool
	}{
		"to a folder in which others write": {func(base, disk string) error {
			if err := os.Chmod(disk, 0o777); err != nil {
				return err
			}
			return os.Symlink(disk, filepath.Join(base, "jobs"))
		}, "others may write", false},
		"to a folder of another user": {func(base, disk string) error {
			if err := os.Chown(disk, 1234, 1234); err != nil {
				return err
			}
			return os.Symlink(disk, filepath.Join(base, "jobs"))
		}, "belong to the owner", true},
		"of another user": {func(base, disk string) error {
			if err := os.Symlink(disk, filepath.Join(base, "jobs")); err != nil {
				return err
			}
			return os.Lchown(filepath.Join(base, "jobs"), 1234, 1234)
		}, "belong to the owner", true},
		"of a job": {func(base, disk string) error {
			if err := os.Mkdir(filepath.Join(base, "jobs"), 0o700); err != nil {
				return err
			}
			return os.Symlink(disk, filepath.Join(base, "jobs", "j"))
		}, "no folder in the base path", false},
		"of a job, on another disk": {func(base, disk string) error {
			other := filepath.Join(disk, "other")
			if err := os.MkdirAll(filepath.Join(disk, "jobs"), 0o700); err != nil {
				return err
			}
			if err := os.Mkdir(other, 0o700); err != nil {
				return err
			}
			if err := os.Symlink(other, filepath.Join(disk, "jobs", "j")); err != nil {
				return err
			}
			return os.Symlink(filepath.Join(disk, "jobs"), filepath.Join(base, "jobs"))
		}, "no folder in the base path", false},
	} {
		t.Run(name, func(t *testing.T) {
			if c.root && os.Geteuid() != 0 {
				t.Skip("only root can give a file away")
			}
			base, disk := t.TempDir(), t.TempDir()
			if err := c.plant(base, disk); err != nil {
				t.Fatal(err)
			}
			if _, err := open(t, base); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want that it says %q", err, c.want)
			}
		})
	}
}

// What root made in the base path of another user could not be used by that
// user's own tasks afterwards.
func TestWhatRootMakesBelongsToTheOwnerOfTheBasePath(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can")
	}
	base := t.TempDir()
	if err := os.Chown(base, 1234, 2345); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t, base); err != nil {
		t.Fatal(err)
	}
	n := 0
	err := filepath.WalkDir(base, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := os.Lstat(path)
		if s := info.Sys().(*syscall.Stat_t); s.Uid != 1234 || s.Gid != 2345 {
			t.Errorf("%s belongs to %d:%d", path, s.Uid, s.Gid)
		}
		n++
		return err
	})
	if err != nil || n != 5 {
		t.Errorf("%d files, %v", n, err)
	}
}

// A line of ours came behind the last words of a command, in the same line.
func TestANoteBeginsALine(t *testing.T) {
	for _, c := range []struct{ before, want string }{
		{"", "[air-executor] x\n"},
		{"words\n", "words\n[air-executor] x\n"},
		{"words", "words\n[air-executor] x\n"},
	} {
		base := t.TempDir()
		f, err := open(t, base)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(c.before); err != nil {
			t.Fatal(err)
		}
		writeNote(f, "x")
		got, err := os.ReadFile(LogPath(base, "j", "t"))
		if err != nil || string(got) != c.want {
			t.Errorf("after %q: %q, %v, want %q", c.before, got, err, c.want)
		}
	}
}

func TestResultSaysWhatAPersonMustKnow(t *testing.T) {
	for _, c := range []struct {
		exit process.Exit
		want string
	}{
		{process.Exit{}, ""},
		{process.Exit{Code: 3}, "exit code 3"},
		{process.Exit{Signal: 37}, "ended by SIGRTMIN+3"},
		{process.Exit{Waited: "PID 7 (sleep, root)"}, "waited for PID 7 (sleep, root), which could not be ended"},
		{process.Exit{Code: 1, Lost: 5, LostErr: syscall.ENOSPC}, "exit code 1; 5 bytes of its output are missing from the log: no space left on device"},
	} {
		if got := result(c.exit, job.NoTimeout); got.Error != c.want || (got.Status == job.Completed) != (c.exit.Code == 0 && c.exit.Signal == 0) {
			t.Errorf("%+v: %+v, want %q", c.exit, got, c.want)
		}
	}
}
