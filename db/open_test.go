package db_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/internal/basepath"
	"github.com/air-executor/air-executor/job"
)

// files lists all that is below a folder.
func files(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if path != dir {
			name, _ := filepath.Rel(dir, path)
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestOpenMakesTheFileAtThePathAndNoOther(t *testing.T) {
	for _, name := range []string{
		"plain", "a?b", "c#d", "e%20f", "%", "100%", "?mode=memory", "with blanks ", " ", "a&b=c", "a+b", "semi;colon",
		"ünïcödé ☃", "new\nline", "quote'\"", "-dash", "file:x", ":memory:", "back\\slash", "deep/er/still",
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			base := filepath.Join(dir, name)
			d, err := db.Open(ctx, base, db.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := d.Enqueue(ctx, db.Batch{Job: "j", Tasks: specs(task("a"))}); err != nil {
				t.Fatal(err)
			}
			if want := filepath.Join(base, db.FileName); d.Path() != want {
				t.Errorf("path %s, want %s", d.Path(), want)
			}
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
			for _, f := range files(t, dir) {
				inside, _ := filepath.Rel(name, f)
				if !filepath.IsLocal(inside) && filepath.Dir(name) == "." {
					t.Errorf("there is a stray file %q", f)
				}
			}
			again, err := db.Open(ctx, base, db.Options{MustExist: true})
			if err != nil {
				t.Fatal(err)
			}
			defer again.Close()
			if _, err := again.Task(ctx, "j", "a"); err != nil {
				t.Errorf("what was stored is not there: %v", err)
			}
		})
	}
}

func TestTheBasePathIsForItsOwnerAlone(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o022))
	base := filepath.Join(t.TempDir(), "base")
	s := openAt(t, base, db.Options{})
	s.MustEnqueue("j", task("a"))
	for name, want := range map[string]fs.FileMode{".": 0o700, db.FileName: 0o600, db.FileName + "-wal": 0o600, db.FileName + "-shm": 0o600} {
		info, err := os.Stat(filepath.Join(base, name))
		if err != nil {
			t.Error(err)
			continue
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("mode of %s is %o, want %o", name, got, want)
		}
	}
}

func TestOpenMakesNothingWhereADatabaseMustExist(t *testing.T) {
	dir := t.TempDir()
	for _, base := range []string{dir, filepath.Join(dir, "absent")} {
		if _, err := db.Open(ctx, base, db.Options{MustExist: true}); !errors.Is(err, db.ErrNoDatabase) {
			t.Errorf("error %v, want ErrNoDatabase", err)
		}
	}
	if got := files(t, dir); len(got) > 0 {
		t.Errorf("there are now %q", got)
	}
}

