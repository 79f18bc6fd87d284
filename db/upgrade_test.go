package db_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/db/dbtest"
	"github.com/air-executor/air-executor/internal/testkit"
	"github.com/air-executor/air-executor/job"
)

// version1 unpacks a database that a program of version 1 has written. In it
// build/fetch is completed, build/compile failed, build/test waits for that,
// report/count runs, report/mail waits for it, the job later is completed, and
// failed/old failed and was dismissed.
func version1(t *testing.T, base string) { unpack(t, base, "v1.db.gz") }

// unpack puts a database of testdata into a base path.
func unpack(t *testing.T, base, name string) {
	t.Helper()
	testkit.Gunzip(t, filepath.Join("testdata", name), filepath.Join(base, db.FileName))
}

// older makes a database of the version of this program, out of one of version 1.
// The next version is to upgrade it.
func older(t *testing.T, base string) {
	t.Helper()
	version1(t, base)
	d, err := db.Open(ctx, base, db.Options{Upgrade: true})
	if err != nil {
		t.Fatal(err)
	}
	up := d.Upgraded()
	if err := errors.Join(d.Close(), os.Remove(up.Copy)); err != nil {
		t.Fatal(err)
	}
}

// copyName is the name of a copy of such a database.
func copyName(more string) string { return fmt.Sprintf("air-executor.v%d%s", db.LatestSchema, more) }

// schema is the text of all that is in the schema, by name, but for comments and
// blanks, and without what goose and SQLite keep.
func schema(t *testing.T, s *store) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for _, row := range s.rows(`
SELECT m.name, coalesce((SELECT group_concat(c.name || ' ' || c.type || ' ' || c."notnull" || ' ' || coalesce(c.dflt_value, '-'), ', ') FROM pragma_table_info(m.name) c), '') AS columns
FROM sqlite_master m
WHERE m.name NOT LIKE 'sqlite%'`)[1:] {
		out[row[0].(string)] = []string{row[1].(string)}
	}
	return out
}

