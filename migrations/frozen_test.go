package migrations_test

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"regexp"
	"testing"

	"github.com/air-executor/air-executor/migrations"
)

// frozen are the migrations that were released, or are as good as, with their
// digests.
var frozen = map[string]string{
	"sqlite/00001_init.sql":    "014c892ec6fc78e4003c6de70f48d2f7a8488f85cfefca6976ed214ebbb495b6",
	"sqlite/00002_control.sql": "a4fff314ade727b71c405235c868f44bea291e50a1a9e734dff01034b8cc4f86",
}

// There are databases that these files have built. A change of a file would reach
// none of them, and the next migration would find another schema in old databases
// than in new ones.
func TestAReleasedMigrationIsNotChanged(t *testing.T) {
	for name, want := range frozen {
		text, err := fs.ReadFile(migrations.SQLite, name)
		if err != nil {
			t.Errorf("%v: databases were built by it, so it must stay", err)
			continue
		}
		sum := sha256.Sum256(text)
		if got := hex.EncodeToString(sum[:]); got != want {
			t.Errorf(`%s has changed: its digest is %s, not %s.
It is frozen, comments included: databases that it has built stay as they are. Undo
the change, and put it into a new migration (CONTRIBUTING.md, "A migration").`, name, got, want)
		}
	}
}

// The number of a migration is in its name, in its last statement, and, of the
// newest, in Version.
func TestMigrationsAreNumbered(t *testing.T) {
	names, err := fs.Glob(migrations.SQLite, "sqlite/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	if len(names) != migrations.Version {
		t.Errorf("there are %d migrations, Version is %d", len(names), migrations.Version)
	}
	number := regexp.MustCompile(`^sqlite/0*(\d+)_\w+\.sql$`)
	last := regexp.MustCompile(`\nPRAGMA user_version = (\d+);\n$`)
	for _, name := range names {
		text, err := fs.ReadFile(migrations.SQLite, name)
		if err != nil {
			t.Fatal(err)
		}
		n, ends := number.FindStringSubmatch(name), last.FindSubmatch(text)
		if n == nil || ends == nil || n[1] != string(ends[1]) {
			t.Errorf("%s does not end by writing its number to user_version", name)
		}
	}
}