// foreign makes a SQLite file that is not ours, or not any more.
func foreign(t *testing.T, path string, statements ...string) {
	t.Helper()
	pool, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	for _, s := range statements {
		if _, err := pool.Exec(s); err != nil {
			t.Fatal(err)
		}
	}
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestFilesOfOthersAreLeftAlone(t *testing.T) {
	for _, c := range []struct {
		name string
		make func(t *testing.T, path string)
		want error
	}{
		{"SQLite file of another program", func(t *testing.T, p string) {
			foreign(t, p, "CREATE TABLE theirs (x)", "PRAGMA application_id = 7")
		}, db.ErrForeign},
		{"SQLite file of another program, still empty", func(t *testing.T, p string) { foreign(t, p, "PRAGMA application_id = 7") }, db.ErrForeign},
		{"SQLite file of nobody", func(t *testing.T, p string) { foreign(t, p, "CREATE TABLE job (x)") }, db.ErrForeign},
		{"SQLite file of another program that uses goose", func(t *testing.T, p string) {
			foreign(t, p, "CREATE TABLE goose_db_version (id INTEGER PRIMARY KEY AUTOINCREMENT, version_id, is_applied, tstamp)", "CREATE TABLE theirs (x)")
		}, db.ErrForeign},
		{"text", func(t *testing.T, p string) { write(t, p, bytes.Repeat([]byte("hello, world\n"), 400)) }, db.ErrForeign},
		{"short text", func(t *testing.T, p string) { write(t, p, []byte("hello")) }, db.ErrForeign},
		{"zeroes", func(t *testing.T, p string) { write(t, p, make([]byte, 8192)) }, db.ErrForeign},
		{"database of a later version", func(t *testing.T, p string) {
			foreign(t, p, "CREATE TABLE job (x)", "PRAGMA application_id = 1097429605", "PRAGMA user_version = 99")
		}, db.ErrNewer},
		{"hard link", func(t *testing.T, p string) {
			write(t, p, nil)
			if err := os.Link(p, filepath.Join(t.TempDir(), "second")); err != nil {
				t.Fatal(err)
			}
		}, db.ErrForeign},
	} {
		t.Run(c.name, func(t *testing.T) {
			base := t.TempDir()
			path := filepath.Join(base, db.FileName)
			c.make(t, path)
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := db.Open(ctx, base, db.Options{}); !errors.Is(err, c.want) {
				t.Errorf("error %v, want %v", err, c.want)
			}
			after, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(before, after) {
				t.Error("the file has changed")
			}
			if got, want := files(t, base), []string{db.FileName}; !cmp.Equal(got, want) {
				t.Errorf("files %q, want only the one", got)
			}
		})
	}
}

func TestWhatIsNoFileIsNoDatabase(t *testing.T) {
	for name, make := range map[string]func(path string) error{
		"directory":  func(p string) error { return os.Mkdir(p, 0o700) },
		"named pipe": func(p string) error { return syscall.Mkfifo(p, 0o600) },
		"socket": func(p string) error {
			fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
			if err != nil {
				return err
			}
			defer syscall.Close(fd)
			return syscall.Bind(fd, &syscall.SockaddrUnix{Name: p})
		},
		"link to a device": func(p string) error { return os.Symlink("/dev/zero", p) },
	} {
		t.Run(name, func(t *testing.T) {
			base := t.TempDir()
			if err := make(filepath.Join(base, db.FileName)); err != nil {
				t.Fatal(err)
			}
			if _, err := db.Open(ctx, base, db.Options{}); !errors.Is(err, db.ErrForeign) {
				t.Errorf("error %v, want ErrForeign", err)
			}
		})
	}
}

func TestABasePathThatCannotBe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, nil)
	for _, base := range []string{file, filepath.Join(file, "below")} {
		if _, err := db.Open(ctx, base, db.Options{}); !errors.Is(err, syscall.ENOTDIR) {
			t.Errorf("error %v, want that %s is not a directory", err, file)
		}
	}
	base := t.TempDir()
	if err := os.Symlink("nowhere", filepath.Join(base, db.FileName)); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Open(ctx, base, db.Options{}); err == nil {
		t.Error("opened a link that leads nowhere")
	}
}

// What SQLite says then is "unable to open database file", or "attempt to write a
// readonly database" even if the user only wants to read.
func TestWithoutPermissionTheErrorSaysSo(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may write every file")
	}
	for name, test := range map[string]struct {
		file, folder os.FileMode
		want         string
	}{
		"file":   {0, 0o700, "cannot be written: permission denied"},
		"folder": {0o600, 0o500, "its folder, "},
	} {
		t.Run(name, func(t *testing.T) {
			base := t.TempDir()
			makeDatabase(t, base)
			chmod(t, filepath.Join(base, db.FileName), test.file)
			chmod(t, base, test.folder)
			t.Cleanup(func() { chmod(t, base, 0o700) })
			_, err := db.Open(ctx, base, db.Options{MustExist: true})
			if !errors.Is(err, db.ErrReadOnly) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want ErrReadOnly and %q", err, test.want)
			}
		})
	}
}

// Reading it is possible then; writing must say what it needs.
func TestAWriteToAReadOnlyFileSaysSo(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may write every file")
	}
	base := t.TempDir()
	makeDatabase(t, base)
	chmod(t, filepath.Join(base, db.FileName), 0o400)
	d, err := db.Open(ctx, base, db.Options{MustExist: true})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if _, err := d.Enqueue(ctx, db.Batch{Job: "j", Tasks: specs(task("a"))}); !errors.Is(err, db.ErrReadOnly) {
		t.Errorf("error %v, want ErrReadOnly", err)
	}
}