func copies(t *testing.T, base string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(base, "air-executor.v*"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range names {
		names[i] = filepath.Base(names[i])
	}
	return names
}

func TestAnUpgradeKeepsEveryRowAndACopy(t *testing.T) {
	base := t.TempDir()
	older(t, base)
	before := openAt(t, base, db.Options{}).Dump()
	s := openAt(t, base, db.Next(t, db.Options{Upgrade: true}))
	path := filepath.Join(base, copyName(".db"))
	want := &db.Upgraded{From: db.LatestSchema, To: db.NextSchema, Copy: path}
	if diff := cmp.Diff(want, s.Upgraded()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if s.Schema() != db.NextSchema || s.Outdated() {
		t.Errorf("schema version %d", s.Schema())
	}
	s.Unchanged(before)
	s.Sound()
	s.givesBack()
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the copy: %v, %v", info, err)
	}
	if diff := cmp.Diff(schema(t, openAt(t, t.TempDir(), db.Next(t, db.Options{}))), schema(t, s)); diff != "" {
		t.Errorf("the schema is not that of a new database (-want +got):\n%s", diff)
	}
	if again := openAt(t, base, db.Next(t, db.Options{Upgrade: true})); again.Upgraded() != nil {
		t.Errorf("upgraded twice: %+v", again.Upgraded())
	}
	// The way back: the copy is what the database was.
	back := t.TempDir()
	if err := os.Rename(path, filepath.Join(back, db.FileName)); err != nil {
		t.Fatal(err)
	}
	old := openAt(t, back, db.Options{})
	if old.Schema() != db.LatestSchema {
		t.Errorf("the copy has version %d", old.Schema())
	}
	old.Unchanged(before)
	old.Sound()
	old.givesBack()
	if mode := old.rows("PRAGMA journal_mode")[1][0]; mode != "wal" {
		t.Errorf("journal mode of the copy is %v", mode)
	}
}

func TestAnOlderDatabaseIsUsedAsItIs(t *testing.T) {
	base := t.TempDir()
	older(t, base)
	s := openAt(t, base, db.Next(t, db.Options{}))
	if s.Schema() != db.LatestSchema || !s.Outdated() {
		t.Errorf("schema version %d", s.Schema())
	}
	s.MustEnqueue("new", task("a"), task("b", "a"))
	if got := s.MustClaim(); got.Task != "a" {
		t.Fatalf("claimed %q", got.Task)
	} else {
		s.MustFinish(got, success)
	}
	if _, err := s.Cancel(ctx, "report", ""); err != nil {
		t.Error(err)
	}
	if _, err := s.Reset(ctx, "build", db.Which{Cancelled: true}); err != nil {
		t.Error(err)
	}
	if j, err := s.Job(ctx, "build"); err != nil || j.Tasks != (job.Counts{Pending: 2, Completed: 1}) {
		t.Errorf("job %+v, %v", j, err)
	}
	if _, err := s.RemoveJobs(ctx, []string{"later"}); err != nil {
		t.Error(err)
	}
	s.Dump()
	s.Sound()
	if v := s.rows("PRAGMA user_version")[1][0]; v != db.LatestSchema {
		t.Errorf("it is version %v now", v)
	}
	if got := copies(t, base); len(got) > 0 {
		t.Errorf("there are %q", got)
	}
}

// A database from before the first release is refused, and nothing else.
func TestADatabaseFromBeforeTheFirstReleaseIsLeftAlone(t *testing.T) {
	for _, o := range []db.Options{{}, {MustExist: true}, {Upgrade: true}} {
		base := t.TempDir()
		unpack(t, base, "unreleased.db.gz")
		path := filepath.Join(base, db.FileName)
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Open(ctx, base, o); !errors.Is(err, db.ErrUnreleased) {
			t.Errorf("%+v: error %v", o, err)
		}
		after, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(before, after) {
			t.Errorf("%+v: the file has changed (%v)", o, err)
		}
		if got := files(t, base); !cmp.Equal(got, []string{db.FileName}) {
			t.Errorf("%+v: there are %q", o, got)
		}
	}
}

// One that has the database open, as a runner or a manager of the older program,
// records its results through an upgrade. No table moves, which is how one is
// seen that was built anew.
func TestWhatHasTheDatabaseOpenGoesOnThroughAnUpgrade(t *testing.T) {
	base := t.TempDir()
	older(t, base)
	old := openAt(t, base, db.Options{})
	runner := openAt(t, base, db.Options{Runner: true})
	old.MustEnqueue("j", task("a"), task("b", "a"), task("c"))
	first := old.MustClaim()
	const tables = `SELECT name, rootpage FROM sqlite_master WHERE type = 'table' AND name IN ('environment', 'job', 'task', 'dependency', 'attempt', 'manager') ORDER BY name`
	before := old.rows(tables)
	if got := openAt(t, base, db.Next(t, db.Options{Upgrade: true})); got.Upgraded() == nil {
		t.Fatal("not upgraded")
	}
	if diff := cmp.Diff(before, old.rows(tables)); diff != "" || len(before) != 7 {
		t.Errorf("tables have moved (-before +after):\n%s", diff)
	}
	runner.MustFinish(first, success)
	old.MustFinish(old.MustClaim(), failure)
	if ok, err := old.GiveBack(ctx, old.MustClaim()); !ok || err != nil {
		t.Errorf("given back: %v, %v", ok, err)
	}
	old.MustFinish(old.MustClaim(), success)
	old.MustEnqueue("j", task("d"))
	if _, err := old.Reset(ctx, "j", db.Which{}); err != nil {
		t.Error(err)
	}
	if _, err := old.Cancel(ctx, "j", "d"); err != nil {
		t.Error(err)
	}
	old.WantJob("j", job.StateWaiting, job.Counts{Pending: 1, Completed: 2, Failed: 1}, 0)
	old.Sound()
	want := [][]any{{"kind", "COUNT(*)"}, {"ended", 3}, {"started", 3}}
	if diff := cmp.Diff(want, old.rows("SELECT kind, COUNT(*) FROM notice GROUP BY kind ORDER BY kind")); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestACopyIsNotWrittenOver(t *testing.T) {
	base := t.TempDir()
	older(t, base)
	own := filepath.Join(base, copyName(".db"))
	write(t, own, []byte("mine"))
	s := openAt(t, base, db.Next(t, db.Options{Upgrade: true}))
	if got := s.Upgraded().Copy; got != filepath.Join(base, copyName("-2.db")) {
		t.Errorf("the copy is %s", got)
	}
	if b, err := os.ReadFile(own); string(b) != "mine" {
		t.Errorf("the file that was there is now %q, %v", b, err)
	}
}

func TestAFileInTheWayOfTheCopyIsLeftAlone(t *testing.T) {
	base := t.TempDir()
	older(t, base)
	part := filepath.Join(base, copyName(".db.part"))
	write(t, part, []byte("mine, and not a database"))
	if _, err := db.Open(ctx, base, db.Next(t, db.Options{Upgrade: true})); err == nil || !strings.Contains(err.Error(), part+" is in the way") {
		t.Errorf("error %v", err)
	}
	if b, err := os.ReadFile(part); string(b) != "mine, and not a database" {
		t.Errorf("the file that was there is now %q, %v", b, err)
	}
}

// A migration that fails leaves the version and a copy. Tried again and again,
// it leaves no more copies.
func TestAnUpgradeThatFailsLeavesTheOldVersion(t *testing.T) {
	base := t.TempDir()
	older(t, base)
	before := openAt(t, base, db.Options{}).Dump()
	raw := raw(openAt(t, base, db.Options{}))
	// It fails when all its statements have run, and are to be recorded.
	if _, err := raw.Exec("CREATE TRIGGER fails BEFORE INSERT ON goose_db_version BEGIN SELECT RAISE(ABORT, 'no'); END"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		_, err := db.Open(ctx, base, db.Next(t, db.Options{Upgrade: true}))
		if err == nil || !strings.Contains(err.Error(), "as it was before: "+base) {
			t.Fatalf("error %v, want one that names the copy", err)
		}
		s := openAt(t, base, db.Options{})
		if s.Schema() != db.LatestSchema {
			t.Errorf("it is version %d now", s.Schema())
		}
		s.Unchanged(before)
		if got := copies(t, base); !cmp.Equal(got, []string{copyName(".db")}) {
			t.Errorf("copies %q", got)
		}
	}
	if _, err := raw.Exec("DROP TRIGGER fails"); err != nil {
		t.Fatal(err)
	}
	s := openAt(t, base, db.Next(t, db.Options{Upgrade: true}))
	s.Unchanged(before)
	if s.Upgraded() == nil {
		t.Error("the second try did nothing")
	}
}

func TestManyUpgradeAtOnce(t *testing.T) {
	base := t.TempDir()
	older(t, base)
	const many = 8
	errs := make(chan error, many)
	for range many {
		go func() {
			d, err := db.Open(ctx, base, db.Next(t, db.Options{Upgrade: true}))
			if err == nil {
				_, err = d.Jobs(ctx)
				err = errors.Join(err, d.Close())
			}
			errs <- err
		}()
	}
	for range many {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if got := copies(t, base); !cmp.Equal(got, []string{copyName(".db")}) {
		t.Errorf("copies %q", got)
	}
}

// A new database is built at once, and goose knows every version of it.
func TestANewDatabaseHasEveryVersion(t *testing.T) {
	s := openAt(t, t.TempDir(), db.Next(t, db.Options{}))
	want := [][]any{{"version_id"}}
	for v := range db.NextSchema + 1 {
		want = append(want, []any{v})
	}
	if diff := cmp.Diff(want, s.rows("SELECT version_id FROM goose_db_version ORDER BY version_id")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if s.Upgraded() != nil || len(copies(t, s.Base)) > 0 {
		t.Errorf("a new database was upgraded: %+v", s.Upgraded())
	}
}

// givesBack fails the test unless the file can become smaller by and by.
func (s *store) givesBack() {
	s.T.Helper()
	const incremental = 2
	if got := s.rows("PRAGMA auto_vacuum")[1][0]; got != incremental {
		s.T.Errorf("auto_vacuum is %v", got)
	}
}

func TestSpaceThatIsNotUsedCanBeGivenBack(t *testing.T) {
	s := open(t)
	s.givesBack()
	tasks := make([]job.Spec, 3000)
	for i := range tasks {
		tasks[i].Command = "true"
	}
	s.MustEnqueue("j", tasks...)
	pages := func() int { return s.rows("PRAGMA page_count")[1][0].(int) }
	full := pages()
	if _, err := s.RemoveJobs(ctx, []string{"j"}); err != nil {
		t.Fatal(err)
	}
	s.rows("PRAGMA incremental_vacuum")
	if got := pages(); got > full/2 {
		t.Errorf("%d pages of %d are left", got, full)
	}
	s.Sound()
}

func TestTasksOfAnOlderDatabaseAreListed(t *testing.T) {
	base := t.TempDir()
	older(t, base)
	s := openAt(t, base, db.Options{})
	for order, want := range map[db.Order][]string{
		db.ByState: {"report/count", "build/compile", "build/test", "report/mail"},
		db.ByName:  {"build/compile", "report/count", "report/mail", "build/test"},
	} {
		got := s.List(db.TasksQuery{Sort: order, Statuses: []job.Status{job.Failed, job.Running, job.Pending}})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("by %q (-want +got):\n%s", order, diff)
		}
	}
	if got, err := s.Cancelled(ctx, ""); err != nil || len(got) > 0 {
		t.Errorf("cancelled: %v, %v", got, err)
	}
}

// A database of the first release, with a task that runs, becomes one of this version.
func TestAnUpgradeFromTheFirstRelease(t *testing.T) {
	base := t.TempDir()
	version1(t, base)
	s := openAt(t, base, db.Options{Upgrade: true})
	if diff := cmp.Diff(&db.Upgraded{From: 1, To: db.LatestSchema, Copy: filepath.Join(base, "air-executor.v1.db")}, s.Upgraded()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(schema(t, open(t)), schema(t, s)); diff != "" {
		t.Errorf("the schema is not that of a new database (-want +got):\n%s", diff)
	}
	s.Sound()
	s.givesBack()
	s.WantJob("report", job.StateWorking, job.Counts{Pending: 1, Running: 1}, 1)
	s.WantJob("build", job.StateFailed, job.Counts{Pending: 1, Completed: 1, Failed: 1}, 1)
	active, err := s.Active(ctx)
	if err != nil || len(active) != 1 || active[0].Task != "count" {
		t.Errorf("running: %v, %v", active, err)
	}
	s.MustEnqueue("report", task("more", "mail"))
	s.WantJob("report", job.StateWorking, job.Counts{Pending: 2, Running: 1}, 2)
}

// Before the upgrade, what needs a column that is not there says what to do, and
// nothing has changed.
func TestADatabaseOfTheFirstReleaseWaitsForItsUpgrade(t *testing.T) {
	base := t.TempDir()
	version1(t, base)
	s := openAt(t, base, db.Options{})
	if s.Schema() != 1 || !s.Outdated() {
		t.Errorf("schema version %d", s.Schema())
	}
	if _, err := s.Enqueue(ctx, dbtest.Subtasks("new", "", task("a"))); !errors.Is(err, db.ErrOlder) {
		t.Errorf("enqueue: error %v", err)
	}
	if got := copies(t, base); len(got) > 0 {
		t.Errorf("there are %q", got)
	}
}