func makeDatabase(t *testing.T, base string) {
	t.Helper()
	d, err := db.Open(ctx, base, db.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func TestAnEmptyFileIsAFreshDatabase(t *testing.T) {
	base := t.TempDir()
	path := filepath.Join(base, db.FileName)
	write(t, path, nil)
	if _, err := db.Open(ctx, base, db.Options{MustExist: true}); !errors.Is(err, db.ErrNoDatabase) {
		t.Errorf("error %v, want ErrNoDatabase", err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() > 0 {
		t.Errorf("who only wants to look has changed the file: %v, %v", info, err)
	}
	s := openAt(t, base, db.Options{})
	s.MustEnqueue("j", task("a"))
	s.Sound()
}

// SQLite takes an empty file for a new database, and deletes what is beside it.
func TestTheLogOfADatabaseThatWasEmptiedIsNotThrownAway(t *testing.T) {
	base := t.TempDir()
	write(t, filepath.Join(base, db.FileName), nil)
	write(t, filepath.Join(base, db.FileName+"-wal"), []byte("rows"))
	for _, mustExist := range []bool{false, true} {
		if _, err := db.Open(ctx, base, db.Options{MustExist: mustExist}); !errors.Is(err, db.ErrCorrupt) {
			t.Errorf("error %v, want ErrCorrupt", err)
		}
	}
	if got := files(t, base); !cmp.Equal(got, []string{db.FileName, db.FileName + "-wal"}) {
		t.Errorf("there are now %q", got)
	}
}

// Served through a link to the file alone, tasks that ran were taken for lost:
// their runners' locks are beside the file itself.
func TestALinkToADatabaseIsRefusedAndOneToItsFolderIsNot(t *testing.T) {
	dir := t.TempDir()
	there := openAt(t, filepath.Join(dir, "there"), db.Options{})
	here := filepath.Join(dir, "here")
	if err := os.Mkdir(here, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(there.Path(), filepath.Join(here, db.FileName)); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Open(ctx, here, db.Options{MustExist: true}); !errors.Is(err, db.ErrForeign) {
		t.Errorf("error %v, want ErrForeign", err)
	}
	folder := filepath.Join(dir, "folder")
	if err := os.Symlink(filepath.Dir(there.Path()), folder); err != nil {
		t.Fatal(err)
	}
	linked := openAt(t, folder, db.Options{MustExist: true})
	there.MustEnqueue("j", task("a"))
	linked.MustEnqueue("j", task("b", "a"))
	there.WantJob("j", job.StateWaiting, job.Counts{Pending: 2}, 1)
}

func TestALogWithoutItsDatabaseIsNotThrownAway(t *testing.T) {
	base := t.TempDir()
	write(t, filepath.Join(base, db.FileName+"-wal"), []byte("rows"))
	if _, err := db.Open(ctx, base, db.Options{}); !errors.Is(err, db.ErrForeign) {
		t.Errorf("error %v, want ErrForeign", err)
	}
	if got := files(t, base); !cmp.Equal(got, []string{db.FileName + "-wal"}) {
		t.Errorf("there are now %q", got)
	}
}

// Two that use different -shm files overwrite each other's commits.
func TestNobodyWritesWhenAFileBesideTheDatabaseWasRemoved(t *testing.T) {
	base := t.TempDir()
	before, err := db.Open(ctx, base, db.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := before.Jobs(ctx); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(before.Path() + "-shm"); err != nil {
		t.Fatal(err)
	}
	if err := before.RegisterManager(ctx, db.Instance{}); !errors.Is(err, db.ErrReplaced) {
		t.Errorf("error %v, want ErrReplaced", err)
	}
	after := openAt(t, base, db.Options{})
	after.MustEnqueue("j", task("a"))
	if err := before.Close(); !errors.Is(err, db.ErrReplaced) {
		t.Errorf("close: error %v, want ErrReplaced", err)
	}
	after.WantJob("j", job.StateWaiting, job.Counts{Pending: 1}, 0)
	after.Sound()
}

func TestARunnerOpensWhatIsThereAndMakesNothing(t *testing.T) {
	dir := t.TempDir()
	for _, base := range []string{dir, filepath.Join(dir, "absent")} {
		d, err := db.Open(ctx, base, db.Options{Runner: true})
		if err == nil {
			_, err = d.Claim(ctx, runner1, unlimited, "")
			d.Close()
		}
		if err == nil {
			t.Error("a runner has opened what is not there")
		}
		if _, err := os.Lstat(filepath.Join(base, db.FileName)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a runner has made a database: %v", err)
		}
	}
	s := open(t)
	s.MustEnqueue("j", task("a"), task("b", "a"))
	r := openAt(t, s.Base, db.Options{Runner: true})
	if err := r.Prepare(ctx); err != nil {
		t.Fatal(err)
	}
	if got := r.Work(); !cmp.Equal(got, []string{"a", "b"}) {
		t.Errorf("ran %q", got)
	}
	s.WantJob("j", job.StateCompleted, job.Counts{Completed: 2}, 0)
	s.Sound()
}

func TestACancelledContextChangesNothing(t *testing.T) {
	s := open(t)
	s.MustEnqueue("j", task("a"))
	before := s.Dump()
	gone, cancel := context.WithCancel(ctx)
	// In the middle of a batch.
	_, err := s.Enqueue(gone, db.Batch{Job: "j", Tasks: func(yield func(job.Spec, error) bool) {
		if yield(task("b"), nil) {
			cancel()
			yield(task("c"), nil)
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Enqueue: %v, want context.Canceled", err)
	}
	s.Unchanged(before)
	for name, do := range map[string]func() error{
		"Claim":  func() error { _, err := s.Claim(gone, runner1, unlimited, ""); return err },
		"Cancel": func() error { _, err := s.Cancel(gone, "j", ""); return err },
		"Jobs":   func() error { _, err := s.Jobs(gone); return err },
		"Check":  func() error { _, err := s.Check(gone); return err },
	} {
		if err := do(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, want context.Canceled", name, err)
		}
	}
	s.Unchanged(before)
	s.MustEnqueue("j", task("b"))
	s.Sound()
}

func TestGoroutinesMayShareADatabase(t *testing.T) {
	const workers, each = 6, 10
	s := open(t)
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			name := fmt.Sprint("j", w)
			for i := range each {
				if _, err := s.Enqueue(ctx, db.Batch{Job: name, Tasks: specs(task(fmt.Sprint(i)))}); err != nil {
					t.Error(err)
				}
				a, err := s.Claim(ctx, runner1, unlimited, name)
				if err != nil || a == nil {
					t.Errorf("Claim: %v, %v", a, err)
					return
				}
				if _, err := s.Finish(ctx, a, success, false); err != nil {
					t.Error(err)
				}
				if _, err := s.Jobs(ctx); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	for w := range workers {
		s.WantJob(fmt.Sprint("j", w), job.StateCompleted, job.Counts{Completed: each}, 0)
	}
	s.Sound()
}

func TestChangesTellsOfOthersWrites(t *testing.T) {
	s := open(t)
	other := openAt(t, s.Base, db.Options{})
	changes := func() int64 {
		t.Helper()
		n, err := s.Changes(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	first := changes()
	if got := changes(); got != first {
		t.Errorf("it goes from %d to %d, and nobody has written", first, got)
	}
	if _, err := other.Jobs(ctx); err != nil {
		t.Fatal(err)
	}
	if got := changes(); got != first {
		t.Errorf("it goes from %d to %d after another has read", first, got)
	}
	other.MustEnqueue("j", task("a"))
	if got := changes(); got == first {
		t.Errorf("it stays at %d after another has written", got)
	}
}

func TestWithoutPermissionTheDatabaseOfAnotherUserIsRefused(t *testing.T) {
	base := "/" // everybody but root is another user
	if os.Geteuid() == 0 {
		base = t.TempDir()
		if err := os.Chown(base, 65534, 65534); err != nil {
			t.Fatal(err)
		}
	}
	var untrusted *basepath.Untrusted
	if _, err := db.Open(ctx, base, db.Options{}); !errors.As(err, &untrusted) || untrusted.Path != base {
		t.Errorf("a folder of another user: %v", err)
	}
	if _, err := os.Lstat(filepath.Join(base, db.FileName)); err == nil {
		t.Error("a database was made in it")
	}
	s := open(t)
	path := filepath.Join(s.Base, db.FileName)
	if err := os.Chmod(path, 0o620); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Open(ctx, s.Base, db.Options{}); !errors.As(err, &untrusted) || untrusted.Path != path {
		t.Errorf("a database that others may write to: %v", err)
	}
	d, err := db.Open(ctx, s.Base, db.Options{AllowForeign: true})
	if err != nil {
		t.Fatal(err)
	}
	d.Close()
	if os.Geteuid() != 0 {
		return // only root can give it away
	}
	if err := errors.Join(os.Chmod(path, 0o600), os.Chown(path, 65534, 65534)); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Open(ctx, s.Base, db.Options{}); !errors.As(err, &untrusted) || untrusted.Path != path {
		t.Errorf("a database of another user: %v", err)
	}
}

func TestANamedPipeBesideTheDatabaseIsNotWaitedFor(t *testing.T) {
	for _, suffix := range []string{"-wal", "-shm", "-journal"} {
		base := t.TempDir()
		d, err := db.Open(ctx, base, db.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(base, db.FileName+suffix)
		if err := syscall.Mkfifo(path, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err = db.Open(ctx, base, db.Options{})
		if want := path + " is a named pipe, not a regular file"; !errors.Is(err, db.ErrTaken) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// SQLite only says that it is unable to open the file.
func TestABasePathThatIsTooLongIsNamed(t *testing.T) {
	root := t.TempDir()
	for _, c := range []struct {
		length int
		ok     bool
	}{{488, true}, {489, false}} {
		base := root
		for len(base) < c.length-150 {
			base = filepath.Join(base, strings.Repeat("x", 100))
		}
		base = filepath.Join(base, strings.Repeat("y", c.length-len(base)-1))
		d, err := db.Open(ctx, base, db.Options{})
		if c.ok {
			if err != nil {
				t.Fatal(err)
			}
			_, err = d.Enqueue(ctx, db.Batch{Job: "j", Tasks: specs(task("a"))})
			if err = errors.Join(err, d.Close()); err != nil {
				t.Error(err)
			}
		} else if err == nil || !strings.Contains(err.Error(), "the base path is 489 bytes long, and may be at most 488") {
			t.Errorf("error %v", err)
		}
	}
}
